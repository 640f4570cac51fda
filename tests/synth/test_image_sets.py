"""Sets of pictures without truth: what is kept and why not, and that only the settings decide the bytes."""

import hashlib
import json
import multiprocessing
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import yaml
from farm3d.synth.filtering import FilterConfig
from farm3d.synth.image_sets import ImageSet, ImageSetSettings, SegmenterChoice, describe, write_image_set
from farm3d.synth.inspection import inspect, summary, write_inspection
from farm3d.synth.processes import Team
from farm3d.synth.sources import photographs_in
from farm3d.synth.verification import verify

from farm3d.data.image_folder import canonical_mesh, load_batch, open_data_set
from farm3d.errors import ConfigError, InputError

from .photographs import KEPT, REASONS, write_photographs

SETTINGS = ImageSetSettings(
    category="cow",
    size=32,
    segmenter=SegmenterChoice("file", None, torch.device("cpu")),
    filter=FilterConfig(),
    shard_size=3,
)


class Killed(BaseException):
    """Stands for a signal in the middle of the work."""


def silent(name: str, total: int):
    return ignore


def ignore(done: int) -> None:
    pass


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def make(photographs: Path, out: Path, stages=silent, team: Team = Team()) -> Path:  # noqa: B008
    data = ImageSet(SETTINGS, photographs_in(photographs, "cow"), out)
    write_image_set(data, describe(data), stages, team=team)
    return out


def problems(folder: Path) -> list[str]:
    return list(verify(folder, ignore))


@pytest.fixture(scope="module")
def photographs(tmp_path_factory) -> Path:
    return write_photographs(tmp_path_factory.mktemp("input") / "photographs")


@pytest.fixture(scope="module")
def finished(photographs, tmp_path_factory) -> Path:
    return make(photographs, tmp_path_factory.mktemp("set") / "cow")


def test_good_pictures_are_kept_and_others_rejected_each_for_its_reason(finished):
    kept = [json.loads(file.read_text()) for file in sorted(finished.glob("shard_*/*.json"))]
    rejected = [json.loads(file.read_text()) for file in sorted(finished.glob("rejected/shard_*/*.json"))]
    assert tuple(record["source"] for record in kept) == KEPT
    assert {record["source"]: record["reason"] for record in rejected} == REASONS
    assert [r["duplicate_of"] for r in rejected if r["reason"] == "duplicate"] == ["cow_000000"]
    results = yaml.safe_load((finished / "dataset.yaml").read_text())["results"]
    assert results["kept"] == 4
    assert results["rejected"] == dict.fromkeys(sorted(REASONS.values()), 1)


def test_every_rejection_has_its_picture_but_what_cannot_be_read(finished):
    for file in finished.glob("rejected/shard_*/*.json"):
        readable = json.loads(file.read_text())["reason"] != "unreadable"
        assert file.with_suffix(".jpg").is_file() == readable


def test_nothing_tells_where_the_photographs_were(finished, photographs):
    for file in finished.rglob("*"):
        if file.suffix in (".json", ".yaml"):
            assert str(photographs) not in file.read_text()


def test_a_crop_is_centred_on_its_animal_and_its_box_says_where_it_was(finished, photographs):
    stem = finished / "shard_00000" / "cow_000000"
    mask = cv2.imread(f"{stem}_mask.png", cv2.IMREAD_UNCHANGED)
    assert mask.shape == (32, 32) and set(np.unique(mask)) == {0, 255}
    rows, columns = np.nonzero(mask)
    assert rows.mean() == pytest.approx(15.5, abs=0.6) and columns.mean() == pytest.approx(15.5, abs=0.6)
    x, y, width, height = json.loads(Path(f"{stem}.json").read_text())["crop_box"]
    assert (
        width == height
        and x + width / 2 == pytest.approx(64, abs=1)
        and y + height / 2 == pytest.approx(48, abs=1)
    )


def test_the_set_is_verified_and_read_without_truth(finished):
    assert problems(finished) == []
    data = open_data_set(finished)
    batch = load_batch(data, [0, 1, 2, 3], image_size=32)
    assert batch.truth is None and batch.masks.shape == (4, 32, 32, 1)
    with pytest.raises(InputError, match="no truth"):
        canonical_mesh(data)


@pytest.mark.parametrize("moment", range(1, 23, 3))
def test_killed_at_any_moment_and_resumed_it_ends_with_the_same_bytes(
    moment, photographs, finished, tmp_path
):
    done = 0

    def stages(name: str, total: int):
        def advance(count: int) -> None:
            nonlocal done
            done += count
            if done >= moment:
                raise Killed

        return advance

    with pytest.raises(Killed):
        make(photographs, tmp_path / "cow", stages)
    # What a run that had no time to clean up leaves behind.
    for parent in (tmp_path / "cow", tmp_path / "cow" / "drafts"):
        if parent.is_dir():
            (parent / ".shard_00001.0123456789ab.part").mkdir()
    assert problems(tmp_path / "cow")
    assert contents(make(photographs, tmp_path / "cow")) == contents(finished)
    assert problems(tmp_path / "cow") == []


def test_two_ranks_make_the_same_set_as_one(photographs, finished, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[2])
    out = tmp_path / "ranks"
    context = multiprocessing.get_context("spawn")
    second = context.Process(target=make, args=(photographs, out, silent, Team(1, 2)))
    second.start()
    make(photographs, out, team=Team(0, 2))
    second.join()
    assert second.exitcode == 0
    assert contents(out) == contents(finished)


def test_a_finished_set_is_left_as_it_is(finished, photographs):
    before = {path: path.stat().st_mtime_ns for path in finished.rglob("*")}
    make(photographs, finished)
    assert {path: path.stat().st_mtime_ns for path in finished.rglob("*")} == before


def test_other_photographs_or_settings_are_refused(finished, photographs, tmp_path):
    other = write_photographs(tmp_path / "other")
    for file in other.glob("c_good*"):
        file.unlink()
    with pytest.raises(ConfigError, match="already holds a data set with count 11, not 10"):
        make(other, finished)
    changed = ImageSet(
        replace(SETTINGS, filter=FilterConfig(min_area=0.1)), photographs_in(photographs, "cow"), finished
    )
    with pytest.raises(ConfigError, match="already holds a data set with filter"):
        write_image_set(changed, describe(changed), silent, team=Team())


def test_a_full_disk_leaves_no_half_of_anything(photographs, tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("farm3d.synth.image_sets.write_sample", full)
    with pytest.raises(InputError, match="No space left on device"):
        make(photographs, tmp_path / "cow")
    assert sorted(path.name for path in (tmp_path / "cow").rglob("*")) == ["dataset.yaml", "drafts"]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda s: (s / "shard_00000/cow_000000.jpg").write_bytes(b""), "cow_000000.jpg: nothing readable"),
        (lambda s: cut_short(s / "shard_00000/cow_000002_mask.png"), "nothing readable"),
        (lambda s: (s / "shard_00000/cow_000000.json").write_text("{"), "not a sample's record"),
        (lambda s: (s / "shard_00000/cow_000000.json").unlink(), "picture 0 is there 0 times"),
        (lambda s: (s / "shard_00001/extra.txt").write_text(""), "extra.txt: does not belong"),
        (lambda s: (s / "settled.json").write_text(""), "settled.json: does not belong"),
        (lambda s: (s / "rejected/shard_00000/cow_000001.jpg").unlink(), "missing or unreadable"),
        (lambda s: blacken(s / "shard_00000/cow_000000_mask.png"), "no animal"),
        (lambda s: (s / "dataset.yaml").write_text("category: cow\nformat_version: 1\n"), "format_version 1"),
        (lambda s: drop_line(s / "dataset.yaml", "size: 32"), "lacks size"),
        (lambda s: drop_line(s / "dataset.yaml", "  kept: 4"), "says 0 kept, there are 4"),
    ],
)
def test_verify_names_what_is_wrong(damage, words, finished, photographs, tmp_path):
    copy = make(photographs, tmp_path / "cow")
    damage(copy)
    assert any(words in problem for problem in problems(copy)), problems(copy)


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-20])


def blacken(file: Path) -> None:
    cv2.imwrite(str(file), np.zeros((32, 32), np.uint8))


def drop_line(file: Path, line: str) -> None:
    lines = file.read_text().splitlines()
    lines.remove(line)
    file.write_text("\n".join(lines) + "\n")


def test_inspect_counts_and_shows(finished, tmp_path):
    found = inspect(finished)
    lines = summary(found)
    assert lines[0] == f"{finished}: cow, kept 4 of 11"
    assert any("truncated" in line and line.split()[-2] == "1" for line in lines)
    write_inspection(found, tmp_path / "page")
    page = (tmp_path / "page" / "index.html").read_text()
    assert page.count("<figure>") == 4 + 6
    assert 'src="http' not in page and "Rejected: truncated" in page
    assert cv2.imread(str(tmp_path / "page" / "contact_sheet.png")) is not None


def test_a_folder_without_photographs_is_one_line(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        photographs_in(tmp_path / "nowhere", "cow")
    with pytest.raises(InputError, match="no images"):
        photographs_in(tmp_path, "cow")
