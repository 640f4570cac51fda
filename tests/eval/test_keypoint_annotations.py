"""Annotations of every format say the same, and a mistake names its file and field."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from farm3d.eval.keypoint_annotations import data_set_annotations, tight_box
from farm3d.eval.keypoint_files import read_annotations
from scipy.io import savemat

from farm3d.data.image_folder import open_data_set
from farm3d.errors import InputError
from farm3d.io.image import read_mask

COCO = {
    "images": [{"id": 1, "file_name": "field/cow.jpg"}, {"id": 2, "file_name": "two.jpg"}],
    "categories": [
        {"id": 5, "name": "cow", "keypoints": ["nose", "tail"]},
        {"id": 6, "name": "fish", "keypoints": ["mouth", "fin"]},
    ],
    "annotations": [
        {"id": 10, "image_id": 1, "category_id": 5, "bbox": [4, 6, 30, 20], "keypoints": [9, 8, 2, 7, 6, 1]},
        {"id": 11, "image_id": 2, "category_id": 5, "bbox": [0, 0, 10, 10], "keypoints": [1, 2, 2, 0, 0, 0]},
        {"id": 12, "image_id": 2, "category_id": 5, "bbox": [5, 5, 9, 9], "keypoints": [3, 4, 2, 5, 6, 2]},
        {"id": 13, "image_id": 2, "category_id": 6, "bbox": [5, 5, 9, 9], "keypoints": [3, 4, 2, 5, 6, 2]},
    ],
}


def written(folder: Path, record: Any) -> Path:
    file = folder / "annotations.json"
    file.write_text(json.dumps(record))
    return file


def changed(**changes: Any) -> dict[str, Any]:
    """COCO's first annotation alone, some of its fields changed, removed where `None`."""
    annotation = {**COCO["annotations"][0], **changes}
    return {**COCO, "annotations": [{k: v for k, v in annotation.items() if v is not None}]}


def test_the_data_set_gives_what_its_json_files_and_masks_say(farm_folder: Path) -> None:
    data = open_data_set(farm_folder)
    annotations = data_set_annotations(data)
    assert len(annotations.names) == 20
    record = json.loads(data.samples[3].read_text())
    animal = annotations.animals[3]
    k = annotations.names.index("left_ear")
    assert [*animal.keypoints[k], animal.visible[k]] == record["keypoints"]["left_ear"]
    mask = read_mask(data.samples[3].with_name(f"{animal.name}_mask.png"))
    x, y, width, height = (int(value) for value in animal.box)
    assert mask[y : y + height, x : x + width].sum() == mask.sum()
    assert mask[y].any() and mask[y + height - 1].any() and mask[:, x].any() and mask[:, x + width - 1].any()
    assert animal.view == (0.0, 0.0, 64.0, 64.0)


def test_a_data_set_without_keypoints_is_an_error(farm_folder: Path, tmp_path: Path) -> None:
    shard = tmp_path / "shard_00000"
    shard.mkdir()
    (tmp_path / "dataset.yaml").write_text("format_version: 1\ncategory: horse\nsize: 64\n")
    (shard / "a.json").write_text('{"id": "a"}')
    with pytest.raises(InputError, match=r"a\.json: keypoints: missing"):
        data_set_annotations(open_data_set(tmp_path))


def test_the_tight_box_holds_the_mask_and_no_more() -> None:
    mask = np.zeros((8, 9), dtype=bool)
    mask[2:5, 3] = True
    mask[4, 3:7] = True
    assert tight_box(mask) == (3.0, 2.0, 4.0, 3.0)


def test_coco_files(tmp_path: Path) -> None:
    annotations = read_annotations(written(tmp_path, COCO), tmp_path / "images", category="cow")
    assert annotations.names == ("nose", "tail")
    assert [animal.name for animal in annotations.animals] == ["cow", "two_11", "two_12"]
    cow = annotations.animals[0]
    assert cow.image == tmp_path / "images" / "field" / "cow.jpg"
    assert cow.box == (4.0, 6.0, 30.0, 20.0)
    assert cow.keypoints.tolist() == [[9.5, 8.5], [7.5, 6.5]]
    assert cow.visible.tolist() == [True, False]


def test_animal_poses_own_file(tmp_path: Path) -> None:
    """Ids to names, boxes as corners, rows of three and flags 0 or 1."""
    record = {
        "images": {"1": "cow.jpg"},
        "categories": [{"id": 1, "name": "cow", "keypoints": ["nose", "tail"]}],
        "annotations": [
            {"image_id": 1, "category_id": 1, "bbox": [4, 6, 34, 26], "keypoints": [[9, 8, 1], [0, 0, 0]]}
        ],
    }
    (cow,) = read_annotations(written(tmp_path, record), tmp_path).animals
    assert cow.name == "cow"
    assert cow.box == (4.0, 6.0, 30.0, 20.0)
    assert cow.keypoints[0].tolist() == [9.5, 8.5]
    assert cow.visible.tolist() == [True, False]


@pytest.mark.parametrize(
    ("record", "category", "said"),
    [
        ({}, None, "annotations.json: images: missing"),
        (COCO, None, "keypoints differ between them; choose one with --annotated"),
        (COCO, "cat", "categories: no cat; there are cow, fish"),
        (changed(bbox=None), "cow", r"annotations\[0\]: bbox: missing"),
        (changed(bbox=[1, 2, 3]), "cow", r"annotations\[0\]: bbox: not four numbers"),
        (changed(bbox=[1, 2, 0, 3]), "cow", r"annotations\[0\]: bbox: width 0.0"),
        (changed(keypoints=[1, 2, 2]), "cow", r"annotations\[0\]: keypoints: 1, not 2"),
        (changed(keypoints=[1, 2, 2, 3]), "cow", r"annotations\[0\]: keypoints: not rows of three"),
        (changed(keypoints="here"), "cow", r"annotations\[0\]: keypoints: not rows of three"),
        (changed(image_id=77), "cow", r"annotations\[0\]: image_id: no image 77"),
        (changed(category_id=None), None, r"annotations\[0\]: category_id: missing"),
    ],
)
def test_a_mistake_in_a_coco_file_names_the_field(
    record: Any, category: str | None, said: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=said):
        read_annotations(written(tmp_path, record), tmp_path, category=category)


def test_two_animals_of_one_name_are_an_error(tmp_path: Path) -> None:
    images = [{"id": 1, "file_name": "a/cow.jpg"}, {"id": 2, "file_name": "b/cow.jpg"}]
    entries = [{**COCO["annotations"][0], "image_id": k} for k in (1, 2)]
    file = written(tmp_path, {**COCO, "images": images, "annotations": entries})
    with pytest.raises(InputError, match="2 animals are called cow"):
        read_annotations(file, tmp_path, category="cow")


def acsm_entry(**changes: Any) -> dict[str, Any]:
    """One image of A-CSM: pixels count from 1, a keypoint that is not annotated is NaN."""
    mask = np.zeros((40, 50), dtype=np.uint8)
    mask[5:26, 10:41] = 1
    entry = {
        "rel_path": "2008_000141.jpg",
        "voc_rec_id": 2,
        "bbox": {"x1": 11.0, "y1": 6.0, "x2": 41.0, "y2": 26.0},
        "parts": np.array([[12.0, np.nan, 30.0], [7.0, np.nan, 20.0], [1.0, np.nan, 1.0]]),
        "mask": mask,
    }
    return {key: value for key, value in {**entry, **changes}.items() if value is not None}


def acsm_files(
    folder: Path, *entries: dict[str, Any], names: tuple[str, ...] = ("eye", "ear", "hoof")
) -> Path:
    """`horse_val.mat` and `horse_kps.mat` with MATLAB's structure arrays."""
    records = np.empty(len(entries), dtype=object)
    records[:] = entries
    savemat(folder / "horse_val.mat", {"images": records})
    savemat(folder / "horse_kps.mat", {"kp_names": np.array(names, dtype=object), "kp_perm_inds": [2, 1, 3]})
    return folder / "horse_val.mat"


@pytest.mark.parametrize("count", [1, 3])
def test_acsm_files(count: int, tmp_path: Path) -> None:
    entries = [acsm_entry(voc_rec_id=number) for number in range(count)]
    annotations = read_annotations(acsm_files(tmp_path, *entries), tmp_path / "JPEGImages")
    assert annotations.names == ("eye", "ear", "hoof")
    assert [a.name for a in annotations.animals] == [f"2008_000141_{number}" for number in range(count)]
    horse = annotations.animals[0]
    assert horse.image == tmp_path / "JPEGImages" / "2008_000141.jpg"
    assert horse.box == (10.0, 5.0, 30.0, 20.0)
    assert horse.visible.tolist() == [True, False, True]
    assert horse.keypoints[[0, 2]].tolist() == [[11.5, 6.5], [29.5, 19.5]]
    assert horse.mask is not None
    assert horse.mask.shape == (40, 50)
    assert tight_box(horse.mask) == (10.0, 5.0, 31.0, 21.0)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (acsm_entry(bbox=None), r"horse_val\.mat: images\[0\]: bbox: missing"),
        (acsm_entry(bbox={"x1": 1.0, "y1": 1.0, "x2": 9.0}), r"images\[0\]: bbox: y2: missing"),
        (acsm_entry(parts=np.zeros((3, 2))), r"images\[0\]: parts: \(3, 2\), not 3 x 3"),
        (acsm_entry(rel_path=None), r"images\[0\]: rel_path: missing"),
        (acsm_entry(mask=None), r"images\[0\]: mask: missing"),
    ],
)
def test_a_mistake_in_an_acsm_file_names_the_field(entry: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said):
        read_annotations(acsm_files(tmp_path, entry), tmp_path)


def test_files_that_are_missing_or_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.json: No such file"):
        read_annotations(tmp_path / "nowhere.json", tmp_path)
    with pytest.raises(InputError, match=r"nowhere\.mat: no such file"):
        read_annotations(tmp_path / "nowhere.mat", tmp_path)
    with pytest.raises(InputError, match=r"give a \.json file"):
        read_annotations(tmp_path / "keypoints.csv", tmp_path)
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(InputError, match=r"a\.json: not valid JSON"):
        read_annotations(tmp_path / "a.json", tmp_path)
    (tmp_path / "a.mat").write_text("not MATLAB's")
    with pytest.raises(InputError, match=r"a\.mat: not a MATLAB file"):
        read_annotations(tmp_path / "a.mat", tmp_path)
    savemat(tmp_path / "b.mat", {"pictures": 1})
    with pytest.raises(InputError, match=r"b\.mat: images: missing"):
        read_annotations(tmp_path / "b.mat", tmp_path)
