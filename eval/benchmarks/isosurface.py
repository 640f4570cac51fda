"""What meshing a signed distance field costs: sparsely, and at every point of the lattice.

Contenders: "dense" evaluates the field everywhere, "dense, symmetric" at x >= 0 and mirrors, "sparse" is
`sparse_isosurface` without knowing its symmetry, "sparse, symmetric" with it, "sparse, symmetric, reused"
also with the cells of the field one training step earlier. Building the dense grid is not counted.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.fields.sdf_field import SDFField
from farm3d.geometry.tetrahedral_grid import TetrahedralGrid, shape_lattice, tetrahedral_grid
from farm3d.models.build import load_trained, shipped_checkpoint
from farm3d.models.config import ModelConfig
from farm3d.ops.marching_tetrahedra import marching_tetrahedra
from farm3d.ops.sparse_isosurface import ActiveCells, sparse_isosurface
from farm3d.seeding import torch_generator
from farm3d.shapes import Faces

from .harness import QUICK, Call, Effort, measure_in_turn, peak_memory
from .records import Case, Work

EXTRACT, TRAIN = "extract", "extract + backward"
DENSE, MIRRORED = "dense", "dense, symmetric"
SPARSE, HALVED, REUSED = "sparse", "sparse, symmetric", "sparse, symmetric, reused"

MOST_BYTES = 8e9
"""A call that would hold more is left out."""

STEP = 1e-3
"""How far one training step moves the weights, relative to their size: about Adam's learning rate."""

VERTEX_TOLERANCE = 1e-4
"""Of the lattice's spacing: by so much vertices may differ where a field's rounding depends on its batch."""

Surface = tuple[Float[Tensor, "vertices 3"], Faces]
Way = Callable[[], Surface]


@dataclass(frozen=True)
class Setting:
    """A field, shipped (`horse`) or not trained yet (`initial`), and the resolution of its lattice."""

    field: str
    resolution: int

    def __str__(self) -> str:
        return f"{self.field} field, resolution {self.resolution}"


@dataclass(frozen=True)
class Observation:
    """What one call found, at how many points it evaluated the field, and its peak memory."""

    surface: Surface
    evaluations: int
    peak_bytes: int | None


@dataclass(frozen=True)
class Plan:
    """Which settings are measured, and how long each call."""

    settings: tuple[Setting, ...]
    effort: Effort


PLAN = Plan(
    (Setting("horse", 64), Setting("horse", 128), Setting("horse", 256), Setting("initial", 128)),
    Effort(seconds=1.5, patience=5.0),
)
QUICK_PLAN = Plan((Setting("initial", 32),), QUICK)


def measure_isosurface(
    device: torch.device, plan: Plan, *, seed: int, progress: Callable[[str], None]
) -> list[Case]:
    """One case for each contender and setting, without and with the way back to the network's weights."""
    cases = []
    for setting in plan.settings:
        progress(f"isosurface: {setting}")
        field = make_field(setting.field, seed=seed).to(device)
        for task in (EXTRACT, TRAIN):
            ways = contenders(field, setting, seed=seed)
            cases += _cases(ways, field, setting, task=task, effort=plan.effort)
    return cases


def make_field(name: str, *, seed: int) -> SDFField:
    """The shipped horse's field, or one of the default size at the start of training."""
    if name == "horse":
        return load_trained(shipped_checkpoint("horse")).model.sdf
    config = ModelConfig()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_generator(seed, "isosurface benchmark").initial_seed())
        return SDFField(width=config.width, layers=config.sdf_layers, harmonics=config.sdf_harmonics)


def contenders(field: SDFField, setting: Setting, *, seed: int) -> dict[str, Way]:
    """The five ways to the same mesh."""
    device = next(field.parameters()).device
    lattice, cells = shape_lattice(setting.resolution), _earlier_cells(field, setting, seed=seed)
    grid = tetrahedral_grid(setting.resolution)
    grid = TetrahedralGrid(grid.vertices.to(device), grid.tets.to(device), grid.mirror.to(device))

    def sparse(*, symmetric: bool, previous: ActiveCells | None = None) -> Surface:
        found = sparse_isosurface(field, lattice, symmetric=symmetric, previous=previous, device=device)
        return found.vertices, found.faces

    return {
        DENSE: lambda: marching_tetrahedra(grid.vertices, grid.tets, field(grid.vertices)),
        MIRRORED: lambda: marching_tetrahedra(grid.vertices, grid.tets, mirrored_values(field, grid)),
        SPARSE: lambda: sparse(symmetric=False),
        HALVED: lambda: sparse(symmetric=True),
        REUSED: lambda: sparse(symmetric=True, previous=cells),
    }


def mirrored_values(field: SDFField, grid: TetrahedralGrid) -> Float[Tensor, " corners"]:
    """The field at all corners of the grid, evaluated where x >= 0 alone."""
    kept = torch.nonzero(grid.vertices[:, 0] >= 0).squeeze(1)
    place = torch.full_like(grid.mirror, -1)
    place[kept] = torch.arange(len(kept), device=kept.device)
    source = torch.where(place >= 0, place, place[grid.mirror])
    return field(grid.vertices[kept])[source]


def same_mesh(first: Surface, second: Surface, *, spacing: float) -> bool:
    """Whether two meshes have the same faces, in the same order, and vertices but for rounding."""
    if first[0].shape != second[0].shape or not torch.equal(first[1], second[1]):
        return False
    return bool((first[0] - second[0]).abs().max() <= VERTEX_TOLERANCE * spacing)


def observe(way: Way, field: SDFField, task: str) -> Observation:
    """The mesh that a way finds, what it evaluates and what it holds, from one call."""
    device = next(field.parameters()).device
    surfaces: list[Surface] = []
    counts: list[int] = []

    def watched() -> Surface:
        vertices, faces = way()
        surfaces.append((vertices.detach(), faces))
        return vertices, faces

    counting = field.register_forward_hook(lambda module, points, values: counts.append(len(points[0])))
    try:
        peak = peak_memory(_call(watched, field, task), device)
    finally:
        counting.remove()
    return Observation(surfaces[0], sum(counts), peak)


def _cases(
    ways: Mapping[str, Way], field: SDFField, setting: Setting, *, task: str, effort: Effort
) -> list[Case]:
    """A case for each way; numbers compare it with the first of those that were measured."""
    device = next(field.parameters()).device
    lattice = shape_lattice(setting.resolution)
    whole = _bytes_of_dense(field, lattice.point_count, backward=task == TRAIN)
    sizes = {DENSE: whole, MIRRORED: whole / 2}
    large = {name: size for name, size in sizes.items() if size > MOST_BYTES}
    used = {name: way for name, way in ways.items() if name not in large}
    calls = {name: _call(way, field, task) for name, way in used.items()}
    timings = measure_in_turn(calls, device=device, effort=effort)
    work = _least_work(ways[HALVED], field, backward=task == TRAIN)
    seen = {name: observe(way, field, task) for name, way in used.items()}
    first = next(iter(used))
    cases = [
        Case(contender=name, task=task, setting=str(setting), missing=f"it would hold {size / 1e9:.0f} GB")
        for name, size in large.items()
    ]
    for name, found in seen.items():
        numbers = {
            "resolution": setting.resolution,
            "lattice_points": lattice.point_count,
            "vertices": len(found.surface[0]),
            "faces": len(found.surface[1]),
            "evaluations": found.evaluations,
            "fewer_evaluations": seen[first].evaluations / found.evaluations,
            "times_faster": timings[first].median / timings[name].median,
            "same_mesh": same_mesh(found.surface, seen[first].surface, spacing=lattice.spacing),
        }
        case = Case(contender=name, task=task, setting=str(setting), timing=timings[name], work=work)
        counted = {key: float(number) for key, number in numbers.items()}
        cases.append(case.model_copy(update={"numbers": counted, "peak_bytes": found.peak_bytes}))
    return cases


def _call(way: Way, field: SDFField, task: str) -> Call:
    """The mesh alone, or also the way back from its vertices to the network's weights."""
    if task == EXTRACT:
        return torch.no_grad()(way)
    weights = tuple(field.parameters())
    return lambda: torch.autograd.grad(way()[0].square().sum(), weights)


def _least_work(way: Way, field: SDFField, *, backward: bool) -> Work:
    """One evaluation at each end, with x >= 0, of the edges that the surface crosses; backward twice more.

    Where gradients are on, the sparse way evaluates just these ends once more: that says how many.
    """
    ends = observe(way, field, TRAIN).evaluations - observe(way, field, EXTRACT).evaluations
    products = sum(weights.numel() for weights in field.parameters() if weights.ndim == 2)
    passes = 3 if backward else 1
    return Work(bytes=passes * ends * 4 * 4, float32=passes * ends * 2 * products)


def _bytes_of_dense(field: SDFField, points: int, *, backward: bool) -> float:
    """What a dense evaluation holds at least: of all layers' results those that are needed at once."""
    widths = [weights.shape[0] for weights in field.parameters() if weights.ndim == 2]
    encoded = next(weights.shape[1] for weights in field.parameters() if weights.ndim == 2)
    held = encoded + 2 * sum(widths) if backward else encoded + 2 * max(widths)
    return 4.0 * held * points


def _earlier_cells(field: SDFField, setting: Setting, *, seed: int) -> ActiveCells:
    """The cells of a field whose weights are a step away."""
    earlier, generator = copy.deepcopy(field), torch_generator(seed, "earlier field")
    device = next(field.parameters()).device
    with torch.no_grad():
        for weights in earlier.parameters():
            noise = torch.randn(weights.shape, generator=generator).to(device)
            weights.add_(STEP * weights.std() * noise)
        lattice = shape_lattice(setting.resolution)
        return sparse_isosurface(earlier, lattice, symmetric=True, device=device).active
