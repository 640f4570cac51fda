"""farm3d-app in a real browser: drop, wait, turn, download; ten at once; nothing fetched, nothing left."""

import io
import os
import re
import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageDraw

import farm3d
from farm3d.cli.app import main
from farm3d.cli.app_work import Workshop
from farm3d.config import plain_values
from farm3d.io.checkpoint import write_checkpoint
from farm3d.pretrained.segmentation import make_segmenter

from ..chromium import PATIENCE, Visit, nameless, open_browser, visit
from ..io.gltf_reader import parse
from ..models.small_models import tiny_config, tiny_model

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FrameLocator

SERVER = """
import sys
log = open(sys.argv.pop(1), "a", buffering=1)
def note(event, args):
    if event == "socket.connect" and isinstance(args[1], tuple):
        place = args[1][0]
    elif event == "socket.getaddrinfo":
        place = args[0]
    else:
        return
    if place not in ("127.0.0.1", "localhost", "::1", None):
        log.write(f"{event} {place}\\n")
sys.addaudithook(note)
from farm3d.cli.app import main
sys.exit(main())
"""
"""The command, with every address that its process asks for or connects to written down, but its own."""

AT_ONCE = 10


@dataclass(frozen=True)
class Served:
    """A running farm3d-app: its address, the folder of its temporary files, whom it called outside."""

    url: str
    process: subprocess.Popen[str]
    temporary: Path
    calls: Path

    def files(self) -> list[Path]:
        return [path for path in self.temporary.rglob("*") if path.is_file() and "farm3d-app" in str(path)]


@contextmanager
def serving(folder: Path, checkpoint: Path) -> Iterator[Served]:
    temporary, calls = folder / "temporary", folder / "calls"
    temporary.mkdir()
    command = [sys.executable, "-c", SERVER, str(calls), "--checkpoint", str(checkpoint)]
    environment = {**os.environ, "TMPDIR": str(temporary)}
    with (folder / "stderr").open("w") as stderr:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=stderr, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url, (folder / "stderr").read_text()
        yield Served(url, process, temporary, calls)
    finally:
        process.kill()
        process.wait()


def tiny_checkpoint(folder: Path) -> Path:
    metadata = {"model": plain_values(tiny_config()), "category": "horse", "shoulder_height_metres": 1.55}
    checkpoint = folder / "tiny.safetensors"
    write_checkpoint(checkpoint, tiny_model().state_dict(), {"config": metadata, "command": "a test"})
    return checkpoint


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    pytest.importorskip("gradio", reason="gradio (the extra app) is not installed")
    folder = tmp_path_factory.mktemp("app")
    with serving(folder, tiny_checkpoint(folder)) as served:
        yield served


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    with open_browser() as opened:
        yield opened


@pytest.fixture
def page(app: Served, browser: "Browser") -> Iterator[Visit]:
    """The app in a browser, set to predict only."""
    with visit(browser, app.url) as seen:
        seen.page.get_by_role("button", name="Settings").click()
        seen.page.get_by_role("spinbutton").fill("0")
        yield seen


def cut_out(shade: int = 90) -> bytes:
    """A small picture of something with four legs whose transparency is its mask."""
    image = Image.new("RGBA", (96, 96), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    for box in ((20, 35, 76, 58), (66, 18, 86, 42), (24, 55, 32, 84), (64, 55, 72, 84)):
        draw.rectangle(box, fill=(150, shade, 50, 255))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def drop(seen: Visit, name: str, data: bytes) -> None:
    """Let go of a file over the first place for pictures, as a mouse does."""
    transfer = seen.page.evaluate_handle(
        """([name, text]) => {
            const transfer = new DataTransfer();
            const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
            transfer.items.add(new File([bytes], name, { type: "image/png" }));
            return transfer;
        }""",
        [name, b64encode(data).decode()],
    )
    place = seen.page.get_by_role("button", name=re.compile("Drop Image Here|drop", re.IGNORECASE)).first
    place.dispatch_event("drop", {"dataTransfer": transfer})


def report(seen: Visit) -> "FrameLocator":
    """The finished animal's page inside the app."""
    frame = seen.page.frame_locator("iframe[title^='The animal in 3D']")
    frame.locator("html[data-viewer=ready]").wait_for(timeout=4 * PATIENCE)
    return frame


def test_a_dropped_photograph_becomes_a_model_to_turn_and_download(page: Visit, app: Served) -> None:
    drop(page, "my pony.png", cut_out())
    shown = report(page)
    assert "my pony" in page.page.locator(".told p").first.inner_text()
    stage = shown.locator(".stage")
    before = stage.screenshot()
    shown.get_by_label("Direction").fill("-100")
    page.page.wait_for_timeout(500)
    assert stage.screenshot() != before
    with page.page.expect_download() as started:
        shown.get_by_role("link", name="Download the animal").click()
    content = parse(Path(started.value.path()).read_bytes()).document
    assert {"walk", "idle"} <= {clip["name"] for clip in content["animations"]}
    with page.page.expect_download() as started:
        shown.get_by_role("link", name="prediction.json").click()
    assert b'"category": "horse"' in Path(started.value.path()).read_bytes()
    outside = [url for url in page.requests if not url.startswith((app.url, "blob:", "data:"))]
    assert outside == []
    assert [line for line in page.complaints if "not implemented" not in line] == []


def test_every_control_has_a_name_of_its_own(page: Visit) -> None:
    page.page.get_by_role("button", name="Example: brown horse").wait_for()
    for place in ("Photograph of a horse", "Mask, white on black"):
        assert page.page.get_by_role("button", name=re.compile(f"^{place}.*: Drop")).count() == 1
    assert nameless(page) == []


def test_a_damaged_photograph_is_told_in_one_line(page: Visit) -> None:
    drop(page, "broken.png", cut_out()[:200])
    alert = page.page.get_by_role("alert").first
    alert.wait_for()
    assert alert.inner_text().startswith("broken.png: damaged or truncated image")


def test_a_prompt_without_an_animal_is_told(page: Visit) -> None:
    page.page.get_by_label("Or say what to draw").fill("a teapot")
    page.page.get_by_role("button", name="Draw it").click()
    page.page.get_by_text("teapot").last.wait_for()


def test_ten_photographs_at_once_are_all_served(app: Served) -> None:
    from gradio_client import Client, handle_file

    def ask(number: int) -> tuple[str, str]:
        picture = app.temporary / f"pony{number}.png"
        picture.write_bytes(cut_out(40 + 10 * number))
        client = Client(app.url, verbose=False)
        try:
            return client.predict(handle_file(str(picture)), 0, None, api_name="/make")
        finally:
            client.close()

    with ThreadPoolExecutor(AT_ONCE) as people:
        answers = list(people.map(ask, range(AT_ONCE)))
    for number, (shown, told) in enumerate(answers):
        assert "<iframe" in shown and f"pony{number}" in told
    assert len({re.search(r"results/(\w+)/", shown).group(1) for shown, _ in answers}) == AT_ONCE  # type: ignore[union-attr]


def test_nothing_is_called_outside_and_nothing_is_left(app: Served) -> None:
    """Runs last: all pages are closed by now, and the app is stopped."""
    assert [path for path in app.temporary.iterdir() if path.name.startswith("farm3d-app-")]
    deadline = time.monotonic() + PATIENCE / 1000
    while app.files() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert app.files() == []
    app.process.send_signal(signal.SIGTERM)
    assert app.process.wait(timeout=PATIENCE / 1000) == 0
    assert not [path for path in app.temporary.iterdir() if path.name.startswith("farm3d-app-")]
    assert app.calls.read_text() == ""


def test_what_a_page_shows_stays_until_it_shows_the_next(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path, farm3d.load_model(tiny_checkpoint(tmp_path)), make_segmenter("alpha"))
    workshop.uploads.mkdir()

    def make(name: str, on_stage: Callable[[str], None]) -> Path:
        upload = workshop.uploads / name
        upload.write_bytes(cut_out())
        return workshop.make("page", upload, None, steps=0, on_stage=on_stage).folder

    shown = [make("first.png", lambda stage: None)]
    while_it_worked: list[bool] = []
    second = make("second.png", lambda stage: while_it_worked.append(shown[0].is_dir()))
    assert while_it_worked and all(while_it_worked)
    assert [path.name for path in workshop.uploads.iterdir()] == ["second.png"]
    assert list(workshop.results.iterdir()) == [second]
    workshop.leave("page")
    assert not list(workshop.uploads.iterdir()) and not list(workshop.results.iterdir())


def test_without_gradio_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main([]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "farm3d-app: the page needs gradio: pip install 'farm3d[app]'"
    ]
