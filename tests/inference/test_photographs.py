"""A few real photographs of horses from the side: the silhouette fits and the head is on the right end.

The photographs are not part of the repository; they lie beside it where the project is worked on.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from farm3d.geometry.camera import project_to_ndc
from farm3d.geometry.skeleton import posed_joints
from farm3d.inference.reconstruct import Reconstruction, reconstruct
from farm3d.inference.refine import RefineConfig
from farm3d.io.image import read_image, read_mask
from farm3d.models.build import load_trained, shipped_checkpoint
from farm3d.types import Segmentation

PHOTOGRAPHS = Path(__file__).parents[3] / "shared/data/photos"
NAMES = [f"horse_side_{number:03d}" for number in range(20, 321, 60)]
STEPS = 20

pytestmark = pytest.mark.skipif(not PHOTOGRAPHS.is_dir(), reason="needs ../shared/data (real photographs)")


@dataclass(frozen=True)
class Seen:
    """One photograph's reconstruction, and on which side the head was seen by a person."""

    result: Reconstruction
    head: str


@pytest.fixture(scope="module")
def horses() -> list[Seen]:
    trained = load_trained(shipped_checkpoint("horse"))
    with torch.no_grad():
        prior = trained.model.prior()
    annotations = json.loads((PHOTOGRAPHS / "annotations.json").read_text())
    seen = []
    for name in NAMES:
        mask = torch.from_numpy(read_mask(PHOTOGRAPHS / f"{name}_mask.png"))
        result = reconstruct(
            trained.model,
            prior,
            read_image(PHOTOGRAPHS / f"{name}.jpg").pixels,
            segmentation=Segmentation(mask, "file"),
            refinement=RefineConfig(steps=STEPS),
        )
        seen.append(Seen(result, annotations[name]["head"]))
    return seen


def head_side(result: Reconstruction) -> str:
    """Where the head's end lies from the tail's base in the photograph."""
    prediction = result.refined
    joints = posed_joints(prediction.skeleton, prediction.bone_transforms)[0]
    names = prediction.skeleton.names
    ends = torch.stack([joints[names.index("head"), 1], joints[names.index("tail"), 0]])
    head, tail = project_to_ndc(prediction.camera, ends[None])[0, :, 0]
    return "right" if head > tail else "left"


def test_silhouettes_fit_the_masks(horses: list[Seen]) -> None:
    assert np.mean([horse.result.initial_iou for horse in horses]) > 0.8
    # A few of refinement's steps; all of them end beyond second looks (docs/models.md).
    assert np.mean([horse.result.iou for horse in horses]) > 0.75


def test_the_head_is_on_the_annotated_side_of_most(horses: list[Seen]) -> None:
    assert {horse.head for horse in horses} == {"left", "right"}
    right = sum(head_side(horse.result) == horse.head for horse in horses)
    assert right >= 4, f"{right} of {len(horses)}"


def test_real_photographs_do_not_tear_the_animal(horses: list[Seen]) -> None:
    """The mean offset of the rest shape from the category's, as a share of the body's length."""
    shares = []
    for horse in horses:
        refined, prior = horse.result.refined.rest_mesh.vertices[0], horse.result.refined.rest_positions
        length = prior[:, 2].max() - prior[:, 2].min()
        shares.append(float((refined - prior).norm(dim=-1).mean() / length))
    assert np.mean(shares) < 0.03
    assert max(shares) < 0.06
