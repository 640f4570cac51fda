"""From a word to a training set, from end to end: a tiny Stable Diffusion, GrabCut, the filter and DINO.

The networks are real and small or untrained: the diffusion model has learnt farm pictures by heart, the
vision transformer has random weights.
"""

import json
import multiprocessing
import os
import random
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
import timm
import torch
import yaml
from farm3d.synth.verification import verify
from safetensors.torch import save_file

from farm3d.cli.synth import main
from farm3d.config import dump_config
from farm3d.data.image_folder import load_batch, open_data_set
from farm3d.pretrained.dino import ARCHITECTURE

from .test_image_sets import contents
from .tiny_diffusion import tiny_settings

COUNT, KILLS = 8, 5


@pytest.fixture(scope="module")
def dino_weights(tmp_path_factory) -> Path:
    """A vision transformer of DINO's shape that knows nothing."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = timm.create_model(ARCHITECTURE, pretrained=False, num_classes=0)
    file = tmp_path_factory.mktemp("dino") / "random.safetensors"
    save_file(network.state_dict(), file)
    return file


@pytest.fixture(scope="module")
def arguments(tiny_diffusion_folder, dino_weights, tmp_path_factory) -> list[str]:
    """The command, but for --out: eight pictures of 64 pixels, cropped to 32, in shards of three."""
    config = tmp_path_factory.mktemp("config") / "tiny.yaml"
    config.write_text(dump_config(tiny_settings(tiny_diffusion_folder, "batch=3")))
    words = f"--category cow --count {COUNT} --size 32 --segmenter grabcut --shard-size 3 --quiet"
    return [*words.split(), "--config", str(config), "--dino-weights", str(dino_weights)]


@pytest.fixture(scope="module")
def finished(arguments, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("sets") / "cow"
    assert main([*arguments, "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def processes() -> multiprocessing.context.ForkServerContext:
    """Processes that have imported the heavy libraries already, and compute nothing before they start."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["farm3d.cli.synth_make", "diffusers.pipelines.stable_diffusion", "timm"])
    return context


def as_rank(rank: int, ranks: int, arguments: list[str]) -> None:
    """The command as a launcher starts it."""
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": str(ranks)}
    raise SystemExit(main(arguments))


def start(processes, arguments: list[str], out: Path, *, rank: int = 0, ranks: int = 1) -> BaseProcess:
    process = processes.Process(target=as_rank, args=(rank, ranks, [*arguments, "--out", str(out)]))
    process.start()
    return process


def test_a_word_becomes_a_set_with_kept_and_rejected_pictures(finished):
    results = yaml.safe_load((finished / "dataset.yaml").read_text())["results"]
    assert results["kept"] >= COUNT // 2
    assert 0 < sum(results["rejected"].values()) == COUNT - results["kept"]
    assert sum(entry["drawn"] for entry in results["prompts"]) == COUNT
    assert list(verify(finished, lambda done: None)) == []


def test_prompt_seed_and_model_are_kept(finished):
    description = yaml.safe_load((finished / "dataset.yaml").read_text())
    assert description["diffusion"]["revision"].startswith("sha256-")
    seeds = set()
    for file in [*finished.glob("shard_*/*.json"), *finished.glob("rejected/shard_*/*.json")]:
        record = json.loads(file.read_text())
        assert "cow" in record["prompt"] or "calf" in record["prompt"] or record["view"]
        seeds.add(record["seed"])
    assert len(seeds) == COUNT


def test_features_are_read_with_the_batch(finished):
    data = open_data_set(finished)
    assert data.description["feature_space"].startswith("dino-vits8-keys-")
    batch = load_batch(data, [0, 1], image_size=64, features=True)
    assert batch.features is not None and batch.features.shape == (2, 32, 32, 16)
    norms = batch.features.norm(dim=-1)
    assert bool(((norms - 1.0).abs() < 1e-2).logical_or(norms == 0.0).all())
    assert bool((norms > 0).any())


def files_of(folder: Path) -> int:
    """How many files and folders there are; what is renamed meanwhile may be missed."""
    return sum(1 + len(files) for _, _, files in os.walk(folder))


def test_killed_at_random_moments_and_resumed_it_is_the_same_set(
    processes, arguments, finished, tmp_path, monkeypatch
):
    """SIGKILL, which nothing can clean up after; the moments differ from run to run."""
    monkeypatch.syspath_prepend(Path(__file__).parents[2])
    out, moments = tmp_path / "killed", random.Random(time.time_ns())
    files = len(list(finished.rglob("*")))
    for kill in range(1, KILLS + 1):
        process = start(processes, arguments, out)
        wanted = moments.randrange(files * (kill - 1) // KILLS, files * kill // KILLS) + 1
        while process.is_alive() and files_of(out) < wanted:
            time.sleep(0.005)
        process.kill()
        process.join()
        assert process.exitcode in (-9, 0)
    assert main([*arguments, "--out", str(out)]) == 0
    assert contents(out) == contents(finished)
    assert list(verify(out, lambda done: None)) == []


def test_two_processes_make_the_same_set_as_one(processes, arguments, finished, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[2])
    out = tmp_path / "pair"
    pair = [start(processes, arguments, out, rank=rank, ranks=2) for rank in range(2)]
    for process in pair:
        process.join()
        assert process.exitcode == 0
    assert contents(out) == contents(finished)
