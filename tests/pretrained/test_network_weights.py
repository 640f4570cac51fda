"""Weights files of other people: read where they hold arrays, refused in one line, never run."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from farm3d.errors import CheckpointError
from farm3d.pretrained.network_weights import read_network_weights

MASK_RCNN = "roi_heads.mask_predictor.mask_fcn_logits.weight"
POINT_REND = "roi_heads.mask_head.point_head.fc1.weight"


class Trap:
    """What a pickle can hold: a call of any function, made when it is opened."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.file),)


def write_zoo_file(file: Path, contents: object) -> None:
    with file.open("wb") as stream:
        pickle.dump(contents, stream, protocol=2)


def test_every_kind_of_file_gives_the_same_tensors(tmp_path: Path) -> None:
    values = torch.arange(6.0).reshape(2, 3)
    save_file({MASK_RCNN: values}, tmp_path / "a.safetensors")
    torch.save({MASK_RCNN: values}, tmp_path / "b.pth")
    torch.save({"model": {MASK_RCNN: values}, "iteration": 5}, tmp_path / "c.pth")
    torch.save({MASK_RCNN: values}, tmp_path / "d.pt", _use_new_zipfile_serialization=False)
    write_zoo_file(tmp_path / "e.pkl", {"model": {MASK_RCNN: values.numpy()}, "__author__": "somebody"})
    for name in ("a.safetensors", "b.pth", "c.pth", "d.pt", "e.pkl"):
        weights = read_network_weights(tmp_path / name)
        assert weights.network == "maskrcnn"
        assert weights.tensors.keys() == {MASK_RCNN}
        assert torch.equal(weights.tensors[MASK_RCNN], values)


def test_the_network_is_known_by_its_names(tmp_path: Path) -> None:
    write_zoo_file(tmp_path / "zoo.pkl", {"model": {POINT_REND: np.zeros((2, 2), np.float32)}})
    assert read_network_weights(tmp_path / "zoo.pkl").network == "pointrend"
    torch.save({"layer.weight": torch.zeros(2)}, tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match=r"other\.pth: weights of neither PointRend .* nor Mask R-CNN"):
        read_network_weights(tmp_path / "other.pth")


@pytest.mark.parametrize("name", ["trap.pkl", "trap.pth"])
def test_code_in_a_pickle_is_never_run(tmp_path: Path, name: str) -> None:
    sign = tmp_path / "the trap was sprung"
    contents = {"model": {POINT_REND: np.zeros(2), "more": Trap(sign)}}
    if name.endswith(".pkl"):
        write_zoo_file(tmp_path / name, contents)
    else:
        torch.save(contents, tmp_path / name)
    with pytest.raises(CheckpointError, match=rf"{name}: damaged, or not a file of weights alone"):
        read_network_weights(tmp_path / name)
    assert not sign.exists()


@pytest.mark.parametrize("name", ["a.pth", "a.pkl", "a.safetensors", "a.bin"])
@pytest.mark.parametrize("contents", [b"", b"<html>not found</html>", bytes(range(256)) * 4])
def test_what_is_no_weights_file_is_one_line(tmp_path: Path, name: str, contents: bytes) -> None:
    (tmp_path / name).write_bytes(contents)
    with pytest.raises(CheckpointError, match=r"a\..*: damaged") as caught:
        read_network_weights(tmp_path / name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a.pth", "a.pkl", "a.safetensors"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_a_file_that_breaks_off_is_one_line(tmp_path: Path, name: str, share: float) -> None:
    whole = tmp_path / name
    values = torch.rand(50, 50)
    if name.endswith(".pkl"):
        write_zoo_file(whole, {"model": {MASK_RCNN: values.numpy()}})
    elif name.endswith(".pth"):
        torch.save({MASK_RCNN: values}, whole)
    else:
        save_file({MASK_RCNN: values}, whole)
    data = whole.read_bytes()
    whole.write_bytes(data[: int(share * len(data))])
    with pytest.raises(CheckpointError, match=r"a\..*: damaged"):
        read_network_weights(whole)


@pytest.mark.parametrize("contents", [5, ["a"], {"model": 3}, {"model": {"a": 1}}, {1: np.zeros(2)}])
def test_other_contents_are_refused(tmp_path: Path, contents: object) -> None:
    write_zoo_file(tmp_path / "a.pkl", contents)
    with pytest.raises(CheckpointError, match=r"a\.pkl: "):
        read_network_weights(tmp_path / "a.pkl")


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"nothing\.pth: no such weights file"):
        read_network_weights(tmp_path / "nothing.pth")
    with pytest.raises(CheckpointError, match="no such weights file"):
        read_network_weights(tmp_path)
