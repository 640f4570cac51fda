"""Data sets are the same bytes for the same seed, whether or not a run was killed on the way."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import yaml
from farm3d.synth.dataset import FarmSettings, default_individuals, write_farm
from farm3d.synth.processes import Team
from farm3d.synth.verification import verify

from farm3d.data.image_folder import load_batch, open_data_set
from farm3d.errors import ConfigError, InputError

SETTINGS = FarmSettings("horse", count=10, size=64, seed=3, individuals=2, shard_size=4)


class Killed(BaseException):
    """Stands for a signal in the middle of the work."""


def ignore(done: int) -> None:
    pass


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("farm") / "horse"
    write_farm(SETTINGS, out, ignore)
    return out


def test_the_files_are_those_of_the_format(finished):
    assert sorted(path.name for path in finished.iterdir()) == [
        "canonical.npz",
        "dataset.yaml",
        "individuals",
        "shard_00000",
        "shard_00001",
        "shard_00002",
    ]
    assert [len(list(finished.glob(f"shard_{k:05d}/*.json"))) for k in range(3)] == [4, 4, 2]
    description = yaml.safe_load((finished / "dataset.yaml").read_text())
    assert description["category"] == "horse"
    assert description["count"] == 10
    assert "/" not in (finished / "dataset.yaml").read_text()


def test_a_sample_has_image_mask_features_and_truth_of_the_said_sizes(finished):
    stem = finished / "shard_00001" / "horse_000005"
    assert cv2.imread(f"{stem}.jpg").shape == (64, 64, 3)
    assert set(np.unique(cv2.imread(f"{stem}_mask.png", cv2.IMREAD_UNCHANGED))) == {0, 255}
    with np.load(f"{stem}_features.npz") as arrays:
        assert (arrays["features"].shape, arrays["features"].dtype) == ((16, 32, 32), np.float16)
    truth = json.loads(Path(f"{stem}.json").read_text())
    assert set(truth) == {
        "id",
        "seed",
        "individual",
        "prompt",
        "crop_box",
        "score",
        "camera",
        "light",
        "pose",
        "keypoints",
    }
    assert truth["id"] == "horse_000005"
    assert truth["crop_box"] == [0, 0, 64, 64]
    assert len(truth["pose"]["joint_angles"]) == 32


def test_the_description_ends_with_the_results(finished):
    results = yaml.safe_load((finished / "dataset.yaml").read_text())["results"]
    assert (results["kept"], results["rejected"]) == (10, {})
    assert sum(entry["kept"] for entry in results["prompts"]) == 10
    assert all(entry["kept"] == entry["drawn"] for entry in results["prompts"])


def test_two_processes_of_one_rank_make_the_same_bytes(finished, tmp_path):
    counts: list[int] = []
    write_farm(SETTINGS, tmp_path / "pair", counts.append, team=Team(workers=2))
    assert contents(tmp_path / "pair") == contents(finished)
    assert sum(counts) == SETTINGS.count


def test_a_sample_takes_less_than_100_kilobytes(finished):
    samples = sum(path.stat().st_size for path in finished.glob("shard_*/*"))
    assert samples / SETTINGS.count < 100_000


def test_individuals_hold_what_posing_needs(finished):
    with np.load(finished / "individuals" / "1.npz") as arrays:
        count = len(arrays["rest_vertices"])
        assert arrays["faces"].dtype == np.int32
        assert arrays["skinning_indices"].shape == arrays["skinning_weights"].shape == (count, 4)
        assert arrays["rest_joints"].shape == (len(arrays["parents"]), 2, 3)
        assert arrays["canonical"].shape == (count, 3)


def test_the_reader_poses_the_individual_into_the_mask(finished):
    """farm3d.data's batch: posed surface points project into the animal's mask."""
    batch = load_batch(
        open_data_set(finished),
        [0, 3, 9],
        image_size=64,
        truth_points=200,
        rngs=[np.random.default_rng(k) for k in range(3)],
    )
    matrix = batch.truth.world_to_camera
    seen = batch.truth.posed_points @ matrix[:, :3, :3].transpose(1, 2) + matrix[:, None, :3, 3]
    scale = 1.0 / np.tan(np.radians(12.5))
    places = torch.stack([seen[..., 0], -seen[..., 1]], dim=-1) * scale / -seen[..., 2:]
    grown = torch.nn.functional.max_pool2d(batch.masks.movedim(-1, 1), 3, stride=1, padding=1)
    sampled = torch.nn.functional.grid_sample(grown, places[:, None], align_corners=False)
    assert (sampled > 0.2).float().mean() > 0.99


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_animals(finished, tmp_path):
    write_farm(SETTINGS, tmp_path / "again", ignore)
    assert contents(tmp_path / "again") == contents(finished)
    write_farm(replace(SETTINGS, seed=4), tmp_path / "other", ignore)
    with np.load(finished / "individuals/0.npz") as one, np.load(tmp_path / "other/individuals/0.npz") as two:
        assert np.abs(one["rest_vertices"] - two["rest_vertices"]).max() > 0.01


@pytest.mark.parametrize("moment", [1, 6, 10])
def test_a_run_killed_in_the_middle_ends_with_the_same_bytes(moment, finished, tmp_path):
    done = 0

    def stop(count: int) -> None:
        nonlocal done
        done += count
        if done == moment:
            raise Killed

    with pytest.raises(Killed):
        write_farm(SETTINGS, tmp_path / "killed", stop)
    assert list(verify(tmp_path / "killed", ignore))
    # What a run that had no time to clean up leaves behind.
    leftover = tmp_path / "killed" / "drafts" / ".animal_00000_000.0123456789ab.part"
    leftover.mkdir()
    (leftover / "horse_000004.jpg").write_bytes(b"half")
    first = (tmp_path / "killed" / "individuals" / "0.npz").stat().st_mtime_ns
    write_farm(SETTINGS, tmp_path / "killed", ignore)
    assert contents(tmp_path / "killed") == contents(finished)
    assert list(verify(tmp_path / "killed", ignore)) == []
    if moment == 10:
        assert (tmp_path / "killed" / "individuals" / "0.npz").stat().st_mtime_ns == first


def test_progress_counts_every_sample_once(finished):
    counts: list[int] = []
    write_farm(SETTINGS, finished, counts.append)
    assert sum(counts) == SETTINGS.count


def test_other_settings_in_the_same_folder_are_refused(finished):
    before = contents(finished)
    with pytest.raises(ConfigError, match="seed 3, not 8"):
        write_farm(replace(SETTINGS, seed=8), finished, ignore)
    assert contents(finished) == before


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="not empty"):
        write_farm(SETTINGS, tmp_path, ignore)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_output_that_cannot_be_a_folder_is_refused(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    for out in (file, file / "below"):
        with pytest.raises(InputError):
            write_farm(SETTINGS, out, ignore)


@pytest.mark.parametrize(("text", "words"), [("- 1\n- 2\n", "already holds"), ("a: [", "not valid YAML")])
def test_a_foreign_description_is_refused(tmp_path, text, words):
    (tmp_path / "dataset.yaml").write_text(text)
    with pytest.raises(ConfigError, match=words):
        write_farm(SETTINGS, tmp_path, ignore)


def test_individuals_follow_the_count():
    assert [default_individuals(count) for count in (1, 1000, 100_000)] == [8, 20, 64]
