"""What a measurement ran on: versions, processor, and how fast the machine moves and multiplies numbers."""

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

import torch

import farm3d
from farm3d.config import StrictConfig

from .harness import Effort, measure

VERSIONS_OF = ("torch", "numba", "triton", "nvdiffrast", "numpy")

TRIAD_BYTES = 128 * 2**20
"""Of each of three arrays: far more than caches hold."""

MATRIX_SIDE = 1024


class Environment(StrictConfig):
    """What must be equal for two measurements to be compared; no names of users or folders.

    `commit` is the git commit where farm3d runs from a checkout, followed by " (changed)" where files
    differ from it. `versions` hold what is installed of `VERSIONS_OF`, and Python.
    """

    farm3d: str
    commit: str | None
    versions: dict[str, str]
    system: str
    processor: str
    logical_cores: int
    threads: int
    device: str


class MachineSpeed(StrictConfig):
    """Measured speeds (bytes and operations a second); multiplication and addition count as two."""

    bandwidth: float
    float32: float
    float64: float


def environment(device: torch.device) -> Environment:
    """The environment of this process; `device` is what the measurements run on."""
    return Environment(
        farm3d=farm3d.__version__,
        commit=_commit(Path(farm3d.__file__).parent),
        versions={"python": platform.python_version(), **_versions()},
        system=f"{platform.system()} {platform.machine()}",
        processor=processor_name(),
        logical_cores=os.cpu_count() or 1,
        threads=torch.get_num_threads(),
        device=device_name(device),
    )


def machine_speed(device: torch.device, *, effort: Effort) -> MachineSpeed:
    """Triad a = b + s c over arrays larger than the caches (STREAM, McCalpin 1995) and matrix products.

    The speeds of all threads together, the first quartile of the times: a floor is to be under what
    anyone reaches.
    """
    count = TRIAD_BYTES // 4
    first, second, out = (torch.ones(count, device=device) for _ in range(3))
    triad = measure(lambda: torch.add(first, second, alpha=0.5, out=out), device=device, effort=effort)
    return MachineSpeed(
        bandwidth=3 * TRIAD_BYTES / triad.first_quartile,
        float32=_product_speed(device, torch.float32, effort=effort),
        float64=_product_speed(device, torch.float64, effort=effort),
    )


def processor_name() -> str:
    """The processor's model as the system calls it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def device_name(device: torch.device) -> str:
    """`cpu`, or the accelerator's kind and model."""
    if device.type == "cpu":
        return "cpu"
    module = torch.get_device_module(device)
    return str(module.get_device_name(device)) if hasattr(module, "get_device_name") else device.type


def _product_speed(device: torch.device, dtype: torch.dtype, *, effort: Effort) -> float:
    matrix = torch.ones(MATRIX_SIDE, MATRIX_SIDE, dtype=dtype, device=device)
    out = torch.empty_like(matrix)
    product = measure(lambda: torch.mm(matrix, matrix, out=out), device=device, effort=effort)
    return 2 * MATRIX_SIDE**3 / product.first_quartile


def _versions() -> dict[str, str]:
    installed: dict[str, str] = {}
    for name in VERSIONS_OF:
        try:
            installed[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return installed


def _commit(folder: Path) -> str | None:
    """The commit of the checkout that holds `folder`; `None` outside of one or without git."""
    head = _git(folder, "rev-parse", "--short=12", "HEAD")
    if head is None or _git(folder, "ls-files", "--error-unmatch", "__init__.py") is None:
        return None
    return f"{head} (changed)" if _git(folder, "status", "--porcelain", "--untracked-files=no") else head


def _git(folder: Path, *arguments: str) -> str | None:
    """What git answers in a folder; `None` where it refuses or is not installed."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
