"""`--category auto`: the picture chooses the model, and doubts are told."""

import numpy as np
import pytest
import torch

import farm3d
from farm3d.errors import InputError
from farm3d.inference.any_species import AnySpecies
from farm3d.inference.refine import RefineConfig
from farm3d.io.image import SourceImage, read_image, read_mask
from farm3d.models.build import load_trained, shipped_categories, shipped_checkpoint
from farm3d.models.species import SpeciesClassifier
from farm3d.types import Segmentation

from .two_animals import PICTURES

AS_READ = RefineConfig(steps=0)


def picture() -> tuple[SourceImage, Segmentation]:
    mask = torch.from_numpy(read_mask(PICTURES / "horse_mask.png"))
    return read_image(PICTURES / "horse.jpg"), Segmentation(mask, "file")


def test_the_picture_of_a_horse_gets_the_horses_model() -> None:
    any_species = AnySpecies()
    source, segmentation = picture()
    assert any_species.sha256s == {}
    animal = any_species.animal(source, segmentation, name="horse", refinement=AS_READ)
    horse = load_trained(shipped_checkpoint("horse"))
    assert animal.trained.category == "horse"
    assert any_species.sha256s == {"horse": horse.sha256}
    assert animal.fit.segmentation.warnings == ()


def test_the_choice_does_not_change_the_animal() -> None:
    source, segmentation = picture()
    chosen = AnySpecies().animal(source, segmentation, name="horse", refinement=AS_READ)
    named = farm3d.load_model("horse").animal(source, segmentation, name="horse", refinement=AS_READ)
    assert torch.equal(chosen.prediction.posed_mesh.vertices, named.prediction.posed_mesh.vertices)


def test_a_doubtful_species_is_told() -> None:
    """An untrained classifier finds all species about equally probable."""
    torch.manual_seed(0)
    unsure = AnySpecies(SpeciesClassifier(shipped_categories()))
    source, segmentation = picture()
    animal = unsure.animal(source, segmentation, name="horse", refinement=AS_READ)
    (doubt,) = animal.fit.segmentation.warnings
    assert doubt.startswith(f"taken for a {animal.trained.category} (")
    assert "say which with --category" in doubt


class Hesitant(SpeciesClassifier):
    """Finds a pig most probable, a horse next, a cow after that, and is sure of nothing."""

    def probabilities(self, images: torch.Tensor, masks: torch.Tensor) -> dict[str, float]:
        return {"pig": 0.4, "horse": 0.35, "cow": 0.15, "dog": 0.1}


def test_where_the_classifier_hesitates_the_model_that_fits_is_chosen() -> None:
    any_species = AnySpecies(Hesitant(shipped_categories()))
    source, segmentation = picture()
    animal = any_species.animal(source, segmentation, name="horse", refinement=AS_READ)
    assert animal.trained.category == "horse"
    assert set(any_species.sha256s) == {"pig", "horse", "cow"}
    assert animal.fit.segmentation.warnings[0].startswith("taken for a horse (35 %), perhaps a ")
    fits = [farm3d.load_model(name).agreement(source, segmentation) for name in ("horse", "pig")]
    assert fits[0] == pytest.approx(animal.fit.initial_iou, abs=0.02)
    assert fits[0] > fits[1] + 0.01


def test_an_empty_mask_is_one_line() -> None:
    source, _ = picture()
    nothing = Segmentation(torch.from_numpy(np.zeros(source.pixels.shape[:2], bool)), "file")
    with pytest.raises(InputError, match="the mask is empty"):
        AnySpecies().animal(source, nothing, name="none", refinement=AS_READ)
