"""The ablation's rows, its table from made-up scores, and the baseline."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from farm3d.eval.ablation import ROWS, RunScore, Values, read_score, read_scores, score_file, write_score
from farm3d.eval.ablation_score import last_phase
from farm3d.eval.ablation_table import FIGURES, ablation_table, against_mean_shape, write_tables
from farm3d.eval.bootstrap import paired_difference
from farm3d.eval.leg_count import LegCount
from farm3d.eval.mean_shape import mean_shape
from farm3d.eval.procedural import score_picture
from farm3d.eval.true_pictures import SAME_FRAME, true_pictures

from farm3d.config import load_config
from farm3d.data.image_folder import canonical_mesh, open_data_set
from farm3d.errors import ConfigError, InputError
from farm3d.models.animal_model import Phase
from farm3d.training.config import TrainConfig

LEGS = LegCount(components=4, left=2, right=2, front=2, hind=2)
TRAINED = {row.name: row.overrides for row in ROWS if row.overrides is not None}
IMAGES = ("supervision=images", "model.feature_channels=16")
PICTURES = 40


def score(row: str, seed: int, chamfer: tuple[float | None, ...]) -> RunScore:
    count = len(chamfer)
    mean = tuple(0.03 + 0.001 * (k % 5) for k in range(count))
    values = Values(
        chamfer=chamfer,
        unseen_side=chamfer,
        mean_shape_chamfer=mean,
        iou=(0.5,) * count,
        viewpoint_error=(20.0,) * (count - 10) + (50.0,) * 10,
        raw_viewpoint_error=(40.0,) * count,
        psnr=(16.0,) * count,
        unseen_iou=(0.6,) * count,
    )
    command = "" if row == "mean-shape" else f"farm3d-train seed={seed}"
    return RunScore(
        row=row, seed=seed, command=command, checkpoint="a", steps=9, minutes=1.0, values=values,
        pck=0.4, legs=LEGS,
    )  # fmt: skip


def config(row: str) -> TrainConfig:
    return load_config(TrainConfig, preset_or_file="tiny", overrides=[*IMAGES, *(TRAINED[row] or ())])


@pytest.mark.parametrize("row", TRAINED)
def test_every_row_is_a_config_of_its_own(row: str) -> None:
    assert (config(row) == config("full")) == (row in ("full", "no-sds"))


def test_the_rows_leave_out_what_they_say() -> None:
    assert last_phase(config("no-articulation")) == Phase(articulated=False, deformed=False)
    late = ["images.articulation_from=0", "images.deformation_from=0"]
    for row, expected in (
        ("full", Phase()),
        ("no-articulation", Phase(articulated=False)),
        ("no-deformation", Phase(deformed=False)),
        ("supervised", Phase()),
    ):
        overrides = [*IMAGES, *late, *(TRAINED[row] or ())]
        assert last_phase(load_config(TrainConfig, preset_or_file="tiny", overrides=overrides)) == expected
    assert config("no-features").weights.at(0)["features"] == 0.0
    assert config("no-hypotheses").model.viewpoint == "direct"
    assert not config("no-view-words").guidance.view_words
    assert config("supervised").supervision == "truth"


def test_scores_come_back_from_their_files(tmp_path: Path) -> None:
    written = [score("full", seed, (0.02, None)) for seed in (2, 0)]
    for one in written:
        write_score(one, score_file(tmp_path, ROWS[0], one.seed))
    assert read_scores(tmp_path) == {"full": [written[1], written[0]]}
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    with pytest.raises(InputError, match="not a score of farm3d-bench ablation"):
        read_score(broken)
    broken.write_text('{"row": "full"}')
    with pytest.raises(ConfigError, match="missing"):
        read_score(broken)


def test_the_table_shows_means_spreads_and_the_difference_from_the_mean_shape(tmp_path: Path) -> None:
    base = np.array(score("full", 0, (0.03,) * PICTURES).values.mean_shape_chamfer)
    scores = {
        "full": [score("full", seed, tuple((0.8 + 0.1 * seed) * base)) for seed in (0, 1)],
        "mean-shape": [score("mean-shape", 0, tuple(base))],
    }
    head, full, mean = ablation_table(scores)
    cells = dict(zip(head, full, strict=True))
    assert cells["row"] == "the full method"
    assert cells["seeds"] == "0, 1"
    assert cells["Chamfer"] == f"{0.85 * base.mean():.4f} ± {np.std([0.8, 0.9], ddof=1) * base.mean():.4f}"
    assert cells["within 30 degrees, %"] == "75.0 ± 0.0"
    assert cells["less mean shape, %"] == "-15.0 (-15.0 to -15.0)"
    assert cells["legs"] == "4 (four legs), 4 (four legs)"
    assert mean[head.index("less mean shape, %")] == "+0.0 (+0.0 to +0.0)"
    text = write_tables(scores, tmp_path)
    assert (tmp_path / "table.md").read_text() == text
    assert "farm3d-train seed=1" in text
    rows = json.loads((tmp_path / "table.json").read_text())["rows"]
    assert [row["row"] for row in rows] == ["full", "mean-shape"]
    assert set(rows[0]["figures"]) == set(FIGURES)
    assert rows[0]["less_mean_shape"]["share"] == pytest.approx(-0.15)


def test_pictures_without_volume_are_left_out_and_counted() -> None:
    two = [score("full", 0, (0.02, None, 0.02)), score("full", 1, (0.02, 0.02, 0.02))]
    found = against_mean_shape(two)
    assert found is not None and found.images == 2
    assert FIGURES["without_volume"](two[0]) == 1.0
    assert against_mean_shape([score("full", 0, (None, None))]) is None


def test_a_paired_difference_knows_that_the_pictures_are_the_same() -> None:
    rng = np.random.default_rng(0)
    others = rng.uniform(0.01, 0.05, size=100)
    values = 0.9 * others + rng.normal(0.0, 0.0005, size=100)
    found = paired_difference(values, others)
    assert found.share == pytest.approx(-0.1, abs=0.01)
    assert found.interval.low < found.share < found.interval.high < -0.09
    shuffled = paired_difference(rng.permutation(values), others)
    assert shuffled.interval.high - shuffled.interval.low > 10 * (found.interval.high - found.interval.low)


def test_the_mean_shape_is_the_same_everywhere(farm_folder: Path) -> None:
    data = open_data_set(farm_folder)
    few = list(true_pictures(replace(data, samples=data.samples[:6]), image_size=32, unseen=False))
    constant = mean_shape(data, few)
    assert torch.equal(constant.posed_mesh.vertices[0], canonical_mesh(data).vertices)
    rotation = constant.camera.world_to_camera[0, :3, :3]
    others = torch.stack([picture.animal.camera.world_to_camera[:3, :3] for picture in few])

    def spread(candidate: torch.Tensor) -> float:
        return float((others - candidate).square().sum())

    assert all(spread(rotation) <= spread(other) for other in others)
    (unseen,) = true_pictures(replace(data, samples=data.samples[:1]), image_size=32, unseen=True)
    scored = score_picture(unseen, constant, alignment=SAME_FRAME)
    assert scored.predicted.surface is not None
    assert scored.predicted.surface.chamfer == scored.mean_shape
