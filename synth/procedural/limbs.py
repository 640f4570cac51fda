"""Bodies as smooth unions of limbs: generalised cylinders with elliptic cross-sections along a curve.

Source: signed distances of ellipsoids and smooth minima after Quilez,
https://iquilezles.org/articles/distfunctions; the limbs are our own construction.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.interpolate import Akima1DInterpolator, PchipInterpolator
from torch import Tensor

SEGMENTS_PER_STATION = 6
"""Straight pieces between two stations of a limb: enough for the curve to look round."""

POINTS_AT_ONCE = 1024


@dataclass(frozen=True)
class LimbGeometry:
    """One limb of one individual: a finely sampled centreline with radii.

    `depths` are the radii in the sagittal plane, `widths` the lateral ones; a positive taper narrows
    the upper (or front) half of the cross-section and widens the lower. `chain` is the coordinate of
    each sample along the limb's joints (0 at the first, 1 at the second ...). `exponent` 2 makes
    elliptic cross-sections, larger ones boxy. `blend` is the radius (object units) of the smooth
    union with the limbs before it.
    """

    name: str
    side: int
    centres: Float[Tensor, "samples 3"]
    depths: Float[Tensor, " samples"]
    widths: Float[Tensor, " samples"]
    tapers: Float[Tensor, " samples"]
    chain: Float[Tensor, " samples"]
    exponent: float
    blend: float


@dataclass(frozen=True)
class LimbFoot:
    """The nearest place on a limb's centreline for each point: its sample, and how far to the next one."""

    segment: Int[Tensor, " points"]
    fraction: Float[Tensor, " points"]
    distance: Float[Tensor, " points"]


def sample_limb(
    joints: Float[np.ndarray, "joints 3"], stations: Float[np.ndarray, "stations 6"]
) -> Float[np.ndarray, "samples 7"]:
    """Rows (x, y, z, depth, width, taper, chain coordinate) along a limb.

    A station is (chain coordinate, offset, lateral, depth, width, taper): the chain coordinate runs
    over the joints, the offset is perpendicular to the chain within the sagittal plane (up for a
    horizontal limb, forward for a vertical one), the lateral one along x. Interpolation is monotone
    cubic (Fritsch & Carlson 1980), so that no bulge appears that no station asked for.
    """
    last = len(joints) - 1
    knots = np.arange(len(joints), dtype=float)
    curve = Akima1DInterpolator(knots, joints, axis=0, method="makima") if last > 1 else None
    samples = np.interp(
        np.linspace(0, len(stations) - 1, SEGMENTS_PER_STATION * (len(stations) - 1) + 1),
        np.arange(len(stations)),
        stations[:, 0],
    )
    values = PchipInterpolator(stations[:, 0], stations[:, 1:], axis=0)(samples)
    clamped = np.clip(samples, 0.0, last)
    if curve is None:
        tangents = np.broadcast_to(joints[1] - joints[0], (len(samples), 3))
        centres = joints[0] + samples[:, None] * tangents
    else:
        tangents = curve.derivative()(clamped)
        centres = curve(clamped) + (samples - clamped)[:, None] * tangents
    sagittal = tangents * np.array([0.0, 1.0, 1.0])
    forward = sagittal / np.maximum(np.linalg.norm(sagittal, axis=1, keepdims=True), 1e-9)
    up = np.stack([np.zeros(len(samples)), forward[:, 2], -forward[:, 1]], axis=1)
    centres = centres + values[:, :1] * up
    centres[:, 0] += values[:, 1]
    return np.concatenate([centres, values[:, 2:], samples[:, None]], axis=1)


def mirrored(limb: LimbGeometry) -> LimbGeometry:
    """The same limb on the animal's other side."""
    flip = limb.centres.new_tensor([-1.0, 1.0, 1.0])
    fields = (limb.depths, limb.widths, limb.tapers, limb.chain, limb.exponent, limb.blend)
    return LimbGeometry(limb.name, -limb.side, limb.centres * flip, *fields)


def _segment_axes(limb: LimbGeometry) -> tuple[Tensor, Tensor, Tensor]:
    """Start, direction (not unit) and in-plane normal of each straight piece."""
    starts, along = limb.centres[:-1], limb.centres[1:] - limb.centres[:-1]
    normal = torch.stack([torch.zeros_like(along[:, 0]), along[:, 2], -along[:, 1]], dim=1)
    return starts, along, torch.nn.functional.normalize(normal, dim=1)


def _nearest_segment(limb: LimbGeometry, points: Float[Tensor, "points 3"]) -> Int[Tensor, " points"]:
    """The straight piece of the centreline that is nearest in units of its radius."""
    starts, along = limb.centres[:-1], limb.centres[1:] - limb.centres[:-1]
    lengths = along.square().sum(1).clamp_min(1e-12)
    start_along, start_squared = (starts * along).sum(1), starts.square().sum(1)
    growth = limb.depths[1:] - limb.depths[:-1]
    nearest = []
    # In blocks that stay in the processor's cache.
    for block in points.split(POINTS_AT_ONCE):
        projected = block @ along.T - start_along
        fractions = (projected / lengths).clamp_(0.0, 1.0)
        squared = block.square().sum(1, keepdim=True) - 2.0 * block @ starts.T + start_squared
        squared += fractions * (fractions * lengths - 2.0 * projected)
        depths = limb.depths[:-1] + fractions * growth
        nearest.append((squared / depths.square_()).argmin(dim=1))
    return torch.cat(nearest)


def limb_foot(limb: LimbGeometry, points: Float[Tensor, "points 3"]) -> LimbFoot:
    """Signed distance (approximate away from the surface) and nearest centreline place of a limb."""
    starts, along, normals = _segment_axes(limb)
    k = _nearest_segment(limb, points.detach())
    offset = points - starts[k]
    direction = along[k]
    length = direction.square().sum(1).clamp_min(1e-12)
    fraction = ((offset * direction).sum(1) / length).clamp(0.0, 1.0)
    offset = offset - fraction[:, None] * direction
    depth = torch.lerp(limb.depths[k], limb.depths[k + 1], fraction)
    height = ((offset * normals[k]).sum(1) / depth).clamp(-1.0, 1.0)
    taper = torch.lerp(limb.tapers[k], limb.tapers[k + 1], fraction)
    width = torch.lerp(limb.widths[k], limb.widths[k + 1], fraction) * (1.0 - taper * height)
    across = offset[:, 0].square() / width.square()
    within = offset[:, 1:].square().sum(1) / depth.square()
    power = limb.exponent / 2.0
    level = ((across + 1e-12).pow(power) + (within + 1e-12).pow(power)).pow(0.5 / power)
    slope = (across / width.square() + within / depth.square() + 1e-12).sqrt()
    return LimbFoot(k, fraction, level * (level - 1.0) / slope)


def smooth_minimum(
    first: Float[Tensor, " points"], second: Float[Tensor, " points"], radius: float
) -> Float[Tensor, " points"]:
    """Quadratic polynomial smooth minimum: rounds the crease between two surfaces over `radius`."""
    overlap = (radius - (first - second).abs()).clamp_min(0.0) / radius
    return torch.minimum(first, second) - overlap.square() * radius / 4.0


def body_distance(
    limbs: tuple[LimbGeometry, ...], points: Float[Tensor, "points 3"], ground: float
) -> Float[Tensor, " points"]:
    """Signed distance (object units, negative inside) of the smooth union of `limbs`, soles cut flat.

    Far from a limb its distance is replaced by that to its bounding box, which cannot matter there.
    The body is its left half mirrored, so that it is symmetric to the last bit.
    """
    points = torch.cat([points[:, :1].abs(), points[:, 1:]], dim=1)
    total: Tensor | None = None
    for limb in limbs:
        reach = torch.maximum(limb.depths, limb.widths * (1 + limb.tapers.abs()))[:, None]
        lower = (limb.centres - reach).amin(0)
        upper = (limb.centres + reach).amax(0)
        outside = torch.maximum(lower - points, points - upper).clamp_min(0.0).norm(dim=1)
        near = outside < 0.15 + limb.blend
        distance = outside.masked_scatter(near, limb_foot(limb, points[near]).distance)
        total = distance if total is None else smooth_minimum(total, distance, limb.blend)
    assert total is not None
    return torch.maximum(total, ground - points[:, 1])


def body_gradient(
    limbs: tuple[LimbGeometry, ...], points: Float[Tensor, "points 3"], ground: float
) -> tuple[Float[Tensor, " points"], Float[Tensor, "points 3"]]:
    """Signed distance of a body and its gradient."""
    with torch.enable_grad():
        variable = points.detach().requires_grad_(True)
        distance = body_distance(limbs, variable, ground)
        (gradient,) = torch.autograd.grad(distance.sum(), variable)
    return distance.detach(), gradient


def carry_points(
    source: LimbGeometry, target: LimbGeometry, points: Float[Tensor, "points 3"], *, foot: LimbFoot
) -> Float[Tensor, "points 3"]:
    """Points near a limb moved with it when its curve and radii change from `source` to `target`.

    A point keeps its place along the limb and its offset from the centreline in units of the radii.
    """
    k, f = foot.segment, foot.fraction
    moved = []
    for limb in (source, target):
        starts, along, normals = _segment_axes(limb)
        forward = torch.nn.functional.normalize(along * along.new_tensor([0.0, 1.0, 1.0]), dim=1)
        axes = torch.stack([torch.tensor([1.0, 0.0, 0.0]).expand_as(normals), normals, forward], dim=-1)
        depth = torch.lerp(limb.depths[k], limb.depths[k + 1], f)
        width = torch.lerp(limb.widths[k], limb.widths[k + 1], f)
        radii = torch.stack([width, depth, depth], dim=-1)
        moved.append((starts[k] + f[:, None] * along[k], axes[k], radii))
    (from_centre, from_axes, from_radii), (to_centre, to_axes, to_radii) = moved
    local = (from_axes.transpose(1, 2) @ (points - from_centre)[..., None]).squeeze(-1) / from_radii
    return to_centre + (to_axes @ (local * to_radii)[..., None]).squeeze(-1)
