"""What is a path is not sought on the hub, and a hub that does not answer is told in one line, soon."""

import socket
import threading
import time
from pathlib import Path

import pytest

from farm3d.errors import CheckpointError
from farm3d.inference.reconstructor import find_checkpoint
from farm3d.pretrained.hub import fetch_checkpoint, is_hub_id


@pytest.mark.parametrize("name", ["owner/name", "owner-1/name.v2_b", "0x/Name"])
def test_an_owner_and_a_name_are_a_repository(name: str) -> None:
    assert is_hub_id(name)


@pytest.mark.parametrize(
    "name",
    [
        "name",
        "./name",
        "../name",
        "/name",
        "a/b/c",
        "runs/cow",
        "runs/",
        "here/name",
        "a/b.safetensors",
        "a/b.pth",
    ],
)
def test_what_may_be_a_path_is_none(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()
    assert not is_hub_id(name)


def test_a_run_that_is_not_there_is_told_without_asking_anybody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("farm3d.inference.reconstructor.fetch_checkpoint", lambda name: pytest.fail(name))
    with pytest.raises(CheckpointError, match=r"^runs/nowhere: no such file or folder"):
        find_checkpoint("runs/nowhere")


@pytest.fixture
def closed_door(monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a port on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    return address


def test_a_hub_out_of_reach_is_one_line_at_once(
    closed_door: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    started = time.monotonic()
    with pytest.raises(CheckpointError, match="cannot be reached") as caught:
        fetch_checkpoint("nobody/nothing", cache_dir=tmp_path)
    assert str(caught.value).startswith("nobody/nothing: not a file or folder")
    assert "\n" not in str(caught.value) and not caplog.messages
    assert time.monotonic() - started < 5.0


def test_a_name_that_is_looked_up_for_ever_is_given_up(
    closed_door: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forever = threading.Event()

    def look_up(*arguments: object, **options: object) -> None:
        forever.wait()
        raise OSError

    monkeypatch.setattr("socket.create_connection", look_up)
    monkeypatch.setattr("farm3d.pretrained.hub.PATIENCE", 0.2)
    with pytest.raises(CheckpointError, match="cannot be reached"):
        fetch_checkpoint("nobody/nothing", cache_dir=tmp_path)
    forever.set()


def test_what_the_cache_holds_needs_no_hub(closed_door: str, tmp_path: Path) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = tmp_path / "models--owner--cow"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(commit)
    snapshot = repository / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (snapshot / "model.safetensors").write_bytes(b"cow")
    assert fetch_checkpoint("owner/cow", cache_dir=tmp_path).read_bytes() == b"cow"
