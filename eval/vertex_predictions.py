"""Projected vertices of annotated animals from anybody's files."""

import math
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from farm3d.errors import InputError
from farm3d.geometry.camera import Camera
from farm3d.geometry.mesh import Mesh
from farm3d.io.mesh_files import read_mesh

from .keypoint_annotations import field, read_json
from .projected_vertices import ProjectedVertices, project_mesh


def read_predictions(folder: Path, names: Sequence[str]) -> list[ProjectedVertices]:
    """The prediction of each named animal in `folder`; see `read_prediction` for the files.

    Raises InputError where predictions are missing (it names them), cannot be used, or do not all have the
    same number of vertices: the meshes must correspond vertex by vertex.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder of predictions")
    missing = [name for name in names if _prediction_file(folder, name) is None]
    if missing:
        shown = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
        raise InputError(f"{folder}: no prediction for {len(missing)} of {len(names)} animals: {shown}")
    predictions = [read_prediction(folder, name) for name in names]
    check_correspondence(predictions, [str(folder / name) for name in names])
    return predictions


def read_prediction(folder: Path, name: str) -> ProjectedVertices:
    """The prediction of one animal, which is one of

    - `<name>.npz` with `vertices_2d` (V x 2, pixels of the image) and `visible` (V, 0 or 1);
    - `<name>.npz` with `vertices` (V x 3, posed), `faces` (F x 3), `world_to_camera` (4 x 4),
      `field_of_view_degrees` and `crop_box` (x, y, width, height of the square view in the image);
    - `<name>/posed.obj` and `<name>/prediction.json` as farm3d-infer writes them.

    Raises InputError naming the file and the field that is missing or not as it should be.
    """
    file = _prediction_file(folder, name)
    if file is None:
        raise InputError(f"{folder}: no prediction for {name}")
    if file.suffix == ".json":
        return _from_result_folder(file)
    arrays = _read_arrays(file)
    if "vertices_2d" not in arrays:
        return project_mesh(*_mesh_and_camera(arrays, file))
    positions = _array(arrays, "vertices_2d", file, shape=(-1, 2)).astype(np.float64)
    visible = _array(arrays, "visible", file, shape=(len(positions),))
    return ProjectedVertices(positions, visible > 0)


def check_correspondence(predictions: Sequence[ProjectedVertices], where: Sequence[str]) -> None:
    """Raises InputError where two predictions have different numbers of vertices."""
    for prediction, place in zip(predictions, where, strict=True):
        if len(prediction.positions) != len(predictions[0].positions):
            raise InputError(
                f"{place}: {len(prediction.positions)} vertices, but {where[0]} has"
                f" {len(predictions[0].positions)}: meshes must correspond vertex by vertex"
            )


def _prediction_file(folder: Path, name: str) -> Path | None:
    candidates = (folder / f"{name}.npz", folder / name / "prediction.json")
    return next((file for file in candidates if file.is_file()), None)


def _from_result_folder(file: Path) -> ProjectedVertices:
    record = read_json(file)
    fields = ("world_to_camera", "field_of_view_degrees", "crop_box")
    camera = _camera({name: field(record, name, file) for name in fields}, file)
    return project_mesh(read_mesh(file.with_name("posed.obj")), camera)


def _read_arrays(file: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(file) as arrays:
            return dict(arrays)
    except (OSError, ValueError, zipfile.BadZipFile):
        raise InputError(f"{file}: not an .npz file of plain arrays") from None


def _mesh_and_camera(arrays: Mapping[str, np.ndarray], file: Path) -> tuple[Mesh, Camera]:
    vertices = _array(arrays, "vertices", file, shape=(-1, 3))
    faces = _array(arrays, "faces", file, shape=(-1, 3)).astype(np.int64)
    if faces.min() < 0 or faces.max() >= len(vertices):
        raise InputError(f"{file}: faces: name vertices that do not exist")
    mesh = Mesh(torch.from_numpy(vertices.astype(np.float32)), torch.from_numpy(faces))
    return mesh, _camera(arrays, file)


def _camera(values: Mapping[str, Any], file: Path) -> Camera:
    matrix = _array(values, "world_to_camera", file, shape=(4, 4)).astype(np.float32)
    degrees = float(_array(values, "field_of_view_degrees", file, shape=()))
    x, y, width, height = (float(v) for v in _array(values, "crop_box", file, shape=(4,)))
    return Camera(torch.from_numpy(matrix), math.radians(degrees), (x, y, width, height))


def _array(values: Mapping[str, Any], name: str, file: Path, *, shape: tuple[int, ...]) -> np.ndarray:
    """A field of finite numbers of this shape, -1 standing for any positive length."""
    if name not in values:
        raise InputError(f"{file}: {name}: missing")
    try:
        array = np.asarray(values[name], dtype=np.float64)
    except (TypeError, ValueError):
        array = np.full(1, np.nan)
    fits = array.ndim == len(shape) and all(
        length == wanted or (wanted == -1 and length > 0)
        for length, wanted in zip(array.shape, shape, strict=True)
    )
    if not fits or not np.isfinite(array).all():
        wanted = " x ".join("any" if length == -1 else str(length) for length in shape) or "a number"
        raise InputError(f"{file}: {name}: not finite numbers of shape {wanted}")
    return array
