"""Animodel's Chamfer protocol step by step with trimesh and SciPy: slow, plain, and the reference.

The steps are those of the public evaluator (docs/evaluation.md, "Chamfer"); what it leaves to chance is
drawn from named streams here, the same for both facings. The other modules of this folder compute the same
and are compared with this one in the tests. trimesh needs scikit-image here, which farm3d does not.
"""

from dataclasses import dataclass

import numpy as np
import trimesh
from jaxtyping import Float
from scipy.spatial import cKDTree
from trimesh.registration import icp
from trimesh.sample import sample_surface_even
from trimesh.transformations import rotation_matrix
from trimesh.voxel import VoxelGrid

from farm3d.errors import MissingDependencyError

from .protocol import ChamferProtocol, Distances, RandomStream

Points = Float[np.ndarray, "points 3"]


@dataclass(frozen=True)
class LiteralScore:
    """What the protocol finds: of the better facing the distances, of both the alignments (4 x 4)."""

    scale: float
    distances: Distances
    rotated_180: bool
    alignments: tuple[Float[np.ndarray, "4 4"], Float[np.ndarray, "4 4"]]
    target_extent: float


def literal_chamfer(
    reconstruction: trimesh.Trimesh,
    target: trimesh.Trimesh,
    *,
    protocol: ChamferProtocol,
    random: RandomStream,
) -> LiteralScore:
    """The whole protocol for one pair; the meshes given are not changed."""
    scale = float((voxelize(target, protocol).volume / voxelize(reconstruction, protocol).volume) ** (1 / 3))
    scaled = reconstruction.copy()
    scaled.apply_scale(scale)
    remeshed = remesh(scaled, protocol)
    first, first_move = align(remeshed, target, protocol=protocol, random=random)
    turned = first.copy()
    turned.apply_transform(rotation_matrix(np.pi, [0.0, 1.0, 0.0]))
    second, second_move = align(turned, target, protocol=protocol, random=random)
    found = [distances(mesh, target, protocol=protocol, random=random) for mesh in (first, second)]
    rotated = found[1].chamfer < found[0].chamfer
    extent = float(target.extents.max())
    return LiteralScore(scale, found[int(rotated)], rotated, (first_move, second_move), extent)


def voxelize(mesh: trimesh.Trimesh, protocol: ChamferProtocol) -> VoxelGrid:
    """The filled voxels: those that hold a vertex of the subdivided surface, and what they enclose."""
    return mesh.voxelized(mesh.extents.min() / protocol.cubes).fill()


def remesh(mesh: trimesh.Trimesh, protocol: ChamferProtocol) -> trimesh.Trimesh:
    """The outer surface of the filled voxels in the mesh's size and place: inner faces are gone.

    Raises MissingDependencyError without scikit-image.
    """
    try:
        remeshed = voxelize(mesh, protocol).marching_cubes
    except ImportError as error:
        raise MissingDependencyError(
            "the literal protocol needs scikit-image: pip install scikit-image"
        ) from error
    remeshed.apply_scale((mesh.extents / remeshed.extents).mean())
    remeshed.apply_translation(mesh.centroid - remeshed.centroid)
    return remeshed


def sample(mesh: trimesh.Trimesh, count: int, generator: np.random.Generator) -> Points:
    """`count` points of the surface, roughly evenly spread; where one draw has too few, of several."""
    points, _ = sample_surface_even(mesh, count, seed=generator)
    while len(points) < count:
        more, _ = sample_surface_even(mesh, count, seed=generator)
        points = np.concatenate([points, more])
    return points[:count]


def align(
    mesh: trimesh.Trimesh, target: trimesh.Trimesh, *, protocol: ChamferProtocol, random: RandomStream
) -> tuple[trimesh.Trimesh, Float[np.ndarray, "4 4"]]:
    """The mesh moved onto the target by the iterative closest point algorithm, and the motion."""
    matrix, _, _ = icp(
        sample(mesh, protocol.align_points, random("align reconstruction")),
        sample(target, protocol.align_points, random("align target")),
        threshold=0.0,
        max_iterations=protocol.align_iterations,
        reflection=False,
        translation=True,
        scale=False,
    )
    moved = mesh.copy()
    moved.apply_transform(matrix)
    return moved, matrix


def distances(
    mesh: trimesh.Trimesh, target: trimesh.Trimesh, *, protocol: ChamferProtocol, random: RandomStream
) -> Distances:
    """Mean distances to the nearest point, both ways."""
    of_target = sample(target, protocol.chamfer_points, random("chamfer target"))
    return nearest(sample(mesh, protocol.chamfer_points, random("chamfer reconstruction")), of_target)


def nearest(of_reconstruction: Points, of_target: Float[np.ndarray, "others 3"]) -> Distances:
    """Mean distances from each point of one cloud to the nearest of the other."""
    there, _ = cKDTree(of_reconstruction).query(of_target)
    back, _ = cKDTree(of_target).query(of_reconstruction)
    return Distances(to_reconstruction=float(np.mean(there)), to_target=float(np.mean(back)))
