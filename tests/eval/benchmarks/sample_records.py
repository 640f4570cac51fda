"""Records made by hand, for tests of what is done with them."""

from farm3d.eval.benchmarks.harness import Timing
from farm3d.eval.benchmarks.machine import Environment, MachineSpeed
from farm3d.eval.benchmarks.records import Case, Record, Work

SPEED = MachineSpeed(bandwidth=1e10, float32=2e11, float64=1e11)


def timing(median: float, spread: float = 0.0) -> Timing:
    return Timing(median=median, first_quartile=median - spread, third_quartile=median + spread, repeats=5)


def case(median: float | None, *, contender: str = "numba", task: str = "forward", **numbers: float) -> Case:
    setting = ", ".join(f"{value} {key}" for key, value in numbers.items())
    measured = None if median is None else timing(median, median / 10)
    return Case(contender=contender, task=task, setting=setting, timing=measured, numbers=numbers)


def record(*cases: Case, benchmark: str = "rasterize", quick: bool = False) -> Record:
    environment = Environment(
        farm3d="0.1.0",
        commit=None,
        versions={"python": "3.11.0", "torch": "2.6.0"},
        system="Linux x86_64",
        processor="A Processor",
        logical_cores=2,
        threads=2,
        device="cpu",
    )
    return Record(benchmark=benchmark, quick=quick, environment=environment, speed=SPEED, cases=cases)


def star() -> Record:
    """Time linear in faces, constant in pixels, quadratic in images; a floor and memory beside them."""
    settings = [(25_000, 65_536, 4), (5_000, 65_536, 4), (25_000, 4_096, 4), (25_000, 65_536, 16)]
    cases = [
        case(faces * images**2 * 1e-8, faces=faces, pixels=pixels, images=images, least_bytes=1e6).model_copy(
            update={"work": Work(bytes=1e5 * images, float64=1e6), "peak_bytes": 2_000_000}
        )
        for faces, pixels, images in settings
    ]
    return record(*cases)
