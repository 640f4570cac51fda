"""What tells species apart: what it looks at, what it says, and which files it takes."""

from pathlib import Path

import pytest
import torch

from farm3d.errors import CheckpointError
from farm3d.io.checkpoint import write_checkpoint
from farm3d.models.build import shipped_categories, shipped_checkpoint
from farm3d.models.species import IMAGE_SIZE, SHIPPED_FILE, SpeciesClassifier, load_species_classifier


def crops(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(count, IMAGE_SIZE, IMAGE_SIZE, 3, generator=generator)
    masks = (torch.rand(count, IMAGE_SIZE, IMAGE_SIZE, 1, generator=generator) > 0.5).float()
    return images, masks


def test_probabilities_are_of_every_species_and_the_largest_comes_first() -> None:
    found = load_species_classifier().probabilities(*crops(1))
    assert sorted(found) == shipped_categories()
    assert sum(found.values()) == pytest.approx(1.0, abs=1e-6)
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_an_animal_and_its_mirror_image_are_the_same_species() -> None:
    classifier = load_species_classifier()
    images, masks = crops(1)
    found = classifier.probabilities(images, masks)
    assert classifier.probabilities(images.flip(2), masks.flip(2)) == pytest.approx(found, abs=1e-6)


def test_what_is_beside_the_animal_does_not_count() -> None:
    classifier = load_species_classifier()
    images, masks = crops(3)
    elsewhere = torch.where(masks > 0, images, 1.0 - images)
    torch.testing.assert_close(classifier(elsewhere, masks), classifier(images, masks))


def test_other_checkpoints_are_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(
        CheckpointError, match=r"horse\.safetensors: not a classifier of species; farm3d-train"
    ):
        load_species_classifier(shipped_checkpoint("horse"))
    with pytest.raises(CheckpointError, match=r"none\.safetensors: no such checkpoint"):
        load_species_classifier(tmp_path / "none.safetensors")
    smaller = SpeciesClassifier(["a", "b"]).state_dict()
    write_checkpoint(tmp_path / "few.safetensors", smaller, {"species": ["a", "b", "c"]})
    with pytest.raises(CheckpointError, match=r"few\.safetensors: does not fit the model: scores"):
        load_species_classifier(tmp_path / "few.safetensors")


def test_the_classifier_is_no_category() -> None:
    assert SHIPPED_FILE.removesuffix(".safetensors") not in shipped_categories()
