"""A file or folder appears under its name only when it is complete; refusals are one clear line."""

import errno
import os
from pathlib import Path

import pytest

from farm3d.errors import InputError
from farm3d.io.atomic import replacing_folder, write_bytes_atomically


def test_a_file_is_written_whole_and_nothing_else_is_left(tmp_path: Path) -> None:
    target = tmp_path / "new" / "deeper" / "a.bin"
    write_bytes_atomically(target, b"first")
    write_bytes_atomically(target, b"second")
    assert target.read_bytes() == b"second"
    assert [entry.name for entry in target.parent.iterdir()] == ["a.bin"]


def test_a_failing_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.bin"
    write_bytes_atomically(target, b"old")

    def full_disk(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:1])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(InputError, match=r"cannot write .*a\.bin: No space left"):
        write_bytes_atomically(target, b"newer")
    assert target.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_replaces_the_old_one_whole(tmp_path: Path) -> None:
    target = tmp_path / "results" / "horse"
    for name in ("one.txt", "two.txt"):
        with replacing_folder(target) as folder:
            (folder / name).write_text(name)
            assert not (target / name).exists()
    assert [entry.name for entry in target.iterdir()] == ["two.txt"]
    assert [entry.name for entry in target.parent.iterdir()] == ["horse"]


@pytest.mark.parametrize("failure", [ValueError("bad"), KeyboardInterrupt()])
def test_an_error_in_the_block_keeps_the_old_folder(tmp_path: Path, failure: BaseException) -> None:
    target = tmp_path / "horse"
    with replacing_folder(target) as folder:
        (folder / "old.txt").write_text("old")
    with pytest.raises(type(failure)), replacing_folder(target) as folder:
        (folder / "half.txt").write_text("half")
        raise failure
    assert (target / "old.txt").read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["horse"]


def test_a_full_disk_in_the_block_is_one_line(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match=r"cannot write .*horse: No space left"),
        replacing_folder(tmp_path / "horse"),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("inner", ["model.safetensors", "deeper/model.safetensors"])
def test_a_full_disk_names_the_file_that_would_have_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inner: str
) -> None:
    """Not the hidden one that was written aside, in a hidden folder that is gone by then."""

    def full_disk(self: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self))

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    monkeypatch.chdir(tmp_path)
    for run in (tmp_path / "run", Path("run")):
        target = run / "step_000100"
        with pytest.raises(InputError) as refusal, replacing_folder(target) as folder:
            write_bytes_atomically(folder / inner, b"data")
        assert str(refusal.value) == f"cannot write {target / inner}: No space left on device"
    assert list((tmp_path / "run").iterdir()) == []


def test_an_error_about_another_file_passes_unchanged(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), replacing_folder(tmp_path / "results" / "horse"):
        (tmp_path / "photo.jpg").read_bytes()


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "horse").write_text("a file")
    with (
        pytest.raises(InputError, match="a file of that name is in the way"),
        replacing_folder(tmp_path / "horse"),
    ):
        pass
    with pytest.raises(InputError, match="cannot write"), replacing_folder(tmp_path / "horse" / "inner"):
        pass
    with pytest.raises(InputError, match="cannot write"):
        write_bytes_atomically(tmp_path / "horse" / "a.bin", b"")
    assert (tmp_path / "horse").read_text() == "a file"


def test_a_name_that_the_file_system_refuses_is_one_line(tmp_path: Path) -> None:
    target = tmp_path / ("a" * 300)
    with pytest.raises(InputError, match=r"cannot write .*: File name too long"):
        write_bytes_atomically(target, b"")
    with pytest.raises(InputError, match=r"cannot write .*: File name too long"), replacing_folder(target):
        pass
    assert list(tmp_path.iterdir()) == []
