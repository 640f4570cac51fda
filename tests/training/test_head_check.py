"""Before view words judge, the data set's own words are asked where the head is."""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from farm3d.config import load_config, plain_values
from farm3d.data.image_folder import ImageDataSet, open_data_set
from farm3d.errors import TrainingError
from farm3d.guidance.view_prompts import recorded_azimuth, recorded_view
from farm3d.models.animal_model import AnimalModel, ImageReading
from farm3d.training import head_check
from farm3d.training.config import TrainConfig
from farm3d.training.head_check import changed_places, named_pictures, view_words_begin
from farm3d.training.metrics import cut_log
from farm3d.training.trainer import train

FRONT, BACK, LEFT, RIGHT = 0.0, math.pi, -math.pi / 2, math.pi / 2
BEGIN, STEPS, EACH = 3, 5, 10
CHANGES = (
    "supervision=images",
    f"steps={STEPS}",
    "batch_size=2",
    "log_every=1",
    "checkpoint_every=1",
    "picture_every=1000",
    "render_size=16",
    "model.grid_resolution=32",
    "images.grid_resolution=24",
    "images.eikonal_points=64",
    "guidance.source=pictures",
    "guidance.background=0.5",
    "guidance.picture_size=16",
    "guidance.size=16",
    f"weights.distillation={{steps: [[0, 0.0], [{BEGIN}, 1.0e-3]]}}",
)
Train = Callable[..., Path]


def test_records_say_where_the_head_is() -> None:
    """Of the farm, of Stable Diffusion's pictures, and of photographs, which do not say."""
    said: list[tuple[dict[str, Any], str | None, float | None]] = [
        ({"prompt": "horse, front view"}, "front", FRONT),
        ({"prompt": "horse, back view"}, "back", BACK),
        ({"prompt": "horse, side view"}, "side", None),
        ({"prompt": "horse, overhead view"}, "overhead", None),
        ({"prompt": "a photo of a cow walking away from the camera", "view": "back"}, "back", BACK),
        ({"prompt": "a cow seen from the front at an angle", "view": "front three-quarter"}, "front", FRONT),
        ({"prompt": "a cow standing, side view, facing left", "view": "side"}, "side", LEFT),
        ({"prompt": "a cow standing, side view, facing right", "view": "side"}, "side", RIGHT),
        ({"prompt": "", "view": None}, None, None),
    ]
    for record, view, azimuth in said:
        assert recorded_view(record) == view
        assert recorded_azimuth(record) == azimuth


def test_chance_is_no_reason_to_stop() -> None:
    assert [changed_places(fitting, 100) for fitting in (100, 50, 40, 39, 0)] == [False] * 3 + [True] * 2
    assert not changed_places(0, 4), "four pictures are too few to tell"
    assert changed_places(1, 16)


def test_it_is_asked_once_where_view_words_begin() -> None:
    def steps(*changes: str) -> list[int]:
        config = load_config(TrainConfig, preset_or_file="tiny", overrides=[*CHANGES, *changes])
        return [step for step in range(10) if view_words_begin(config, step)]

    assert steps() == [BEGIN]
    assert steps("weights.distillation={from: 0, to: 1, start: 4, end: 6}") == [5]
    assert not steps("weights.distillation=0.1"), "before the first step nothing is learned"
    for off in ("guidance.source=none", "guidance.view_words=false", "guidance.head_check=false"):
        assert not steps(off)


@pytest.fixture
def data(farm_folder: Path, tmp_path: Path) -> ImageDataSet:
    """A set whose first samples show fronts by their words, the next ones backs; some do not say."""
    words = ["front"] * EACH + ["back"] * (EACH + 1) + ["side", "overhead", "side"]
    folder = tmp_path / "data"
    for path in sorted(p for p in farm_folder.rglob("*") if p.is_file()):
        copy = folder / path.relative_to(farm_folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.symlink_to(path)
    found = open_data_set(folder)
    for sample, word in zip(found.samples, words, strict=True):
        record = json.loads(sample.read_text()) | {"prompt": f"horse, {word} view"}
        sample.unlink()
        sample.write_text(json.dumps(record))
    return found


def without_words(data: ImageDataSet) -> None:
    for sample in data.samples:
        record = json.loads(sample.read_text()) | {"prompt": "", "view": None}
        sample.write_text(json.dumps(record))


@pytest.fixture
def seen(data: ImageDataSet, monkeypatch: pytest.MonkeyPatch) -> Callable[[Sequence[float]], None]:
    """Have the model see the samples of the set from these azimuths when the head is asked for."""
    read, load = head_check.read_images, head_check.load_batch

    def see(azimuths: Sequence[float]) -> None:
        asked: list[float] = []

        def note(data: ImageDataSet, indices: Sequence[int], *, image_size: int) -> object:
            asked[:] = [azimuths[index] for index in indices]
            return load(data, indices, image_size=image_size)

        def answer(
            model: AnimalModel, inputs: tuple[torch.Tensor, torch.Tensor], precision: Any
        ) -> ImageReading:
            reading = read(model, inputs, precision)
            view = reading.viewpoint
            best = view.logits.argmax(dim=1, keepdim=True)
            view.azimuths.scatter_(1, best, torch.tensor(asked)[:, None])
            return reading

        monkeypatch.setattr(head_check, "load_batch", note)
        monkeypatch.setattr(head_check, "read_images", answer)

    return see


@pytest.fixture
def run_training(data: ImageDataSet, farm_folder: Path, tmp_path: Path) -> Train:
    def run(name: str = "run", *changes: str, **options: Any) -> Path:
        overrides = [*CHANGES, f"guidance.pictures={farm_folder}", *changes]
        config = load_config(TrainConfig, preset_or_file="tiny", overrides=overrides)
        metadata = {"config": plain_values(config), "category": "horse"}
        return train(config, data, tmp_path / name, metadata=metadata, **options)

    return run


def lines(run: Path) -> list[dict[str, float]]:
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


def test_as_many_pictures_are_asked_of_a_side_as_of_the_opposite_one(
    data: ImageDataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = named_pictures(data, seed=0)
    assert sorted(named.indices[:EACH]) == list(range(EACH)) and named.azimuths[:EACH] == (FRONT,) * EACH
    assert len(named.indices) == 2 * EACH and named.azimuths[EACH:] == (BACK,) * EACH
    assert named == named_pictures(data, seed=0) != named_pictures(data, seed=1)
    monkeypatch.setattr(head_check, "PICTURES", 3)
    assert named_pictures(data, seed=0).indices == (*named.indices[:3], *named.indices[EACH : EACH + 3])


def test_a_model_that_knows_the_head_goes_on_and_the_log_says_so(
    data: ImageDataSet, seen: Callable[[Sequence[float]], None], run_training: Train
) -> None:
    seen([0.9] * (EACH - 2) + [3.0] * (EACH + 6))
    said: list[str] = []
    run = run_training(notice=said.append).parent
    assert said == [f"step {BEGIN}: the head is where the data set says in 18 of 20 pictures"]
    log = lines(run)
    assert [row["step"] for row in log] == [0, 1, 2, BEGIN, BEGIN, 4]
    assert log[BEGIN] == {"step": BEGIN, "head_agreement": 0.9}
    assert "distillation" in log[BEGIN + 1]


def test_changed_places_stop_the_run_and_nothing_is_lost(
    data: ImageDataSet, seen: Callable[[Sequence[float]], None], run_training: Train, tmp_path: Path
) -> None:
    seen([3.0] * (EACH - 2) + [0.2] * (EACH + 6))
    message = rf"^step {BEGIN}: head and tail have changed places: of 20 pictures only 2 are seen from .*seed"
    for _ in range(2):
        with pytest.raises(TrainingError, match=message):
            run_training()
        assert [row["step"] for row in lines(tmp_path / "run")] == [0, 1, 2, BEGIN]
        assert lines(tmp_path / "run")[-1] == {"step": BEGIN, "head_agreement": 0.1}
        assert sorted(folder.name for folder in (tmp_path / "run").glob("step_*")) == [
            f"step_{BEGIN - 1:06d}",
            f"step_{BEGIN:06d}",
        ]
    assert run_training("run", "guidance.head_check=false").name == f"step_{STEPS:06d}"


def test_one_that_says_the_same_of_all_pictures_is_no_proof(data: ImageDataSet, run_training: Train) -> None:
    """As a model does that has learned nothing: half of the pictures fit, whichever side it prefers."""
    run = run_training().parent
    assert lines(run)[BEGIN] == {"step": BEGIN, "head_agreement": 0.5}


def test_a_set_without_words_is_told_once(data: ImageDataSet, run_training: Train) -> None:
    without_words(data)
    said: list[str] = []
    run = run_training(notice=said.append).parent
    assert len(said) == 1 and "does not say on which side the heads are" in said[0]
    assert [row["step"] for row in lines(run)] == list(range(STEPS))


def test_interrupted_before_and_after_it_a_run_ends_with_the_same_bits(
    data: ImageDataSet, run_training: Train
) -> None:
    whole = run_training("whole")
    for _ in range(1, STEPS):
        run_training("stopped", should_stop=iter([False, True]).__next__)
    last = run_training("stopped")
    assert lines(last.parent) == lines(whole.parent)
    for file in whole.iterdir():
        assert (last / file.name).read_bytes() == file.read_bytes(), file.name


def test_a_log_that_ends_with_it_is_cut_before_it(tmp_path: Path) -> None:
    rows = [{"step": 2, "loss": 1.0}, {"step": 3, "head_agreement": 0.5}, {"step": 3, "loss": 1.0}]
    (tmp_path / "metrics.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    cut_log(tmp_path, 3)
    assert lines(tmp_path) == rows[:1]
