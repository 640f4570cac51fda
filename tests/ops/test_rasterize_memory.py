"""What the CPU's rasteriser holds grows with pixels and with vertices, and not with images times faces."""

import pytest
import torch
from farm3d.eval.benchmarks.harness import peak_memory

from farm3d.ops.mesh_topology import EdgeTopology, edge_topology
from farm3d.ops.rasterize import antialias, interpolate, rasterize

FEW, MANY = 16, 64
"""Images."""

FACES, SIDE, SIZE, CHANNELS = 260_000, 12, 16, 3
BYTES_A_PIXEL, BYTES_A_VERTEX, SLACK = 160, 128, 3_000_000
"""What an image may hold: results, gradients and partial sums. Slack is for the pages of small things."""


def crowded_mesh() -> tuple[torch.Tensor, torch.Tensor]:
    """Clip positions of a small grid in one image, and very many small triangles between its vertices."""
    generator = torch.Generator().manual_seed(0)
    axis = torch.linspace(-0.9, 0.9, SIDE)
    x, y = torch.meshgrid(axis, axis, indexing="xy")
    depth = torch.rand(SIDE, SIDE, generator=generator)
    clip = torch.stack([x, y, depth, torch.ones_like(x)], dim=-1).reshape(1, -1, 4)
    corner = torch.randint(0, SIDE - 2, (FACES, 1, 2), generator=generator)
    around = corner + torch.randint(0, 3, (FACES, 3, 2), generator=generator)
    return clip, around[..., 0] * SIDE + around[..., 1]


def peak_of(images: int, clip: torch.Tensor, faces: torch.Tensor, topology: EdgeTopology, grad: bool) -> int:
    """Peak bytes of one call of the three operators, backward too if asked."""
    positions = clip.repeat(images, 1, 1).requires_grad_(grad)
    colors = torch.rand(1, clip.shape[1], CHANNELS).requires_grad_(grad)

    def draw() -> None:
        rasterized = rasterize(positions, faces, (SIZE, SIZE), backend="numba")
        image = interpolate(colors, rasterized, faces, backend="numba")
        smooth = antialias(image, rasterized, positions, faces, topology=topology, backend="numba")
        if grad:
            torch.autograd.grad(smooth.sum(), (positions, colors))

    draw()
    peak = peak_memory(draw, torch.device("cpu"))
    if peak is None:
        pytest.skip("this system does not count peak memory")
    return peak


@pytest.mark.parametrize("grad", [False, True], ids=["forward", "forward and backward"])
def test_memory_does_not_grow_with_images_times_faces(grad: bool) -> None:
    clip, faces = crowded_mesh()
    topology = edge_topology(faces)
    few, many = (peak_of(images, clip, faces, topology, grad) for images in (FEW, MANY))
    an_image = SIZE**2 * BYTES_A_PIXEL + SIDE**2 * BYTES_A_VERTEX
    allowed = (MANY - FEW) * an_image + SLACK
    assert allowed < 0.5 * (MANY - FEW) * FACES, "one byte an image and face would be seen"
    assert many - few < allowed, f"{few:,} bytes for {FEW} images, {many:,} for {MANY}"


def test_memory_is_linear_in_pixels() -> None:
    """Four times the pixels take four times the memory and not more, results included."""
    clip, faces = crowded_mesh()
    faces = faces[:1000]
    topology = edge_topology(faces)

    def peak(size: int) -> int:
        def draw() -> object:
            rasterized = rasterize(clip, faces, (size, size), backend="numba")
            image = interpolate(torch.ones(1, clip.shape[1], CHANNELS), rasterized, faces, backend="numba")
            return antialias(image, rasterized, clip, faces, topology=topology, backend="numba")

        draw()
        found = peak_memory(draw, torch.device("cpu"))
        if found is None:
            pytest.skip("this system does not count peak memory")
        return found

    small, large = peak(512), peak(1024)
    least = 4 * 4 + 2 * 4 * CHANNELS
    assert small >= 0.8 * 512**2 * least, "the results themselves are seen"
    assert large <= 4.0 * small + SLACK
    assert large <= 1024**2 * BYTES_A_PIXEL
