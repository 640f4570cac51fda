"""Animodel's Chamfer distance of one pair of meshes, fast: the same steps and numbers as `literal`.

Points are drawn once, in the remeshed reconstruction's own frame, and moved with it: drawing by area does
not depend on where a surface stands, and the literal protocol draws the same ones for both facings.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from .alignment import Transform, align_points, apply, inverse
from .marching_cubes import voxel_surface
from .measures import Measures, measure
from .point_tree import PointTree, nearest_distances, point_tree
from .protocol import ChamferProtocol, Distances, RandomStream
from .sampling import centroid, sample_evenly
from .voxels import Triangles, Voxels, bounds, fill, voxel_pitch, voxelize_surface

HALF_TURN = np.diag([-1.0, 1.0, -1.0, 1.0])
"""By 180 degrees about y."""


@dataclass(frozen=True)
class ChamferScore:
    """What the protocol finds for a pair: `distances` of the better facing, in units of the target.

    `target_extent` is the target's largest; `scale` made the volumes equal; `alignments` are the motions
    found from the given pose and from the first of them turned by 180 degrees.
    """

    distances: Distances
    target_extent: float
    scale: float
    rotated_180: bool
    alignments: tuple[Transform, Transform]
    measures: Measures

    @property
    def chamfer(self) -> float:
        """The mean of both one-way distances, in units of the target."""
        return self.distances.chamfer

    @property
    def chamfer_scaled(self) -> float:
        """The same for a target that fits into a unit cube."""
        return self.chamfer / self.target_extent


@dataclass(frozen=True)
class Target:
    """What the protocol needs to know of a target, for any number of reconstructions.

    `goal` is what they are aligned with, `cloud` what distances are measured from and to; `extent` is the
    largest.
    """

    volume: float
    extent: float
    goal: PointTree
    cloud: PointTree


@dataclass(frozen=True)
class Aligned:
    """A reconstruction in its better facing: `motion` takes its remeshed `surface` to the target.

    `cloud` are points of the surface before the motion. `to_reconstruction` are distances from the target's
    points, `to_target` from the cloud's, both in units of the target.
    """

    surface: Triangles
    scale: float
    alignments: tuple[Transform, Transform]
    rotated_180: bool
    motion: Transform
    cloud: PointTree
    to_reconstruction: Float[np.ndarray, " points"]
    to_target: Float[np.ndarray, " points"]

    @property
    def distances(self) -> Distances:
        """The means of both ways."""
        return Distances(float(self.to_reconstruction.mean()), float(self.to_target.mean()))


def chamfer_score(
    reconstruction: Triangles, target: Triangles, *, protocol: ChamferProtocol, random: RandomStream
) -> ChamferScore:
    """The whole protocol for one pair.

    Raises InputError for a mesh without volume or area, or one too coarse for its voxels.
    """
    voxels = filled_voxels(target, protocol)
    prepared = _prepared(target, voxels.volume, protocol=protocol, random=random)
    aligned = align_reconstruction(reconstruction, prepared, protocol=protocol, random=random)
    return ChamferScore(
        distances=aligned.distances,
        target_extent=prepared.extent,
        scale=aligned.scale,
        rotated_180=aligned.rotated_180,
        alignments=aligned.alignments,
        measures=measure(
            aligned.to_reconstruction,
            aligned.to_target,
            extent=prepared.extent,
            volumes=(moved(aligned.surface, aligned.motion), voxels),
        ),
    )


def prepare_target(target: Triangles, *, protocol: ChamferProtocol, random: RandomStream) -> Target:
    """The target's part of the protocol; raises InputError as `chamfer_score` does."""
    return _prepared(target, filled_voxels(target, protocol).volume, protocol=protocol, random=random)


def align_reconstruction(
    reconstruction: Triangles, target: Target, *, protocol: ChamferProtocol, random: RandomStream
) -> Aligned:
    """The reconstruction's part; `random` is the target's. Raises InputError as `chamfer_score` does."""
    scale = float((target.volume / filled_voxels(reconstruction, protocol).volume) ** (1 / 3))
    remeshed = remesh(reconstruction * scale, protocol)
    alignments = both_alignments(remeshed, target.goal, protocol=protocol, random=random)
    cloud = point_tree(sample_evenly(remeshed, protocol.chamfer_points, random("chamfer reconstruction")))
    motions = (alignments[0], alignments[1] @ HALF_TURN @ alignments[0])
    facings = [
        Aligned(remeshed, scale, alignments, k > 0, motion, cloud, *_both_ways(motion, cloud, target.cloud))
        for k, motion in enumerate(motions)
    ]
    return min(facings, key=lambda facing: facing.distances.chamfer)


def filled_voxels(surface: Triangles, protocol: ChamferProtocol) -> Voxels:
    """The voxels of the surface and all that they enclose."""
    return fill(voxelize_surface(surface, voxel_pitch(surface, protocol.cubes)))


def remesh(surface: Triangles, protocol: ChamferProtocol) -> Triangles:
    """The outer surface of the filled voxels in the size and place of the surface: inner faces are gone."""
    outer = voxel_surface(filled_voxels(surface, protocol))
    outer *= (_extents(surface) / _extents(outer)).mean()
    outer += centroid(surface) - centroid(outer)
    return outer


def both_alignments(
    remeshed: Triangles, goal: PointTree, *, protocol: ChamferProtocol, random: RandomStream
) -> tuple[Transform, Transform]:
    """The motion found from the given pose, and the one found after it and a half turn."""
    source = sample_evenly(remeshed, protocol.align_points, random("align reconstruction"))
    source = point_tree(source).points
    first = align_points(source, goal, protocol.align_iterations)
    turned = apply(HALF_TURN @ first, source)
    return first, align_points(turned, goal, protocol.align_iterations)


def moved(surface: Triangles, motion: Transform) -> Triangles:
    """The surface after a rigid motion."""
    return apply(motion, surface.reshape(-1, 3)).reshape(surface.shape)


def _extents(surface: Triangles) -> Float[np.ndarray, "3"]:
    lowest, highest = bounds(surface)
    return highest - lowest


def _prepared(target: Triangles, volume: float, *, protocol: ChamferProtocol, random: RandomStream) -> Target:
    return Target(
        volume=volume,
        extent=float(_extents(target).max()),
        goal=point_tree(sample_evenly(target, protocol.align_points, random("align target"))),
        cloud=point_tree(sample_evenly(target, protocol.chamfer_points, random("chamfer target"))),
    )


def _both_ways(
    motion: Transform, reconstruction: PointTree, target: PointTree
) -> tuple[Float[np.ndarray, " points"], Float[np.ndarray, " points"]]:
    """The distances both ways; the target is brought to the reconstruction's tree instead of the reverse."""
    return (
        nearest_distances(reconstruction, apply(inverse(motion), target.points)),
        nearest_distances(target, apply(motion, reconstruction.points)),
    )
