"""The models that ship, of which each photograph chooses its own: what `--category auto` is."""

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
"""A species less probable than this is told as doubtful."""


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

        Doubts about the species join the segmentation's. Raises InputError for an empty mask.
        """
        mask = segmentation.mask.numpy()
        crop = batch_of_crops([crop_image(source.pixels, mask, crop_box(mask), size=IMAGE_SIZE)])
        found = list(self._classifier.probabilities(crop.images, crop.masks).items())
        (species, probability), (second, less) = found[:2]
        if probability < SURE:
            doubt = (
                f"taken for a {species} ({100 * probability:.0f} %), perhaps a {second} ({100 * less:.0f} %);"
                " say which with --category"
            )
            segmentation = replace(segmentation, warnings=(*segmentation.warnings, doubt))
        return self._model_of(species).animal(source, segmentation, name=name, refinement=refinement)

    @property
    def sha256s(self) -> Mapping[str, str]:
        """The checkpoints that were used, by species."""
        return {species: model.trained.sha256 for species, model in self._loaded.items()}

    def _model_of(self, species: str) -> Reconstructor:
        if species not in self._loaded:
            self._loaded[species] = Reconstructor(load_trained(shipped_checkpoint(species)))
        return self._loaded[species]
