"""Coats: colours meet along the faces' edges, depend on their own generator alone, and are their species'."""

import numpy as np
import pytest
import torch
from farm3d.synth.procedural.appearance import animal_canvas, random_coat
from farm3d.synth.procedural.coats.canvas import Canvas
from farm3d.synth.procedural.coats.details import paint_details
from farm3d.synth.procedural.coats.relief import hair_height
from farm3d.synth.procedural.coats.stripes import stripe_wave
from farm3d.synth.procedural.mesh_colors import (
    HEIGHT_STEP,
    LEVEL,
    NODES,
    MeshColors,
    SurfacePoints,
    look_up,
    mesh_colors,
    node_shares,
    relief_normals,
    sample_grid,
)
from farm3d.synth.procedural.noise import cells, scattered_seeds

from farm3d.ops.mesh_topology import edge_faces, edge_topology
from farm3d.ops.srgb import srgb_to_linear


@pytest.fixture(scope="module")
def coat(species, mean) -> MeshColors:
    return random_coat(species, mean, np.random.default_rng(3))


def canvas_of(species, mean, seed: int) -> Canvas:
    return animal_canvas(species, mean, eye_radius=0.05, generator=np.random.default_rng(seed))


def flat_mesh(count: int, side: float) -> tuple[torch.Tensor, torch.Tensor]:
    """A square of count x count vertices in the plane z = 0, facing +z."""
    place = torch.linspace(0.0, side, count)
    points = torch.cartesian_prod(place, place)
    corner = (torch.arange(count - 1)[:, None] * count + torch.arange(count - 1)).flatten()
    faces = [torch.stack([corner, corner + count, corner + count + 1], 1)]
    faces.append(torch.stack([corner, corner + count + 1, corner + 1], 1))
    return torch.cat([points, torch.zeros(len(points), 1)], 1), torch.cat(faces)


def test_the_vertices_are_the_first_samples_and_every_sample_is_its_nodes_place():
    points, faces = flat_mesh(7, 1.0)
    grid = sample_grid(faces)
    places = grid.spread(points.numpy())
    np.testing.assert_allclose(places[: len(points)], points.numpy(), atol=1e-7)
    corners = points.numpy()[faces.numpy()]
    np.testing.assert_allclose(places[grid.nodes], node_shares() @ corners, atol=1e-6)
    assert len(np.unique(grid.nodes)) == len(places) < len(faces) * NODES


def test_looking_up_nodes_gives_their_bytes():
    _, faces = flat_mesh(5, 1.0)
    samples = torch.from_numpy(
        np.random.default_rng(0).integers(0, 256, (len(faces), NODES, 4)).astype(np.uint8)
    )
    shares = torch.from_numpy(node_shares()[:, :2]).repeat(len(faces), 1)
    face = torch.arange(len(faces)).repeat_interleave(NODES)
    albedo, _ = look_up(MeshColors(samples), SurfacePoints(face, shares))
    torch.testing.assert_close(albedo, srgb_to_linear(samples.view(-1, 4)[:, :3] / 255.0), atol=1e-6, rtol=0)


def test_neighbours_agree_along_their_edges(coat, mean):
    topology = edge_topology(mean.faces)
    chosen = torch.randperm(len(topology.edges), generator=torch.Generator().manual_seed(1))[:2000]
    share = torch.rand(len(chosen), 1, generator=torch.Generator().manual_seed(2))
    seen = []
    for face in edge_faces(topology)[chosen].unbind(1):
        corner = mean.faces[face]
        ends = topology.edges[chosen]
        weights = (corner == ends[:, :1]) * (1.0 - share) + (corner == ends[:, 1:]) * share
        seen.append(look_up(coat, SurfacePoints(face, weights[:, :2]))[0])
    torch.testing.assert_close(*seen, atol=2e-5, rtol=0)


def test_a_slope_tilts_the_normals_by_as_much():
    points, faces = flat_mesh(9, 0.2)
    grid = sample_grid(faces)
    places = grid.spread(points.numpy())
    # Whole steps of the byte at every sample: 0.2 / 16 * slope = HEIGHT_STEP * n.
    slope = 16 / 0.2 * HEIGHT_STEP * 4
    colors = mesh_colors(grid, np.full((len(places), 3), 0.5, np.float32), slope * (places[:, 0] - 0.1))
    at = SurfacePoints(torch.arange(len(faces)), torch.full((len(faces), 2), 0.3))
    up = torch.tensor([0.0, 0.0, 1.0]).expand(len(faces), 3)
    normals = relief_normals(up, look_up(colors, at)[1], at, faces=faces, vertices=points)
    expected = torch.nn.functional.normalize(torch.tensor([[-slope, 0.0, 1.0]]), dim=1)
    torch.testing.assert_close(normals, expected.expand_as(normals), atol=1e-4, rtol=0)


def test_a_coat_depends_on_its_generator_alone(species, mean, coat):
    again = random_coat(species, mean, np.random.default_rng(3))
    other = random_coat(species, mean, np.random.default_rng(4))
    assert torch.equal(coat.samples, again.samples)
    assert (coat.samples != other.samples).float().mean() > 0.3


def test_an_individual_takes_less_than_four_megabytes(coat):
    assert coat.samples.numel() < 4e6


def test_eyes_are_dark_with_a_highlight_on_a_white_head(species, mean):
    canvas = canvas_of(species, mean, 1)
    color = paint_details(canvas, species.coats[0].skin, np.full((len(canvas.points), 3), 0.9, np.float32))
    near = (canvas.face_distance(canvas.eye) < 0.7 * canvas.eye.radius) & (canvas.part("head") > 0.7)
    assert np.quantile(color[near].mean(1), 0.3) < 0.15
    assert color[near].mean(1).max() > 0.6


def test_relief_stays_within_its_bytes(species, mean):
    canvas = canvas_of(species, mean, 1)
    for kind in {coat.hair for coat in species.coats}:
        height = hair_height(canvas, kind)
        assert np.abs(height).max() < LEVEL * HEIGHT_STEP
        assert height.std() > HEIGHT_STEP


def test_stripes_have_the_fields_pitch():
    points, faces = flat_mesh(41, 1.0)
    field = np.zeros((len(points), 3))
    field[:, 0] = 8.0
    grid = sample_grid(faces)
    wave = stripe_wave(
        grid, faces.numpy(), points.numpy().astype(float), field=field, warp=np.zeros(len(points))
    )
    rows = wave[: len(points)].reshape(41, 41)
    crossings = (np.diff(np.sign(rows), axis=0) != 0).sum(axis=0)
    assert set(crossings) <= {15, 16, 17}
    assert np.abs(np.diff(rows, axis=1)).max() < 0.05


def test_stripes_fork_where_the_pitch_doubles():
    points, faces = flat_mesh(61, 1.0)
    field = np.zeros((len(points), 3))
    field[:, 0] = np.where(points[:, 1] < 0.5, 6.0, 12.0)
    grid = sample_grid(faces)
    wave = stripe_wave(
        grid, faces.numpy(), points.numpy().astype(float), field=field, warp=np.zeros(len(points))
    )
    rows = wave[: len(points)].reshape(61, 61)
    crossings = (np.diff(np.sign(rows), axis=0) != 0).sum(axis=0)
    assert crossings[5] < 16 < 20 < crossings[-5]


def test_seeds_keep_their_distance_and_cells_are_the_nearest_seeds():
    generator = np.random.default_rng(0)
    points = generator.uniform(size=(3000, 3)).astype(np.float32)
    spacing = np.where(points[:, 0] < 0.8, 0.2, np.inf)
    seeds = points[scattered_seeds(points, spacing, generator)]
    apart = np.linalg.norm(seeds[:, None] - seeds, axis=2) + 9.0 * np.eye(len(seeds))
    assert apart.min() > 0.2
    assert seeds[:, 0].max() < 0.8
    found = cells(points, seeds)
    distance = np.linalg.norm(points[:, None] - seeds, axis=2)
    np.testing.assert_array_equal(found.seed, distance.argmin(axis=1))
    np.testing.assert_allclose(found.centre, distance.min(axis=1), atol=1e-6)
    assert found.border.min() >= -1e-6
