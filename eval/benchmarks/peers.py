"""Other people's programs at the same work: which triangle does each pixel centre see?

They are contenders where they happen to be installed and are needed for nothing. Each gets the
animal's vertices of one image and gives back the triangles' numbers; what depends on the pixels alone is
prepared before, what depends on the mesh is part of the call, for meshes move between calls.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from farm3d.errors import MissingDependencyError
from farm3d.ops.rasterize import Backend, rasterize

from .harness import Effort, measure_in_turn
from .raster_scene import Scene, Setting, amounts_of, make_scene, setting_numbers
from .rasterize import TINY
from .records import Case

Peer = Literal["embree", "pytorch3d"]
Nearest = Callable[[], Int[Tensor, "height width"]]

SETTINGS: Mapping[Setting, tuple[Peer, ...]] = {
    Setting(25_000, 256, 1): ("embree", "pytorch3d"),
    Setting(25_000, 512, 1): ("embree",),
}
"""Who takes part where: PyTorch3D takes many seconds already at the smaller size."""

QUICK_SETTINGS: Mapping[Setting, tuple[Peer, ...]] = {TINY: ("embree", "pytorch3d")}
TASK = "nearest triangle"
BACKEND: Backend = "numba"


def measure_peers(
    peers: Sequence[Peer],
    *,
    settings: Mapping[Setting, tuple[Peer, ...]],
    effort: Effort,
    seed: int,
    progress: Callable[[str], None],
) -> list[Case]:
    """The peers in turn with our backend, on the CPU; `same_triangles` is the share of equal pixels.

    Raises MissingDependencyError where a peer is not installed.
    """
    cases = []
    for setting, possible in settings.items():
        there = [peer for peer in peers if peer in possible]
        if not there:
            continue
        progress(f"{', '.join(there)}: {setting}")
        scene = make_scene(setting, torch.device("cpu"), seed=seed)
        calls: dict[str, Nearest] = {peer: prepared(peer, scene) for peer in there}
        calls = {BACKEND: ours(scene), **calls}
        numbers = setting_numbers(setting, amounts_of(scene, BACKEND))
        truth = calls[BACKEND]()
        timings = measure_in_turn(calls, device=torch.device("cpu"), effort=effort)
        for name, call in calls.items():
            same = float((call() == truth).float().mean())
            cases.append(
                Case(
                    contender=name,
                    task=TASK,
                    setting=str(setting),
                    timing=timings[name],
                    numbers={**numbers, "same_triangles": same},
                )
            )
    return cases


def ours(scene: Scene) -> Nearest:
    """farm3d in the place of a peer."""

    def nearest() -> Int[Tensor, "height width"]:
        with torch.no_grad():
            drawn = rasterize(scene.clip_positions, scene.faces, scene.resolution, backend=BACKEND)
        return drawn[0, ..., 3].long()

    return nearest


def prepared(peer: Peer, scene: Scene) -> Nearest:
    """A peer's call; raises MissingDependencyError where it is not installed."""
    try:
        return embree(scene) if peer == "embree" else pytorch3d(scene)
    except ImportError as error:
        raise MissingDependencyError(f"--peer {peer}: {error}; docs/benchmarks.md says how") from None


def embree(scene: Scene) -> Nearest:
    """Embree's ray caster as Open3D wraps it: building its tree, then one ray a pixel centre."""
    from open3d import core
    from open3d.t.geometry import RaycastingScene

    threads = torch.get_num_threads()
    # In clip space's (x, y, w) the camera is the origin, and a pixel centre is seen along (x/w, y/w, 1).
    vertices = core.Tensor(scene.clip_positions[0][:, [0, 1, 3]].contiguous().numpy())
    triangles = core.Tensor(scene.faces.numpy().astype(np.uint32))
    directions = _directions(scene)
    rays = core.Tensor(torch.cat([torch.zeros_like(directions), directions], dim=-1).numpy())

    def nearest() -> Int[Tensor, "height width"]:
        tree = RaycastingScene(nthreads=threads)
        tree.add_triangles(vertices, triangles)
        hits = tree.cast_rays(rays, nthreads=threads)["primitive_ids"].numpy()
        return torch.from_numpy(np.where(hits == tree.INVALID_ID, 0, hits.astype(np.int64) + 1))

    return nearest


def pytorch3d(scene: Scene) -> Nearest:
    """PyTorch3D's rasteriser, without blur and with one face a pixel; its x and y point the other way."""
    from pytorch3d.renderer.mesh.rasterize_meshes import rasterize_meshes
    from pytorch3d.structures import Meshes

    x, y, _, w = scene.clip_positions[0].unbind(dim=-1)
    meshes = Meshes([torch.stack([-x / w, -y / w, w], dim=-1)], [scene.faces])

    def nearest() -> Int[Tensor, "height width"]:
        drawn = rasterize_meshes(meshes, scene.resolution, 0.0, 1, perspective_correct=True)
        return drawn[0][0, ..., 0] + 1

    return nearest


def _directions(scene: Scene) -> Float[Tensor, "height width 3"]:
    """(x, y, 1) of each pixel centre in NDC."""
    height, width = scene.resolution
    x, y = ((2.0 * torch.arange(size) + 1.0 - size) / size for size in (width, height))
    rows, columns = torch.meshgrid(y, x, indexing="ij")
    return torch.stack([columns, rows, torch.ones_like(rows)], dim=-1)
