"""Take docs/images/report.jpg and app.jpg in Chromium: the report of a result folder, and farm3d-app.

farm3d-infer docs/images/horse.jpg --relight --animate --out results
python docs/make_screenshots.py results/horse docs/images          both; app.jpg needs the extra app
python docs/make_screenshots.py results/horse docs/images report   that one alone
"""

import io
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
READY = "html[data-viewer=ready]"
PATIENCE = 900_000
"""Milliseconds that an animal and its viewer may take."""
QUALITY = 82


def report(browser: Browser, result: Path, images: Path) -> None:
    """The viewer with its controls, and the pictures below it."""
    page = browser.new_page(viewport={"width": 1220, "height": 1336}, color_scheme="light")
    page.goto((result / "report.html").resolve().as_uri())
    page.locator(READY).wait_for(timeout=PATIENCE)
    _write(page.screenshot(timeout=PATIENCE), images / "report.jpg")


def app(browser: Browser, result: Path, images: Path) -> None:
    """The page with the picture that the result was made of and its model, made anew."""
    with _serving() as address:
        page = browser.new_page(viewport={"width": 1360, "height": 900}, color_scheme="light")
        page.set_default_timeout(PATIENCE)
        page.goto(address)
        page.get_by_role("button", name="Settings").click()
        files = page.locator(".picture input[type=file]")
        files.nth(1).set_input_files(images / f"{result.name}_mask.png")
        page.locator(".picture img").wait_for()
        files.first.set_input_files(images / f"{result.name}.jpg")
        page.frame_locator("iframe[title^='The animal in 3D']").locator(READY).wait_for()
        page.get_by_role("button", name="Settings").click()
        page.mouse.move(5, 5)
        page.wait_for_timeout(2000)
        _write(page.screenshot(), images / "app.jpg")


@contextmanager
def _serving() -> Iterator[str]:
    command = [sys.executable, "-c", "from farm3d.cli.app import main; raise SystemExit(main([]))"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def _write(screenshot: bytes, file: Path) -> None:
    with Image.open(io.BytesIO(screenshot)) as shot:
        shot.convert("RGB").save(file, quality=QUALITY)


PICTURES: dict[str, Callable[[Browser, Path, Path], None]] = {"report": report, "app": app}


def main(result: Path, images: Path, wanted: list[str]) -> None:
    """Take the pictures that are wanted, all where none is named."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=list(FLAGS))
        for name in wanted or PICTURES:
            PICTURES[name](browser, result, images)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
