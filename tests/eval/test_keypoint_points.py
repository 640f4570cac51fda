"""The table from annotated keypoints to points of the farm's animals: complete, on the surface, mirrored."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from farm3d.eval import keypoint_points
from farm3d.eval.keypoint_points import (
    canonical_points,
    incomparable_names,
    keypoint_names,
    nearest_places,
    point_of,
    surface_points,
    write_points,
)
from farm3d.synth.procedural.species import SPECIES

from farm3d.geometry.mesh import Mesh
from farm3d.models.build import load_trained, shipped_checkpoint

PHOTOGRAPHS = Path(__file__).parents[3] / "shared/data/photos"
LIMBS = [f"{side}_{end}_{joint}" for side in "LR" for end in "FB" for joint in ("Elbow", "Knee", "Paw")]
HEAD = ["L_Eye", "R_Eye", "L_EarBase", "R_EarBase", "Nose", "Throat"]
AP_10K = [
    f"{side}_{joint}"
    for side in ("left", "right")
    for joint in ("eye", "shoulder", "elbow", "front_paw", "hip", "knee", "back_paw")
]
HORSE_LEGS = [f"{side}{joint}" for side in ("Near", "Off") for joint in ("knee", "hindhock")] + [
    f"{side}{end}{joint}"
    for side in ("Near", "Off")
    for end in ("front", "hind")
    for joint in ("fetlock", "foot")
]
HORSE_BODY = [
    "Nose",
    "Eye",
    "Shoulder",
    "Midshoulder",
    "Elbow",
    "Girth",
    "Wither",
    "Hip",
    "Stifle",
    "Ischium",
]
PUBLISHED = {
    "Animal-Pose": [*HEAD, *LIMBS, "TailBase", "Withers"],
    "AP-10K": [*AP_10K, "nose", "neck", "root_of_tail"],
    "Horse-10": [*HORSE_LEGS, *HORSE_BODY],
}


@pytest.fixture(scope="module")
def prior_mesh() -> Mesh:
    with torch.no_grad():
        return load_trained(shipped_checkpoint("horse")).model.prior().mesh


@pytest.mark.parametrize(("data_set", "count"), [("Animal-Pose", 20), ("AP-10K", 17), ("Horse-10", 22)])
def test_every_published_keypoint_has_a_point_or_is_said_to_have_none(data_set: str, count: int) -> None:
    comparable, others = keypoint_names()[data_set], incomparable_names()[data_set]
    assert len(PUBLISHED[data_set]) == count
    assert sorted([*comparable, *others]) == sorted(PUBLISHED[data_set])


def test_a_name_means_one_point_in_all_data_sets() -> None:
    meanings: dict[str, str] = {}
    for names in keypoint_names().values():
        for name, meaning in names.items():
            assert meanings.setdefault(name, meaning) == meaning


@pytest.mark.parametrize("category", [species.name for species in SPECIES])
def test_every_meaning_is_a_point_of_the_category(category: str) -> None:
    points = canonical_points(category)
    for names in keypoint_names().values():
        for name in names:
            assert point_of(name, "left") in points and point_of(name, "right") in points


def test_the_animal_s_own_sides_are_kept() -> None:
    assert point_of("L_F_Paw", None) == "left_fore_hoof"
    assert point_of("Offhindfoot", "left") == "right_hind_hoof"
    assert point_of("Stifle", "right") == "right_stifle", "its head to the right, it shows its right side"
    assert point_of("Stifle", None) is None
    assert point_of("Throat", "left") is None


@pytest.mark.skipif(not PHOTOGRAPHS.is_dir(), reason="needs ../shared/data (real photographs)")
@pytest.mark.parametrize("frame", ["camel_video_00040", "cow_video_00048", "cow_video_00099"])
def test_ears_are_on_the_side_that_hind_paws_are_on(frame: str) -> None:
    """Of animals seen from behind; BADJA calls their right ears L_Ear, which shows that its names differ."""
    records = json.loads((PHOTOGRAPHS / "annotations.json").read_text())
    across = {point_of(name, None): place[0] for name, place in records[frame]["keypoints"].items()}
    assert across["left_hind_hoof"] < across["right_hind_hoof"]
    assert across["left_ear"] < across["right_ear"]


@pytest.mark.parametrize("category", [species.name for species in SPECIES])
def test_points_are_mirrored_and_stand_where_their_names_say(category: str) -> None:
    points = canonical_points(category)
    for name, place in points.items():
        if name.startswith("left_"):
            assert place[0] > 0.05
            mirrored = points["right_" + name.removeprefix("left_")]
            assert np.allclose(mirrored, place * [-1.0, 1.0, 1.0], atol=2e-4)
    assert points["nose"][2] > points["withers"][2] > points["tail_base"][2] > points["tail_tip"][2]
    for end in ("fore", "hind"):
        assert points[f"left_{end}_hoof"][1] < points[f"left_{end}_fetlock"][1]
    assert points["left_fore_fetlock"][1] < points["left_knee"][1] < points["left_elbow"][1]
    assert points["left_hind_fetlock"][1] < points["left_hock"][1] < points["left_stifle"][1]


def test_the_file_is_what_the_farm_says(tmp_path: Path) -> None:
    write_points(tmp_path / "points.yaml")
    committed = Path(keypoint_points.__file__).with_name("keypoint_points.yaml")
    written, expected = (path.read_text() for path in (tmp_path / "points.yaml", committed))
    # Processors round differently: the last of the four digits may be another.
    number = re.compile(r"-?\d+\.\d+")
    assert number.sub("#", written) == number.sub("#", expected)
    values = (np.array([float(text) for text in number.findall(part)]) for part in (written, expected))
    np.testing.assert_allclose(*values, rtol=0.0, atol=1.5e-4)


def test_points_lie_on_the_shipped_surface_near_the_farm_s(prior_mesh: Mesh) -> None:
    places = surface_points("horse", prior_mesh)
    assert set(places.names) == set(canonical_points("horse"))
    assert places.distances.max() < 0.08, "object units; the horse is 3.8 long"
    assert (places.barycentric >= -1e-9).all()
    assert np.allclose(places.barycentric.sum(axis=1), 1.0)
    wanted = np.stack([canonical_points("horse")[name] for name in places.names])
    assert np.allclose(np.linalg.norm(places.on(prior_mesh) - wanted, axis=1), places.distances, atol=1e-6)


def test_points_move_with_the_surface_and_survive_another_resolution(prior_mesh: Mesh) -> None:
    places = surface_points("horse", prior_mesh)
    bent = Mesh(prior_mesh.vertices + torch.tensor([1.0, 2.0, 3.0]), prior_mesh.faces)
    assert np.allclose(places.on(bent) - places.on(prior_mesh), [1.0, 2.0, 3.0], atol=1e-5)
    a, b, c = prior_mesh.vertices[prior_mesh.faces].unbind(dim=1)
    count, faces = len(prior_mesh.vertices), prior_mesh.faces
    middle = count + torch.arange(len(faces))
    finer = torch.cat([torch.stack([faces[:, k], faces[:, (k + 1) % 3], middle], dim=1) for k in range(3)])
    split = Mesh(torch.cat([prior_mesh.vertices, (a + b + c) / 3]), finer)
    assert np.allclose(surface_points("horse", split).on(split), places.on(prior_mesh), atol=1e-4)


def test_a_surface_that_is_not_the_farm_s_animal_has_no_points(prior_mesh: Mesh) -> None:
    assert surface_points("sheep", prior_mesh).names == ()
    assert surface_points("horse", replace(prior_mesh, vertices=prior_mesh.vertices * 0.5)).names == ()


def test_the_nearest_place_by_hand() -> None:
    triangle = Mesh(
        torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), torch.tensor([[0, 1, 2]])
    )
    found = nearest_places(
        {"over": np.array([0.25, 0.25, 2.0]), "beside": np.array([2.0, 0.0, 0.0])}, triangle
    )
    assert np.allclose(found.on(triangle), [[0.25, 0.25, 0.0], [1.0, 0.0, 0.0]])
    assert np.allclose(found.barycentric, [[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]])
    assert np.allclose(found.distances, [2.0, 1.0])
