"""Each fast step of the Chamfer protocol against the literal one: equal, wherever it can be."""

import numpy as np
import pytest
import trimesh
from farm3d.eval.chamfer import literal
from farm3d.eval.chamfer.alignment import align_points, apply, inverse, rigid_fit
from farm3d.eval.chamfer.marching_cubes import voxel_surface
from farm3d.eval.chamfer.measures import volumetric_iou
from farm3d.eval.chamfer.point_tree import nearest_distances, point_tree
from farm3d.eval.chamfer.protocol import ChamferProtocol
from farm3d.eval.chamfer.sampling import centroid, face_areas, far_apart, sample_evenly
from farm3d.eval.chamfer.score import filled_voxels, remesh
from farm3d.eval.chamfer.voxels import Triangles, Voxels, fill, voxel_pitch, voxelize_surface
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.spatial import cKDTree
from trimesh.points import remove_close
from trimesh.registration import icp
from trimesh.voxel.ops import matrix_to_marching_cubes

from farm3d.errors import InputError

from .chamfer_shapes import from_triangles, surfaces, to_triangles

SURFACES = surfaces()
PROTOCOL = ChamferProtocol(cubes=24, align_points=300, chamfer_points=1500)
each_surface = pytest.mark.parametrize("mesh", SURFACES.values(), ids=SURFACES.keys())


def inner(voxels: Voxels) -> np.ndarray:
    """Without the margin, as trimesh has it."""
    return voxels.occupied[1:-1, 1:-1, 1:-1].astype(bool)


def random_volume(seed: int, shape: tuple[int, int, int], share: float) -> np.ndarray:
    return np.random.default_rng(seed).random(shape) < share


def with_margin(volume: np.ndarray) -> Voxels:
    return Voxels(np.pad(volume, 1).astype(np.uint8), np.zeros(3, dtype=np.int64), 1.0)


@each_surface
@pytest.mark.parametrize("cubes", [1, 7, 24, 61])
def test_voxels_are_trimeshs(mesh: trimesh.Trimesh, cubes: int) -> None:
    triangles = to_triangles(mesh)
    pitch = voxel_pitch(triangles, cubes)
    ours, theirs = voxelize_surface(triangles, pitch), mesh.voxelized(mesh.extents.min() / cubes)
    assert np.array_equal(inner(ours), theirs.matrix)
    assert np.allclose((ours.origin + 1) * pitch, theirs.translation, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.floats(-3.0, 3.0), st.integers(3, 40))
def test_voxels_of_single_triangles_are_trimeshs(seed: int, stretch: float, cubes: int) -> None:
    """Of any proportions: which edges are split and along which diagonal."""
    triangle = np.random.default_rng(seed).normal(size=(1, 3, 3))
    triangle[0, 1] = triangle[0, 0] + 10.0 ** -abs(stretch) * (triangle[0, 1] - triangle[0, 0])
    pitch = voxel_pitch(triangle, cubes)
    try:
        theirs = from_triangles(triangle).voxelized(pitch).matrix
    except ValueError:
        with pytest.raises(InputError, match="edges longer than"):
            voxelize_surface(triangle, pitch)
        return
    assert np.array_equal(inner(voxelize_surface(triangle, pitch)), theirs)


@each_surface
def test_filled_voxels_are_trimeshs(mesh: trimesh.Trimesh) -> None:
    ours, theirs = filled_voxels(to_triangles(mesh), PROTOCOL), literal.voxelize(mesh, PROTOCOL)
    assert np.array_equal(inner(ours), theirs.matrix)
    assert ours.volume == pytest.approx(theirs.volume, rel=1e-12)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.65, 0.8])
@pytest.mark.parametrize("shape", [(9, 11, 13), (1, 4, 30), (12, 1, 1)])
def test_what_is_enclosed_is_scipys(share: float, shape: tuple[int, int, int]) -> None:
    """Labyrinths of every density, with dead ends and chambers."""
    for seed in range(10):
        volume = random_volume(seed, shape, share)
        assert np.array_equal(inner(fill(with_margin(volume))), ndimage.binary_fill_holes(volume))


def test_filling_leaves_the_surface_voxels_alone() -> None:
    surface = voxelize_surface(to_triangles(SURFACES["ball"]), 0.1)
    before = surface.occupied.copy()
    assert fill(surface).count > surface.count
    assert np.array_equal(surface.occupied, before)


def test_every_cell_has_scikit_images_triangles() -> None:
    measure = pytest.importorskip("skimage.measure")
    for kind in range(1, 255):
        corners = np.array([kind >> bit & 1 for bit in range(8)], dtype=np.uint8).reshape(2, 2, 2)
        vertices, faces, _, _ = measure.marching_cubes(corners == 0, level=0.5)
        ours = voxel_surface(Voxels(corners, np.zeros(3, dtype=np.int64), 1.0))
        assert np.array_equal(ours + 1.0, vertices[faces])


@pytest.mark.parametrize("share", [0.05, 0.4, 0.6, 0.97])
def test_the_surface_of_voxels_is_trimeshs(share: float) -> None:
    """Triangle by triangle, in the same order, or the same random numbers would draw other points."""
    pytest.importorskip("skimage")
    volume = random_volume(5, (14, 11, 17), share)
    assert np.array_equal(voxel_surface(with_margin(volume)), matrix_to_marching_cubes(volume).triangles)


@each_surface
def test_the_remeshed_surface_is_trimeshs(mesh: trimesh.Trimesh) -> None:
    pytest.importorskip("skimage")
    ours, theirs = remesh(to_triangles(mesh), PROTOCOL), literal.remesh(mesh, PROTOCOL).triangles
    assert ours.shape == theirs.shape
    assert np.allclose(ours, theirs, rtol=0.0, atol=1e-12 * mesh.scale + 1e-12 * np.abs(theirs).max())


def test_remeshing_removes_inner_walls() -> None:
    box, nested = (to_triangles(SURFACES[name]) for name in ("box", "box in a box"))
    assert np.isclose(face_areas(remesh(box, PROTOCOL)).sum(), face_areas(remesh(nested, PROTOCOL)).sum())


@each_surface
def test_areas_and_the_centroid_are_trimeshs(mesh: trimesh.Trimesh) -> None:
    triangles = to_triangles(mesh)
    assert np.allclose(face_areas(triangles), mesh.area_faces, rtol=1e-9, atol=1e-15)
    assert np.allclose(centroid(triangles), mesh.centroid, atol=1e-12)


@each_surface
@pytest.mark.parametrize("count", [1, 50, 1500])
def test_the_same_random_numbers_draw_the_same_points(mesh: trimesh.Trimesh, count: int) -> None:
    ours = sample_evenly(to_triangles(mesh), count, np.random.default_rng(11))
    theirs = literal.sample(mesh, count, np.random.default_rng(11))
    assert np.allclose(ours, theirs, rtol=0.0, atol=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 400), st.floats(1e-3, 3.0), st.sampled_from([1.0, 100.0]))
def test_the_points_that_stay_are_trimeshs(seed: int, count: int, radius: float, length: float) -> None:
    """Crowded and lonely, also in a long cloud, where cells are larger than the radius, and with ties."""
    points = np.random.default_rng(seed).random((count, 3)) * (1.0, length, 1.0)
    points[: count // 3] = np.round(points[: count // 3], 1)
    assert np.array_equal(far_apart(points, radius), remove_close(points, radius)[1])


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 700), st.integers(1, 80), st.floats(0.0, 30.0))
def test_nearest_distances_are_scipys(seed: int, count: int, queries: int, apart: float) -> None:
    generator = np.random.default_rng(seed)
    cloud = generator.normal(size=(count, 3)) * (1.0, 0.2, 3.0)
    cloud[: count // 4] = np.round(cloud[: count // 4])
    others = generator.normal(loc=(apart, 0.0, 0.0), size=(queries, 3))
    ours = nearest_distances(point_tree(cloud), others)
    assert np.allclose(ours, cKDTree(cloud).query(others)[0], rtol=1e-14, atol=0.0)


def test_a_tree_holds_every_point_once() -> None:
    cloud = np.random.default_rng(0).normal(size=(1234, 3))
    tree = point_tree(cloud)
    assert np.array_equal(np.unique(tree.points, axis=0), np.unique(cloud, axis=0))
    assert len(tree.points) == len(cloud)


@pytest.mark.parametrize("turn", [0.1, 1.0, np.pi])
@pytest.mark.parametrize("iterations", [1, 2, 5, 200])
def test_alignments_are_trimeshs(turn: float, iterations: int) -> None:
    """After one step, after a few, and at the end: also the way there is the same."""
    source, target = clouds(turn)
    matrix, _, _ = icp(
        source, target, threshold=0.0, max_iterations=iterations, reflection=False, scale=False
    )
    assert np.allclose(align_points(source, point_tree(target), iterations), matrix, rtol=0.0, atol=1e-10)


def test_more_iterations_than_needed_change_nothing() -> None:
    source, target = clouds(0.3)
    motions = [align_points(source, point_tree(target), iterations) for iterations in (400, 4000)]
    assert np.array_equal(*motions)


def test_a_known_motion_is_found() -> None:
    source, _ = clouds(0.0)
    motion = trimesh.transformations.rotation_matrix(0.05, [1.0, 2.0, 3.0])
    motion[:3, 3] = (0.01, -0.02, 0.01)
    found = align_points(source, point_tree(apply(motion, source)), 200)
    assert np.allclose(found, motion, atol=1e-9)
    assert np.allclose(inverse(found) @ motion, np.eye(4), atol=1e-9)


def test_a_fit_never_reflects() -> None:
    points = np.random.default_rng(1).normal(size=(50, 3))
    mirrored = points * (-1.0, 1.0, 1.0)
    rotation, _ = rigid_fit(points, mirrored, np.arange(50))
    assert np.linalg.det(rotation) == pytest.approx(1.0)


def test_a_volume_overlaps_itself_wholly_and_another_in_part() -> None:
    volume = np.zeros((6, 6, 6), dtype=bool)
    volume[1:4, 1:4, 1:4] = True
    grid = with_margin(volume)
    shifted = Voxels(grid.occupied, grid.origin + np.array([0, 0, 1]), grid.pitch)
    assert volumetric_iou(grid, grid) == 1.0
    assert volumetric_iou(grid, shifted) == pytest.approx(18 / 36)
    assert volumetric_iou(grid, Voxels(grid.occupied, grid.origin + 50, grid.pitch)) == 0.0


@pytest.mark.parametrize(
    ("triangles", "said"),
    [
        (np.array([[[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]), "flat"),
        (np.array([[[0.0, 0.0, 0.0], [1.0, 1e-12, 0.0], [0.0, 1.0, 1e-12]]]), "nearly flat"),
        (np.array([[[0.0, 0.0, 0.0], [40.0, 1.0, 0.0], [0.0, 0.0, 1.0]]]), "edges longer than 512 voxels"),
        (np.array([[[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [2.0, 2.0, 2.0]]]), "no area"),
    ],
    ids=["flat", "nearly flat", "coarse", "a line"],
)
def test_a_surface_that_cannot_be_measured_is_told(triangles: Triangles, said: str) -> None:
    with pytest.raises(InputError, match=said):
        remesh(triangles, ChamferProtocol())


def clouds(turn: float) -> tuple[np.ndarray, np.ndarray]:
    """Points of two shapes with corners, one turned about y by `turn`."""
    source = sample_evenly(to_triangles(SURFACES["two parts"]), 400, np.random.default_rng(0))
    target = sample_evenly(to_triangles(SURFACES["box in a box"]), 350, np.random.default_rng(1))
    return apply(trimesh.transformations.rotation_matrix(turn, [0.0, 1.0, 0.0]), source), target
