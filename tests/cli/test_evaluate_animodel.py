"""`farm3d-eval animodel` from end to end on two drawn samples, and its mistakes."""

import json
from pathlib import Path

import pytest
import torch

from farm3d.cli.evaluate import main
from farm3d.io.mesh_files import read_mesh

from .made_up_benchmarks import drawn_horses, write_animodel


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the benchmark, the meshes, the figures and the report."""
    folder = tmp_path_factory.mktemp("animodel")
    write_animodel(folder / "animodel", drawn_horses(folder / "farm", 2))
    arguments = ["animodel", str(folder / "animodel"), "--refine", "0", "--meshes", str(folder / "meshes")]
    assert (
        main([*arguments, "--report", str(folder / "report"), "--out", str(folder / "out.json"), "--quiet"])
        == 0
    )
    return folder


def test_every_image_becomes_a_pair(run: Path) -> None:
    document = json.loads((run / "out.json").read_text())
    assert document["benchmark"] == "animodel"
    assert [row["name"] for row in document["rows"]] == ["000000", "000001"]
    assert document["metrics"]["pairs"] == 2 and document["metrics"]["failed"] == 0
    for row in document["rows"]:
        assert 0.0024 < row["chamfer_scaled"] < 0.05
        assert -180.0 <= row["azimuth_degrees"] <= 180.0
    assert not list(run.glob("out.json.journal"))


def test_meshes_are_posed_surfaces_with_y_up_and_the_head_towards_z(run: Path) -> None:
    for name in ("000000", "000001"):
        ours, true = (
            read_mesh(run / folder / f"{name}.obj") for folder in ("meshes", "animodel/horse/meshes")
        )
        extents = [mesh.vertices.amax(dim=0) - mesh.vertices.amin(dim=0) for mesh in (ours, true)]
        assert torch.allclose(extents[0], extents[1], rtol=0.35)
        assert [int(extent.argmax()) for extent in extents] == [2, 2]


def test_the_report_shows_images_beside_meshes_and_distances_against_viewpoints(run: Path) -> None:
    page = (run / "report" / "report.html").read_text()
    assert page.count("data:image/jpeg") == 2
    assert "the image, the reconstruction and the target" in page
    assert (run / "report" / "figures" / "chamfer_viewpoint.png").is_file()


def test_run_again_nothing_is_reconstructed_anew(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("reconstructed again")

    monkeypatch.setattr("farm3d.eval.animodel.reconstruct", refuse)
    again = ["animodel", str(run / "animodel" / "horse"), "--refine", "0", "--quiet"]
    assert main([*again, "--meshes", str(run / "meshes"), "--out", str(run / "again.json")]) == 0
    first, second = (json.loads((run / name).read_text()) for name in ("out.json", "again.json"))
    assert first["rows"] == second["rows"]
    with pytest.raises(AssertionError, match="reconstructed again"):
        main([*again[:2], "--refine", "1", "--quiet", "--meshes", str(run / "meshes")])


def test_samples_without_a_partner_are_named(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("images", "meshes"):
        (tmp_path / folder).mkdir()
    (tmp_path / "images" / "a.png").write_bytes(b"")
    (tmp_path / "meshes" / "b.obj").write_text("")
    assert main(["animodel", str(tmp_path), "--category", "horse"]) == 2
    error = capsys.readouterr().err
    assert "without an image or a mesh of the same name: a, b" in error
    assert error.count("\n") == 1
    assert main(["animodel", str(tmp_path / "meshes"), "--category", "horse"]) == 2
    assert "no images; give a folder with images/ and meshes/" in capsys.readouterr().err
    assert main(["animodel", str(tmp_path / "nowhere"), "--category", "horse"]) == 2
    assert "no such folder" in capsys.readouterr().err


def test_an_image_that_cannot_be_read_is_told_and_counted(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.png").write_bytes(b"not a picture")
    (tmp_path / "x.obj").write_bytes((run / "animodel/horse/meshes/000000.obj").read_bytes())
    assert main(["animodel", str(tmp_path), "--category", "horse", "--quiet"]) == 2
    said = capsys.readouterr()
    assert "x.png" in said.err
    assert "0 pairs, 0 of them turned by 180 degrees; 1 failed" in said.out


def test_a_folder_that_names_no_species_asks_for_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["animodel", str(tmp_path)]) == 2
    assert "give --category (shipped: " in capsys.readouterr().err
