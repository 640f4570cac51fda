"""Records become tables, growths and plots; the page of the docs says what its records say."""

from pathlib import Path

import pytest
from farm3d.eval.benchmarks.growth import growth_exponent
from farm3d.eval.benchmarks.plots import plot_rasterize
from farm3d.eval.benchmarks.records import compare, write_record
from farm3d.eval.benchmarks.tables import (
    as_markdown,
    as_text,
    comparison_table,
    document,
    growth_table,
    markdown_of,
    missing_lines,
    record_table,
)

from farm3d.errors import ConfigError, InputError
from farm3d.io.image import read_image

from .sample_records import case, record, star


def test_a_row_says_time_floor_share_and_memory() -> None:
    header, first, *_ = record_table(star())
    row = dict(zip(header, first, strict=True))
    assert row["ms"] == "4.00"
    assert row["ms/image"] == "1.00"
    assert row["floor ms"] == "0.04", "4e5 bytes at 1e10 a second are more than 1e6 operations at 1e11"
    assert row["reached"] == "1.0 %"
    assert (row["peak MB"], row["least MB"]) == ("2.0", "1.0")


def test_empty_columns_are_left_out() -> None:
    header, _ = record_table(record(case(0.25, faces=1)))
    assert header == ["what", "setting", "task", "ms", "quartiles"]


def test_what_could_not_be_measured_is_a_line_and_no_row() -> None:
    lost = case(None, contender="triton").model_copy(update={"missing": "no accelerator"})
    mixed = record(case(1.0), lost)
    assert len(record_table(mixed)) == 2
    (line,) = missing_lines(mixed)
    assert "triton" in line
    assert "no accelerator" in line


def test_growth_is_told_along_one_thing_at_a_time() -> None:
    rows = {row[2]: row for row in growth_table(star())[1:]}
    assert {along: float(row[-1]) for along, row in rows.items()} == {
        "faces": 1.0,
        "pixels": 0.0,
        "images": 2.0,
    }
    assert rows["faces"][3] == "5,000 to 25,000"


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0, 2.0])
def test_a_power_law_has_its_exponent(exponent: float) -> None:
    sizes = [1.0, 10.0, 100.0, 1000.0]
    assert growth_exponent(sizes, [3.0 * size**exponent for size in sizes]) == pytest.approx(exponent)


def test_one_size_has_no_growth() -> None:
    with pytest.raises(ValueError, match="two different sizes"):
        growth_exponent([5.0, 5.0], [1.0, 2.0])


def test_text_and_markdown_hold_every_cell() -> None:
    table = comparison_table(compare(star(), star()))
    for text in (as_text(table), as_markdown(table)):
        assert all(cell in text for row in table for cell in row)
    lines = as_text([["name", "ms"], ["a", "1.00"], ["longer", "100"]]).splitlines()
    assert lines == ["name      ms", "a       1.00", "longer   100"]


def test_a_page_is_rewritten_between_its_marks_only(tmp_path: Path) -> None:
    write_record(star(), tmp_path / "star.json")
    page = "before\n<!-- benchmark: star.json -->\nold\n<!-- end of benchmark -->\nafter\n"
    written = document(page, tmp_path)
    assert written.startswith("before\n<!-- benchmark: star.json -->\n")
    assert written.endswith("<!-- end of benchmark -->\nafter\n")
    assert markdown_of(star()) in written
    assert "old" not in written.replace("old/new", "")
    assert document(written, tmp_path) == written


def test_a_page_without_marks_or_records_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no block"):
        document("nothing here", tmp_path)
    with pytest.raises(InputError, match=r"gone\.json"):
        document("<!-- benchmark: gone.json -->\n<!-- end of benchmark -->", tmp_path)


def test_the_plot_is_a_picture_with_three_panels(tmp_path: Path) -> None:
    plot_rasterize(star(), tmp_path / "plot.png")
    pixels = read_image(tmp_path / "plot.png").pixels
    assert pixels.shape[0] > 400
    assert pixels.shape[1] > 1000
    assert (pixels < 128).any()
    first = (tmp_path / "plot.png").read_bytes()
    plot_rasterize(star(), tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes() == first, "equal records make equal pictures"


def test_nothing_that_grows_makes_no_plot(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing to plot"):
        plot_rasterize(record(case(1.0, faces=1)), tmp_path / "plot.png")
