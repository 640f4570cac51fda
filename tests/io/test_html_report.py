"""Pages say what they were given, escape it, need nothing but themselves, and play in a real browser."""

import hashlib
import io
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from farm3d.io.gltf import skinned_glb
from farm3d.io.html_report import Figure, IndexEntry, ReportContent, index_html, report_html

from .sample_animal import SCALE, rig, surface

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
DRAWN = '(?s)<html[^>]* data-viewer="ready".*<canvas[^>]* width="910"'
"""In the page's elements once it is drawn in a window 1000 pixels wide: borders and margins take 90."""
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
        facts=(("Mask IoU", "0.87"), ("File", HOSTILE)),
        downloads=(("Rigged animal", "animal.glb"), ("Odd", "a #1: <b>.obj")),
        warnings=(f"{HOSTILE} touches the border",),
    )


def test_all_text_arrives_escaped(content: ReportContent) -> None:
    page = report_html(content)
    reader = PageReader(page)
    assert "alert(" not in page.replace("alert(&#x27;1&#x27;)", "")
    assert reader.text.count(HOSTILE) == 4  # title, heading, fact, warning
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
    assert len(ranges) == 3 and set(ranges) <= labelled
    assert reader.all("canvas")[0]["aria-label"] and reader.all("canvas")[0]["tabindex"] == "0"
    assert reader.all("html")[0]["lang"] == "en"


def test_the_likeliest_hypothesis_is_marked(content: ReportContent) -> None:
    page = report_html(content)
    (chosen,) = re.findall(r"<tr class=chosen>.*</tr>", page)
    assert "92°" in chosen and "70.0 %" in chosen and "width:70.0%" in chosen
    assert "−88°" in page and ">0°<" in page


def test_absent_parts_leave_no_trace(content: ReportContent) -> None:
    page = report_html(ReportContent("cow", (), content.glb))
    assert "Viewpoint hypotheses" not in page and "Numbers" not in page and 'class="warnings"' not in page


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


def screenshot(page: Path, link: str, folder: Path, *options: str) -> tuple[np.ndarray, list[str]]:
    """A picture of the page and what it wrote to the console; skips where Chromium is missing.

    On a busy machine the browser's virtual time may end before its image decoder is done, or before its
    window has the size asked for: until the page's elements say that both are so it is started again.
    """
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("Chromium is not installed")
    picture = folder / "picture.png"
    flags = "--headless=new --no-sandbox --use-gl=angle --use-angle=swiftshader --enable-unsafe-swiftshader"
    quiet = "--disable-background-networking --enable-logging=stderr --hide-scrollbars --window-size=1000,800"
    command = [browser, *flags.split(), *quiet.split(), "--virtual-time-budget=5000", "--dump-dom", *options]
    command += [f"--user-data-dir={folder / 'profile'}", f"--screenshot={picture}", f"{page.as_uri()}#{link}"]
    for _ in range(5):
        run = subprocess.run(command, capture_output=True, text=True, timeout=120)
        if re.search(DRAWN, run.stdout) or 'data-viewer="failed"' in run.stdout:
            break
    assert picture.exists(), run.stderr[-2000:]
    console = [line for line in run.stderr.splitlines() if "CONSOLE" in line]
    with Image.open(picture) as image:
        return np.asarray(image.convert("RGB")).astype(int), console


def coat_pixels(picture: np.ndarray) -> int:
    """How many pixels have the striped coat's brown, which nothing else in the page has over an area."""
    return int(((picture[..., 0] - picture[..., 2] > 50) & (picture[..., 0] > picture[..., 1])).sum())


@pytest.fixture(scope="module")
def page(content: ReportContent, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("result") / "report.html"
    path.write_text(report_html(content), encoding="utf-8")
    return path


def test_a_browser_shows_the_animal_and_plays_its_clip(page: Path, tmp_path: Path) -> None:
    start, complaints = screenshot(page, "clip=walk&time=0", tmp_path)
    assert complaints == []
    assert coat_pixels(start) > 8000
    later, complaints = screenshot(page, "clip=walk&time=0.25", tmp_path)
    assert complaints == []
    assert coat_pixels(later) > 8000
    moved = np.abs(start - later).max(axis=-1) > 30
    assert moved.sum() > 5000
    again, _ = screenshot(page, "clip=walk&time=1", tmp_path)
    looped = np.abs(start - again).max(axis=-1) > 30
    assert looped.sum() < moved.sum() / 10


def test_a_browser_without_webgl_shows_a_message(page: Path, tmp_path: Path) -> None:
    picture, complaints = screenshot(page, "", tmp_path, "--disable-3d-apis")
    assert coat_pixels(picture) < 4000
    assert complaints and all("WebGL" in line for line in complaints)
