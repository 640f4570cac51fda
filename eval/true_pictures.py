"""Pictures of the procedural farm with all that is known of them, prepared once for any number of models."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from farm3d.synth.procedural.mesh_colors import MeshColors

from farm3d.data.image_folder import ImageDataSet, canonical_mesh, load_batch, load_individual
from farm3d.geometry.mesh import Mesh
from farm3d.inference.measure import Measurements
from farm3d.types import Batch, RenderBuffers

from .measure_errors import true_ratios
from .procedural_chamfer import TrueSurface, aligned_chamfer, true_surface
from .procedural_truth import TrueAnimal, true_animal, true_coat
from .procedural_views import true_views
from .viewpoint import GlobalAlignment

SAME_FRAME = GlobalAlignment(torch.eye(3, dtype=torch.float64), 1.0)
"""Of shapes that stand in the farm's own object frame, as its mean animals do."""


@dataclass(frozen=True)
class Unseen:
    """What a picture does not show: the animal from elsewhere, and its surface.

    `coat` holds the true colours of its surface. `mean_shape` is the scaled Chamfer distance of the
    category's mean shape in its rest pose (`canonical.npz`), which knows nothing of the picture; `None`
    where that has no volume. `measures` are the ratios of `measure_errors`.
    """

    coat: MeshColors
    views: tuple[RenderBuffers, ...]
    surface: TrueSurface
    mean_shape: float | None
    measures: Measurements | None


@dataclass(frozen=True)
class TruePicture:
    """A picture as networks see it, the truth about it, and, where it is to be measured, the unseen."""

    name: str
    image: Path
    batch: Batch
    animal: TrueAnimal
    unseen: Unseen | None


def true_pictures(data: ImageDataSet, *, image_size: int, unseen: bool) -> Iterator[TruePicture]:
    """Every picture of a procedural data set; raises InputError where the data set keeps no truth."""
    for index, sample in enumerate(data.samples):
        animal = true_animal(data, index)
        yield TruePicture(
            name=sample.stem,
            image=sample.with_suffix(".jpg"),
            batch=load_batch(data, [index], image_size=image_size),
            animal=animal,
            unseen=_unseen(data, animal, sample.stem) if unseen else None,
        )


def _unseen(data: ImageDataSet, animal: TrueAnimal, name: str) -> Unseen:
    coat = true_coat(data, animal.number)
    surface = true_surface(animal, name)
    mean = aligned_chamfer(canonical_mesh(data), surface, alignment=SAME_FRAME)
    rest = Mesh(load_individual(data.folder, animal.number).rest_vertices, animal.mesh.faces)
    return Unseen(
        coat=coat,
        views=true_views(animal, coat),
        surface=surface,
        mean_shape=None if mean is None else mean.chamfer,
        measures=true_ratios(rest),
    )
