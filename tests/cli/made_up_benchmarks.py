"""Small benchmarks drawn by the procedural farm, in the layouts that farm3d-eval reads."""

import json
import shutil
from pathlib import Path

from farm3d.eval.keypoint_points import keypoint_names
from farm3d.eval.procedural_truth import true_animal
from farm3d.synth.dataset import FarmSettings, write_farm
from PIL import Image

from farm3d.data.image_folder import ImageDataSet, open_data_set
from farm3d.io.mesh_files import write_obj


def drawn_horses(folder: Path, count: int) -> ImageDataSet:
    """Pictures of horses at 128 pixels a side, with their truth; the first two stand, seen from the side."""
    settings = FarmSettings("horse", count=count, size=128, seed=24, individuals=count)
    write_farm(settings, folder, lambda done: None)
    return open_data_set(folder)


def write_photographs(folder: Path, data: ImageDataSet) -> None:
    """The pictures as photographs with masks; of the first the head's side and Animal-Pose keypoints."""
    folder.mkdir()
    for number, sample in enumerate(data.samples):
        shutil.copy(sample.with_suffix(".jpg"), folder / f"photo_{number}.jpg")
        shutil.copy(sample.with_name(f"{sample.stem}_mask.png"), folder / f"photo_{number}_mask.png")
    truth = json.loads(data.samples[0].read_text())["keypoints"]
    names = keypoint_names()["Animal-Pose"]
    keypoints = {name: truth[point][:2] for name, point in names.items() if point in truth}
    head = "right" if truth["nose"][0] > truth["tail_base"][0] else "left"
    annotations = {"photo_0": {"category": "horse", "head": head, "keypoints": keypoints}}
    (folder / "annotations.json").write_text(json.dumps(annotations))


def write_animodel(folder: Path, data: ImageDataSet) -> None:
    """Images (with masks beside them) and posed true meshes as Animodel has them, for the category horse."""
    images, meshes = folder / "horse" / "images", folder / "horse" / "meshes"
    images.mkdir(parents=True)
    meshes.mkdir()
    for number, sample in enumerate(data.samples):
        with Image.open(sample.with_suffix(".jpg")) as picture:
            picture.save(images / f"{number:06d}.png")
        shutil.copy(sample.with_name(f"{sample.stem}_mask.png"), images / f"{number:06d}_mask.png")
        write_obj(meshes / f"{number:06d}.obj", true_animal(data, number).mesh)
