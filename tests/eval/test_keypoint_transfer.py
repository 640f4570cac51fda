"""Keypoint transfer: the protocol by hand, against a literal loop, and on animals whose truth is known."""

from pathlib import Path

import numpy as np
import pytest
from farm3d.eval.keypoint_annotations import AnnotatedAnimal, KeypointAnnotations, data_set_annotations
from farm3d.eval.keypoint_transfer import (
    KeypointTransfer,
    mean_pck,
    nearest_visible_vertices,
    random_pairs,
    score_transfer,
    transfer_keypoints,
)
from farm3d.eval.procedural_truth import true_animal
from farm3d.eval.projected_vertices import ProjectedVertices, project_mesh

from farm3d.data.image_folder import open_data_set
from farm3d.errors import InputError

Truth = tuple[KeypointAnnotations, list[ProjectedVertices]]


@pytest.fixture(scope="module")
def truth(farm_folder: Path) -> Truth:
    """The annotations of procedural pictures, and predictions that are the truth itself."""
    data = open_data_set(farm_folder)
    animals = [true_animal(data, index) for index in range(len(data))]
    return data_set_annotations(data), [project_mesh(animal.mesh, animal.camera) for animal in animals]


def animal(
    name: str, keypoints: list[list[float]], visible: list[bool], box: float = 100.0
) -> AnnotatedAnimal:
    return AnnotatedAnimal(
        name, Path(f"{name}.jpg"), (0.0, 0.0, box, box / 2), np.array(keypoints), np.array(visible)
    )


def vertices(places: list[list[float]], visible: list[bool]) -> ProjectedVertices:
    return ProjectedVertices(np.array(places), np.array(visible))


def two_animals() -> Truth:
    """A keypoint at (10, 10) whose nearest vertex is hidden, and one that only the source shows."""
    annotations = KeypointAnnotations(
        ("nose", "tail"),
        (
            animal("a", [[10.0, 10.0], [50.0, 50.0]], [True, True]),
            animal("b", [[40.0, 20.0], [60.0, 60.0]], [True, False], box=200.0),
        ),
    )
    projections = [
        vertices([[10.5, 10.0], [12.0, 10.0], [50.0, 50.0]], [False, True, True]),
        vertices([[0.0, 0.0], [40.0, 29.0], [60.0, 60.0]], [True, False, True]),
    ]
    return annotations, projections


FORTH = np.array([[0, 1]])


def test_true_predictions_transfer_at_least_99_percent(truth: Truth) -> None:
    annotations, projections = truth
    pairs = random_pairs(len(projections), 10_000, seed=0)
    score = score_transfer(transfer_keypoints(annotations, projections, pairs), seed=0)
    assert score.pck >= 0.99
    assert sum(keypoint.transfers for keypoint in score.keypoints) > 10_000


def test_shuffled_predictions_transfer_by_chance(truth: Truth) -> None:
    """Chance: the share of the target's vertices that lie near enough to where the keypoint belongs."""
    annotations, projections = truth
    rng = np.random.default_rng(1)
    shuffled = []
    for projected in projections:
        order = rng.permutation(len(projected.positions))
        shuffled.append(ProjectedVertices(projected.positions[order], projected.visible[order]))
    pairs = random_pairs(len(projections), 10_000, seed=0)
    transfer = transfer_keypoints(annotations, shuffled, pairs)
    near = np.stack(
        [
            np.mean(
                np.linalg.norm(projected.positions[:, None] - given.keypoints, axis=-1)
                < 0.1 * max(given.box[2:]),
                axis=0,
            )
            for given, projected in zip(annotations.animals, projections, strict=True)
        ]
    )
    chance = np.ma.array(near[pairs[:, 1]], mask=~transfer.counted).mean(axis=0).mean()
    pck = score_transfer(transfer, seed=0).pck
    assert pck == pytest.approx(chance, abs=0.02)
    assert pck < 0.12


def test_the_vectorised_transfer_is_the_protocol_taken_literally(truth: Truth) -> None:
    annotations, projections = truth
    pairs = random_pairs(len(projections), 40, seed=3)
    transfer = transfer_keypoints(annotations, projections, pairs, pad=0.05)
    for row, (s, t) in enumerate(pairs):
        source, target = annotations.animals[s], annotations.animals[t]
        for k in range(len(annotations.names)):
            assert transfer.counted[row, k] == (source.visible[k] and target.visible[k])
            distances = np.linalg.norm(projections[s].positions - source.keypoints[k], axis=1)
            distances[~projections[s].visible] = np.inf
            place = projections[t].positions[distances.argmin()]
            pixels = np.linalg.norm(place - target.keypoints[k])
            expected = pixels / (max(target.box[2], target.box[3]) * (1 + 2 * 0.05))
            assert transfer.errors[row, k] == pytest.approx(expected)


def test_a_hidden_vertex_is_not_taken_though_it_is_nearer() -> None:
    annotations, projections = two_animals()
    found = nearest_visible_vertices(annotations.animals[0].keypoints, projections[0])
    assert found.tolist() == [1, 2]


def test_the_error_is_a_share_of_the_targets_longer_side() -> None:
    """Vertex 1 arrives at (40, 29), 9 pixels from the keypoint, in a box 200 pixels wide."""
    annotations, projections = two_animals()
    transfer = transfer_keypoints(annotations, projections, FORTH)
    assert transfer.errors[0, 0] == pytest.approx(9.0 / 200.0)
    padded = transfer_keypoints(annotations, projections, FORTH, pad=0.25)
    assert padded.errors[0, 0] == pytest.approx(9.0 / 300.0)


def test_only_keypoints_visible_in_both_images_count() -> None:
    annotations, projections = two_animals()
    transfer = transfer_keypoints(annotations, projections, FORTH)
    assert transfer.counted.tolist() == [[True, False]]
    nose, tail = score_transfer(transfer, seed=0).keypoints
    assert (nose.pck, nose.transfers) == (1.0, 1)
    assert (tail.pck, tail.transfers, tail.interval) == (None, 0, None)


def test_a_hidden_vertex_of_the_target_is_wrong_only_where_that_is_checked() -> None:
    annotations, projections = two_animals()
    checked = transfer_keypoints(annotations, projections, FORTH, check_target_visibility=True)
    assert np.isinf(checked.errors[0, 0])
    assert checked.counted[0, 0]
    assert mean_pck(checked, 0.1) == 0.0
    assert mean_pck(transfer_keypoints(annotations, projections, FORTH), 0.1) == 1.0


def test_a_source_without_visible_vertices_is_wrong() -> None:
    annotations, projections = two_animals()
    blind = [ProjectedVertices(projections[0].positions, np.zeros(3, dtype=bool)), projections[1]]
    transfer = transfer_keypoints(annotations, blind, FORTH)
    assert np.isinf(transfer.errors).all()
    assert transfer.counted[0, 0]


def handmade(errors: list[list[float]], counted: list[list[bool]]) -> KeypointTransfer:
    pairs = np.array([[0, 1], [1, 0], [0, 2]][: len(errors)])
    arrived = np.zeros((len(errors), 2, 2))
    return KeypointTransfer(("nose", "tail"), 3, pairs, arrived, np.array(errors), np.array(counted))


def test_pck_is_the_mean_over_keypoints_not_over_transfers() -> None:
    transfer = handmade([[0.05, 0.3], [0.05, 0.3], [0.05, 0.05]], [[True, False], [True, True], [True, True]])
    score = score_transfer(transfer, seed=0)
    assert [keypoint.pck for keypoint in score.keypoints] == [1.0, 0.5]
    assert score.pck == 0.75


def test_an_error_of_exactly_the_threshold_is_wrong() -> None:
    assert mean_pck(handmade([[0.1, 0.0]], [[True, False]]), 0.1) == 0.0


def test_the_curve_rises_and_passes_through_the_score(truth: Truth) -> None:
    annotations, projections = truth
    rng = np.random.default_rng(0)
    noisy = [
        ProjectedVertices(p.positions + rng.normal(0.0, 4.0, size=p.positions.shape), p.visible)
        for p in projections
    ]
    pairs = random_pairs(len(noisy), 500, seed=0)
    score = score_transfer(transfer_keypoints(annotations, noisy, pairs), seed=0)
    values = [pck for _, pck in score.curve]
    assert values == sorted(values)
    assert values[0] < 0.5 < values[-1]
    assert dict(score.curve)[0.1] == score.pck


def test_nothing_to_transfer_is_an_error() -> None:
    with pytest.raises(InputError, match="visible in both images"):
        score_transfer(handmade([[0.0, 0.0]], [[False, False]]), seed=0)


def test_pairs_are_seeded_of_two_images_and_even() -> None:
    pairs = random_pairs(5, 20_000, seed=4)
    assert (pairs[:, 0] != pairs[:, 1]).all()
    assert np.array_equal(pairs, random_pairs(5, 20_000, seed=4))
    assert not np.array_equal(pairs, random_pairs(5, 20_000, seed=5))
    counts = np.bincount(pairs[:, 0] * 5 + pairs[:, 1], minlength=25).reshape(5, 5)
    off_diagonal = counts[~np.eye(5, dtype=bool)]
    assert abs(off_diagonal - 1000).max() < 150
    with pytest.raises(InputError, match="two images"):
        random_pairs(1, 10, seed=0)


def test_the_interval_over_images_covers_the_expected_pck() -> None:
    """A transfer is right where both images are good, which 7 of 10 are: PCK 0.49 is expected."""
    covered, widths = 0, []
    for repeat in range(100):
        rng = np.random.default_rng(repeat)
        good = rng.random(40) < 0.7
        pairs = random_pairs(40, 1500, seed=repeat)
        errors = np.where(good[pairs].all(axis=1), 0.0, 1.0)[:, None]
        arrived, counted = np.zeros((*errors.shape, 2)), np.ones_like(errors, dtype=bool)
        transfer = KeypointTransfer(("nose",), 40, pairs, arrived, errors, counted)
        interval = score_transfer(transfer, seed=repeat, replicates=200).interval
        covered += interval.low <= 0.49 <= interval.high
        widths.append(interval.high - interval.low)
    assert 87 <= covered <= 100
    over_pairs = 2 * 1.96 * np.sqrt(0.49 * 0.51 / 1500)
    assert np.mean(widths) > 3 * over_pairs


def test_the_interval_is_a_point_where_all_transfers_are_right(truth: Truth) -> None:
    annotations, projections = truth
    pairs = random_pairs(len(projections), 300, seed=0)
    interval = score_transfer(transfer_keypoints(annotations, projections, pairs), seed=0).interval
    assert 0.98 <= interval.low <= interval.high <= 1.0
