"""Half precision, averaged parameters, and steps that come to no number."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from farm3d.cli.train import main
from farm3d.config import load_config, plain_values
from farm3d.data.image_folder import ImageDataSet, open_data_set
from farm3d.errors import CheckpointError, NonFiniteError, TrainingError
from farm3d.io.checkpoint import read_checkpoint, write_checkpoint
from farm3d.losses.objective import LossTerms
from farm3d.models.build import load_trained
from farm3d.training.batches import whole_batch
from farm3d.training.checkpointing import restore_training, save_training
from farm3d.training.config import TrainConfig
from farm3d.training.curricula import terms_by_step
from farm3d.training.learner import Learner, new_learner, take_step
from farm3d.training.precision import Precision, read_images
from farm3d.training.ranks import ALONE
from farm3d.training.trainer import train

CPU = torch.device("cpu")
CHANGES = (
    "supervision=images",
    "steps=6",
    "batch_size=2",
    "log_every=1",
    "picture_every=1000",
    "model.grid_resolution=32",
    "model.feature_channels=16",
    "images.grid_resolution=24",
    "images.articulation_from=0",
    "images.deformation_from=0",
    "images.eikonal_points=64",
)


def config(*changes: str) -> TrainConfig:
    return load_config(TrainConfig, preset_or_file="tiny", overrides=[*CHANGES, *changes])


def run_training(settings: TrainConfig, data: ImageDataSet, run: Path, steps: int = 1000) -> Path:
    asked = iter(range(steps + 1))
    metadata = {"config": plain_values(settings), "category": "horse"}
    return train(settings, data, run, metadata=metadata, should_stop=lambda: next(asked) == steps)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def data(farm_folder: Path) -> ImageDataSet:
    return open_data_set(farm_folder)


def one_step(settings: TrainConfig, learner: Learner, data: ImageDataSet) -> float:
    stream = terms_by_step(settings, data, learner.model, run=Path("unused"), first=3)
    loss = take_step(settings, learner, stream, step=3, ranks=ALONE).loss
    stream.close()
    return loss


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_reads_nearly_the_same(data: ImageDataSet, precision: Precision) -> None:
    """What is read and the encoder's gradients come near, and are single precision."""
    model = new_learner(config(), CPU).model
    inputs = whole_batch(config("batch_size=4"), data, 0).inputs
    read, gradients = [], []
    names: tuple[Precision, ...] = ("float32", precision)
    for name in names:
        reading = read_images(model, inputs, name)
        read.append(reading.encoded.features.detach())
        model.zero_grad()
        reading.encoded.features.square().mean().backward()
        gradients.append(
            torch.cat([p.grad.flatten() for p in model.encoder.parameters() if p.grad is not None])
        )
    assert read[1].dtype == gradients[1].dtype == torch.float32
    assert not torch.equal(*read)
    torch.testing.assert_close(read[1], read[0], rtol=0.05, atol=0.02 * float(read[0].abs().max()))
    assert torch.nn.functional.cosine_similarity(*gradients, dim=0) > 0.99


@pytest.mark.parametrize("kind", ["supervision=images", "supervision=truth"])
def test_a_step_in_half_precision_has_nearly_the_same_loss(data: ImageDataSet, kind: str) -> None:
    losses = []
    for name in ("float32", "bfloat16"):
        settings = config(kind, "prior_steps=0", f"precision={name}")
        losses.append(one_step(settings, new_learner(settings, CPU), data))
    assert losses[0] != losses[1]
    assert losses[1] == pytest.approx(losses[0], rel=0.05)


def test_half_precision_resumes_with_its_scale(data: ImageDataSet, tmp_path: Path) -> None:
    settings = config("precision=float16")
    whole = run_training(settings, data, tmp_path / "whole")
    run_training(settings, data, tmp_path / "broken", steps=2)
    assert contents(run_training(settings, data, tmp_path / "broken")) == contents(whole)
    # The first steps found torch's first scale too large.
    assert 1.0 <= json.loads((whole / "state.json").read_text())["scaler"]["scale"] < 65536.0


def test_a_step_whose_half_precision_overflows_is_left_out(data: ImageDataSet) -> None:
    settings = config("precision=float16")
    learner = new_learner(settings, CPU)
    learner.scaler.load_state_dict(learner.scaler.state_dict() | {"scale": 2.0**40})
    before = [parameter.clone() for parameter in learner.model.parameters()]
    one_step(settings, learner, data)
    assert all(torch.equal(a, b) for a, b in zip(before, learner.model.parameters(), strict=True))
    assert learner.scaler.get_scale() == 2.0**39


def test_averaged_parameters_are_saved_resumed_and_used(data: ImageDataSet, tmp_path: Path) -> None:
    settings = config("ema_decay=0.5")
    whole = run_training(settings, data, tmp_path / "whole")
    run_training(settings, data, tmp_path / "broken", steps=2)
    assert contents(run_training(settings, data, tmp_path / "broken")) == contents(whole)
    last, average = (read_checkpoint(whole / f"{name}.safetensors").tensors for name in ("model", "ema"))
    used = load_trained(tmp_path / "whole").model.state_dict()
    shared = load_trained(tmp_path / "whole" / "horse.safetensors").model.state_dict()
    assert not torch.equal(average["sdf.mlp.encode.weight"], last["sdf.mlp.encode.weight"])
    for name, tensor in (last | average).items():
        assert torch.equal(used[name], tensor) and torch.equal(shared[name], tensor.half().float()), name


def test_what_averaging_leaves_alone_is_stored_once(data: ImageDataSet, tmp_path: Path) -> None:
    """As DINO, which is frozen; and a file of before, which has everything, is read as it was."""
    settings = config("ema_decay=0.5", "steps=3")
    learner = new_learner(settings, CPU)
    assert learner.average is not None
    frozen = {f"encoder.{name}" for name, _ in learner.model.encoder.named_parameters()}
    for model in (learner.model, learner.average):
        model.encoder.requires_grad_(False)
    one_step(settings, learner, data)
    metadata = {"config": plain_values(settings), "category": "horse"}
    save_training(tmp_path, step=4, learner=learner, metadata=metadata)
    file = tmp_path / "step_000004" / "ema.safetensors"
    expected, stored = learner.average.state_dict(), read_checkpoint(file).tensors
    assert stored and frozen and not stored.keys() & frozen
    for before in (False, True):
        if before:
            write_checkpoint(file, expected, metadata)
        other = new_learner(settings, CPU)
        assert restore_training(tmp_path, config=settings, learner=other) == 4
        assert other.average is not None
        for found in (load_trained(tmp_path).model, load_trained(file).model, other.average):
            for name, tensor in found.state_dict().items():
                assert torch.equal(tensor, expected[name]), name
    (tmp_path / "step_000004" / "model.safetensors").unlink()
    assert torch.equal(load_trained(file).model.state_dict()[next(iter(stored))], stored[next(iter(stored))])


def test_the_average_is_that_of_the_formula(data: ImageDataSet) -> None:
    """At step 3 the weight of the past is (1 + 3) / (10 + 3), for the decay is larger."""
    settings = config("ema_decay=0.9")
    learner = new_learner(settings, CPU)
    assert learner.average is not None
    before = [parameter.clone() for parameter in learner.model.parameters()]
    one_step(settings, learner, data)
    for old, new, mean in zip(before, learner.model.parameters(), learner.average.parameters(), strict=True):
        torch.testing.assert_close(mean, (4 * old + 9 * new) / 13)


def test_averaging_that_a_run_did_not_begin_with_is_refused(data: ImageDataSet, tmp_path: Path) -> None:
    run_training(config(), data, tmp_path, steps=1)
    with pytest.raises(CheckpointError, match=r"other settings \(ema_decay\)"):
        run_training(config("ema_decay=0.5"), data, tmp_path)


def test_a_run_of_before_a_setting_was_known_goes_on(data: ImageDataSet, tmp_path: Path) -> None:
    settings = config()
    known = plain_values(settings)
    del known["ema_decay"], known["model"]["backbone"]
    metadata = {"config": known, "category": "horse"}
    train(settings, data, tmp_path, metadata=metadata, should_stop=iter([False, True]).__next__)
    changed = settings.model_copy(update={"steps": 3, "load_workers": 2, "cache_gigabytes": 0.0})
    assert run_training(changed, data, tmp_path).name == "step_000003"


def spoiled(change: Callable[[LossTerms], LossTerms], stream: Iterator[LossTerms]) -> Iterator[LossTerms]:
    yield from (change(terms) for terms in stream)


def test_a_gradient_that_is_not_finite_is_told_from_the_loss(data: ImageDataSet, tmp_path: Path) -> None:
    """The root of a distance of 0: its value is a number, its slope is none."""
    settings = config()
    learner = new_learner(settings, CPU)
    weight = learner.model.albedo.mlp.encode.weight

    def spoil(terms: LossTerms) -> LossTerms:
        return replace(terms, color=terms.color + (0.0 * weight).abs().sum().sqrt())

    before = weight.clone()
    stream = spoiled(spoil, terms_by_step(settings, data, learner.model, run=tmp_path, first=0))
    with pytest.raises(NonFiniteError, match=r"step 0: the gradient of albedo is not finite \(eikonal"):
        take_step(settings, learner, stream, step=0, ranks=ALONE)
    assert torch.equal(weight, before)


def test_the_batch_of_a_step_without_a_number_is_saved(
    data: ImageDataSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["--config", "tiny", "--data", str(data.folder), "--out", str(tmp_path / "run"), "--quiet"]
    assert main([*command, *CHANGES, "learning_rate=1.0e+30"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "is not finite" in error
    (file,) = (tmp_path / "run").glob("nonfinite_step_*.safetensors")
    assert error.endswith(f"its batch is in {file}\n")
    saved = read_checkpoint(file)
    assert saved.tensors["images"].shape == saved.tensors["input_images"].shape == (2, 64, 64, 3)
    assert set(saved.tensors) == {"images", "masks", "input_images", "input_masks", "features"}
    assert set(saved.metadata["samples"]) < {path.stem for path in data.samples}
    assert f"step {saved.metadata['step']}: " in error
    with pytest.raises(TrainingError, match="no images are involved yet"):
        early = config("supervision=truth", "prior_steps=5", "field_learning_rate=1.0e+30")
        run_training(early, data, tmp_path / "early")
