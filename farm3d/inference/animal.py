"""An animal as people keep it: what a photograph gave, how it was edited, and what can be done with it."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from farm3d.errors import ConfigError
from farm3d.geometry.clip import Clip
from farm3d.inference.clip_files import resolve_clip
from farm3d.inference.clips import standard_clips
from farm3d.inference.detail import with_faces
from farm3d.inference.edit import (
    PARTS,
    blended_coat,
    blended_light,
    blended_pose,
    blended_shape,
    check_same_category,
)
from farm3d.inference.measure import (
    KnownLength,
    Measurements,
    measure,
    metres_per_unit,
    parse_known_length,
)
from farm3d.inference.projection import Photograph
from farm3d.inference.reconstruct import Reconstruction
from farm3d.inference.relight import ChosenLight, parse_light, relight_strip
from farm3d.inference.rig import world_scale
from farm3d.inference.stopwatch import Stopwatch
from farm3d.inference.texture import BakedTexture, bake, category_atlas
from farm3d.inference.videos import (
    FRAMES_PER_SECOND,
    FrameSource,
    clip_frames,
    relight_frames,
    turntable_frames,
)
from farm3d.io.atomic import replacing_folder
from farm3d.io.gltf import WorldScale
from farm3d.io.image import SourceImage, write_png
from farm3d.io.texture_atlas import TextureAtlas
from farm3d.io.video import write_mp4
from farm3d.models.build import TrainedModel
from farm3d.types import AnimalPrediction


@dataclass(frozen=True)
class Animal:
    """One reconstructed animal.

    `fit` is what the photograph `source` gave, `prediction` the animal as it is now: the refined prediction,
    or an edited one. `seen` is it in the photograph, on the mesh that it has. `coat` stands in for the
    photograph's texture where the animal wears another's.
    `clips` are its own, beside those that every result has. `edits` says what was taken from whom.
    """

    name: str
    source: SourceImage
    trained: TrainedModel
    fit: Reconstruction
    seen: AnimalPrediction
    prediction: AnimalPrediction
    atlas: TextureAtlas
    coat: BakedTexture | None = None
    known_length: KnownLength | None = None
    clips: tuple[Clip, ...] = ()
    edits: dict[str, str] = field(default_factory=dict)

    @cached_property
    def texture(self) -> BakedTexture:
        """The coat that it wears; the photograph's is baked when it is first asked for."""
        if self.coat is not None:
            return self.coat
        photograph = Photograph(self.source.pixels, self.fit.segmentation.mask.numpy())
        return bake(self.seen, photograph, atlas=self.atlas)

    @property
    def scale(self) -> WorldScale:
        """Its size in metres: from the length that is known of it, else the category's typical one."""
        typical = world_scale(self.prediction, self.trained.shoulder_height_metres)
        if self.known_length is None:
            return typical
        return replace(typical, metres_per_unit=metres_per_unit(measure(self.prediction), self.known_length))

    def measure(self) -> Measurements:
        """Its measurements: in centimetres (litres / 1000) where a length is known, else in object units."""
        measured = measure(self.prediction)
        return measured if self.known_length is None else measured.times(100.0 * self.scale.metres_per_unit)

    def with_length(self, **centimetres: float | int) -> "Animal":
        """The animal of the size that one length gives: `with_length(shoulder_height=150)`.

        Raises ConfigError for a length that is not one of `measure.LENGTHS`, and for more than one.
        """
        if len(centimetres) != 1:
            raise ConfigError("give one length, as in with_length(shoulder_height=150)")
        ((name, value),) = centimetres.items()
        return replace(self, known_length=parse_known_length(f"{name}={value}"))

    def with_faces(self, count: int) -> "Animal":
        """The animal on a mesh of at most `count` faces, the same for all animals of a model.

        Its texture needs another atlas, so this comes before a coat is taken. Raises ConfigError for too few
        faces, and after a coat was taken.
        """
        if self.coat is not None:
            raise ConfigError("the coat is of another mesh; choose the number of faces first")
        seen = with_faces(self.seen, count)
        if seen is self.seen:
            return self
        changed = with_faces(self.prediction, count)
        return replace(self, seen=seen, prediction=changed, atlas=category_atlas(seen))

    def take(self, part: str, other: "Animal", share: float = 1.0) -> "Animal":
        """The animal with the other's shape, pose, coat or light, or `share` of the way there (0 to 1).

        Raises ConfigError for an unknown part, for another share, and for an animal of another model.
        """
        if not 0.0 <= share <= 1.0:
            raise ConfigError(f"a share of {share:g} cannot be taken; give one from 0 to 1")
        if part not in PARTS:
            raise ConfigError(f"{part!r} cannot be taken from another animal; {', '.join(PARTS)} can")
        check_same_category(self.prediction, other.prediction)
        mine, theirs = self.prediction, other.prediction
        edits = {**self.edits, part: other.name}
        if part == "coat":
            coat = other.texture if share == 1.0 else blended_coat(self.texture, other.texture, share)
            return replace(self, coat=coat, edits=edits)
        if part == "light":
            changed = replace(mine, light=blended_light(mine.light, theirs.light, share))
        else:
            blended = blended_pose if part == "pose" else blended_shape
            changed = blended(mine, theirs, share)
        # The texture stays that of the photograph: handed on, it is not baked again.
        return replace(self, prediction=changed, coat=self.texture, edits=edits)

    def export(self, folder: Path | str, *, clip: str | Clip = "walk", videos: bool = True) -> Path:
        """Write the result folder of docs/results.md; it appears, or takes an old one's place, when complete.

        `clip` is a clip's name, a JSON file or a `Clip`; a file's joins the model's own. Raises InputError
        where the folder cannot be written.
        """
        from farm3d.inference.export import ExportOptions, write_result

        options = ExportOptions(turntable=videos, relight=videos, animate=videos, clip=self.clip_called(clip))
        with replacing_folder(Path(folder)) as target:
            write_result(target, self, options=options, stopwatch=Stopwatch())
        return Path(folder)

    def relight(self, file: Path | str, *lights: ChosenLight | str) -> Path:
        """Write an MP4 of the photograph's view under a light that circles above, or a PNG before and after.

        A PNG shows the photograph, the model in its light and in each of `lights` (as `parse_light` reads
        them), or at four times of a day. Raises ConfigError for lights with an MP4.
        """
        if Path(file).suffix.lower() != ".png":
            if lights:
                raise ConfigError(f"{file}: chosen lights are for a strip; give the name of a .png file")
            return self._write_video(file, relight_frames(self.prediction, self.texture))
        chosen = tuple(parse_light(light) if isinstance(light, str) else light for light in lights)
        write_png(file, relight_strip(self.prediction, self.texture, self.source.pixels, lights=chosen))
        return Path(file)

    def animate(self, video: Path | str, clip: str | Clip = "walk") -> Path:
        """Write an MP4 of a clip: one of every result's by its name, a JSON file, or a `Clip`."""
        return self._write_video(video, clip_frames(self.prediction, self.texture, self.clip_called(clip)))

    def turn(self, video: Path | str) -> Path:
        """Write an MP4 of the posed animal turning once."""
        return self._write_video(video, turntable_frames(self.prediction, self.texture))

    @property
    def all_clips(self) -> tuple[Clip, ...]:
        """The clips that every result has, and its own."""
        return (*standard_clips(self.prediction, self.scale.metres_per_unit), *self.clips)

    def clip_called(self, clip: str | Clip) -> Clip:
        """The clip of that name, the one in a JSON file, or `clip` itself.

        Raises ConfigError naming those that there are.
        """
        if isinstance(clip, Clip):
            return clip
        named = {candidate.name: candidate for candidate in self.all_clips}
        if clip in named:
            return named[clip]
        if not clip.endswith(".json"):
            raise ConfigError(
                f"clip {clip}: no such clip; there are {', '.join(named)}, or give a .json file"
            )
        resolved = resolve_clip(clip)
        assert isinstance(resolved, Clip)
        return resolved

    @staticmethod
    def _write_video(video: Path | str, frames: FrameSource) -> Path:
        write_mp4(video, frames, frames_per_second=FRAMES_PER_SECOND)
        return Path(video)
