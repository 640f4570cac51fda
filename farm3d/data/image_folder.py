"""Data sets on disk (docs/data_sets.md) as batches of tensors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from farm3d.data.samples import SampleCache, read_sample
from farm3d.errors import ConfigError, InputError
from farm3d.geometry.camera import Camera, with_field_of_view
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.skeleton import Skeleton, bone_transforms, posed_joints
from farm3d.types import Batch, DirectionalLight, GroundTruth
from farm3d.yaml_text import parse_yaml


@dataclass(frozen=True)
class Individual:
    """One animal of the procedural farm at rest; `canonical` are its vertices' places on the mean animal."""

    rest_vertices: Float[Tensor, "vertices 3"]
    canonical: Float[Tensor, "vertices 3"]
    skinning_indices: Tensor
    skinning_weights: Float[Tensor, "vertices 4"]
    rest_joints: Float[Tensor, "bones 2 3"]
    parents: tuple[int, ...]
    mirrored_joints: Int[Tensor, " bones"]
    """For each bone the one on the other side; itself on the mirror plane."""


@dataclass(frozen=True)
class ImageDataSet:
    """A data set's folder, its description and the sample files, in the order of their ids."""

    folder: Path
    description: dict[str, Any]
    samples: tuple[Path, ...]

    @property
    def category(self) -> str:
        """The animal that the images show."""
        return str(self.description["category"])

    def __len__(self) -> int:
        return len(self.samples)


def open_data_set(folder: Path) -> ImageDataSet:
    """The data set that `farm3d-synth` wrote to `folder`.

    Raises InputError where the folder is missing, unfinished, empty or not a data set.
    """
    description = read_description(folder)
    samples = tuple(sorted(folder.glob("shard_*/*.json"), key=lambda path: path.stem))
    finished = description.get("format_version") == 1 or "results" in description
    if finished and not samples and list(folder.glob("shard_*")):
        raise InputError(f"{folder}: every picture was rejected; farm3d-synth inspect {folder} shows why")
    if not samples or not finished:
        raise InputError(f"{folder}: not finished; run the same farm3d-synth command again to continue it")
    return ImageDataSet(folder, description, samples)


def read_description(folder: Path) -> dict[str, Any]:
    """What dataset.yaml says of the data set in `folder`, finished or not.

    Raises InputError where there is none.
    """
    file = folder / "dataset.yaml"
    if not file.is_file():
        raise InputError(f"{folder}: no data set here (dataset.yaml is missing); farm3d-synth makes one")
    try:
        description = parse_yaml(file.read_text(encoding="utf-8"), source="")
    except (ConfigError, UnicodeDecodeError):
        raise InputError(f"{file}: not valid YAML; make the data set again") from None
    if not isinstance(description, dict) or "category" not in description:
        raise InputError(f"{file}: names no category; make the data set again")
    return description


def canonical_mesh(data: ImageDataSet) -> Mesh:
    """The category's mean animal at rest; raises InputError where the data set knows no truth."""
    with np.load(_canonical_file(data)) as arrays:
        vertices = torch.from_numpy(arrays["rest_vertices"]).float()
        return Mesh(vertices, torch.from_numpy(arrays["faces"]).long())


def canonical_joints(data: ImageDataSet) -> Float[Tensor, "joints 3"]:
    """The ends of that animal's bones at rest; raises InputError as `canonical_mesh` does."""
    with np.load(_canonical_file(data)) as arrays:
        return torch.from_numpy(arrays["rest_joints"][:, 1]).float()


def _canonical_file(data: ImageDataSet) -> Path:
    path = data.folder / "canonical.npz"
    if not path.is_file():
        generator = data.description.get("generator")
        raise InputError(
            f"{data.folder}: no truth (canonical.npz) in a set made from {generator}; train with"
            f" supervision=images or on one of farm3d-synth --category {data.category} --generator procedural"
        )
    return path


@lru_cache(maxsize=512)
def load_individual(folder: Path, number: int) -> Individual:
    """One animal's truth; cached, for a set shares some dozens among its images."""
    with np.load(folder / "individuals" / f"{number}.npz") as arrays:
        rest_joints = torch.from_numpy(arrays["rest_joints"]).float()
        ends = rest_joints[:, 1]
        return Individual(
            rest_vertices=torch.from_numpy(arrays["rest_vertices"]).float(),
            canonical=torch.from_numpy(arrays["canonical"]).float(),
            skinning_indices=torch.from_numpy(arrays["skinning_indices"].astype(np.int64)),
            skinning_weights=torch.from_numpy(arrays["skinning_weights"]).float(),
            rest_joints=rest_joints,
            parents=tuple(int(k) for k in arrays["parents"]),
            mirrored_joints=torch.cdist(ends * ends.new_tensor([-1.0, 1.0, 1.0]), ends).argmin(dim=1),
        )


def load_batch(
    data: ImageDataSet,
    indices: Sequence[int],
    *,
    image_size: int,
    truth_points: int = 0,
    features: bool = False,
    mirrored: Sequence[bool] | None = None,
    rngs: Sequence[np.random.Generator] | None = None,
    cache: SampleCache | None = None,
) -> Batch:
    """Images and masks; with `features` theirs; with `truth_points` > 0 the truth at that many random points.

    `mirrored` says which images are turned left to right, with everything known of them; `rngs`, one an
    image, draw the surface points; `cache` keeps decoded samples. Raises InputError where something that is
    asked for is missing or damaged.
    """
    read = read_sample if cache is None else cache.read
    samples = [read(data.samples[i], image_size=image_size, features=features) for i in indices]
    flips = list(mirrored or [False] * len(indices))

    def planes(arrays: Sequence[np.ndarray]) -> Tensor:
        turned = [array[:, ::-1] if flip else array for array, flip in zip(arrays, flips, strict=True)]
        return torch.from_numpy(np.stack(turned).astype(np.float32))

    distances = planes([sample.distance for sample in samples])[..., None]
    maps = [np.moveaxis(s.features, 0, -1) for s in samples if s.features is not None]
    truth = None
    if truth_points:
        assert rngs is not None
        truth = _load_truth(data, [sample.truth for sample in samples], points=truth_points, rngs=rngs)
        order = load_individual(data.folder, samples[0].truth["individual"]).mirrored_joints
        truth = _mirror_truth(truth, torch.tensor(flips), order=order)
    return Batch(
        images=planes([sample.image for sample in samples]) / 255.0,
        masks=planes([sample.mask for sample in samples])[..., None] / 255.0,
        valid=planes([sample.valid for sample in samples])[..., None],
        inside_distance=distances.clamp(min=0.0),
        outside_distance=(-distances).clamp(min=0.0),
        features=planes(maps) if features else None,
        truth=truth,
    )


def _load_truth(
    data: ImageDataSet,
    records: Sequence[Mapping[str, Any]],
    *,
    points: int,
    rngs: Sequence[np.random.Generator],
) -> GroundTruth:
    """Camera, light and posed surface points of each sample, posed as the farm poses."""
    animals = [load_individual(data.folder, record["individual"]) for record in records]
    chosen = [
        torch.from_numpy(rng.integers(len(a.rest_vertices), size=points))
        for a, rng in zip(animals, rngs, strict=True)
    ]
    rest = torch.stack([a.rest_vertices[pick] for a, pick in zip(animals, chosen, strict=True)])
    canonical = torch.stack([a.canonical[pick] for a, pick in zip(animals, chosen, strict=True)])
    bones = torch.stack([a.skinning_indices[pick] for a, pick in zip(animals, chosen, strict=True)])
    weights = torch.stack([a.skinning_weights[pick] for a, pick in zip(animals, chosen, strict=True)])
    joints = torch.stack([a.rest_joints for a in animals])
    angles = torch.tensor([record["pose"]["joint_angles"] for record in records], dtype=torch.float32)
    offsets = torch.tensor([record["pose"]["root_offset"] for record in records], dtype=torch.float32)
    skeleton = Skeleton(joints, animals[0].parents, (), torch.zeros(joints.shape[1], 3))
    transforms = bone_transforms(skeleton, angles)
    image_index = torch.arange(len(records))[:, None, None]
    blended = (transforms[image_index, bones] * weights[..., None, None]).sum(dim=2)
    posed = (blended[..., :3, :3] @ rest[..., None]).squeeze(-1) + blended[..., :3, 3] + offsets[:, None]
    lights = [record["light"] for record in records]
    light = DirectionalLight(
        torch.tensor([entry["direction"] for entry in lights], dtype=torch.float32),
        torch.tensor([entry["ambient"] for entry in lights], dtype=torch.float32),
        torch.tensor([entry["diffuse"] for entry in lights], dtype=torch.float32),
    )
    ends = posed_joints(skeleton, transforms)[:, :, 1] + offsets[:, None]
    return GroundTruth(_model_cameras(records), light, canonical, rest, posed, ends)


def _model_cameras(records: Sequence[Mapping[str, Any]]) -> Float[Tensor, "images 4 4"]:
    """The true cameras with the model's field of view: rotation, place in the picture and size kept."""
    cameras = [record["camera"] for record in records]
    camera = Camera(
        torch.tensor([entry["world_to_camera"] for entry in cameras], dtype=torch.float32),
        torch.deg2rad(torch.tensor([entry["field_of_view_degrees"] for entry in cameras])),
    )
    return with_field_of_view(camera).world_to_camera


def _mirror_truth(truth: GroundTruth, mirrored: Tensor, *, order: Int[Tensor, " joints"]) -> GroundTruth:
    """The truth of the images turned left to right: x changes its sign in the object and in the camera.

    `order` names for each joint the one on the other side.
    """
    joints = torch.where(mirrored[:, None, None], truth.joints[:, order], truth.joints)
    sign = torch.where(mirrored, -1.0, 1.0)
    lateral = torch.stack([sign, torch.ones_like(sign), torch.ones_like(sign)], dim=-1)
    homogeneous = torch.cat([lateral, torch.ones_like(sign)[:, None]], dim=-1)
    return GroundTruth(
        world_to_camera=homogeneous[:, :, None] * truth.world_to_camera * homogeneous[:, None, :],
        light=DirectionalLight(truth.light.direction * lateral, truth.light.ambient, truth.light.diffuse),
        canonical_points=truth.canonical_points * lateral[:, None],
        rest_points=truth.rest_points * lateral[:, None],
        posed_points=truth.posed_points * lateral[:, None],
        joints=joints * lateral[:, None],
    )
