"""A tiny run from end to end: it learns, it can be stopped anywhere, and nothing of that shows after."""

import json
import math
import os
import re
import shutil
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from farm3d.cli.train import main
from farm3d.config import load_config, plain_values
from farm3d.data.image_folder import ImageDataSet, canonical_joints, open_data_set
from farm3d.errors import CheckpointError, ConfigError, TrainingError
from farm3d.losses.objective import LossTerms
from farm3d.models.build import load_trained
from farm3d.training.config import TrainConfig
from farm3d.training.learner import new_learner
from farm3d.training.plan import FOR_EVER, planned_changes, settled
from farm3d.training.trainer import train
from farm3d.training.visuals import GAP, SIDE, TITLE_HEIGHT

PRIOR_STEPS, STEPS = 150, 156
CHANGES = (
    f"prior_steps={PRIOR_STEPS}",
    f"steps={STEPS}",
    "batch_size=4",
    "log_every=1",
    "checkpoint_every=50",
    "keep_every=100",
    "model.grid_resolution=48",
)
FILES = ["model.safetensors", "optimizer.safetensors", "state.json"]


def config(*changes: str) -> TrainConfig:
    return load_config(TrainConfig, preset_or_file="tiny", overrides=[*CHANGES, *changes])


def run_training(
    config: TrainConfig,
    data: ImageDataSet,
    run: Path,
    *,
    should_stop: Callable[[], bool] = lambda: False,
) -> Path:
    metadata = {
        "config": plain_values(config),
        "category": config.category,
        "command": "farm3d-train --config tiny",
    }
    return train(config, data, run, metadata=metadata, should_stop=should_stop)


def after(steps: int) -> Callable[[], bool]:
    """Asks to stop once `steps` steps are done."""
    asked = iter(range(steps + 1))
    return lambda: next(asked) == steps


def metrics(run: Path) -> list[dict[str, Any]]:
    """The log without its timings."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


@pytest.fixture(scope="module")
def data(farm_folder: Path) -> ImageDataSet:
    return open_data_set(farm_folder)


@pytest.fixture(scope="module")
def finished(data: ImageDataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nothing disturbed."""
    run = tmp_path_factory.mktemp("runs") / "finished"
    assert run_training(config(), data, run) == run / f"step_{STEPS:06d}"
    return run


def test_every_step_is_logged_with_finite_terms(finished: Path) -> None:
    lines = metrics(finished)
    assert [line["step"] for line in lines] == list(range(STEPS))
    assert all(math.isfinite(value) for line in lines for value in line.values())
    assert lines[0].keys() == {"step", "loss", "signed_distance", "eikonal"}
    shape_alone = {"signed_distance", "eikonal", "absence"}
    images_alone = {"coarse_mask", "features", "sideways", "elevation_prior", "score", "distillation"}
    not_here = shape_alone | images_alone | {"joints", "smoothness"}
    image_terms = set(LossTerms.__dataclass_fields__) - not_here
    assert lines[-1].keys() == {"step", "loss"} | image_terms


def test_the_shape_is_learned_in_the_first_phase(finished: Path) -> None:
    errors = [line["signed_distance"] for line in metrics(finished)[:PRIOR_STEPS]]
    assert mean(errors[-10:]) < 0.15 * errors[0]


def test_checkpoints_are_complete_and_old_ones_removed(finished: Path) -> None:
    folders = sorted(finished.glob("step_*"))
    assert [folder.name for folder in folders] == ["step_000100", "step_000150", f"step_{STEPS:06d}"]
    assert all(sorted(path.name for path in folder.iterdir()) == FILES for folder in folders)
    assert sorted(path.name for path in finished.iterdir() if not path.name.startswith("step_")) == [
        "config.yaml",
        "horse.safetensors",
        "metrics.jsonl",
        "pictures",
    ]


def test_the_resolved_config_loads_back(finished: Path) -> None:
    assert load_config(TrainConfig, preset_or_file=str(finished / "config.yaml")) == config()


def test_the_finished_model_is_the_last_checkpoint_in_half_precision(finished: Path) -> None:
    last, shared = load_trained(finished), load_trained(finished / "horse.safetensors")
    assert shared.category == last.category == "horse"
    for name, tensor in last.model.state_dict().items():
        assert shared.model.state_dict()[name].equal(tensor.half().float()), name


def test_the_last_step_leaves_a_picture_of_its_images(finished: Path) -> None:
    with Image.open(finished / f"pictures/step_{STEPS - 1:06d}.png") as picture:
        assert picture.size == (10 * (SIDE + GAP) - GAP, TITLE_HEIGHT + 4 * (SIDE + GAP) - GAP)


def test_interrupted_in_both_phases_and_resumed_is_uninterrupted(
    finished: Path, data: ImageDataSet, tmp_path: Path
) -> None:
    """The first hundred steps are copied: what is done after them is done anew."""
    late = [
        path.name for path in finished.glob("*") if path.name > "step_000100" or path.suffix == ".safetensors"
    ]
    run = shutil.copytree(finished, tmp_path / "interrupted", ignore=lambda *_: late)
    assert run_training(config(), data, run, should_stop=after(20)).name == "step_000120"
    stopped = run_training(config(), data, run, should_stop=after(PRIOR_STEPS + 3 - 120))
    assert stopped.name == f"step_{PRIOR_STEPS + 3:06d}"
    assert not (run / "horse.safetensors").exists()
    last = run_training(config(), data, run)
    for file in FILES:
        assert (last / file).read_bytes() == (finished / last.name / file).read_bytes(), file
    assert (run / "horse.safetensors").read_bytes() == (finished / "horse.safetensors").read_bytes()
    assert metrics(run) == metrics(finished)


def test_what_a_killed_run_logged_after_its_checkpoint_is_logged_once(
    finished: Path, data: ImageDataSet, tmp_path: Path
) -> None:
    """A kill leaves steps in the log that no checkpoint holds, the last one cut in the middle."""
    run = shutil.copytree(finished, tmp_path / "killed")
    shutil.rmtree(run / f"step_{STEPS:06d}")
    with (run / "metrics.jsonl").open("a") as log:
        log.write('{"step": 156, "lo')
    run_training(config(), data, run)
    assert metrics(run) == metrics(finished)


def test_a_finished_run_is_left_as_it_is(finished: Path, data: ImageDataSet, tmp_path: Path) -> None:
    run = shutil.copytree(finished, tmp_path / "again")
    assert run_training(config(), data, run).name == f"step_{STEPS:06d}"
    for file in FILES:
        path = Path(f"step_{STEPS:06d}") / file
        assert (run / path).read_bytes() == (finished / path).read_bytes()


def test_resuming_with_other_settings_is_refused_and_names_them(finished: Path, data: ImageDataSet) -> None:
    before = (finished / "config.yaml").read_bytes()
    with pytest.raises(CheckpointError, match=r"other settings \(batch_size, seed\)"):
        run_training(config("seed=5", "batch_size=3"), data, finished)
    with pytest.raises(CheckpointError, match=r"other settings \(model\)"):
        run_training(config("model.width=32"), data, finished)
    assert (finished / "config.yaml").read_bytes() == before


def test_a_loss_that_is_not_finite_ends_the_run(data: ImageDataSet, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"step \d+: the loss is not finite"):
        run_training(config("field_learning_rate=1.0e+30"), data, tmp_path / "run")


def test_a_few_images_are_learned_by_heart(finished: Path, data: ImageDataSet, tmp_path: Path) -> None:
    run = tmp_path / "heart"
    shutil.copytree(finished / f"step_{PRIOR_STEPS:06d}", run / f"step_{PRIOR_STEPS:06d}")
    four = ImageDataSet(data.folder, data.description, data.samples[:4])
    run_training(config(f"steps={PRIOR_STEPS + 150}"), four, run)
    lines = metrics(run)
    for name, share in (("posed_points", 0.6), ("projection", 0.6), ("mask", 0.8), ("loss", 0.6)):
        first, last = (mean([line[name] for line in part]) for part in (lines[:10], lines[-20:]))
        assert last < share * first, f"{name}: {first:.4f} -> {last:.4f}"


def test_joints_are_learned_and_their_places_kept(data: ImageDataSet, tmp_path: Path) -> None:
    run, settings = tmp_path / "run", config("model.joint_maps=true", f"steps={PRIOR_STEPS + 40}")
    run_training(settings, data, run)
    lines = [line["joints"] for line in metrics(run) if "joints" in line]
    assert mean(lines[-5:]) < mean(lines[:2]) - 0.5
    model = load_trained(run / f"{settings.category}.safetensors").model
    torch.testing.assert_close(model.joint_places, canonical_joints(data), rtol=1e-3, atol=1e-3)


def test_joint_maps_can_learn_alone(data: ImageDataSet, tmp_path: Path) -> None:
    """Between training on everything and second looks: nothing else changes, nothing else is measured."""
    images, joints = PRIOR_STEPS + 2, 3
    settings = config(
        "model.joint_maps=true",
        f"steps={images + joints}",
        f"joint_steps={joints}",
        f"checkpoint_every={images}",
    )
    run_training(settings, data, tmp_path / "run")
    before = load_trained(tmp_path / f"run/step_{images:06d}").model.state_dict()
    after = load_trained(tmp_path / f"run/step_{images + joints:06d}").model.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {name for name in before if name.startswith("encoder.joint_maps.")}
    terms = [line.keys() - {"step", "loss"} for line in metrics(tmp_path / "run")]
    assert all((found == {"joints"}) == (step >= images) for step, found in enumerate(terms))
    assert (images, "only joint maps learn") in [(c.step, c.what) for c in planned_changes(settings)]
    assert settled(settings, images).joint_steps == FOR_EVER
    assert settled(settings, images - 1).joint_steps == 0


def test_joints_are_not_learned_alone_by_a_model_that_looks_for_none(
    data: ImageDataSet, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=r"joint_steps: .*set model\.joint_maps=true"):
        run_training(config("joint_steps=2"), data, tmp_path / "run")


@pytest.mark.parametrize("setting", ["supervision=images", "model.backbone=dino"])
def test_joints_need_the_farms_truth_and_the_small_backbone(
    data: ImageDataSet, tmp_path: Path, setting: str
) -> None:
    with pytest.raises(ConfigError, match="joint_maps"):
        run_training(config("model.joint_maps=true", "model.image_size=64", setting), data, tmp_path / "run")


def interrupt_when(ready: Callable[[], bool], seconds: float = 60.0) -> threading.Thread:
    """Press Ctrl-C as soon as `ready` says so."""

    def wait() -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not ready():
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_ctrl_c_leaves_a_checkpoint_and_the_same_command_goes_on(
    farm_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    log = run / "metrics.jsonl"
    command = ["--config", "tiny", "--data", str(farm_folder), "--out", str(run), "--quiet", "log_every=1"]
    stop = interrupt_when(lambda: log.is_file() and log.stat().st_size > 0)
    assert main([*command, "steps=100000", "prior_steps=100000"]) == 130
    stop.join()
    assert capsys.readouterr().err == "farm3d-train: interrupted\n"
    (folder,) = run.glob("step_*")
    assert sorted(path.name for path in folder.iterdir()) == FILES
    done = json.loads((folder / "state.json").read_text())["step"]
    assert done == len(metrics(run)) >= 1
    assert load_trained(run).metadata["command"].startswith("farm3d-train --config tiny --data ")
    assert main([*command, f"steps={done + 1}", "prior_steps=100000"]) == 0
    assert capsys.readouterr().out == f"trained: {run}/step_{done + 1:06d}\n"
    assert len(metrics(run)) == done + 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--config", "tiny", "--data", "nowhere"], "nowhere: no data set here"),
        (["--config", "tiny", "--data", "FARM", "category=cow"], "the config trains 'cow'"),
        (["--config", "tiny", "--data", "FARM", "batch_sise=4"], "did you mean 'batch_size'?"),
        (["--config", "tyni", "--data", "FARM"], "no preset is called 'tyni'; the presets are"),
        (["--category", "unicorn"], "no preset trains the category 'unicorn'"),
        ([], "give --category or --config"),
    ],
)
def test_mistakes_are_one_line(
    farm_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    words = [str(farm_folder) if word == "FARM" else word for word in arguments]
    assert main([*words, "--out", str(tmp_path / "run")]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1 and message in captured.err
    assert not (tmp_path / "run").exists()


IMAGE_CHANGES = (
    "supervision=images",
    "steps=9",
    "batch_size=4",
    "log_every=1",
    "checkpoint_every=50",
    "model.grid_resolution=32",
    "model.feature_channels=16",
    "images.grid_resolution=32",
    "images.shape_from=2",
    "images.articulation_from=3",
    "images.deformation_from=6",
    "images.eikonal_points=200",
)


def image_config() -> TrainConfig:
    return load_config(TrainConfig, preset_or_file="tiny", overrides=IMAGE_CHANGES)


def test_training_from_images_resumes_bit_for_bit_and_switches_its_parts_on(
    data: ImageDataSet, tmp_path: Path
) -> None:
    whole = run_training(image_config(), data, tmp_path / "whole")
    run_training(image_config(), data, tmp_path / "broken", should_stop=after(4))
    resumed = run_training(image_config(), data, tmp_path / "broken")
    assert all((whole / name).read_bytes() == (resumed / name).read_bytes() for name in FILES)
    lines = metrics(tmp_path / "whole")
    assert metrics(tmp_path / "broken") == lines
    compared = {"mask", "coarse_mask", "inside_distance", "color", "features", "score"}
    always = {"step", "loss", "eikonal", "elevation_prior", *compared}
    assert lines[1].keys() == always - {"eikonal"}
    assert lines[2].keys() == always
    posed = always | {"articulation", "sideways"}
    assert lines[3].keys() == posed
    assert lines[6].keys() == posed | {"deformation"}


def test_training_from_images_reads_no_truth(data: ImageDataSet, tmp_path: Path) -> None:
    """The same bits come out of a set whose truth was taken away."""
    copy = tmp_path / "images"
    shutil.copytree(data.folder, copy)
    (copy / "canonical.npz").unlink()
    shutil.rmtree(copy / "individuals")
    for sample in copy.glob("shard_*/*.json"):
        record = json.loads(sample.read_text())
        sample.write_text(json.dumps({"id": record["id"], "prompt": record["prompt"]}))
    few = ("steps=3",)
    short = load_config(TrainConfig, preset_or_file="tiny", overrides=[*IMAGE_CHANGES, *few])
    known = run_training(short, data, tmp_path / "known")
    blind = run_training(short, open_data_set(copy), tmp_path / "blind")
    assert (known / FILES[0]).read_bytes() == (blind / FILES[0]).read_bytes()


def test_the_shape_waits_for_its_step(data: ImageDataSet, tmp_path: Path) -> None:
    start = new_learner(image_config(), torch.device("cpu")).model.sdf.state_dict()
    for steps, same in ((2, True), (3, False)):
        stopped = run_training(image_config(), data, tmp_path / str(steps), should_stop=after(steps))
        learned = load_trained(stopped).model.sdf.state_dict()
        assert all(torch.equal(learned[name], start[name]) for name in start) == same


def test_a_run_may_start_from_another_s_parameters(
    finished: Path, data: ImageDataSet, tmp_path: Path
) -> None:
    """The encoder of the finished run, after a step that trains the shape alone."""
    more = [*CHANGES, "steps=1", f"initial_checkpoint={finished}"]
    config = load_config(TrainConfig, preset_or_file="tiny", overrides=more)
    learned = load_trained(run_training(config, data, tmp_path / "second")).model.encoder.state_dict()
    source = load_trained(finished).model.encoder.state_dict()
    assert all(torch.equal(learned[name], source[name]) for name in source)
    wider = load_config(TrainConfig, preset_or_file="tiny", overrides=[*more, "model.width=24"])
    with pytest.raises(CheckpointError, match=f"{re.escape(str(finished))}: does not fit the model"):
        run_training(wider, data, tmp_path / "third")
    shipped = load_config(TrainConfig, preset_or_file="tiny", overrides=[*more, "initial_checkpoint=horse"])
    with pytest.raises(CheckpointError, match=r"horse\.safetensors: does not fit the model"):
        run_training(shipped, data, tmp_path / "fourth")
