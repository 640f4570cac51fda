"""Animodel's benchmark: reconstruct its images, for the Chamfer distance to its meshes.

*Source:* Jakab et al. 2024 (Farm3D), the benchmark's own README: `<category>/images/NAME.png` and
`<category>/meshes/NAME.obj`, y up; 1000 of each for horse, cow and sheep.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

import farm3d
from farm3d.errors import Farm3DError, InputError
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.viewpoint import azimuth_elevation
from farm3d.inference.reconstruct import reconstruct
from farm3d.inference.refine import RefineConfig
from farm3d.io.atomic import write_bytes_atomically
from farm3d.io.image import read_image
from farm3d.io.inputs import IMAGE_SUFFIXES, MASK_ENDING
from farm3d.io.mesh_files import READABLE_SUFFIXES, write_obj
from farm3d.models.build import TrainedModel
from farm3d.pretrained.segmentation import segment
from farm3d.types import ShapePrior

SHOWN = 10
"""So many files without partner are named in an error, the others counted."""


@dataclass(frozen=True)
class Sample:
    """One image of the benchmark and the mesh that it was rendered from."""

    name: str
    image: Path
    mesh: Path


@dataclass(frozen=True)
class SampleReconstruction:
    """The file with a sample's posed surface and the azimuth (degrees) that it was seen from, or a reason.

    The surface is in our object frame: y up, the head towards +z, the root where the model puts it. Scale
    and place are the protocol's business.
    """

    sample: Sample
    mesh: Path
    azimuth_degrees: float | None
    failure: str | None = None


def find_samples(folder: Path, category: str) -> list[Sample]:
    """The samples of a category's folder, or of the folder `category` in the benchmark's, by name.

    Images and meshes lie in `images` and `meshes`, or side by side. Raises InputError where nothing is
    found, and for images and meshes without a partner of the same name, which it lists.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    root = folder / category if (folder / category).is_dir() else folder
    image_folder, mesh_folder = (
        root / name if (root / name).is_dir() else root for name in ("images", "meshes")
    )
    images = {
        path.stem: path
        for path in sorted(image_folder.iterdir())
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.stem.endswith(MASK_ENDING)
    }
    meshes = {
        path.stem: path for path in sorted(mesh_folder.iterdir()) if path.suffix.lower() in READABLE_SUFFIXES
    }
    if not images or not meshes:
        raise InputError(
            f"{root}: no {'images' if not images else 'meshes'}; give a folder with images/ and meshes/"
        )
    lonely = sorted(images.keys() ^ meshes.keys())
    if lonely:
        more = f" and {len(lonely) - SHOWN} more" if len(lonely) > SHOWN else ""
        raise InputError(
            f"{root}: without an image or a mesh of the same name: {', '.join(lonely[:SHOWN])}{more}"
        )
    return [Sample(name, images[name], meshes[name]) for name in sorted(images)]


def reconstruct_samples(
    trained: TrainedModel, samples: Sequence[Sample], folder: Path, *, refinement: RefineConfig
) -> Iterator[SampleReconstruction]:
    """Write every sample's posed surface as `folder/NAME.obj`; what is there of the same run stays.

    `NAME.json` beside it says of which model, settings and image it is. An image without a usable mask
    (alpha channel, `NAME_mask.png`, cut out) becomes a failure with its reason.
    """
    with torch.no_grad():
        prior = trained.model.prior()
    for sample in samples:
        mesh, note = folder / f"{sample.name}.obj", folder / f"{sample.name}.json"
        conditions = {
            "farm3d": farm3d.__version__,
            "checkpoint_sha256": trained.sha256,
            "refinement": refinement.model_dump(mode="json"),
            "image_sha256": hashlib.sha256(sample.image.read_bytes()).hexdigest(),
        }
        known = _read_note(note) if mesh.is_file() else {}
        if known.get("conditions") == conditions:
            yield SampleReconstruction(sample, mesh, known["azimuth_degrees"])
            continue
        try:
            azimuth = _reconstruct(trained, prior, sample, mesh=mesh, refinement=refinement)
        except Farm3DError as error:
            yield SampleReconstruction(sample, mesh, None, str(error))
            continue
        values = {"conditions": conditions, "azimuth_degrees": azimuth}
        write_bytes_atomically(note, (json.dumps(values, indent=1) + "\n").encode())
        yield SampleReconstruction(sample, mesh, azimuth)


def _reconstruct(
    trained: TrainedModel, prior: ShapePrior, sample: Sample, *, mesh: Path, refinement: RefineConfig
) -> float:
    """Write the posed surface; returns the azimuth (degrees)."""
    source = read_image(sample.image)
    segmentation = segment(source, sample.image)
    result = reconstruct(
        trained.model, prior, source.pixels, segmentation=segmentation, refinement=refinement
    )
    posed = result.refined.posed_mesh
    write_obj(mesh, Mesh(posed.vertices[0], posed.faces))
    azimuth, _ = azimuth_elevation(result.refined.camera.world_to_camera[0, :3, :3])
    return round(math.degrees(float(azimuth)), 3)


def _read_note(path: Path) -> dict[str, Any]:
    """The values of a note; nothing where it is missing or damaged."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) and "azimuth_degrees" in values else {}
