"""Processes and accumulated parts share a step: their mean gradient is that of the whole batch."""

import multiprocessing
import os
import socket
from pathlib import Path

import pytest
import torch

from farm3d.config import load_config
from farm3d.data.image_folder import ImageDataSet, open_data_set
from farm3d.errors import ConfigError, TrainingError
from farm3d.training import head_check
from farm3d.training.batches import check_parts, portions
from farm3d.training.config import TrainConfig
from farm3d.training.curricula import terms_by_step
from farm3d.training.learner import new_learner, take_step
from farm3d.training.ranks import ALONE, Part, Ranks, joined_ranks
from farm3d.training.train_step import prior_terms
from farm3d.training.trainer import train

STEP = 5
SECONDS = 60.0
SMALL = ("batch_size=4", "gradient_clip=1.0e+9", "model.grid_resolution=32", "picture_every=1000")
KINDS = {
    "images": (
        "supervision=images",
        "model.feature_channels=16",
        "images.grid_resolution=32",
        "images.articulation_from=0",
        "images.deformation_from=0",
        "images.eikonal_points=201",
        "guidance.source=pictures",
        "guidance.background=0.5",
        "guidance.every=2",
        "weights.distillation=0.01",
    ),
    "truth": ("prior_steps=0",),
}
Gradients = dict[str, torch.Tensor]


def config(data: ImageDataSet, kind: str, accumulate: int = 1) -> TrainConfig:
    changes = [*SMALL, *KINDS[kind], f"accumulate={accumulate}"]
    if kind == "images":
        changes.append(f"guidance.pictures={data.folder}")
    return load_config(TrainConfig, preset_or_file="tiny", overrides=changes)


def gradients(data: ImageDataSet, kind: str, *, accumulate: int = 1, ranks: Ranks = ALONE) -> Gradients:
    """Of one step on a new model, and its loss."""
    settings = config(data, kind, accumulate)
    learner = new_learner(settings, ranks.device)
    stream = terms_by_step(settings, data, learner.model, run=Path("unused"), first=STEP, ranks=ranks)
    losses = take_step(settings, learner, stream, step=STEP, ranks=ranks)
    stream.close()
    named = learner.model.named_parameters()
    assert losses.loss == pytest.approx(
        sum(settings.weights.at(STEP)[n] * t for n, t in losses.terms.items())
    )
    return {name: parameter.grad for name, parameter in named if parameter.grad is not None}


def assert_same(found: Gradients, expected: Gradients) -> None:
    """To three millionths of the whole gradient; that of each part, where more cancels, to 1e-5."""
    assert found.keys() == expected.keys()
    assert relative_error(found, expected) < 3e-6
    for part in {name.split(".")[0] for name in expected}:
        assert relative_error(found, expected, part) < 1e-5, part


def relative_error(found: Gradients, expected: Gradients, start: str = "") -> float:
    """Of the vector of all gradients whose names begin with `start`."""
    ours, wanted = (
        torch.cat([g.flatten() for name, g in sorted(of.items()) if name.startswith(start)])
        for of in (found, expected)
    )
    return float((ours - wanted).norm() / wanted.norm())


@pytest.fixture(scope="module")
def data(farm_folder: Path) -> ImageDataSet:
    return open_data_set(farm_folder)


def work(data: ImageDataSet, rank: int, port: int, *, folder: Path) -> None:
    """One of two processes, as a launcher starts them: its gradients of every kind to a file."""
    from accelerate import PartialState

    places = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 2, "OMP_NUM_THREADS": 1}
    os.environ |= {name: str(value) for name, value in places.items()}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    PartialState._reset_state()
    with joined_ranks(torch.device("cpu")) as ranks:
        results = {kind: gradients(data, kind, ranks=ranks) for kind in KINDS}
        torch.save(results, folder / f"{rank}.pt")
        assert ranks.any(rank == 1) and not ranks.any(False)
        run = folder / f"run_{rank}"
        if rank == 1:
            settings = config(data, "images").model_copy(update={"steps": 1})
            train(settings, data, run, metadata={"config": settings.model_dump(mode="json")})
        with pytest.raises(TrainingError, match=r"steps \[0, 1\]: they have to see the same folder"):
            settings = config(data, "images").model_copy(update={"steps": 2})
            train(settings, data, run, metadata={}, ranks=ranks)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(head_check, "changed_places", lambda fitting, count: rank == 1)
            settings, model = config(data, "images"), new_learner(config(data, "images"), ranks.device).model
            with pytest.raises(TrainingError, match="head and tail have changed places"):
                head_check.check_head(
                    settings, data, model, run=folder, step=1, notice=lambda line: None, ranks=ranks
                )
        if rank == 1:
            os._exit(0)
        with pytest.raises(TrainingError, match="another process of this training has ended"):
            ranks.wait()
        os._exit(0)


@pytest.fixture(scope="module")
def of_two_processes(
    data: ImageDataSet, tmp_path_factory: pytest.TempPathFactory
) -> list[dict[str, Gradients]]:
    """What each of two gloo processes comes to."""
    folder = tmp_path_factory.mktemp("ranks")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    context = multiprocessing.get_context("fork")
    team = [
        context.Process(target=work, args=(data, rank, port), kwargs={"folder": folder}) for rank in (0, 1)
    ]
    for process in team:
        process.start()
    for process in team:
        process.join(SECONDS)
        process.kill()
    assert [process.exitcode for process in team] == [0, 0]
    return [torch.load(folder / f"{rank}.pt") for rank in (0, 1)]


@pytest.mark.parametrize("kind", KINDS)
def test_two_processes_have_the_gradients_of_one_with_the_whole_batch(
    data: ImageDataSet, of_two_processes: list[dict[str, Gradients]], kind: str
) -> None:
    whole = gradients(data, kind)
    for found in of_two_processes:
        assert_same(found[kind], whole)
    first, second = (found[kind] for found in of_two_processes)
    assert all(torch.equal(first[name], second[name]) for name in whole)


@pytest.mark.parametrize("kind", KINDS)
def test_accumulated_parts_have_the_gradients_of_the_whole_batch(data: ImageDataSet, kind: str) -> None:
    assert_same(gradients(data, kind, accumulate=2), gradients(data, kind))


def test_parts_of_the_points_that_fit_the_shape_have_the_terms_of_all(data: ImageDataSet) -> None:
    field = new_learner(config(data, "truth"), torch.device("cpu")).model.sdf
    points = torch.rand(4097, 3, generator=torch.Generator().manual_seed(0))
    truth = points.norm(dim=1) - 0.5
    whole = prior_terms(field, points, truth).present()
    parts = [prior_terms(field, points, truth, part=Part(index, 3)).present() for index in range(3)]
    for name, term in whole.items():
        torch.testing.assert_close(torch.stack([part[name] for part in parts]).mean(), term)


def test_parts_make_up_the_batch_bit_for_bit(data: ImageDataSet) -> None:
    """Of processes, of accumulation, of threads and of the cache nothing shows in what a sample is."""
    for kind in ("images", "truth"):
        stream = portions(config(data, kind), data, first=STEP)
        whole = next(stream)
        stream.close()
        for rank in range(2):
            changed = config(data, kind, accumulate=2).model_copy(
                update={"load_workers": 3, "cache_gigabytes": 0.0}
            )
            parts = portions(changed, data, first=STEP, ranks=Ranks(rank, 2))
            for portion in (next(parts), next(parts)):
                places = portion.part.places
                assert portion.ids == whole.ids[places] and len(portion.ids) == 1
                assert torch.equal(portion.batch.images, whole.batch.images[places])
                assert torch.equal(portion.inputs[0], whole.inputs[0][places])
                assert torch.equal(portion.inputs[1], whole.inputs[1][places])
                if whole.batch.truth is not None and portion.batch.truth is not None:
                    assert torch.equal(
                        portion.batch.truth.posed_points, whole.batch.truth.posed_points[places]
                    )
            parts.close()


def test_shares_of_unequal_parts_add_up() -> None:
    values = torch.arange(7.0)
    parts = [Part(index, 3) for index in range(3)]
    mean = sum(part.share(7) * float(values[part.places].mean()) for part in parts) / 3
    assert mean == pytest.approx(float(values.mean()))


def test_a_batch_that_cannot_be_cut_is_refused(data: ImageDataSet) -> None:
    with pytest.raises(ConfigError, match="batch_size is 4, which 3 x 1 equal parts"):
        check_parts(config(data, "images"), Ranks(0, 3))
    with pytest.raises(ConfigError, match="render_images is 2, which 2 x 2 equal parts"):
        check_parts(config(data, "truth", accumulate=2), Ranks(0, 2))
    with pytest.raises(ConfigError, match=r"batch_size / guidance\.every is 2, which 1 x 4"):
        check_parts(config(data, "images", accumulate=4), ALONE)
