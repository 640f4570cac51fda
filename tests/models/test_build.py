"""Checkpoints come back as the model they were, or are refused in one line that says why."""

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from farm3d.config import plain_values
from farm3d.errors import CheckpointError, ConfigError, Farm3DError
from farm3d.io.checkpoint import in_half_precision, read_checkpoint, write_checkpoint
from farm3d.models.build import load_trained, newest_checkpoint, shipped_categories, shipped_checkpoint

from .small_models import random_crops, tiny_config, tiny_model


def metadata(**changes: Any) -> dict[str, Any]:
    config = {"model": plain_values(tiny_config()), "category": "horse", "shoulder_height_metres": 1.55}
    return {"config": {**config, **changes}, "command": "farm3d-train --config tiny"}


def saved(path: Path, **changes: Any) -> Path:
    write_checkpoint(path, tiny_model().state_dict(), metadata(**changes))
    return path


def refusal(path: Path) -> str:
    """The one line with which the file is refused."""
    with pytest.raises(Farm3DError) as error:
        load_trained(path)
    assert "\n" not in str(error.value)
    assert path.name in str(error.value)
    assert isinstance(error.value, CheckpointError)
    return str(error.value)


def test_a_model_comes_back_with_what_is_known_of_it(tmp_path: Path) -> None:
    trained = load_trained(saved(tmp_path / "horse.safetensors"))
    assert (trained.category, trained.shoulder_height_metres) == ("horse", 1.55)
    assert trained.metadata["command"] == "farm3d-train --config tiny"
    assert not trained.model.training
    with torch.no_grad():
        read, expected = (model.read(*random_crops(2)) for model in (trained.model, tiny_model()))
    assert torch.equal(read.encoded.features, expected.encoded.features)


def test_half_precision_is_widened_to_the_models_own(tmp_path: Path) -> None:
    path = tmp_path / "half.safetensors"
    original = tiny_model().state_dict()
    write_checkpoint(path, in_half_precision(original), metadata())
    assert path.stat().st_size < 0.55 * saved(tmp_path / "full.safetensors").stat().st_size
    widened = load_trained(path).model.state_dict()
    for name, tensor in original.items():
        assert widened[name].dtype == tensor.dtype == torch.float32
        assert torch.equal(widened[name], tensor.half().float()), name


def test_equal_contents_are_equal_bytes_whatever_their_order(tmp_path: Path) -> None:
    tensors = tiny_model().state_dict()
    write_checkpoint(tmp_path / "a", tensors, {"b": 1, "a": {"y": 2, "x": 3}})
    write_checkpoint(tmp_path / "b", dict(reversed(tensors.items())), {"a": {"x": 3, "y": 2}, "b": 1})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert read_checkpoint(tmp_path / "a").sha256 == read_checkpoint(tmp_path / "b").sha256


def test_the_metadata_are_one_key_of_sorted_json(tmp_path: Path) -> None:
    data = saved(tmp_path / "c").read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    assert list(header["__metadata__"]) == ["farm3d"]
    text = header["__metadata__"]["farm3d"]
    assert text == json.dumps(json.loads(text), sort_keys=True)


def test_a_missing_file(tmp_path: Path) -> None:
    assert "no such checkpoint" in refusal(tmp_path / "none.safetensors")


def test_a_folder_without_checkpoints(tmp_path: Path) -> None:
    (tmp_path / "step_000004").mkdir()
    with pytest.raises(CheckpointError, match="no checkpoint in this folder"):
        load_trained(tmp_path)


@pytest.mark.parametrize("kept", [0, 4, 200, -1])
def test_a_truncated_file(tmp_path: Path, kept: int) -> None:
    path = saved(tmp_path / "cut.safetensors")
    path.write_bytes(path.read_bytes()[:kept])
    assert "not a complete safetensors file" in refusal(path)


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    marker = tmp_path / "was_run"

    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (marker,))

    path = tmp_path / "model.pt"
    path.write_bytes(pickle.dumps(Trap()))
    assert "not a complete safetensors file" in refusal(path)
    torch.save(tiny_model().state_dict(), path)
    assert "not a complete safetensors file" in refusal(path)
    assert not marker.exists()


def test_another_programs_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "foreign.safetensors"
    save_file({"weight": torch.zeros(2)}, path, metadata={"format": "pt"})
    assert "not a farm3d checkpoint" in refusal(path)
    save_file({"weight": torch.zeros(2)}, path, metadata={"farm3d": "{broken"})
    assert "metadata are damaged" in refusal(path)


@pytest.mark.parametrize("text", ["[1, 2]", "3", '"horse"', "null"])
def test_metadata_that_are_no_object(tmp_path: Path, text: str) -> None:
    path = tmp_path / "foreign.safetensors"
    save_file({"weight": torch.zeros(2)}, path, metadata={"farm3d": text})
    assert "metadata are damaged" in refusal(path)


def test_another_format_version(tmp_path: Path) -> None:
    path = tmp_path / "later.safetensors"
    save_file({"weight": torch.zeros(2)}, path, metadata={"farm3d": json.dumps({"format_version": 99})})
    assert "format version 99" in refusal(path)


def test_metadata_without_a_model(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    write_checkpoint(path, tiny_model().state_dict(), {"step": 3})
    assert "do not describe a model" in refusal(path)
    write_checkpoint(path, tiny_model().state_dict(), metadata(shoulder_height_metres="tall"))
    assert "do not describe a model" in refusal(path)


def test_a_wrong_shape_is_named(tmp_path: Path) -> None:
    tensors = dict(tiny_model().state_dict())
    tensors["light.layers.1.weight"] = torch.zeros(2, 3)
    path = tmp_path / "wrong.safetensors"
    write_checkpoint(path, tensors, metadata())
    assert "light.layers.1.weight is (2, 3), not (64, 64)" in refusal(path)


def test_missing_and_foreign_tensors_are_named(tmp_path: Path) -> None:
    tensors = dict(tiny_model().state_dict())
    tensors["extra.weight"] = tensors.pop("light.layers.1.weight")
    path = tmp_path / "wrong.safetensors"
    write_checkpoint(path, tensors, metadata())
    message = refusal(path)
    assert "missing light.layers.1.weight" in message
    assert "unknown extra.weight" in message


def test_an_unknown_setting_is_named_with_what_to_do(tmp_path: Path) -> None:
    model = {**plain_values(tiny_config()), "encoder_widht": 64}
    message = refusal(saved(tmp_path / "later.safetensors", model=model))
    assert "encoder_widht" in message
    assert "another version of farm3d" in message


def test_of_a_run_the_newest_complete_step_counts(tmp_path: Path) -> None:
    for step in (2, 10):
        saved(tmp_path / f"step_{step:06d}" / "model.safetensors")
    (tmp_path / "step_000011").mkdir()
    (tmp_path / ".step_000012.0123456789ab.part").mkdir()
    assert newest_checkpoint(tmp_path).name == "step_000010"
    assert load_trained(tmp_path).category == "horse"


def test_the_shipped_category_is_found_and_an_unknown_one_refused() -> None:
    assert "horse" in shipped_categories()
    trained = load_trained(shipped_checkpoint("horse"))
    assert trained.category == "horse"
    assert trained.metadata["command"].startswith("farm3d-train ")
    assert shipped_checkpoint("horse").stat().st_size < 15_000_000
    with pytest.raises(
        ConfigError, match=r"no checkpoint ships for the category 'unicorn' \(shipped: .*horse"
    ):
        shipped_checkpoint("unicorn")
