"""The whole Chamfer protocol, fast against literal, on ten pairs and the shared meshes; what it promises."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from farm3d.eval.benchmarks.chamfer_pairs import PAIRS, AnimalPair, pair_triangles
from farm3d.eval.chamfer.literal import LiteralScore, literal_chamfer
from farm3d.eval.chamfer.pairs import load_triangles
from farm3d.eval.chamfer.protocol import ChamferProtocol, random_stream
from farm3d.eval.chamfer.rows import FLOOR
from farm3d.eval.chamfer.score import ChamferScore, chamfer_score, moved
from farm3d.eval.chamfer.voxels import Triangles
from trimesh.transformations import rotation_matrix

from .chamfer_shapes import from_triangles, surfaces, to_triangles

MESHES = Path(__file__).parents[3] / "shared/data/meshes"
SMALL = ChamferProtocol(cubes=24, align_points=600, align_iterations=60, chamfer_points=2500)
"""The protocol with fewer voxels and points, so that the literal one takes a second."""

ONE_PERCENT = 0.01


def fast(
    reconstruction: Triangles, target: Triangles, *, protocol: ChamferProtocol = SMALL, seed: int = 0
) -> ChamferScore:
    return chamfer_score(reconstruction, target, protocol=protocol, random=random_stream(seed, "pair"))


def literally(reconstruction: Triangles, target: Triangles, *, protocol: ChamferProtocol) -> LiteralScore:
    pytest.importorskip("skimage")
    meshes = from_triangles(reconstruction), from_triangles(target)
    return literal_chamfer(*meshes, protocol=protocol, random=random_stream(0, "pair"))


def assert_same(reconstruction: Triangles, target: Triangles, *, protocol: ChamferProtocol = SMALL) -> None:
    """Far closer than seeds move the result, so that each step is the same and no two errors cancel."""
    ours = fast(reconstruction, target, protocol=protocol)
    theirs = literally(reconstruction, target, protocol=protocol)
    assert ours.scale == pytest.approx(theirs.scale, rel=1e-12)
    assert np.allclose(ours.alignments, theirs.alignments, rtol=0.0, atol=1e-6)
    assert ours.rotated_180 == theirs.rotated_180
    assert ours.target_extent == pytest.approx(theirs.target_extent)
    assert ours.distances.to_reconstruction == pytest.approx(theirs.distances.to_reconstruction, rel=1e-6)
    assert ours.distances.to_target == pytest.approx(theirs.distances.to_target, rel=1e-6)
    assert ours.chamfer_scaled == pytest.approx(theirs.distances.chamfer / theirs.target_extent, rel=1e-6)


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_ten_pairs_score_as_the_literal_protocol_says(pair: AnimalPair) -> None:
    assert_same(*pair_triangles(pair))


def test_a_pair_with_the_numbers_of_the_public_evaluator_scores_as_the_literal_protocol_says() -> None:
    """All points, voxels and iterations; a small mesh, so that the literal one is done in seconds."""
    target = to_triangles(surfaces()["ball"])
    assert_same(target * np.array([1.0, 1.1, 1.3]), target, protocol=ChamferProtocol())


@pytest.mark.skipif(not MESHES.is_dir(), reason="needs ../shared/data (meshes nobody here drew)")
@pytest.mark.parametrize("names", [("spot", "cow"), ("cow", "spot")], ids="-".join)
def test_the_shared_cows_score_as_the_literal_protocol_says(names: tuple[str, str]) -> None:
    """One faces -z, the other +x, and one is six times as large: turned to one axis first."""
    turns = {"spot": np.pi, "cow": -np.pi / 2}
    meshes = [
        moved(load_triangles(MESHES / f"{name}.obj"), rotation_matrix(turns[name], [0.0, 1.0, 0.0]))
        for name in names
    ]
    assert_same(meshes[0], meshes[1])


@pytest.mark.parametrize("name", ["box in a box", "open ball", "two parts", "soup"])
def test_odd_surfaces_score_as_the_literal_protocol_says(name: str) -> None:
    meshes = surfaces()
    assert_same(to_triangles(meshes[name]), to_triangles(meshes["moved ball"]))


def test_seeds_alone_move_the_result_by_little() -> None:
    pair = pair_triangles(PAIRS[0])
    protocol = replace(SMALL, chamfer_points=20000, align_points=4000)
    scores = [fast(*pair, protocol=protocol, seed=seed).chamfer_scaled for seed in range(3)]
    assert len(set(scores)) == 3
    assert max(scores) - min(scores) < ONE_PERCENT * min(scores)


def test_identical_surfaces_score_the_floor() -> None:
    """Two independent drawings of 60,000 points of one surface, and what voxels change of it."""
    target = pair_triangles(PAIRS[0])[1]
    protocol = replace(ChamferProtocol(), align_iterations=20)
    score = fast(target, target, protocol=protocol)
    assert 0.5 * FLOOR < score.chamfer_scaled < 1.5 * FLOOR
    assert not score.rotated_180
    assert score.measures.f_score > 0.99
    assert score.measures.volumetric_iou > 0.85
    assert score.measures.rms_chamfer >= score.chamfer


def test_the_scale_of_the_reconstruction_does_not_matter() -> None:
    reconstruction, target = pair_triangles(PAIRS[1])
    scores = [fast(reconstruction * scale, target).chamfer for scale in (1.0, 0.125, 64.0)]
    assert scores == pytest.approx([scores[0]] * 3, rel=1e-9), "powers of two leave every digit alone"
    assert fast(reconstruction * 3.3, target).chamfer == pytest.approx(scores[0], rel=3 * ONE_PERCENT)


def test_the_scaled_distance_does_not_know_the_unit() -> None:
    reconstruction, target = pair_triangles(PAIRS[2])
    metres, millimetres = fast(reconstruction, target), fast(reconstruction, 1024.0 * target)
    assert millimetres.chamfer == pytest.approx(1024.0 * metres.chamfer, rel=1e-9)
    assert millimetres.chamfer_scaled == pytest.approx(metres.chamfer_scaled, rel=1e-9)


def test_a_reconstruction_that_faces_the_wrong_way_is_turned() -> None:
    target = pair_triangles(PAIRS[0])[1]
    turned = moved(target, rotation_matrix(np.pi, [0.0, 1.0, 0.0]))
    right, wrong = fast(target, target), fast(turned, target)
    assert (right.rotated_180, wrong.rotated_180) == (False, True)
    assert wrong.chamfer == pytest.approx(right.chamfer, rel=0.1)


def test_moving_both_leaves_the_result() -> None:
    """Up and down exactly; sideways, where the half turn about the origin moves the start, nearly."""
    reconstruction, target = pair_triangles(PAIRS[3])
    reconstruction = reconstruction / fast(reconstruction, target).scale ** -1
    still = fast(reconstruction, target).chamfer
    for offset in ([0.0, 0.5, 0.0], [0.3, 0.0, -0.2]):
        assert fast(reconstruction + offset, target + offset).chamfer == pytest.approx(still, rel=0.05)


def test_one_way_distances_tell_what_is_missing() -> None:
    """A ball alone where two were: half of the target's points have nothing near."""
    ball = to_triangles(trimesh.creation.icosphere(subdivisions=3, radius=0.5))
    score = fast(ball, np.concatenate([ball, ball + np.array([0.0, 0.0, 3.0])]))
    assert score.distances.to_reconstruction > 2.0 * score.distances.to_target
    ways = score.distances.to_reconstruction, score.distances.to_target
    assert score.chamfer == pytest.approx(sum(ways) / 2)
