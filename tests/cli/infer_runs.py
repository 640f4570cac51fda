"""Running farm3d-infer in this process."""

import contextlib
import io
import json
import shutil
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from farm3d.cli.infer import main

PICTURES = Path(__file__).parents[2] / "docs/images"
STEPS = "10"
SECRETS = ("SECRET CAMERA", "SECRET PLACE", "2011:03:04")
SECRET_LATITUDE = (51, 1987, 4321)


@dataclass(frozen=True)
class Run:
    """A finished command: its exit code, what it said, and its folder of results."""

    code: int
    stdout: str
    stderr: str
    out: Path

    def file(self, name: str, folder: str = "horse") -> Path:
        return self.out / folder / name

    def prediction(self, folder: str = "horse") -> dict[str, Any]:
        return json.loads(self.file("prediction.json", folder).read_text())


def infer(out: Path, *arguments: str | Path) -> Run:
    """Run the command in this process."""
    stdout, stderr = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        code = main([*map(str, arguments), "--out", str(out)])
    return Run(code, stdout.getvalue(), stderr.getvalue(), out)


def secret_photograph(folder: Path) -> Path:
    """The shipped picture with a camera's EXIF block, GPS included, and its mask beside it."""
    folder.mkdir(parents=True)
    exif = Image.Exif()
    exif[0x010E], exif[0x0110], exif[0x0132] = "SECRET PLACE", "SECRET CAMERA", "2011:03:04 05:06:07"
    exif.get_ifd(0x8825).update({1: "N", 2: SECRET_LATITUDE, 3: "E", 4: (13.0, 24.0, 36.0)})
    with Image.open(PICTURES / "horse.jpg") as picture:
        picture.save(folder / "horse.jpg", quality=95, exif=exif)
    shutil.copy(PICTURES / "horse_mask.png", folder)
    written = (folder / "horse.jpg").read_bytes()
    assert all(secret.encode() in written for secret in SECRETS) and gps_bytes(written)
    return folder / "horse.jpg"


def gps_bytes(data: bytes) -> bool:
    """Whether the latitude's rational numbers stand in the bytes, in either order of bytes."""
    return any(
        struct.pack(f"{order}I", SECRET_LATITUDE[1]) + struct.pack(f"{order}I", 1) in data for order in "<>"
    )
