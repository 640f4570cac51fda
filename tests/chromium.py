"""Chromium as tests use it: without a network, drawing WebGL in software."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox --use-gl=angle --use-angle=swiftshader --enable-unsafe-swiftshader"
    " --disable-background-networking"
)
VIEWPORT = {"width": 720, "height": 500}
PATIENCE = 60_000
"""Milliseconds that a page may take for a step: machines that test are busy."""


PICTURES, CONTROLS = (
    {"img", "image", "Iframe"},
    {
        "button",
        "checkbox",
        "combobox",
        "link",
        "listbox",
        "menuitem",
        "radio",
        "searchbox",
        "slider",
        "spinbutton",
        "switch",
        "tab",
        "textbox",
    },
)
"""Roles of the accessibility tree whose elements must have a name."""

MOST_STOPS = 100


@dataclass(frozen=True)
class Visit:
    """An open page, what it wrote to the console as a complaint, and every address that it asked for."""

    page: "Page"
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@contextmanager
def open_browser() -> Iterator["Browser"]:
    """A headless Chromium; skips where it, or playwright, is not installed."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("Chromium is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=FLAGS.split())
        yield browser
        browser.close()


@contextmanager
def visit(browser: "Browser", url: str, **context: Any) -> Iterator[Visit]:
    """A page in a context of its own, with all that it asks for and complains of."""
    opened = browser.new_context(viewport=VIEWPORT, **context)
    page = opened.new_page()
    page.set_default_timeout(PATIENCE)
    seen = Visit(page)
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on(
        "console",
        lambda message: message.type in ("error", "warning") and seen.complaints.append(message.text),
    )
    page.goto(url)
    yield seen
    opened.close()


def nameless(seen: Visit) -> list[str]:
    """The HTML of controls, pictures and frames for which the browser's accessibility tree has no name.

    Icons that are drawn beside a control's name need none.
    """
    session = seen.page.context.new_cdp_session(seen.page)
    found = []
    for node in session.send("Accessibility.getFullAXTree")["nodes"]:
        role, name = (node.get(key, {}).get("value", "") for key in ("role", "name"))
        if not node["ignored"] and role in PICTURES | CONTROLS and not str(name).strip():
            place = {"backendNodeId": node["backendDOMNodeId"]}
            found.append(session.send("DOM.getOuterHTML", place)["outerHTML"][:300])
    return [html for html in found if not html.startswith("<svg")]


def tab_stops(seen: Visit) -> list[str]:
    """Ids or texts of all that Tab reaches, from the page's beginning; "hidden focus" where none is shown."""
    seen.page.evaluate("document.activeElement.blur(), getSelection().setPosition(document.body, 0)")
    stops: list[str] = []
    while len(stops) < MOST_STOPS:
        seen.page.keyboard.press("Tab")
        stop = seen.page.evaluate(
            """() => {
                const here = document.activeElement, style = getComputedStyle(here);
                if (here === document.body) return null;
                const shows = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
                return shows ? here.id || here.innerText || here.value : "hidden focus";
            }"""
        )
        if stop is None:
            break
        stops.append(stop)
    return stops
