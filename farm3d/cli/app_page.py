"""The page of farm3d-app: a picture or a prompt on the left, the animal's report on the right."""

import secrets
from collections.abc import Callable, Iterable
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import gradio
import numpy as np
from PIL import Image

from farm3d.cli.app_work import Made, Workshop
from farm3d.errors import Farm3DError
from farm3d.inference.refine import RefineConfig
from farm3d.pretrained.farm_masks import FarmMasks
from farm3d.pretrained.grabcut import GrabCut

WAITING_LINES = 64
"""How many may wait for their animal at once."""

UPLOAD_LIMIT = "25mb"
SWEEP_SECONDS, KEPT_SECONDS = 600, 3600
"""How often, and after how long, uploads go whose page never said goodbye."""

STEPS, MOST_STEPS = RefineConfig().steps, 400

STAGES = {
    "read": (0.0, "Reading the picture"),
    "segment": (0.02, "Cutting the animal out"),
    "reconstruct": (0.1, "Fitting the animal"),
    "texture": (0.7, "Painting the coat"),
    "rig": (0.8, "Rigging"),
    "pictures": (0.9, "Drawing the pictures"),
    "report": (0.95, "Writing the report"),
}
SEEDS = 10_000
"""Drawings of one prompt differ; the page says the seed that farm3d-infer --prompt takes to repeat one."""

EXAMPLES = Path(__file__).parent / "examples"

ACCENT = gradio.themes.Color(
    c50="#fbf4ec",
    c100="#f5e4d0",
    c200="#ebcaa4",
    c300="#e6b681",
    c400="#e0a261",
    c500="#b8742f",
    c600="#9a5b1f",
    c700="#7d4918",
    c800="#5f3813",
    c900="#43280d",
    c950="#2b1908",
)
QUIET, QUIET_DARK = "#69645b", "#a8a196"

STYLE = """
.gradio-container { max-width: 100rem !important; }
.viewer iframe { display: block; width: 100%; height: max(40rem, calc(100vh - 9rem)); border: 0;
  border-radius: .75rem; }
.viewer .empty { display: grid; place-items: center; min-height: 24rem; padding: 2rem; text-align: center;
  border: 1px dashed var(--border-color-primary); border-radius: .75rem;
  color: var(--body-text-color-subdued); }
.or { color: inherit !important; }
.told p { margin: 0 0 .4rem; }
.told [role=alert] { padding: .6rem .8rem; border-left: 4px solid #b3261e; border-radius: .3rem;
  background: var(--background-fill-secondary); }
"""
NAMES = """() => {
  const name = () => {
    for (const example of document.querySelectorAll(".gallery-item:has(img)")) {
      const file = decodeURIComponent(example.querySelector("img").src.split("/").pop());
      example.ariaLabel = "Example: " + file.replace(/\\.\\w+$/, "").replaceAll("_", " ");
    }
    for (const place of document.querySelectorAll(".picture button[aria-dropeffect]")) {
      const label = place.closest(".picture").querySelector("[data-testid=block-label]");
      place.ariaLabel = `${label.innerText.trim()}: ${place.innerText.trim()}`;
    }
  };
  name();
  new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
}"""
"""For those who hear the page: Gradio's examples have no names, and its places for pictures all the same."""

EMPTY = '<p class="empty">The animal appears here: drop a photograph, or say what to draw.</p>'


def build_page(workshop: Workshop) -> gradio.Blocks:
    """The page, with its events; nothing is served yet."""
    gradio.set_static_paths([EXAMPLES])
    category = workshop.reconstructor.category
    animal = "an animal" if category is None else f"a {category}"
    drawer = "Stable Diffusion" if workshop.diffusion else "The procedural farm"
    with gradio.Blocks(title="farm3d", delete_cache=(SWEEP_SECONDS, KEPT_SECONDS)) as page:
        gradio.Markdown(f"# farm3d\nOne photograph of {animal} in, a rigged 3D model out.")
        with gradio.Row():
            with gradio.Column(scale=3, min_width=280):
                photograph = _picture(f"Photograph of {animal}", height=300)
                prompt = gradio.Textbox(
                    label="Or say what to draw",
                    info=f"{drawer} draws it",
                    placeholder=f"a brown {category or 'cow'}, side view",
                    max_lines=2,
                )
                draw = gradio.Button("Draw it")
                drawn = gradio.HTML("", elem_classes="told")
                with gradio.Accordion("Settings", open=False):
                    steps = gradio.Slider(0, MOST_STEPS, STEPS, step=10, label="Steps of refinement")
                    mask = _picture("Mask, white on black (optional)", height=160)
                again = gradio.Button("Make the model", variant="primary")
                told = gradio.HTML("", elem_classes="told")
                examples = gradio.Examples([[str(path)] for path in sorted(EXAMPLES.iterdir())], [photograph])
            with gradio.Column(scale=7, min_width=480):
                shown = gradio.HTML(EMPTY, elem_classes="viewer")
        make: dict[str, Any] = {
            "fn": _maker(workshop, photograph, mask=mask, steps=steps),
            "inputs": {photograph, mask, steps},
            "outputs": [shown, told],
            "show_progress_on": [shown],
            "concurrency_id": "animals",
            "concurrency_limit": 1,
        }
        drawing: dict[str, Any] = {
            "fn": _drawer(workshop),
            "inputs": [prompt],
            "outputs": [photograph, drawn],
            "concurrency_id": "animals",
        }
        gradio.on([photograph.upload, photograph.clear], lambda: "", outputs=[drawn], queue=False)
        photograph.upload(**make)
        again.click(**make)
        examples.load_input_event.success(**make)
        draw.click(**drawing).success(**make)
        prompt.submit(**drawing).success(**make)
        page.load(js=NAMES)
        page.unload(_leaver(workshop))
    return page.queue(max_size=WAITING_LINES)


def theme() -> gradio.themes.Base:
    """The colours of the report, light and dark, and fonts that every machine has: nothing is fetched."""
    soft = gradio.themes.Soft(
        primary_hue=ACCENT,
        neutral_hue="stone",
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )
    return soft.set(
        body_background_fill="#f4f2ee",
        body_background_fill_dark="#191816",
        block_background_fill_dark="#23211f",
        block_label_background_fill="*block_background_fill",
        block_label_text_color="*body_text_color",
        block_title_background_fill="none",
        block_title_text_color="*body_text_color",
        block_title_padding="0",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_dark="*primary_400",
        button_primary_text_color_dark="#191816",
        slider_color_dark="*primary_400",
        body_text_color_subdued=QUIET,
        body_text_color_subdued_dark=QUIET_DARK,
        block_info_text_color=QUIET,
        block_info_text_color_dark=QUIET_DARK,
        input_placeholder_color=QUIET,
        input_placeholder_color_dark=QUIET_DARK,
    )


def _picture(label: str, *, height: int) -> gradio.Image:
    """A place for a picture whose file arrives as it was sent: farm3d reads it, and says what is wrong."""
    place = gradio.Image(
        label=label,
        type="filepath",
        format="png",
        height=height,
        sources=["upload", "clipboard"],
        image_mode=None,
        elem_classes="picture",
    )
    # Gradio would open the file with PIL first, and answer a damaged one with a message of PIL's.
    place.preprocess = _sent_file  # type: ignore[method-assign]
    return place


def _sent_file(payload: Any) -> str | None:
    return None if payload is None else payload.path


def _maker(
    workshop: Workshop, photograph: gradio.Image, *, mask: gradio.Image, steps: gradio.Slider
) -> Callable[..., tuple[str, str]]:
    def make(
        values: dict[gradio.components.Component, Any],
        request: gradio.Request,
        progress: gradio.Progress = gradio.Progress(),  # noqa: B008 (Gradio finds it by its default)
    ) -> tuple[str, str]:
        paths = {place: Path(values[place]) for place in (photograph, mask) if values[place] is not None}
        if photograph not in paths:
            return gradio.skip(), _mistake("drop a photograph first, or say what to draw")
        try:
            made = workshop.make(
                str(request.session_hash),
                paths[photograph],
                paths.get(mask),
                steps=int(values[steps]),
                on_stage=lambda name: progress(STAGES[name][0], desc=STAGES[name][1]),
            )
        except Farm3DError as error:
            return gradio.skip(), _mistake(_without_folders(str(error), paths.values()))
        return _report(made), _summary(made, paths.values())

    return make


def _drawer(workshop: Workshop) -> Callable[..., tuple[Image.Image, str]]:
    def draw(prompt: str) -> tuple[Image.Image, str]:
        seed = secrets.randbelow(SEEDS)
        try:
            drawn = workshop.draw(prompt, seed)
        except Farm3DError as error:
            raise gradio.Error(str(error), print_exception=False) from error
        pixels = drawn.image.pixels
        if drawn.image.alpha is not None:
            pixels = np.dstack([pixels, drawn.image.alpha])
        lines = [f"Drawn by {drawn.drawn_by}, seed {seed}.", *drawn.notices]
        known = workshop.reconstructor.category
        if known is not None and drawn.category not in (None, known):
            lines.append(f"The picture shows a {drawn.category}; this model knows what a {known} looks like.")
        return Image.fromarray(pixels), "".join(f"<p>{escape(line)}</p>" for line in lines)

    return draw


def _leaver(workshop: Workshop) -> Callable[..., None]:
    def leave(request: gradio.Request) -> None:
        workshop.leave(str(request.session_hash))

    return leave


def _report(made: Made) -> str:
    """The result's own page, in a frame."""
    address = f"gradio_api/file={quote(str(made.folder / 'report.html'))}"
    title = "The animal in 3D, its numbers and files"
    return f'<iframe src="{address}#bare=1" title="{title}" allow="fullscreen"></iframe>'


def _summary(made: Made, paths: Iterable[Path]) -> str:
    lines = [made.summary, *(f"Doubtful: {_without_folders(line, paths)}" for line in made.warnings)]
    if made.mask_source in (FarmMasks.name, GrabCut.name):
        lines.append("If the mask in the report is wrong, give your own in Settings.")
    return "".join(f"<p>{escape(line)}</p>" for line in lines)


def _mistake(line: str) -> str:
    return f'<p role="alert">{escape(line)}</p>'


def _without_folders(line: str, paths: Iterable[Path]) -> str:
    """Files by the names that their owner knows, not by where the upload lies."""
    for path in paths:
        line = line.replace(str(path), path.name)
    return line
