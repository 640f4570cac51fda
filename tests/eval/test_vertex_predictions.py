"""Predictions of anybody in files, and those of a checkpoint, end as the same projected vertices."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from farm3d.eval.keypoint_annotations import AnnotatedAnimal
from farm3d.eval.model_vertices import check_images, predict_vertices
from farm3d.eval.projected_vertices import ProjectedVertices, project_mesh
from farm3d.eval.vertex_predictions import read_prediction, read_predictions

from farm3d.data.transforms import crop_box
from farm3d.errors import InputError
from farm3d.geometry.camera import Camera, camera_from_rotation
from farm3d.geometry.mesh import Mesh
from farm3d.inference.reconstruct import reconstruct
from farm3d.inference.refine import RefineConfig
from farm3d.io.image import read_image, read_mask
from farm3d.io.mesh_files import write_obj
from farm3d.models.build import load_trained, shipped_checkpoint
from farm3d.types import Segmentation

PICTURES = Path(__file__).parents[2] / "docs/images"

MESH = Mesh(
    torch.tensor([[-1.0, -1.0, 1.0], [1.0, -1.0, 1.0], [0.0, 1.0, 1.0], [0.1, 0.1, 0.0], [0.2, 0.0, 0.0]]),
    torch.tensor([[0, 1, 2], [2, 3, 4]]),
)
CAMERA = Camera(
    camera_from_rotation(torch.eye(3), torch.tensor([0.1, -0.2, 0.3])).world_to_camera,
    crop_box=(12.0, -3.0, 80.0, 80.0),
)


def camera_fields() -> dict[str, Any]:
    return {
        "world_to_camera": CAMERA.world_to_camera.tolist(),
        "field_of_view_degrees": 25.0,
        "crop_box": list(CAMERA.crop_box or ()),
    }


def arrays() -> dict[str, Any]:
    return {"vertices": MESH.vertices.numpy(), "faces": MESH.faces.numpy(), **camera_fields()}


def assert_equal(found: ProjectedVertices, expected: ProjectedVertices) -> None:
    np.testing.assert_allclose(found.positions, expected.positions, atol=1e-3)
    assert found.visible.tolist() == expected.visible.tolist()


def test_projected_vertices_in_an_npz_file(tmp_path: Path) -> None:
    expected = project_mesh(MESH, CAMERA)
    np.savez(tmp_path / "a.npz", vertices_2d=expected.positions, visible=expected.visible)
    assert_equal(read_prediction(tmp_path, "a"), expected)


def test_a_posed_mesh_and_camera_in_an_npz_file(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **arrays())
    assert_equal(read_prediction(tmp_path, "a"), project_mesh(MESH, CAMERA))


def test_a_result_folder_of_farm3d_infer(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    write_obj(folder / "posed.obj", MESH)
    (folder / "prediction.json").write_text(json.dumps(camera_fields()))
    assert_equal(read_prediction(tmp_path, "a"), project_mesh(MESH, CAMERA))


def without(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != name}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (without(arrays(), "faces"), "faces: missing"),
        (without(arrays(), "crop_box"), "crop_box: missing"),
        ({**arrays(), "world_to_camera": np.eye(3)}, "world_to_camera: not finite numbers of shape 4 x 4"),
        ({**arrays(), "vertices": MESH.vertices.numpy() * np.nan}, "vertices: not finite numbers"),
        ({**arrays(), "faces": MESH.faces.numpy() + 1}, "faces: name vertices that do not exist"),
        ({"vertices_2d": np.zeros((4, 2))}, "visible: missing"),
        ({"vertices_2d": np.zeros((4, 2)), "visible": np.ones(3)}, "visible: not finite numbers of shape 4"),
        ({"vertices_2d": np.zeros((4, 3)), "visible": np.ones(4)}, "vertices_2d: not finite .* any x 2"),
    ],
)
def test_a_mistake_in_a_file_names_the_field(values: dict[str, Any], said: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **values)
    with pytest.raises(InputError, match=rf"a\.npz: {said}"):
        read_prediction(tmp_path, "a")


def test_missing_damaged_and_foreign_predictions(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **arrays())
    with pytest.raises(InputError, match="no prediction for 2 of 3 animals: b, c"):
        read_predictions(tmp_path, ["a", "b", "c"])
    with pytest.raises(InputError, match="nowhere: no such folder"):
        read_predictions(tmp_path / "nowhere", ["a"])
    (tmp_path / "b.npz").write_bytes(b"PK not really")
    with pytest.raises(InputError, match=r"b\.npz: not an \.npz file"):
        read_prediction(tmp_path, "b")


def test_meshes_that_do_not_correspond_are_an_error(tmp_path: Path) -> None:
    for name, count in (("a", 5), ("b", 6)):
        np.savez(tmp_path / f"{name}.npz", vertices_2d=np.zeros((count, 2)), visible=np.ones(count))
    with pytest.raises(InputError, match=r"6 vertices, but .*a has 5: meshes must correspond"):
        read_predictions(tmp_path, ["a", "b"])


def test_a_checkpoint_sees_a_photograph_as_farm3d_infer_does() -> None:
    """The mask beside the photograph is found; the crop and the projection are those of `reconstruct`."""
    trained = load_trained(shipped_checkpoint("horse"))
    with torch.no_grad():
        prior = trained.model.prior()
    mask = read_mask(PICTURES / "horse_mask.png")
    height, width = mask.shape
    animal = AnnotatedAnimal(
        "horse",
        PICTURES / "horse.jpg",
        (0.0, 0.0, float(width), float(height)),
        np.zeros((1, 2)),
        np.ones(1, dtype=bool),
    )
    found = predict_vertices(trained.model, prior, animal, refinement=RefineConfig(steps=0))
    result = reconstruct(
        trained.model,
        prior,
        read_image(animal.image).pixels,
        segmentation=Segmentation(torch.from_numpy(mask), "file"),
        refinement=RefineConfig(steps=0),
    ).initial
    assert result.camera.crop_box == crop_box(mask)
    camera = replace(result.camera, world_to_camera=result.camera.world_to_camera[0])
    expected = project_mesh(Mesh(result.posed_mesh.vertices[0], result.posed_mesh.faces), camera)
    assert_equal(found, expected)
    inside = [mask[int(y), int(x)] for x, y in found.positions[found.visible]]
    assert np.mean(inside) > 0.7


def test_missing_pictures_are_told_before_any_is_read(tmp_path: Path) -> None:
    animals = [
        AnnotatedAnimal(
            name, folder / f"{name}.jpg", (0.0, 0.0, 1.0, 1.0), np.zeros((1, 2)), np.ones(1, dtype=bool)
        )
        for name, folder in (("horse", PICTURES), ("cow", tmp_path))
    ]
    check_images(animals[:1])
    with pytest.raises(InputError, match=r"1 of 2 pictures are not there: .*cow\.jpg"):
        check_images(animals)


def test_an_annotated_mask_of_another_size_is_an_error() -> None:
    trained = load_trained(shipped_checkpoint("horse"))
    with torch.no_grad():
        prior = trained.model.prior()
    animal = AnnotatedAnimal(
        "horse",
        PICTURES / "horse.jpg",
        (0.0, 0.0, 10.0, 10.0),
        np.zeros((1, 2)),
        np.ones(1, dtype=bool),
        mask=np.ones((5, 5), dtype=bool),
    )
    with pytest.raises(InputError, match=r"horse\.jpg: .* but the annotated mask has \(5, 5\)"):
        predict_vertices(trained.model, prior, animal, refinement=RefineConfig(steps=0))
