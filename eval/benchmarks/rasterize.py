"""What rasterising costs: `rasterize`, `interpolate` three channels, `antialias`; forward and backward.

One animal from a circle of views. Not every combination is measured but a star: from a headline setting
along faces, pixels and images. "forward" runs without gradients, "forward + backward" goes back to clip
positions and attributes. The mesh's edges are found once, as in a render loop with fixed faces; what
that costs has its own row.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.ops.mesh_topology import edge_topology
from farm3d.ops.rasterize import antialias, interpolate, rasterize
from farm3d.ops.rasterize.backend import Backend, unavailable

from . import rasterize_work as least
from .harness import QUICK, Call, Effort, measure_in_turn, peak_memory
from .raster_scene import Scene, Setting, amounts_of, make_scene, setting_numbers, with_gradients
from .records import ANY, Case, Work

FORWARD, BOTH = "forward", "forward + backward"


@dataclass(frozen=True)
class Plan:
    """Which settings are measured and how long each call; operators one by one at the `headlines`.

    Growth is told from the settings that differ from the first headline in one thing.
    """

    settings: tuple[Setting, ...]
    headlines: tuple[Setting, ...]
    effort: Effort


TINY = Setting(1_000, 64, 1)
"""Where slow backends take part, which nobody waits for elsewhere."""

HEADLINES = (Setting(25_000, 256, 4), Setting(25_000, 512, 1))
STAR = (
    *HEADLINES,
    *(Setting(faces, 256, 4) for faces in (1_000, 5_000, 100_000)),
    *(Setting(25_000, size, 4) for size in (64, 128, 512, 1024)),
    *(Setting(25_000, 256, batch) for batch in (1, 16)),
)
PLAN = Plan((*STAR, TINY), HEADLINES, Effort(seconds=1.5))
QUICK_PLAN = Plan((TINY, Setting(2_000, 64, 1), Setting(1_000, 96, 1), Setting(1_000, 64, 2)), (TINY,), QUICK)


def measure_rasterize(
    device: torch.device,
    plan: Plan,
    *,
    backends: Sequence[Backend] | None,
    seed: int,
    progress: Callable[[str], None],
) -> list[Case]:
    """One case for each backend, setting and task.

    Without `backends` all that can draw on the device, and a case that says why for each that cannot.
    """
    missing = {} if backends else missing_backends(device)
    used = backends or [name for name in get_args(Backend) if name not in missing]
    cases = []
    for setting in plan.settings:
        progress(f"rasterize: {setting}")
        scene = make_scene(setting, device, seed=seed)
        there = [name for name in used if setting == TINY or not _is_slow(name, device)]
        for task in (FORWARD, BOTH) if there else ():
            calls: dict[Backend, Call] = {name: _task(task, scene, name) for name in there}
            cases += _cases(calls, scene, setting, task=task, effort=plan.effort)
        for name in there if setting in plan.headlines else ():
            cases += _operator_cases(scene, setting, name, effort=plan.effort)
    return cases + [
        Case(contender=name, setting=ANY, task=ANY, missing=reason) for name, reason in missing.items()
    ]


def missing_backends(device: torch.device) -> dict[Backend, str]:
    """The backends that cannot draw on a device, each with its reason in one line."""
    reasons = {name: unavailable(name, torch.zeros(1, device=device)) for name in get_args(Backend)}
    return {name: reason for name, reason in reasons.items() if reason is not None}


def draw(scene: Scene, backend: Backend) -> Float[Tensor, "images height width channels"]:
    """The three operators one after the other."""
    rasterized = rasterize(scene.clip_positions, scene.faces, scene.resolution, backend=backend)
    colors = interpolate(scene.attributes, rasterized, scene.faces, backend=backend)
    return antialias(
        colors, rasterized, scene.clip_positions, scene.faces, topology=scene.topology, backend=backend
    )


def _is_slow(backend: Backend, device: torch.device) -> bool:
    """The reference is slow everywhere; off the CPU's own backend only Triton's interpreter draws there."""
    return backend == "reference" or (device.type == "cpu" and backend != "numba")


def _task(task: str, scene: Scene, backend: Backend) -> Call:
    if task == FORWARD:
        return torch.no_grad()(lambda: draw(scene, backend))
    leaves = with_gradients(scene)
    inputs = (leaves.clip_positions, leaves.attributes)
    return lambda: torch.autograd.grad(draw(leaves, backend), inputs, scene.gradient)


def _cases(
    calls: Mapping[Backend, Call], scene: Scene, setting: Setting, *, task: str, effort: Effort
) -> list[Case]:
    """A case for each contender of one task, measured in turn."""
    device = scene.clip_positions.device
    amounts = amounts_of(scene, next(iter(calls)))
    timings = measure_in_turn(calls, device=device, effort=effort)
    memory = float(least.least_memory(amounts, backward=task == BOTH))
    return [
        Case(
            contender=name,
            task=task,
            setting=str(setting),
            timing=timings[name],
            peak_bytes=peak_memory(call, device),
            work=pipeline_work(amounts, backward=task == BOTH),
            numbers={**setting_numbers(setting, amounts), "least_bytes": memory},
        )
        for name, call in calls.items()
    ]


def pipeline_work(amounts: least.Amounts, *, backward: bool) -> Work:
    """The work of a call of the three operators."""
    work = (
        least.rasterize_forward(amounts)
        + least.interpolate_forward(amounts)
        + least.antialias_forward(amounts)
    )
    if not backward:
        return work
    return (
        work
        + least.rasterize_backward(amounts)
        + least.interpolate_backward(amounts)
        + least.antialias_backward(amounts)
    )


def _operator_cases(scene: Scene, setting: Setting, backend: Backend, *, effort: Effort) -> list[Case]:
    """Each operator alone, forward and backward, and the search of edges that `antialias` needs once."""
    amounts, device = amounts_of(scene, backend), scene.clip_positions.device
    calls = {**_operator_calls(scene, backend), "edge_topology": lambda: edge_topology(scene.faces)}
    timings = measure_in_turn(calls, device=device, effort=effort)
    works: dict[str, Work] = {
        "rasterize": least.rasterize_forward(amounts),
        "interpolate": least.interpolate_forward(amounts),
        "antialias": least.antialias_forward(amounts),
        "rasterize backward": least.rasterize_backward(amounts),
        "interpolate backward": least.interpolate_backward(amounts),
        "antialias backward": least.antialias_backward(amounts),
    }
    return [
        Case(
            contender=backend,
            task=task,
            setting=str(setting),
            timing=timings[task],
            work=works.get(task),
            numbers=setting_numbers(setting, amounts),
        )
        for task in calls
    ]


def _operator_calls(scene: Scene, backend: Backend) -> dict[str, Call]:
    leaves = with_gradients(scene)
    clip, attributes, faces = leaves.clip_positions, leaves.attributes, leaves.faces
    rasterized = rasterize(clip, faces, scene.resolution, backend=backend)
    seen = rasterized.detach().requires_grad_()
    colors = interpolate(attributes, seen, faces, backend=backend)
    painted = colors.detach().requires_grad_()
    edges = scene.topology
    smooth = antialias(painted, seen, clip, faces, topology=edges, backend=backend)
    slope = torch.ones_like(rasterized)
    still = torch.no_grad()

    def backward(result: Tensor, inputs: tuple[Tensor, ...], gradient: Tensor) -> Call:
        return lambda: torch.autograd.grad(result, inputs, gradient, retain_graph=True)

    return {
        "rasterize": still(lambda: rasterize(clip, faces, scene.resolution, backend=backend)),
        "interpolate": still(lambda: interpolate(attributes, seen, faces, backend=backend)),
        "antialias": still(lambda: antialias(painted, seen, clip, faces, topology=edges, backend=backend)),
        "rasterize backward": backward(rasterized, (clip,), slope),
        "interpolate backward": backward(colors, (attributes, seen), scene.gradient),
        "antialias backward": backward(smooth, (painted, clip), scene.gradient),
    }
