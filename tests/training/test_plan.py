"""The plan that a run prints: every change once, at its step, by the name that the config gives it."""

from farm3d.config import load_config
from farm3d.training.config import TrainConfig
from farm3d.training.plan import FOR_EVER, Change, plan_line, plan_table, planned_changes, settled

IMAGES = (
    "supervision=images",
    "steps=1000",
    "images.sharpness=5",
    "images.uniform_share={from: 1, to: 0, start: 100, end: 300}",
    "images.best_share=0",
    "images.grid_resolution={steps: [[0, 32.0], [500, 48.0], [900, 64.0]]}",
    "images.articulation_from=200",
    "images.deformation_from=2000",
)


def config(*changes: str) -> TrainConfig:
    return load_config(TrainConfig, preset_or_file="tiny", overrides=list(changes))


def test_changes_are_in_order_and_ramps_say_where_they_end() -> None:
    assert planned_changes(config(*IMAGES)) == [
        Change(100, "images.uniform_share 1 → 0", until=300),
        Change(200, "articulation begins"),
        Change(500, "images.grid_resolution 32 → 48"),
        Change(900, "images.grid_resolution 48 → 64"),
        Change(2000, "deformation begins"),
    ]


def test_a_ramp_that_begins_again_is_two_changes() -> None:
    again = "learning_rate={from: 4, to: 2, start: 0, end: 10, then: {from: 3, to: 1, start: 20, end: 30}}"
    rates = [change for change in planned_changes(config(again)) if "learning_rate" in change.what]
    assert rates[:2] == [
        Change(0, "learning_rate 4 → 2", until=10),
        Change(20, "learning_rate 3 → 1", until=30),
    ]


def test_what_the_supervision_does_not_read_is_left_out() -> None:
    ramp = "guidance.smallest_time={from: 0.2, to: 0.1, start: 10, end: 20}"
    names = [change.what for change in planned_changes(config("prior_steps=70", ramp))]
    assert names == ["the category's shape is fixed; training on images begins"]
    assert not any("guidance" in change.what for change in planned_changes(config(*IMAGES, ramp)))
    pictures = config(*IMAGES, ramp, "guidance.source=pictures")
    assert Change(10, "guidance.smallest_time 0.2 → 0.1", until=20) in planned_changes(pictures)


def test_the_table_ends_with_the_run_and_says_what_it_does_not_reach() -> None:
    lines = plan_table(config(*IMAGES)).splitlines()
    assert lines[0] == "step  what changes"
    assert lines[1] == "   0  shape, viewpoint, light, colours, from images alone"
    assert lines[2] == " 100  images.uniform_share 1 → 0 until 300"
    assert lines[-2:] == ["1000  the end", "not reached: 2000 deformation begins"]
    assert plan_line(config(*IMAGES)) == (
        "plan: 100 images.uniform_share 1 → 0 until 300; 200 articulation begins;"
        " 500 images.grid_resolution 32 → 48; 900 images.grid_resolution 48 → 64; 1000 the end"
    )


def test_a_shape_that_waits_is_told() -> None:
    waiting = config(*IMAGES, "images.shape_from=150")
    assert Change(150, "the category's shape begins to change") in planned_changes(waiting)
    assert plan_table(waiting).splitlines()[1] == "   0  viewpoint, light, colours, from images alone"
    assert settled(waiting, 149).images.shape_from == FOR_EVER
    assert settled(waiting, 150).images.shape_from == 0


def test_a_settled_config_stays_at_its_step_for_ever() -> None:
    at = settled(config(*IMAGES), 600)
    assert planned_changes(at) == [Change(0, "articulation begins"), Change(FOR_EVER, "deformation begins")]
    assert at.images.grid_resolution.value(0) == 48.0
    assert at.images.uniform_share.value(0) == 0.0
    assert settled(config("prior_steps=70"), 69).prior_steps == FOR_EVER
    assert settled(config("prior_steps=70"), 70).prior_steps == 0
