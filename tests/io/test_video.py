"""Videos: H.264 that every browser shows, colours kept, equal bytes, complete or not there."""

from collections.abc import Iterator
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from jaxtyping import UInt8

from farm3d.errors import InputError
from farm3d.io import video
from farm3d.io.video import write_mp4

Frame = UInt8[np.ndarray, "height width 3"]


def frames(count: int = 12, height: int = 48, width: int = 64) -> Iterator[Frame]:
    """A coloured field whose brightness rises, with a square that moves."""
    for index in range(count):
        frame = np.full((height, width, 3), (200, 60 + 10 * index, 40), dtype=np.uint8)
        frame[8:24, 2 * index : 2 * index + 16] = (20, 90, 220)
        yield frame


def test_the_frames_come_back_with_their_colours_and_order(tmp_path: Path) -> None:
    write_mp4(tmp_path / "a.mp4", frames(), frames_per_second=24.0)
    decoded = iio.imread(tmp_path / "a.mp4", plugin="FFMPEG")
    expected = np.stack(list(frames()))
    assert decoded.shape == expected.shape
    assert np.abs(decoded[:, 30:, 40:].astype(int) - expected[:, 30:, 40:]).mean() < 4
    assert iio.immeta(tmp_path / "a.mp4", plugin="FFMPEG")["fps"] == 24.0


def test_the_file_is_yuv420p_h264_with_its_index_first_and_no_dates(tmp_path: Path) -> None:
    write_mp4(tmp_path / "a.mp4", frames(), frames_per_second=24.0)
    metadata = iio.immeta(tmp_path / "a.mp4", plugin="FFMPEG")
    assert metadata["codec"] == "h264"
    assert metadata["pix_fmt"].startswith("yuv420p")
    data = (tmp_path / "a.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    header = data.index(b"mvhd") + 8
    assert data[header : header + 8] == bytes(8)  # creation and modification time


def test_equal_frames_give_equal_bytes(tmp_path: Path) -> None:
    write_mp4(tmp_path / "a.mp4", frames(), frames_per_second=24.0)
    write_mp4(tmp_path / "b.mp4", frames(), frames_per_second=24.0)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_odd_sides_lose_one_pixel(tmp_path: Path) -> None:
    write_mp4(tmp_path / "a.mp4", frames(3, 49, 65), frames_per_second=24.0)
    assert iio.imread(tmp_path / "a.mp4", plugin="FFMPEG").shape[1:] == (48, 64, 3)


def test_a_video_of_no_frames_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least one frame"):
        write_mp4(tmp_path / "a.mp4", iter(()), frames_per_second=24.0)
    assert list(tmp_path.iterdir()) == []


def test_frames_that_fail_leave_no_file_and_no_encoder_behind(tmp_path: Path) -> None:
    def failing() -> Iterator[Frame]:
        yield from frames(2)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_mp4(tmp_path / "a.mp4", failing(), frames_per_second=24.0)
    assert list(tmp_path.iterdir()) == []


def test_a_failing_encoder_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video, "QUALITY_CRF", "no number")
    with pytest.raises(InputError, match=r"a\.mp4: ffmpeg failed: .+") as failure:
        write_mp4(tmp_path / "a.mp4", frames(200, 480, 640), frames_per_second=24.0)
    assert "\n" not in str(failure.value)
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_place_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="cannot write"):
        write_mp4(tmp_path / "file" / "a.mp4", frames(), frames_per_second=24.0)
