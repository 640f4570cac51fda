"""The surface of a smooth union of limbs as a triangle mesh."""

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy.sparse import coo_matrix, csr_matrix
from scipy.spatial import cKDTree
from torch import Tensor

from farm3d.geometry.mesh import Mesh
from farm3d.ops.body_centred_lattice import BodyCentredLattice
from farm3d.ops.marching_tetrahedra import marching_tetrahedra
from farm3d.ops.mesh_topology import largest_piece, vertex_normals

from .limbs import LimbGeometry, body_distance, body_gradient, limb_foot
from .refinement import mirror_vertices, split_edges, symmetric_faces

SPACING = 0.08
"""Side (object units) of the lattice's cells: limbs are meshed at least one and a half across."""

FINE_RADIUS = 0.08
FINE_LIMBS = ("head", "ear", "horn", "tail")
"""Triangles are cut in four on these limbs, and where a limb's radius (object units) is smaller."""

RELAXATION_ROUNDS = 6

TAUBIN_STEPS, TAUBIN_ROUNDS = (0.5, -0.53), 8
"""Smoothing that does not shrink (Taubin 1995) against the facets of limbs made of straight pieces."""

NEAREST_TRIANGLES = 12

MARGIN = 0.15
"""Empty space (object units) kept around the body."""


def body_mesh(limbs: tuple[LimbGeometry, ...], ground: float) -> Mesh:
    """The watertight surface of a body: marching tetrahedra, settled on the implicit surface.

    Mirror-symmetric in x, one connected piece, about ten thousand vertices.
    """
    reach = torch.cat([limb.centres.abs()[:, :1].amax() + limb.widths.amax()[None, None] for limb in limbs])
    width = float(reach.max())
    depths = torch.cat([limb.depths for limb in limbs])
    centres = torch.cat([limb.centres for limb in limbs])
    low, high = (centres - depths[:, None]).amin(0), (centres + depths[:, None]).amax(0)
    lower = torch.tensor([-width, float(low[1]), float(low[2])]) - MARGIN
    upper = torch.tensor([width, float(high[1]), float(high[2])]) + MARGIN
    points, tets = _lattice(lower, upper)
    with torch.no_grad():
        distance = torch.cat([body_distance(limbs, part, ground) for part in points.split(1 << 15)])
        inside = distance < 0
        count = inside[tets].sum(dim=1)
        vertices, faces = marching_tetrahedra(points, tets[(count > 0) & (count < 4)], distance)
    vertices, faces = largest_piece(vertices, faces)
    faces = symmetric_faces(vertices, faces)
    vertices, faces = split_edges(vertices, faces, _is_fine(limbs, vertices))
    return Mesh(_relaxed(limbs, vertices, faces, ground=ground), faces)


def _is_fine(
    limbs: tuple[LimbGeometry, ...], vertices: Float[Tensor, "vertices 3"]
) -> Bool[Tensor, " vertices"]:
    """Whether the limb that a vertex lies on is thin there, or fine everywhere."""
    feet = [limb_foot(limb, vertices) for limb in limbs]
    thin = [
        (torch.minimum(limb.depths, limb.widths) < FINE_RADIUS)[foot.segment] | (limb.name in FINE_LIMBS)
        for limb, foot in zip(limbs, feet, strict=True)
    ]
    nearest = torch.stack([foot.distance for foot in feet]).argmin(dim=0)
    return torch.stack(thin).gather(0, nearest[None])[0]


def _relaxed(
    limbs: tuple[LimbGeometry, ...],
    vertices: Float[Tensor, "vertices 3"],
    faces: Int[Tensor, "faces 3"],
    *,
    ground: float,
) -> Float[Tensor, "vertices 3"]:
    """Vertices spread evenly over the implicit surface: marching tetrahedra leave slivers.

    Each round settles every vertex, then draws it to its neighbours within the tangent plane.
    """
    mirror = mirror_vertices(vertices)
    average = neighbour_average(faces, mirror)
    for _ in range(RELAXATION_ROUNDS):
        vertices = _settled(limbs, vertices, ground, mirror=mirror, steps=1)
        normal = vertex_normals(vertices, faces)
        pull = torch.from_numpy(average @ vertices.double().numpy()).to(vertices.dtype) - vertices
        vertices = vertices + 0.6 * (pull - (pull * normal).sum(1, keepdim=True) * normal)
    smooth = _settled(limbs, vertices, ground, mirror=mirror, steps=3).double().numpy()
    for step in TAUBIN_STEPS * TAUBIN_ROUNDS:
        smooth = smooth + step * (average @ smooth - smooth)
    # Rounding errors have drifted apart on the two sides.
    smooth = (smooth + smooth[mirror] * [-1.0, 1.0, 1.0]) / 2.0
    return torch.from_numpy(smooth).to(vertices.dtype)


def neighbour_average(faces: Int[Tensor, "faces 3"], mirror: Int[Tensor, " vertices"]) -> csr_matrix:
    """The matrix (vertices x vertices) that takes each vertex's value to the mean of its neighbours'.

    Neighbours of the mirror image count as its own: quadrilaterals across the midline are cut along one
    diagonal only, and averages must not see that.
    """
    edges = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    starts, ends = torch.cat([edges, mirror[edges]]).numpy().T
    count = len(mirror)
    graph = coo_matrix((np.ones(len(starts)), (starts, ends)), shape=(count, count)).tocsr()
    graph = graph.maximum(graph.T)
    return csr_matrix(graph.multiply(1.0 / graph.sum(axis=1)))


def _settled(
    limbs: tuple[LimbGeometry, ...],
    vertices: Float[Tensor, "vertices 3"],
    ground: float,
    *,
    mirror: Int[Tensor, " vertices"],
    steps: int,
) -> Float[Tensor, "vertices 3"]:
    """Vertices moved onto the implicit surface by damped Newton steps along the distance's gradient.

    The left half moves, the right one follows as its mirror image.
    """
    left = torch.nonzero(vertices[:, 0] >= 0.0)[:, 0]
    moved = vertices[left]
    for _ in range(steps):
        distance, gradient = body_gradient(limbs, moved, ground)
        step = distance / gradient.square().sum(1).clamp_min(0.25)
        moved = moved - step.clamp(-0.03, 0.03)[:, None] * gradient
    settled = vertices.clone()
    settled[mirror[left]] = moved * moved.new_tensor([-1.0, 1.0, 1.0])
    settled[left] = moved
    return settled


def _lattice(
    lower: Float[Tensor, "3"], upper: Float[Tensor, "3"]
) -> tuple[Float[Tensor, "corners 3"], Int[Tensor, "tets 4"]]:
    """A body-centred cubic lattice over a box that is symmetric in x: corners, then cell centres."""
    counts = [int(torch.ceil((upper[k] - lower[k]) / SPACING)) for k in range(3)]
    counts[0] += counts[0] % 2
    origins = (-SPACING * counts[0] / 2, float(lower[1]), float(lower[2]))
    axes = [torch.arange(n + 1) * SPACING + origin for n, origin in zip(counts, origins, strict=True)]
    axes[0] = (torch.arange(counts[0] + 1) - counts[0] // 2) * SPACING
    middles = [axis[:-1] + SPACING / 2 for axis in axes]
    middles[0] = (torch.arange(counts[0]) - counts[0] // 2 + 0.5) * SPACING
    lattice = BodyCentredLattice((counts[0], counts[1], counts[2]), SPACING)
    points = torch.cat([torch.cartesian_prod(*axes), torch.cartesian_prod(*middles)])
    return points, lattice.all_tets()


def symmetric_nearest_points(
    vertices: Float[Tensor, "vertices 3"], faces: Int[Tensor, "faces 3"], points: Float[Tensor, "points 3"]
) -> Float[Tensor, "points 3"]:
    """For each point a nearest one on a mesh that is symmetric in x, on the point's own side.

    Among the triangles whose middles are nearest; beyond a triangle's edge its barycentrics are clamped,
    which is exact on the surface and near it.
    """
    side = torch.where(points[:, :1] < 0, -1.0, 1.0)
    folded = torch.cat([points[:, :1].abs(), points[:, 1:]], dim=1)
    corners = vertices[faces]
    _, near = cKDTree(corners.mean(dim=1).numpy()).query(folded.numpy(), k=NEAREST_TRIANGLES)
    origin, first, second = corners[torch.from_numpy(near)].unbind(dim=2)
    u, v, offset = first - origin, second - origin, folded[:, None] - origin
    uu, uv, vv = ((a * b).sum(-1) for a, b in ((u, u), (u, v), (v, v)))
    pu, pv = (offset * u).sum(-1), (offset * v).sum(-1)
    area = (uu * vv - uv * uv).clamp_min(1e-12)
    b, c = (vv * pu - uv * pv) / area, (uu * pv - uv * pu) / area
    shares = torch.stack([1.0 - b - c, b, c], dim=-1).clamp_min(0.0)
    shares = shares / shares.sum(-1, keepdim=True)
    candidates = origin + shares[..., 1:2] * u + shares[..., 2:] * v
    best = (candidates - folded[:, None]).square().sum(-1).argmin(dim=1)
    nearest = candidates[torch.arange(len(points)), best]
    nearest[:, 0] = nearest[:, 0].clamp_min(0.0)
    return torch.cat([nearest[:, :1] * side, nearest[:, 1:]], dim=1)
