"""The models that ship, of which each photograph chooses its own: what `--category auto` is."""

import math
from collections.abc import Mapping
from dataclasses import replace

from farm3d.data.transforms import batch_of_crops, crop_box, crop_image
from farm3d.inference.animal import Animal
from farm3d.inference.reconstructor import Reconstructor
from farm3d.inference.refine import RefineConfig
from farm3d.io.image import SourceImage
from farm3d.models.build import load_trained, shipped_checkpoint
from farm3d.models.species import IMAGE_SIZE, SpeciesClassifier, load_species_classifier
from farm3d.types import Segmentation

SURE = 0.7
"""A species less probable than this is doubtful: the models themselves are asked, and the doubt is told."""

ASKED = 3
"""Of how many species the models read a doubtful picture."""

FIT = 40.0
"""What an IoU counts beside the log probability: outlines of a wrong species fit some hundredths worse."""


class AnySpecies:
    """Stands where a `Reconstructor` does; a species' model is loaded when the first photograph needs it."""

    category: str | None = None
    """No species is known before a picture is seen."""

    def __init__(self, classifier: SpeciesClassifier | None = None) -> None:
        self._classifier = classifier or load_species_classifier()
        self._loaded: dict[str, Reconstructor] = {}

    def animal(
        self, source: SourceImage, segmentation: Segmentation, *, name: str, refinement: RefineConfig
    ) -> Animal:
        """The animal in a photograph, by the model of its most probable species.

        Where that is doubtful, it is the one whose model reads the outline best, probabilities considered.
        Doubts about the species join the segmentation's. Raises InputError for an empty mask.
        """
        mask = segmentation.mask.numpy()
        crop = batch_of_crops([crop_image(source.pixels, mask, crop_box(mask), size=IMAGE_SIZE)])
        found = list(self._classifier.probabilities(crop.images, crop.masks).items())
        species, probability = found[0]
        if probability < SURE:
            (species, probability), (second, less) = self._by_fit(found[:ASKED], source, segmentation)[:2]
            doubt = (
                f"taken for a {species} ({100 * probability:.0f} %), perhaps a {second} ({100 * less:.0f} %);"
                " say which with --category"
            )
            segmentation = replace(segmentation, warnings=(*segmentation.warnings, doubt))
        return self._model_of(species).animal(source, segmentation, name=name, refinement=refinement)

    def _by_fit(
        self, found: list[tuple[str, float]], source: SourceImage, segmentation: Segmentation
    ) -> list[tuple[str, float]]:
        """Species with their probabilities, by these and by how well their models read the outline."""

        def score(entry: tuple[str, float]) -> float:
            species, probability = entry
            return math.log(probability) + FIT * self._model_of(species).agreement(source, segmentation)

        return sorted(found, key=score, reverse=True)

    @property
    def sha256s(self) -> Mapping[str, str]:
        """The checkpoints that were used, by species."""
        return {species: model.trained.sha256 for species, model in self._loaded.items()}

    def _model_of(self, species: str) -> Reconstructor:
        if species not in self._loaded:
            self._loaded[species] = Reconstructor(load_trained(shipped_checkpoint(species)))
        return self._loaded[species]
