"""Vertex by vertex, the gradient of `antialias` is the derivative of true coverage."""

import pytest
import torch

from farm3d.ops.rasterize import antialias, rasterize

from .raster_scenes import animal, view

WINDOW, FACTOR, STEP, VERTICES = 16, 32, 0.05, 200
"""Pixels a side of the window rendered about a vertex, samples a pixel and side, displacement in pixels."""


def pixel_weights(size):
    """A smooth image, so that the gradient differs from place to place: (size, size)."""
    y, x = torch.meshgrid(torch.arange(size) / size, torch.arange(size) / size, indexing="ij")
    return 1.5 + torch.sin(5 * x + 3 * y) + torch.cos(4 * y - 2 * x)


def antialiased_gradient(clip, faces, weights):
    """By the vertices' clip positions, of the weighted sum of the antialiased mask."""
    positions = clip.clone().requires_grad_()
    drawn = rasterize(clip, faces, tuple(weights.shape))
    mask = antialias((drawn[..., 3:] > 0).float(), drawn, positions, faces)
    (mask[0, ..., 0] * weights).sum().backward()
    return positions.grad[0]


def coverage(clip, faces, weights):
    """The weighted sum of exact coverage, by counting samples, for each image of a batch."""
    side = len(weights)
    samples = (rasterize(clip, faces, (side * FACTOR, side * FACTOR))[..., 3] > 0).double()
    mask = samples.reshape(len(clip), side, FACTOR, side, FACTOR).mean(dim=(2, 4))
    return (mask * weights).sum(dim=(1, 2))


def finite_differences(clip, faces, weights, vertex):
    """By a vertex's place in the image (pixels), from the window of pixels about it."""
    size, w = len(weights), clip[0, vertex, 3]
    place = (clip[0, vertex, :2] / w + 1) * size / 2
    corner = (place - WINDOW / 2).round().clamp(0, size - WINDOW)
    column, row = (int(start) for start in corner)
    seen = weights[row : row + WINDOW, column : column + WINDOW]
    moved = clip.repeat(4, 1, 1)
    for case, (axis, sign) in enumerate([(0, 1), (0, -1), (1, 1), (1, -1)]):
        moved[case, vertex, axis] += sign * STEP * 2 / size * w
    # The window becomes the whole image.
    middle = (corner + WINDOW / 2) * 2 / size - 1
    moved[..., :2] = (moved[..., :2] - middle * moved[..., 3:]) * size / WINDOW
    sums = coverage(moved, faces, seen)
    return torch.stack([sums[0] - sums[1], sums[2] - sums[3]]) / (2 * STEP)


@pytest.mark.parametrize(("subdivisions", "size"), [(3, 128), (3, 256)])
def test_silhouette_vertices_move_coverage_as_finite_differences_say(subdivisions, size):
    """200 random silhouette vertices; the outline's edges are 2 and 4 pixels long."""
    vertices, faces = animal(subdivisions)
    clip, weights = view(vertices, [0.5]), pixel_weights(size)
    # Silhouette vertices are those that move an image fine enough to see every one of them.
    fine = antialiased_gradient(clip, faces, torch.ones(8 * size, 8 * size))
    candidates = torch.nonzero(fine[:, :2].norm(dim=-1) > 0).squeeze(1)
    assert len(candidates) >= VERTICES
    order = torch.randperm(len(candidates), generator=torch.Generator().manual_seed(0))
    chosen = candidates[order[:VERTICES]]
    assert (clip[0, chosen, :2] / clip[0, chosen, 3:]).abs().max() < 1 - WINDOW / size
    gradient = antialiased_gradient(clip, faces, weights)[chosen, :2] * clip[0, chosen, 3:] * 2 / size
    expected = torch.stack([finite_differences(clip, faces, weights, int(index)) for index in chosen])
    cosine = (gradient * expected).sum() / (gradient.norm() * expected.norm())
    assert cosine > 0.95
    assert 0.85 < gradient.norm() / expected.norm() < 1.15
