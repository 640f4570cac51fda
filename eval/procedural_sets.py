"""The fixed procedural sets of the benchmark: test pictures of seeds that nobody trains on."""

from pathlib import Path

from farm3d.synth.dataset import FarmSettings, Progress, write_farm

from farm3d.data.image_folder import ImageDataSet, open_data_set
from farm3d.errors import ConfigError

TEST_SEEDS = {
    "cow": 20_001,
    "horse": 20_002,
    "sheep": 20_003,
    "pig": 20_004,
    "dog": 20_005,
    "zebra": 20_006,
    "giraffe": 20_007,
}
TRAINING_SEED = 0
"""The seed of farm3d-synth unless told otherwise, so that of training."""

PICTURES, SIZE, INDIVIDUALS = 100, 128, 16


def fixed_test_set(category: str, folder: Path, progress: Progress) -> ImageDataSet:
    """The 100 test pictures of a category, drawn into `folder`; raises ConfigError for one that has none."""
    if category not in TEST_SEEDS:
        raise ConfigError(
            f"there is no fixed procedural test set of the category {category}"
            f" (there are {', '.join(TEST_SEEDS)}); give a data set"
        )
    return _drawn(category, TEST_SEEDS[category], folder, progress=progress)


def alignment_set(category: str, folder: Path, progress: Progress) -> ImageDataSet:
    """100 pictures of the seed of training, to fit what is a model's convention; drawn into `folder`."""
    return _drawn(category, TRAINING_SEED, folder, progress=progress)


def _drawn(category: str, seed: int, folder: Path, *, progress: Progress) -> ImageDataSet:
    settings = FarmSettings(category, count=PICTURES, size=SIZE, seed=seed, individuals=INDIVIDUALS)
    write_farm(settings, folder, progress)
    return open_data_set(folder)
