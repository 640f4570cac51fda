"""Photographs' scores on cases made by hand: the head's side, keypoints' errors, boxes."""

import io
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from farm3d.eval.keypoint_points import SurfacePoints, surface_points
from farm3d.eval.leg_count import LegCount
from farm3d.eval.photograph_keypoints import Annotation, annotated_side, keypoint_errors
from farm3d.eval.photograph_pictures import draw_photograph
from farm3d.eval.photograph_report import head_counts, photograph_metrics
from farm3d.eval.photographs import PhotographScore, asymmetry, folded_faces, head_side
from farm3d.eval.segmentation import MaskScore
from PIL import Image

from farm3d.geometry.camera import camera_from_rotation, project_to_ndc
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.viewpoint import viewpoint_rotation
from farm3d.models.build import load_trained, shipped_checkpoint
from farm3d.ops.mesh_topology import face_normals
from farm3d.types import AnimalPrediction


@pytest.fixture(scope="module")
def standing() -> AnimalPrediction:
    """The shipped horse as the networks see a grey picture."""
    model = load_trained(shipped_checkpoint("horse")).model
    size = model.config.image_size
    with torch.no_grad():
        return model.predict(torch.full((1, size, size, 3), 0.5), torch.ones(1, size, size, 1), model.prior())


def seen_from(prediction: AnimalPrediction, azimuth_degrees: float) -> AnimalPrediction:
    """The prediction under a level camera; its crop is 200 pixels wide at (10, 20)."""
    rotation = viewpoint_rotation(torch.tensor([math.radians(azimuth_degrees)]), torch.zeros(1))
    camera = camera_from_rotation(rotation, torch.zeros(1, 3))
    return replace(prediction, camera=replace(camera, crop_box=(10.0, 20.0, 200.0, 200.0)))


@pytest.mark.parametrize(
    ("azimuth_degrees", "side"),
    [(90.0, "right"), (30.0, "right"), (150.0, "right"), (-90.0, "left"), (-20.0, "left")],
)
def test_the_head_is_on_the_side_that_the_camera_sees_it(
    standing: AnimalPrediction, azimuth_degrees: float, side: str
) -> None:
    assert head_side(seen_from(standing, azimuth_degrees)) == side


def test_faces_are_folded_when_they_turn_over(standing: AnimalPrediction) -> None:
    untouched = replace(
        standing, rest_mesh=replace(standing.rest_mesh, vertices=standing.rest_positions[None])
    )
    assert folded_faces(untouched) == 0
    half_turn = torch.tensor([1.0, -1.0, -1.0])
    vertices = standing.rest_positions[None] * half_turn
    turned = replace(standing, rest_mesh=replace(standing.rest_mesh, vertices=vertices))
    normals = face_normals(standing.rest_positions, standing.rest_mesh.faces)
    assert folded_faces(turned) == int(((normals.square() * half_turn).sum(dim=1) < 0).sum()) > 1000


def test_asymmetry_is_the_farthest_way_from_a_mirrored_vertex(standing: AnimalPrediction) -> None:
    vertices, faces = standing.rest_positions.clone(), standing.rest_mesh.faces
    assert asymmetry(Mesh(vertices, faces)) < 1e-5
    nose = int(vertices[:, 2].argmax())
    vertices[nose] += torch.tensor([0.3, 0.0, 1.0])
    length = float(vertices[:, 2].max() - vertices[:, 2].min())
    lone = vertices * torch.tensor([-1.0, 1.0, 1.0]) - vertices[nose]
    assert asymmetry(Mesh(vertices, faces)) == pytest.approx(float(lone.norm(dim=1).min()) / length, rel=1e-4)


@pytest.mark.parametrize(
    ("keypoints", "side"),
    [
        ({"Nose": [90, 0], "TailBase": [10, 0]}, "right"),
        ({"nose": [5, 0], "left_eye": [7, 0], "root_of_tail": [50, 0]}, "left"),
        ({"Nose": [90, 0]}, None),
        ({"Nose": [10, 0], "TailBase": [10, 5]}, None),
        ({}, None),
    ],
)
def test_the_annotated_side_by_keypoints(keypoints: dict[str, list[float]], side: str | None) -> None:
    assert annotated_side({name: np.array(place, dtype=float) for name, place in keypoints.items()}) == side


def pixels_of(prediction: AnimalPrediction, points: SurfacePoints) -> dict[str, np.ndarray]:
    places = points.on(replace(prediction.posed_mesh, vertices=prediction.posed_mesh.vertices[0]))
    ndc = project_to_ndc(prediction.camera, torch.from_numpy(places).float()[None])[0].numpy()
    return dict(zip(points.names, (ndc + 1.0) * 100.0 + [10.0, 20.0], strict=True))


def test_errors_are_shares_of_the_longer_side_of_the_mask_s_box(standing: AnimalPrediction) -> None:
    prediction = seen_from(standing, 90.0)
    rest = replace(standing.rest_mesh, vertices=standing.rest_positions)
    points = surface_points("horse", rest)
    places = pixels_of(prediction, points)
    annotation = Annotation(
        "right",
        {
            "Nose": places["nose"] + [3.0, 4.0],
            "L_F_Paw": places["left_fore_hoof"],
            "Stifle": places["right_stifle"],
            "Throat": places["nose"],
        },
    )
    mask = np.zeros((240, 240), dtype=bool)
    mask[100:150, 40:140] = True
    readings = (seen_from(standing, -90.0), prediction)
    errors = {found.name: found for found in keypoint_errors(annotation, readings, points, mask=mask)}
    assert set(errors) == {"Nose", "L_F_Paw", "Stifle"}, "a throat is not comparable"
    assert errors["Nose"].refined_error == pytest.approx(0.05, abs=1e-4)
    assert errors["L_F_Paw"].refined_error == pytest.approx(0.0, abs=1e-4)
    assert errors["Stifle"].point == "right_stifle"
    assert errors["Nose"].predicted_error > 0.5, "seen from the other side"
    assert np.allclose(errors["Nose"].projected, places["nose"], atol=0.01)


def test_without_a_mask_the_box_is_that_of_the_keypoints(standing: AnimalPrediction) -> None:
    prediction = seen_from(standing, 90.0)
    points = surface_points("horse", replace(standing.rest_mesh, vertices=standing.rest_positions))
    places = pixels_of(prediction, points)
    tail, nose = places["tail_base"], places["nose"] + [5.0, 0.0]
    annotation = Annotation(None, {"Nose": nose, "TailBase": tail})
    found = keypoint_errors(annotation, (prediction, prediction), points, mask=None)
    assert found[0].refined_error == pytest.approx(5.0 / max(abs(nose - tail)), abs=1e-4)
    assert keypoint_errors(Annotation(None, {}), (prediction, prediction), points, mask=None) == ()


def score(name: str, head: str, said: str | None, iou: float | None) -> PhotographScore:
    mask = None if iou is None else MaskScore(iou, 0.5)
    legs = LegCount(components=4, left=2, right=2, front=2, hind=2 if head == "left" else 1)
    return PhotographScore(name, "horse", mask, mask, head, said, (), 0.01, 2, legs, 0.001, 1.0, b"")


def test_heads_are_counted_by_side_and_means_leave_out_what_is_not_there() -> None:
    scores = [
        score("a", "left", "left", 0.5),
        score("b", "left", "right", 0.7),
        score("c", "right", "right", None),
        score("d", "right", None, 0.9),
    ]
    assert head_counts(scores) == {"left": (1, 1), "right": (1, 2)}
    metrics = photograph_metrics(scores)
    assert metrics["iou"]["refined"] == pytest.approx(0.7)
    assert (metrics["photographs"], metrics["masks"], metrics["folded_faces"]) == (4, 3, 8)
    assert (metrics["four_legs"], metrics["largest_asymmetry"]) == (2, 0.001)
    assert metrics["keypoints"]["mean_error"] == {"predicted": None, "refined": None}


def test_the_picture_shows_outlines_and_keypoints_where_they_are() -> None:
    mask = np.zeros((900, 1280), dtype=bool)
    mask[300:600, 400:800] = True
    picture = draw_photograph(
        np.zeros((900, 1280, 3), dtype=np.uint8),
        silhouette=np.roll(mask, 200, axis=1),
        mask=mask,
        pairs=[(np.array([100.0, 100.0]), np.array([100.0, 800.0]))],
    )
    with Image.open(io.BytesIO(picture)) as opened:
        pixels = np.asarray(opened.convert("RGB")).astype(int)
    assert pixels.shape == (450, 640, 3)
    red, green, blue = (pixels[..., k] for k in range(3))
    assert pixels[225, 200].min() > 200, "the mask's left edge is white"
    assert red[225, 500] > 200 and 80 < green[225, 500] < 190 and blue[225, 500] < 100, (
        "the silhouette's right edge"
    )
    assert blue[50, 50] > 200 and red[50, 50] < 130, "annotated: a blue dot"
    assert red[400, 50] > 200 and green[400, 50] > 180 and blue[400, 50] < 120, "projected: a yellow cross"
