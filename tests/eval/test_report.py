"""Reports: what metrics.json holds, a page that needs nothing else, plots that show something."""

import io
import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from farm3d.eval.report import Case, Plot, Provenance, Report, best_median_worst, metrics_json, write_report
from farm3d.eval.report_figures import histogram, pck_curve, scatter, share_within
from PIL import Image

from farm3d.errors import InputError
from farm3d.io.html_report import Table


class Tags(HTMLParser):
    """The start tags of a page with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def plots() -> dict[str, bytes]:
    generator = np.random.default_rng(3)
    errors = {name: generator.random(40).tolist() for name in ("predicted", "refined")}
    return {
        "errors": histogram(errors, label="error"),
        "pck": pck_curve({name: share_within(values) for name, values in errors.items()}),
        "viewpoint": scatter(
            [-90.0, 10.0], [0.1, 0.2], labels=("azimuth", "error"), ticks=(-180.0, 0.0, 180.0)
        ),
    }


@pytest.fixture(scope="module")
def report() -> Report:
    return Report(
        benchmark="photos",
        title="Photographs <of> horses",
        provenance=Provenance("farm3d-eval photos 'a & b'", {"steps": 3}, "horse.safetensors", "ab" * 32),
        metrics={"mean": 0.5, "psnr": math.inf},
        rows=[{"name": "a", "error": math.nan}],
        tables=(Table("Rows", ("photograph", "IoU"), (("a<b", "0.5"),)),),
        plots=tuple(Plot(name, name, f"a plot of {name}", png) for name, png in plots().items()),
        cases={"Worst": [Case("a: <bad>", 'the "photograph" a', plots()["pck"])]},
        warnings=("b: no <mask>",),
    )


@pytest.fixture(scope="module")
def page(report: Report, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("reports") / "report"
    write_report(folder, report)
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == {
        "metrics.json",
        "report.html",
        "figures/errors.png",
        "figures/pck.png",
        "figures/viewpoint.png",
    }
    return (folder / "report.html").read_text()


def test_metrics_json_says_where_figures_come_from(report: Report) -> None:
    document = json.loads(metrics_json(report))
    assert list(document) == [
        "schema_version",
        "benchmark",
        "command",
        "config",
        "checkpoint",
        "versions",
        "metrics",
        "rows",
    ]
    assert document["schema_version"] == 1
    assert document["checkpoint"] == {"file": "horse.safetensors", "sha256": "ab" * 32}
    assert document["config"] == {"steps": 3}


def test_numbers_that_json_cannot_hold_are_null(report: Report) -> None:
    text = metrics_json(report).decode()
    document = json.loads(text)
    assert document["metrics"] == {"mean": 0.5, "psnr": None}
    assert document["rows"] == [{"name": "a", "error": None}]
    assert "NaN" not in text and "Infinity" not in text


def test_every_picture_has_a_text_and_every_table_headers(page: str) -> None:
    tags = Tags(page)
    assert len(tags.all("img")) == 4
    assert all(image["alt"] for image in tags.all("img"))
    assert {cell.get("scope") for cell in tags.all("th")} == {"row", "col"}
    assert tags.all("html")[0]["lang"] == "en"
    regions = [part for part in tags.all("div") if part.get("role") == "region"]
    assert [part["aria-label"] for part in regions] == ["Rows"]


def test_the_page_needs_nothing_else(page: str) -> None:
    tags = Tags(page)
    assert all((image["src"] or "").startswith("data:image/") for image in tags.all("img"))
    assert [link["href"] for link in tags.all("link")] == ["data:,"]
    assert tags.all("script") == [] and tags.all("a") == []
    assert not re.search(r"https?://|url\(", page)


def test_all_text_arrives_escaped(page: str) -> None:
    for text in ("Photographs &lt;of&gt; horses", "a&lt;b", "a: &lt;bad&gt;", "no &lt;mask&gt;", "a &amp; b"):
        assert text in page
    assert "the &quot;photograph&quot; a" in page


@pytest.mark.parametrize("name", ["errors", "pck", "viewpoint"])
def test_plots_are_pictures_with_something_in_them(name: str) -> None:
    with Image.open(io.BytesIO(plots()[name])) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    assert min(pixels.shape[:2]) > 300
    coloured = np.ptp(pixels, axis=-1) > 40
    assert coloured.sum() > 50, "data are drawn in colours, axes in grey"
    assert (pixels.min(axis=-1) > 250).mean() < 0.99


def test_equal_samples_give_equal_plots() -> None:
    assert plots() == plots()


def test_a_histogram_of_equal_or_infinite_values_is_drawn() -> None:
    assert histogram({"one": [0.5]}, label="error").startswith(b"\x89PNG")
    assert histogram({"one": [1.0, 2.0, math.inf]}, label="PSNR").startswith(b"\x89PNG")


def test_the_share_within_a_threshold_by_hand() -> None:
    curve = dict(share_within([0.05, 0.1, 0.2, 0.4], largest=0.3, steps=3))
    assert list(curve) == pytest.approx([0.0, 0.1, 0.2, 0.3])
    assert list(curve.values()) == [0.0, 0.25, 0.5, 0.75], "an error on the threshold is not within it"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3.0, 1.0, 2.0], {"best": [1], "median": [2], "worst": [0]}),
        ([5.0], {"best": [0], "median": [], "worst": []}),
        ([], {"best": [], "median": [], "worst": []}),
    ],
)
def test_best_median_and_worst_by_hand(values: list[float], expected: dict[str, list[int]]) -> None:
    assert best_median_worst(values) == expected


def test_best_median_and_worst_share_nobody() -> None:
    values = np.random.default_rng(1).random(23).tolist()
    chosen = best_median_worst(values, largest_is_best=True)
    everyone = [k for indices in chosen.values() for k in indices]
    assert len(everyone) == len(set(everyone)) == 9
    assert values[chosen["best"][0]] == max(values) and values[chosen["worst"][-1]] == min(values)


def test_an_older_report_is_replaced_and_a_file_is_not(report: Report, tmp_path: Path) -> None:
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "old.txt").write_text("old")
    write_report(tmp_path / "report", report)
    assert not (tmp_path / "report" / "old.txt").exists()
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="a file of that name is in the way"):
        write_report(tmp_path / "file", report)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "report"]
