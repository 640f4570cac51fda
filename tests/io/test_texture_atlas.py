"""The atlas covers the mesh once, the same way every time; the baked texture shows the colour function."""

import pytest
import torch
import trimesh
from scipy import ndimage

from farm3d.errors import InputError
from farm3d.geometry.mesh import Mesh
from farm3d.io.texture_atlas import TextureAtlas, bake_texture, unwrap
from farm3d.ops.srgb import linear_to_srgb


def bumpy_ball(subdivisions: int = 3) -> Mesh:
    """A sphere stretched along z with bumps: several charts."""
    ball = trimesh.creation.icosphere(subdivisions=subdivisions)
    vertices = torch.tensor(ball.vertices, dtype=torch.float32) * torch.tensor([0.5, 0.6, 1.5])
    bumps = 1.0 + 0.15 * torch.sin(7.0 * vertices[:, :1]) * torch.cos(5.0 * vertices[:, 2:])
    return Mesh(vertices * bumps, torch.tensor(ball.faces, dtype=torch.int64))


@pytest.fixture(scope="module")
def mesh() -> Mesh:
    return bumpy_ball()


@pytest.fixture(scope="module")
def atlas(mesh: Mesh) -> TextureAtlas:
    return unwrap(mesh)


def smooth_colour(points: torch.Tensor) -> torch.Tensor:
    """A linear RGB field that is smooth in space and never black."""
    return 0.35 + 0.3 * torch.sin(points * torch.tensor([3.0, 2.0, 1.5]))


def sampled(texture: torch.Tensor, uvs: torch.Tensor) -> torch.Tensor:
    """Bilinear lookups as a renderer does them, v = 0 at the top row."""
    image = texture.float().permute(2, 0, 1)[None] / 255.0
    grid = (2.0 * uvs - 1.0)[None, None]
    looked_up = torch.nn.functional.grid_sample(image, grid, padding_mode="border", align_corners=False)
    return looked_up[0, :, 0].T


def test_the_atlas_is_the_mesh_cut_open(mesh: Mesh, atlas: TextureAtlas) -> None:
    assert torch.equal(atlas.source_vertices[atlas.faces], mesh.faces)
    assert set(atlas.source_vertices.tolist()) == set(range(len(mesh.vertices)))
    cut = atlas.cut(mesh)
    assert torch.equal(cut.vertices[cut.faces], mesh.vertices[mesh.faces])
    assert float(atlas.uvs.min()) >= 0.0 and float(atlas.uvs.max()) <= 1.0


def test_charts_do_not_overlap(atlas: TextureAtlas) -> None:
    """The areas of the triangles in the texture sum to the area that they cover."""
    corners = atlas.uvs[atlas.faces]
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    total = 0.5 * (first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]).abs().sum()
    marked = bake_marks(atlas)
    assert abs(float(marked.float().mean()) - float(total)) < 0.01
    assert float(total) > 0.4


def bake_marks(atlas: TextureAtlas) -> torch.Tensor:
    """Which texels some triangle covers, counted by an independent scan of triangles at 256 x 256."""
    size = 256
    centres = (
        torch.stack(torch.meshgrid(torch.arange(size), torch.arange(size), indexing="xy"), -1) + 0.5
    ) / size
    covered = torch.zeros(size, size, dtype=torch.bool)
    for triangle in atlas.uvs[atlas.faces]:
        low = (triangle.amin(0) * size).floor().long().clamp(0, size - 1)
        high = (triangle.amax(0) * size).ceil().long().clamp(1, size)
        window = centres[low[1] : high[1], low[0] : high[0]]
        sides = [cross(triangle[(k + 1) % 3] - triangle[k], window - triangle[k]) for k in range(3)]
        inside = torch.stack(sides).ge(0).all(0) | torch.stack(sides).le(0).all(0)
        covered[low[1] : high[1], low[0] : high[0]] |= inside
    return covered


def cross(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    return first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0]


def test_unwrapping_is_deterministic(mesh: Mesh, atlas: TextureAtlas) -> None:
    again = unwrap(mesh)
    assert torch.equal(again.source_vertices, atlas.source_vertices)
    assert torch.equal(again.faces, atlas.faces)
    assert torch.equal(again.uvs, atlas.uvs)


def test_texture_lookups_on_the_surface_give_its_colour(mesh: Mesh, atlas: TextureAtlas) -> None:
    texture = torch.from_numpy(bake_texture(atlas, mesh.vertices, smooth_colour, resolution=512))
    torch.manual_seed(0)
    corner_weights = torch.distributions.Dirichlet(torch.ones(3)).sample((len(atlas.faces),))[..., None]
    uvs = (atlas.uvs[atlas.faces] * corner_weights).sum(1)
    points = (mesh.vertices[mesh.faces] * corner_weights).sum(1)
    torch.testing.assert_close(
        sampled(texture, uvs), linear_to_srgb(smooth_colour(points)), atol=0.02, rtol=0
    )


def test_no_seam_shows(mesh: Mesh, atlas: TextureAtlas) -> None:
    """At a seam's vertex all its copies look up the same colour, though the charts lie apart."""
    texture = torch.from_numpy(bake_texture(atlas, mesh.vertices, smooth_colour, resolution=256))
    colours = sampled(texture, atlas.uvs)
    expected = linear_to_srgb(smooth_colour(mesh.vertices))[atlas.source_vertices]
    assert len(atlas.uvs) > len(mesh.vertices)
    torch.testing.assert_close(colours, expected, atol=0.03, rtol=0)


def test_texels_are_srgb(mesh: Mesh, atlas: TextureAtlas) -> None:
    texture = bake_texture(
        atlas, mesh.vertices, lambda points: torch.full_like(points, 0.2140), resolution=64
    )
    assert (texture == 127).all()


def test_only_covered_texels_are_evaluated_in_chunks(
    mesh: Mesh, atlas: TextureAtlas, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("farm3d.io.texture_atlas.POINTS_PER_CHUNK", 1000)
    sizes = []

    def counted(points: torch.Tensor) -> torch.Tensor:
        sizes.append(len(points))
        return smooth_colour(points)

    chunked = bake_texture(atlas, mesh.vertices, counted, resolution=128)
    assert max(sizes) <= 1000 and sum(sizes) < 128 * 128
    monkeypatch.undo()
    assert (chunked == bake_texture(atlas, mesh.vertices, smooth_colour, resolution=128)).all()


def test_gutters_hold_the_nearest_colour(mesh: Mesh, atlas: TextureAtlas) -> None:
    """Baked over black, a bright surface leaves no dark texel, so that mip levels stay bright."""
    texture = bake_texture(atlas, mesh.vertices, lambda points: torch.ones_like(points), resolution=128)
    assert ndimage.minimum(texture) == 255


def test_a_mesh_without_faces_is_refused() -> None:
    with pytest.raises(InputError, match="without faces"):
        unwrap(Mesh(torch.zeros(3, 3), torch.zeros(0, 3, dtype=torch.int64)))
