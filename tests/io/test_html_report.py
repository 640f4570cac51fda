"""Pages say what they were given, escape it, need nothing but themselves, and play in a real browser."""

import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pytest
from PIL import Image

from farm3d.io.gltf import skinned_glb
from farm3d.io.html_report import (
    Figure,
    IndexEntry,
    PhotographView,
    ReportContent,
    index_html,
    report_html,
)

from ..chromium import Visit, nameless, open_browser, tab_stops, visit
from .sample_animal import SCALE, rig, surface

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator

VIEWER = Path(str(files("farm3d.io"))) / "viewer"
THREE_SHA256 = {
    "BufferGeometryUtils.js": "5c552223a9309883743b80538d6e9cdb45e3227f30d3ec56fb2c39b46e78d595",
    "GLTFLoader.js": "97642d720f16cc9a0c9844934198e4d0c023bea8e89576d0f7545d03b2d103d2",
    "LICENSE": "8b378ebe60e2fe500158cb0ac71cb5e8b7d92953c2abcc63a0eb90499653b5bc",
    "OrbitControls.js": "faabb4e8dfd9235ee4a9fd7c9a3d75f90f1689dbd4944bd6fd32117dacec5f93",
    "SkeletonUtils.js": "b1632a703206c3d830de9fcbe515696770d04b71a15ee6b50afa6d2c3298c86f",
    "three.core.min.js": "05b2609338c76cd65daf74f3ac515bc9a5045e1b3b33edc07d8c9bd55250fa90",
    "three.module.min.js": "86bcee248b64f44bcfc23c331ae74619061957d59cab040171dcb6fb5900beb6",
}
HOSTILE = """<script>alert('1')</script> & "horse".jpg"""


class PageReader(HTMLParser):
    """Collects the elements of a page and its visible text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.open = self.open[: len(self.open) - self.open[::-1].index(tag) - 1]

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open):
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]


def plain_png(colour: tuple[int, int, int]) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(stream, format="PNG")
    return stream.getvalue()


@pytest.fixture(scope="module")
def content() -> ReportContent:
    return ReportContent(
        title=HOSTILE,
        figures=(
            Figure("Photograph", f"The crop of {HOSTILE}", plain_png((40, 60, 160))),
            Figure("Mask", "White where the animal is", plain_png((255, 255, 255))),
        ),
        glb=skinned_glb(surface(), rig(), SCALE),
        hypothesis_probabilities=(0.1, 0.7, 0.2),
        hypothesis_azimuths_degrees=(-88.0, 91.6, -0.2),
        chosen_hypothesis=2,
        facts=(("Mask IoU", "0.87"), ("File", HOSTILE)),
        downloads=(("Rigged animal", "animal.glb"), ("Odd", "a #1: <b>.obj")),
        warnings=(f"{HOSTILE} touches the border",),
        photograph_view=PhotographView(-80.0, 10.0, 30.0, 50.0, 0.4, 0.7),
    )


def test_all_text_arrives_escaped(content: ReportContent) -> None:
    page = report_html(content)
    reader = PageReader(page)
    assert "alert(" not in page.replace("alert(&#x27;1&#x27;)", "")
    assert reader.text.count(HOSTILE) == 4  # title, heading, fact, warning
    assert f"{HOSTILE}.glb" in [link.get("download") for link in reader.all("a")]
    assert reader.all("img")[0]["alt"] == f"The crop of {HOSTILE}"
    assert {"href": "./a%20%231%3A%20%3Cb%3E.obj", "download": None} in reader.all("a")


def test_the_page_needs_nothing_else(content: ReportContent) -> None:
    reader = PageReader(report_html(content))
    needed = [
        attributes.get(key) for _, attributes in reader.elements for key in ("src", "href", "srcset", "data")
    ]
    assert all(link.startswith(("data:", "./")) for link in needed if link is not None)
    assert all("src" not in script for script in reader.all("script"))
    assert not re.search(r"@import|url\(", (VIEWER / "style.css").read_text())


def test_every_picture_and_control_has_a_name(content: ReportContent) -> None:
    reader = PageReader(report_html(content))
    assert all(image.get("alt") for image in reader.all("img"))
    labelled = {label.get("for") for label in reader.all("label")}
    ranges = [control["id"] for control in reader.all("input") if control["type"] == "range"]
    assert len(ranges) == 6 and set(ranges) <= labelled
    assert reader.all("canvas")[0]["aria-label"] and reader.all("canvas")[0]["tabindex"] == "0"
    assert reader.all("html")[0]["lang"] == "en"


def test_the_chosen_hypothesis_is_marked_be_it_likely_or_not(content: ReportContent) -> None:
    page = report_html(content)
    (chosen,) = re.findall(r"<tr class=chosen>.*</tr>", page)
    assert ">0°" in chosen and "20.0 %" in chosen and "width:20.0%" in chosen
    assert "−88°" in page and ">0°<" in page


def test_absent_parts_leave_no_trace(content: ReportContent) -> None:
    page = report_html(ReportContent("cow", (), content.glb))
    assert "Viewpoint hypotheses" not in page and "Numbers" not in page and 'class="warnings"' not in page
    assert 'data-view="photograph"' not in page


def test_equal_contents_give_equal_pages(content: ReportContent) -> None:
    assert report_html(content) == report_html(replace(content))


def test_three_is_the_unmodified_release() -> None:
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (VIEWER / "three").iterdir()
    }
    assert found.pop("README.md")
    assert found == THREE_SHA256


def test_embedded_scripts_cannot_end_early() -> None:
    for path in VIEWER.rglob("*.js"):
        assert not re.search(r"</script|<!--", path.read_text(), re.IGNORECASE), path.name


def test_the_viewer_is_small(content: ReportContent) -> None:
    assert sum(path.stat().st_size for path in VIEWER.rglob("*") if path.is_file()) < 3e6
    assert len(report_html(content)) - 4 / 3 * len(content.glb) < 1.2e6


def test_the_index_links_every_result() -> None:
    entry = IndexEntry(
        "horse & foal", "horse #2", "overlay.png", (("Report", "report.html"),), ("cut <off>",)
    )
    page = index_html([entry, replace(entry, title="cow", folder="cow", warnings=())])
    reader = PageReader(page)
    assert [image["src"] for image in reader.all("img")] == [
        "./horse%20%232/overlay.png",
        "./cow/overlay.png",
    ]
    assert reader.all("a")[0]["href"] == "./horse%20%232/report.html"
    assert "2 animals" in reader.text and "horse & foal" in reader.text and "cut <off>" in reader.text


@pytest.fixture(scope="module")
def page(content: ReportContent, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("result") / "report.html"
    path.write_text(report_html(content), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def report(browser: "Browser", page: str) -> Iterator[Visit]:
    """The page in a reader's browser, its model on screen."""
    with visit(browser, page) as seen:
        seen.page.wait_for_selector("html[data-viewer=ready]")
        yield seen


def picture(place: "Locator") -> np.ndarray:
    with Image.open(io.BytesIO(place.screenshot())) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def stage(seen: Visit) -> np.ndarray:
    """What the 3D view shows now."""
    seen.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return picture(seen.page.locator(".stage"))


def changed(first: np.ndarray, second: np.ndarray) -> int:
    """How many pixels differ clearly."""
    return int((np.abs(first - second).max(axis=-1) > 30).sum())


def slide(seen: Visit, label: str, value: float) -> None:
    seen.page.get_by_label(label, exact=True).fill(str(value))


def coat_pixels(shown: np.ndarray) -> int:
    """How many pixels have the striped coat's brown, which nothing else has over an area."""
    return int(((shown[..., 0] - shown[..., 2] > 50) & (shown[..., 0] > shown[..., 1])).sum())


def test_a_browser_shows_the_animal_and_asks_nobody(report: Visit) -> None:
    assert coat_pixels(stage(report)) > 8000
    assert report.complaints == []
    assert [url for url in report.requests if not url.startswith(("file:", "data:", "blob:"))] == []
    assert report.page.get_by_role("radio").count() == 3


@pytest.mark.parametrize("clip", ["Walk", "Idle"])
def test_every_clip_plays_and_closes_its_loop(report: Visit, clip: str) -> None:
    report.page.get_by_role("radio", name=clip).check(force=True)
    assert report.page.get_by_role("button", name="Pause").is_visible()
    time = report.page.get_by_label("Time")
    began = time.input_value()
    report.page.wait_for_function("began => document.getElementById('time').value !== began", arg=began)
    frames = []
    for seconds in (0.0, 0.25, 1.0):
        slide(report, "Time", seconds)
        frames.append(stage(report))
    moved = changed(frames[0], frames[1])
    assert moved > 500 and coat_pixels(frames[1]) > 8000
    assert changed(frames[0], frames[2]) < moved / 10


def test_pose_and_light_follow_their_sliders(report: Visit) -> None:
    report.page.get_by_role("radio", name="Pose in the photograph").check(force=True)
    posed = stage(report)
    slide(report, "Pose", 0)
    at_rest = stage(report)
    assert changed(posed, at_rest) > 2000
    slide(report, "Ambient", 1)
    bright = stage(report)
    assert bright.mean() > at_rest.mean() + 1
    slide(report, "Direction", -120)
    assert changed(stage(report), bright) > 500


def test_the_photograph_s_view_brings_its_light_and_pose(report: Visit) -> None:
    slide(report, "Pose", 0)
    report.page.get_by_role("button", name="Photograph", exact=True).click()
    assert "80° round to the animal's right, 10° above" in report.page.locator("#view-value").inner_text()
    assert report.page.get_by_label("Pose", exact=True).input_value() == "1"
    assert report.page.get_by_label("Ambient").input_value() == "0.4"


def test_the_keyboard_reaches_and_turns_everything(report: Visit) -> None:
    keyboard = report.page.keyboard
    report.page.get_by_role("button", name="Front").click()
    report.page.get_by_role("radio", checked=True).focus()
    keyboard.press("Shift+Tab")
    before = stage(report)
    assert report.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    keyboard.press("ArrowRight")
    keyboard.press("ArrowUp")
    assert "10° round to the animal's left, 15° above" in report.page.locator("#view-value").inner_text()
    assert changed(stage(report), before) > 1000
    turned = stage(report)
    keyboard.press("+")
    assert changed(stage(report), turned) > 500
    keyboard.press("Tab")
    keyboard.press("ArrowRight")
    assert report.page.get_by_role("radio", name="Walk").is_checked()
    visited = set()
    for _ in range(14):
        keyboard.press("Tab")
        visited.add(report.page.evaluate("document.activeElement.id || document.activeElement.innerText"))
    assert {"time", "speed", "play", "light-azimuth", "light-ambience", "Side", "show-skeleton"} <= visited


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_control_and_picture_has_a_name_and_shows_its_focus(
    browser: "Browser", page: str, scheme: Literal["light", "dark"]
) -> None:
    with visit(browser, f"{page}#clip=walk&time=0.5", color_scheme=scheme) as seen:
        seen.page.wait_for_selector("html[data-viewer=ready]")
        assert nameless(seen) == []
        stops = tab_stops(seen)
        assert "hidden focus" not in stops
        order = ["viewer-canvas", "walk", "time", "speed", "play", "light-azimuth", "light-elevation"]
        assert stops[: len(order)] == order
        others = {"light-ambience", "Photograph", "Side", "full-screen", "show-shape", "show-skeleton"}
        assert others | {"download-glb", "Rigged animal", "Odd"} <= set(stops)
        assert "three.js" in stops[-1]
        slider = seen.page.get_by_label("Time", exact=True)
        assert slider.get_attribute("aria-valuetext") == "0.50 s"
        assert seen.page.locator("output:not([aria-live=off])").count() == 0, "values are said once"


def test_the_index_has_names_for_all_it_shows(browser: "Browser", tmp_path: Path) -> None:
    entry = IndexEntry("horse", "horse", "overlay.png", (("Report", "report.html"),))
    (tmp_path / "horse").mkdir()
    (tmp_path / "horse" / "overlay.png").write_bytes(plain_png((9, 9, 9)))
    (tmp_path / "index.html").write_text(index_html([entry]), encoding="utf-8")
    with visit(browser, (tmp_path / "index.html").as_uri()) as seen:
        assert nameless(seen) == []
        assert tab_stops(seen) == ["Report"]


def test_the_model_is_downloaded_from_the_page_itself(report: Visit, content: ReportContent) -> None:
    with report.page.expect_download() as started:
        report.page.get_by_role("link", name="Download the animal").click()
    assert started.value.suggested_filename.endswith(".glb")
    assert Path(started.value.path()).read_bytes() == content.glb


def test_a_link_opens_a_state_and_nothing_moves_for_those_who_want_calm(
    browser: "Browser", page: str
) -> None:
    link = f"{page}#clip=walk&azimuth=-90&elevation=20&light=30,60,0.2&skeleton=1&bare=1"
    with visit(browser, link, reduced_motion="reduce", color_scheme="dark") as seen:
        seen.page.wait_for_selector("html[data-viewer=ready]")
        assert seen.page.get_by_role("radio", name="Walk").is_checked()
        assert seen.page.get_by_role("button", name="Play").is_visible()
        assert seen.page.get_by_label("Ambient").input_value() == "0.2"
        assert seen.page.get_by_label("Skeleton").is_checked()
        assert "90° round to the animal's right, 20° above" in seen.page.locator("#view-value").inner_text()
        assert not seen.page.get_by_role("heading", level=1).is_visible()


def test_without_webgl_a_message_and_the_download_remain(browser: "Browser", page: str) -> None:
    with visit(browser, "about:blank") as seen:
        seen.page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
        seen.page.goto(page)
        seen.page.wait_for_selector("html[data-viewer=failed]")
        assert "WebGL" in seen.page.get_by_role("status").first.inner_text()
        assert seen.page.get_by_role("link", name="Download the animal").is_visible()
        assert seen.complaints and all("WebGL" in line for line in seen.complaints)
