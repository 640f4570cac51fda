"""A command's inputs: every photograph once, masks never, names that do not collide."""

from pathlib import Path

from farm3d.io.inputs import list_input_images, mask_beside


def touch(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return [folder / name for name in names]


def names_of(*paths: Path | str) -> list[str]:
    return [image.name for image in list_input_images(paths)]


def test_a_folder_stands_for_its_images_sorted(tmp_path: Path) -> None:
    touch(tmp_path, "b.jpg", "a.PNG", "notes.txt", "annotations.json", ".hidden.jpg", "deeper/c.jpg")
    assert [image.path.name for image in list_input_images([tmp_path])] == ["a.PNG", "b.jpg"]


def test_a_mask_beside_its_photograph_is_no_input(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "a_mask.png", "lonely_mask.png")
    assert names_of(tmp_path) == ["a", "lonely_mask"]
    assert names_of(tmp_path / "a.jpg", tmp_path / "a_mask.png") == ["a"]
    assert names_of(tmp_path / "a_mask.png") == ["a_mask"]


def test_the_same_stem_twice_gets_a_number(tmp_path: Path) -> None:
    paths = touch(tmp_path, "horse.jpg", "x/horse.png", "y/Horse.webp", "horse-2.jpg")
    assert names_of(*paths) == ["horse", "horse-2", "Horse-3", "horse-2-2"]


def test_no_name_leaves_the_folder_or_hides_the_index() -> None:
    assert names_of("...jpg", "..hidden.jpg", "index.html.jpg") == ["image", "hidden", "index.html-2"]


def test_what_is_not_there_stays_in_the_list_for_its_own_message(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    paths = [tmp_path / "missing.jpg", empty]
    assert [image.path for image in list_input_images(paths)] == paths


def test_the_mask_of_a_photograph_lies_beside_it(tmp_path: Path) -> None:
    photograph, mask, other = touch(tmp_path, "a.b.jpg", "a.b_mask.png", "c.jpg")
    assert mask_beside(photograph) == mask
    assert mask_beside(other) is None
