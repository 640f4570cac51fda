"""Training of what tells species apart: it learns, it repeats, and one command does it."""

from pathlib import Path

import pytest
import torch
from farm3d.synth.dataset import FarmSettings, write_farm

from farm3d.cli.train import main
from farm3d.data.image_folder import open_data_set
from farm3d.errors import ConfigError, InputError
from farm3d.models.species import IMAGE_SIZE, load_species_classifier
from farm3d.training.species import SpeciesTraining, train_species

SHORT = ["steps=90", "images_each=6", "learning_rate=0.003"]


@pytest.fixture(scope="module")
def giraffes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("farm") / "giraffe"
    settings = FarmSettings("giraffe", count=24, size=64, seed=7, individuals=3, shard_size=24)
    write_farm(settings, folder, lambda done: None)
    return folder


def test_horses_and_giraffes_are_told_apart(farm_folder: Path, giraffes: Path, tmp_path: Path) -> None:
    """Of pictures it has seen: that it learns, not how well it knows strangers (docs/models.md)."""
    from farm3d.data.image_folder import load_batch

    file = tmp_path / "species.safetensors"
    assert (
        main(["--species", str(farm_folder), str(giraffes), "--out", str(file), "--quiet", "--", *SHORT]) == 0
    )
    classifier = load_species_classifier(file)
    right = 0
    for folder in (farm_folder, giraffes):
        data = open_data_set(folder)
        for k in range(12):
            batch = load_batch(data, [k], image_size=IMAGE_SIZE)
            right += next(iter(classifier.probabilities(batch.images, batch.masks))) == data.category
    assert right >= 21


def test_the_same_seed_makes_the_same_file(farm_folder: Path, giraffes: Path, tmp_path: Path) -> None:
    sets = [open_data_set(farm_folder), open_data_set(giraffes)]
    config = SpeciesTraining(steps=3, images_each=2)
    files = [tmp_path / f"{k}.safetensors" for k in range(2)]
    for file in files:
        torch.rand(5)
        train_species(config, sets, file, metadata={})
    assert files[0].read_bytes() == files[1].read_bytes()


def test_one_species_alone_or_twice_is_refused(farm_folder: Path, tmp_path: Path) -> None:
    horses = open_data_set(farm_folder)
    for sets in ([horses], [horses, horses]):
        with pytest.raises(ConfigError, match="give data sets of two species or more, one of each"):
            train_species(SpeciesTraining(steps=1), sets, tmp_path / "none.safetensors", metadata={})
    assert not (tmp_path / "none.safetensors").exists()


def test_what_cannot_be_written_is_told_before_training(
    farm_folder: Path, giraffes: Path, tmp_path: Path
) -> None:
    sets = [open_data_set(farm_folder), open_data_set(giraffes)]
    (tmp_path / "file").touch()
    for place in (tmp_path, tmp_path / "file" / "species.safetensors"):
        with pytest.raises(InputError, match="cannot write"):
            train_species(SpeciesTraining(), sets, place, metadata={}, report=pytest.fail)  # type: ignore[arg-type]
