"""Videos that browsers and players show: H.264 in an MP4 file."""

import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from jaxtyping import UInt8

from farm3d.errors import InputError
from farm3d.io.atomic import write_bytes_atomically

QUALITY_CRF = 20
"""libx264's constant rate factor: lower is better and larger; 18 looks lossless."""

Frame = UInt8[np.ndarray, "height width 3"]


def write_mp4(path: Path | str, frames: Iterable[Frame], *, frames_per_second: float) -> None:
    """Write sRGB frames of one size as an MP4 (libx264, yuv420p, index first), complete or not at all.

    An odd side loses its last row or column, for yuv420p halves the colour's. Equal frames give equal
    bytes. Raises InputError where there is no frame, ffmpeg fails or the file cannot be written.
    """
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        raise InputError(f"{path}: a video needs at least one frame")
    with tempfile.TemporaryDirectory(prefix="farm3d-") as folder:
        encoded = Path(folder) / "video.mp4"
        command = _ffmpeg_command(encoded, first, frames_per_second)
        failure = _encode(command, first, frames)
        if failure is not None:
            raise InputError(f"{path}: ffmpeg failed: {failure}")
        write_bytes_atomically(path, encoded.read_bytes())


def _encode(command: list[str], first: Frame, others: Iterable[Frame]) -> str | None:
    """Feed the frames to ffmpeg; its last words where it fails."""
    height, width = _even_size(first)
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
        assert process.stdin is not None
        try:
            for frame in _chain(first, others):
                process.stdin.write(np.ascontiguousarray(frame[:height, :width]).tobytes())
            process.stdin.close()
        except BrokenPipeError:
            pass  # ffmpeg gave up; its exit code and its last line say why
        except BaseException:
            process.kill()
            raise
        finally:
            exit_code = process.wait()
        log.seek(0)
        lines = log.read().decode(errors="replace").strip().splitlines()
    return None if exit_code == 0 else (lines[-1] if lines else f"exit code {exit_code}")


def _even_size(frame: Frame) -> tuple[int, int]:
    return frame.shape[0] - frame.shape[0] % 2, frame.shape[1] - frame.shape[1] % 2


def _chain(first: Frame, others: Iterable[Frame]) -> Iterable[Frame]:
    yield first
    for frame in others:
        assert frame.shape == first.shape, f"frames of two sizes: {first.shape} and {frame.shape}"
        yield frame


def _ffmpeg_command(encoded: Path, frame: Frame, frames_per_second: float) -> list[str]:
    height, width = _even_size(frame)
    source = [
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-s",
        f"{width}x{height}",
        "-r",
        f"{frames_per_second}",
        "-i",
        "-",
    ]
    # Without the tags players guess the colour matrix from the picture's size, and guess differently.
    colour = ["-vf", "scale=out_color_matrix=bt709:out_range=tv", "-colorspace", "bt709"]
    colour += ["-color_primaries", "bt709", "-color_trc", "bt709"]
    # One thread: x264 cuts frames differently for every number of threads.
    codec = ["-c:v", "libx264", "-preset", "fast", "-crf", str(QUALITY_CRF), "-pix_fmt", "yuv420p"]
    same_bytes = ["-threads", "1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-map_metadata", "-1"]
    program = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-loglevel", "error", "-y"]
    return [*program, *source, *colour, *codec, *same_bytes, "-movflags", "+faststart", str(encoded)]
