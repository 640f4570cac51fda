"""Where the keypoints of photographs lie on a model's surface, through names and points fixed once.

`keypoint_names.yaml` says which named point of the farm's animals an annotated name means,
`keypoint_points.yaml` where these points lie on each species' mean animal. `python -m
farm3d.eval.keypoint_points` writes the latter anew from the farm. A model that learned from the farm has its
category's surface there: each point is taken to the nearest place of it, whatever its mesh.
"""

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import torch
import trimesh
from farm3d.synth.procedural.anatomy import Species
from farm3d.synth.procedural.keypoints import OUTWARD, keypoint_vertices
from farm3d.synth.procedural.quadruped import mean_individual
from farm3d.synth.procedural.species import SPECIES
from jaxtyping import Float, Int

from farm3d.geometry.camera import project_to_ndc
from farm3d.geometry.mesh import Mesh
from farm3d.io.atomic import write_bytes_atomically
from farm3d.types import AnimalPrediction
from farm3d.yaml_text import parse_yaml

SEEN = "seen "
"""Before the name of a paired point: of the side that the animal shows."""

PAIRED_LANDMARKS = {"ear_base": 0.0, "shoulder": OUTWARD, "fore_fetlock": OUTWARD, "hind_fetlock": OUTWARD}
"""Landmarks that are no keypoints of the farm, and how far (object units) outside of them to look."""

FARTHEST = 0.25
"""A surface farther (object units) from a point than this is not the farm's animal."""

THIN = ("tail_mid", "tail_tip")
"""What a lattice may be too coarse for: where the surface lacks it, it lacks these points alone."""


@dataclass(frozen=True)
class SurfacePoints:
    """Named places on a mesh: the face, the barycentric coordinates there, and how far off the point lay."""

    names: tuple[str, ...]
    faces: Int[np.ndarray, " points"]
    barycentric: Float[np.ndarray, "points 3"]
    distances: Float[np.ndarray, " points"]

    def on(self, mesh: Mesh) -> Float[np.ndarray, "points 3"]:
        """The same places on a mesh of the same faces with other vertices."""
        corners = mesh.vertices.detach().cpu().double().numpy()[mesh.faces.cpu().numpy()[self.faces]]
        return np.einsum("pc,pcd->pd", self.barycentric, corners)


def keypoint_names() -> dict[str, dict[str, str]]:
    """For each data set its comparable keypoints and the points they mean."""
    names: dict[str, dict[str, str]] = _packaged("keypoint_names.yaml")["datasets"]
    return names


def incomparable_names() -> dict[str, list[str]]:
    """For each data set the keypoints that the farm's animals have no point for."""
    names: dict[str, list[str]] = _packaged("keypoint_names.yaml")["not_comparable"]
    return names


def point_of(name: str, head: str | None) -> str | None:
    """The point that an annotated keypoint means; `head` is the side of the picture the head points to.

    `None` for a name that is not comparable, or that needs the side where nobody says it.
    """
    meanings = {key: value for names in keypoint_names().values() for key, value in names.items()}
    meaning = meanings.get(name)
    if meaning is None or not meaning.startswith(SEEN):
        return meaning
    return None if head is None else f"{head}_{meaning.removeprefix(SEEN)}"


def canonical_points(category: str) -> dict[str, Float[np.ndarray, "3"]]:
    """The points on the mean animal of a category (object units); empty for one that the farm lacks."""
    points = _packaged("keypoint_points.yaml").get(category, {})
    return {name: np.array(place) for name, place in points.items()}


def surface_points(category: str, mesh: Mesh) -> SurfacePoints:
    """The category's points at the nearest places of a rest surface, but for a tail that it lacks.

    No points at all where the category has none, or where the surface is not the farm's animal.
    """
    points = canonical_points(category)
    if points:
        found = nearest_places(points, mesh)
        near = found.distances <= FARTHEST
        if all(kept or name in THIN for name, kept in zip(found.names, near, strict=True)):
            names = tuple(name for name, kept in zip(found.names, near, strict=True) if kept)
            return SurfacePoints(names, found.faces[near], found.barycentric[near], found.distances[near])
    return SurfacePoints((), np.zeros(0, dtype=np.int64), np.zeros((0, 3)), np.zeros(0))


def nearest_places(points: dict[str, Float[np.ndarray, "3"]], mesh: Mesh) -> SurfacePoints:
    """The places of a mesh nearest to some points."""
    surface = trimesh.Trimesh(
        mesh.vertices.detach().cpu().double().numpy(), mesh.faces.cpu().numpy(), process=False
    )
    places, distances, faces = trimesh.proximity.closest_point_naive(surface, np.stack(list(points.values())))
    barycentric = trimesh.triangles.points_to_barycentric(surface.triangles[faces], places)
    return SurfacePoints(tuple(points), np.asarray(faces, dtype=np.int64), barycentric, distances)


def project_points(points: SurfacePoints, prediction: AnimalPrediction) -> dict[str, Float[np.ndarray, "2"]]:
    """The points of one image's posed surface in the pixels of the camera's crop box; hidden ones too."""
    assert prediction.camera.crop_box is not None
    x, y, width, height = prediction.camera.crop_box
    posed = points.on(Mesh(prediction.posed_mesh.vertices[0], prediction.posed_mesh.faces))
    with torch.no_grad():
        places = project_to_ndc(prediction.camera, torch.from_numpy(posed).float()[None])[0].double().numpy()
    pixels = (places + 1.0) / 2.0 * np.array([width, height]) + np.array([x, y])
    return dict(zip(points.names, pixels, strict=True))


def mean_animal_points(species: Species) -> dict[str, list[float]]:
    """The farm's keypoints, and further landmarks, on the mean animal of a species, sorted by name."""
    mean = mean_individual(species)
    found = {name: mean.canonical[vertex] for name, vertex in keypoint_vertices(species, mean).items()}
    targets = {"tail_mid": (species.landmarks["tail_2"], 1.0, 0.0)}
    for name, outward in PAIRED_LANDMARKS.items():
        for side, sign in (("left_", 1.0), ("right_", -1.0)):
            targets[side + name] = (species.landmarks[name], sign, outward)
    for name, (place, sign, outward) in targets.items():
        target = torch.tensor([sign * (place[0] + outward), place[1], place[2]], dtype=torch.float32)
        found[name] = mean.canonical[(mean.canonical - target).norm(dim=1).argmin()]
    return {name: [round(float(value), 4) for value in found[name]] for name in sorted(found)}


def write_points(path: Path) -> None:
    """Write `keypoint_points.yaml` from the species of the farm."""
    lines = [
        "# Written by python -m farm3d.eval.keypoint_points: points on the farm's mean animals, object units."
    ]
    for species in SPECIES:
        lines.append(f"{species.name}:")
        lines += [f"  {name}: {place}" for name, place in mean_animal_points(species).items()]
    write_bytes_atomically(path, ("\n".join(lines) + "\n").encode())


@lru_cache(maxsize=2)
def _packaged(name: str) -> dict[str, Any]:
    values: dict[str, Any] = parse_yaml(
        files("farm3d.eval").joinpath(name).read_text(encoding="utf-8"), source=name
    )
    return values


if __name__ == "__main__":
    write_points(Path(__file__).with_name("keypoint_points.yaml"))
