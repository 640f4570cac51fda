"""The pages a run leaves: one self-contained report per animal, an index of all of them, evaluations.

A report works offline: pictures and the GLB are embedded, and so is three.js (viewer/three), which draws
the 3D view. All text is escaped: file names and messages may contain anything.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from html import escape
from importlib.resources import files
from string import Template
from urllib.parse import quote

from farm3d import __version__

_MODULES = (
    ("./three.core.min.js", "three/three.core.min.js"),
    ("three", "three/three.module.min.js"),
    ("../utils/BufferGeometryUtils.js", "three/BufferGeometryUtils.js"),
    ("../utils/SkeletonUtils.js", "three/SkeletonUtils.js"),
    ("three/addons/loaders/GLTFLoader.js", "three/GLTFLoader.js"),
    ("three/addons/controls/OrbitControls.js", "three/OrbitControls.js"),
    ("./stage.js", "stage.js"),
    ("farm3d-viewer", "viewer.js"),
)
"""The specifier that imports name a module by, and its file; each stands after those it imports."""

_PHOTOGRAPH_BUTTON = '<button data-view="photograph" type="button">Photograph</button>\n'


@dataclass(frozen=True)
class Figure:
    """A PNG or JPEG picture with its caption, and what to say to those who cannot see it."""

    caption: str
    alt: str
    image: bytes


@dataclass(frozen=True)
class PhotographView:
    """Where a photograph was taken from and how it is lit, in the animal's own frame, for the 3D view.

    Angles in degrees: azimuth 0 is in front of the face, 90 on the animal's left; elevations are above the
    ground. `ambience` and `strength` are those of `DirectionalLight.ambient` and `.diffuse`.
    """

    azimuth: float
    elevation: float
    light_azimuth: float
    light_elevation: float
    ambience: float
    strength: float


@dataclass(frozen=True)
class ReportContent:
    """What a report shows.

    `hypothesis_probabilities[i]` belongs to `hypothesis_azimuths_degrees[i]`; `chosen_hypothesis` is marked.
    `facts` are (label, value) rows, `downloads` (label, file) pairs of files beside the page.
    """

    title: str
    figures: tuple[Figure, ...]
    glb: bytes
    hypothesis_probabilities: tuple[float, ...] = ()
    hypothesis_azimuths_degrees: tuple[float, ...] = ()
    chosen_hypothesis: int = 0
    facts: tuple[tuple[str, str], ...] = ()
    downloads: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    photograph_view: PhotographView | None = None


@dataclass(frozen=True)
class IndexEntry:
    """One result in the index: its folder (relative to the index), a picture and files in that folder."""

    title: str
    folder: str
    thumbnail: str
    links: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table with a heading: `header` names the columns, the first cell of every row names the row."""

    heading: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Gallery:
    """Figures under one heading."""

    heading: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class EvaluationContent:
    """What the page of an evaluation shows; `facts` are (label, value) rows about how it was measured."""

    title: str
    facts: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...] = ()
    galleries: tuple[Gallery, ...] = ()
    warnings: tuple[str, ...] = ()
    made_by: str = "Measured by farm3d-eval"
    facts_heading: str = "How it was measured"


def report_html(content: ReportContent) -> str:
    """The page of one animal, complete in itself but for the download links. Equal contents, equal text."""
    view = content.photograph_view
    return _fill(
        "report.html",
        photograph=json.dumps(None if view is None else asdict(view)),
        photograph_button="" if view is None else _PHOTOGRAPH_BUTTON,
        glb_size=_size(len(content.glb)),
        title=escape(content.title),
        warnings=_warnings(content.warnings),
        figures=_gallery(Gallery("From photograph to model", content.figures)),
        hypotheses=_hypotheses(content),
        facts=_facts(content.facts),
        downloads=_downloads(content.downloads),
        licence=escape(_packaged("three/LICENSE")),
        glb=base64.b64encode(content.glb).decode(),
        modules="\n".join(_module(specifier, name) for specifier, name in _MODULES),
        bootstrap=_packaged("bootstrap.js"),
    )


def index_html(entries: Sequence[IndexEntry]) -> str:
    """The page that shows all results of a run and links to their files."""
    count = "1 animal" if len(entries) == 1 else f"{len(entries)} animals"
    return _fill("index.html", count=count, entries="\n".join(_entry(entry) for entry in entries))


def evaluation_html(content: EvaluationContent) -> str:
    """The page of an evaluation, complete in itself. Equal contents, equal text."""
    return _fill(
        "evaluation.html",
        title=escape(content.title),
        warnings=_warnings(content.warnings),
        made_by=escape(content.made_by),
        facts=_facts(content.facts, escape(content.facts_heading), "card wide"),
        tables="\n".join(map(_table, content.tables)),
        galleries="\n".join(map(_gallery, content.galleries)),
    )


def _fill(template: str, **values: str) -> str:
    page = Template(_packaged(template))
    return page.substitute(version=__version__, style=_packaged("style.css").rstrip(), **values)


def _packaged(name: str) -> str:
    """The text of a file in viewer/."""
    return files("farm3d.io").joinpath("viewer", name).read_text(encoding="utf-8")


def _module(specifier: str, name: str) -> str:
    """An ES module as inert text; bootstrap.js runs it."""
    return f'<script type="text/plain" data-module="{specifier}">\n{_packaged(name)}</script>'


def _section(heading: str, body: str, kind: str = "card") -> str:
    return f'<section class="{kind}">\n<h2>{heading}</h2>\n{body}\n</section>'


def _warnings(warnings: Sequence[str]) -> str:
    if not warnings:
        return ""
    items = "".join(f"<li>{escape(warning)}</li>" for warning in warnings)
    return f'<ul class="warnings" aria-label="Warnings">{items}</ul>'


def _gallery(gallery: Gallery) -> str:
    if not gallery.figures:
        return ""
    shown = "\n".join(
        f'<figure><img src="{_data_uri(figure.image)}" alt="{escape(figure.alt)}">'
        f"<figcaption>{escape(figure.caption)}</figcaption></figure>"
        for figure in gallery.figures
    )
    return _section(escape(gallery.heading), f'<div class="figures">\n{shown}\n</div>', "card wide")


def _table(table: Table) -> str:
    """A table that scrolls by itself where it is wider than the page."""
    header = "".join(f'<th scope="col">{escape(name)}</th>' for name in table.header)
    rows = "\n".join(map(_row, table.rows))
    label = f'class="scroll" tabindex="0" role="region" aria-label="{escape(table.heading)}"'
    body = f"<div {label}><table>\n<thead><tr>{header}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>"
    return _section(escape(table.heading), body, "card wide")


def _row(cells: Sequence[str]) -> str:
    values = "".join(f"<td>{escape(cell)}</td>" for cell in cells[1:])
    return f'<tr><th scope="row">{escape(cells[0])}</th>{values}</tr>'


def _data_uri(image: bytes) -> str:
    kind = "png" if image.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(image).decode()}"


def _hypotheses(content: ReportContent) -> str:
    """A bar for every azimuth hypothesis; a table, so that it reads without seeing the bars."""
    if not content.hypothesis_probabilities:
        return ""
    chosen = content.chosen_hypothesis
    pairs = zip(content.hypothesis_azimuths_degrees, content.hypothesis_probabilities, strict=True)
    rows = "\n".join(
        f'<tr{" class=chosen" if k == chosen else ""}><th scope="row">{_degrees(azimuth)}</th>'
        f'<td class="bar"><span style="width:{100.0 * probability:.1f}%"></span></td>'
        f"<td>{100.0 * probability:.1f} %</td></tr>"
        for k, (azimuth, probability) in enumerate(pairs)
    )
    note = (
        '<p class="hint">Directions the animal may face and how probable the model finds them: 0° is '
        "towards the camera, 90° with the head to the right of the image. Marked is the one that was taken;"
        " refinement may prefer one that fits the outline better to the most probable.</p>"
    )
    return _section("Viewpoint hypotheses", f'<table class="bars">\n{rows}\n</table>\n{note}')


def _degrees(angle: float) -> str:
    """Whole degrees with a proper minus sign, and no minus before 0."""
    return f"{round(angle)}°".replace("-", "−")


def _facts(facts: Sequence[tuple[str, str]], heading: str = "Numbers", kind: str = "card") -> str:
    if not facts:
        return ""
    rows = "\n".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>' for name, value in facts
    )
    return _section(heading, f"<table>\n{rows}\n</table>", kind)


def _downloads(downloads: Sequence[tuple[str, str]]) -> str:
    if not downloads:
        return ""
    items = "\n".join(
        f'<li><a href="{_href(name)}" download>{escape(label)}</a>{_file_name(label, name)}</li>'
        for label, name in downloads
    )
    note = '<p class="hint">They lie beside this page; the animal itself and the pictures are inside it.</p>'
    return _section("Files", f'<ul class="downloads">\n{items}\n</ul>\n{note}')


def _file_name(label: str, name: str) -> str:
    return "" if label == name else f" <small>{escape(name)}</small>"


def _size(count: int) -> str:
    """A number of bytes for people."""
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.0f} kB"


def _entry(entry: IndexEntry) -> str:
    notes = "".join(f'<p class="note">{escape(warning)}</p>' for warning in entry.warnings)
    links = " · ".join(
        f'<a href="{_href(f"{entry.folder}/{name}")}">{escape(label)}</a>' for label, name in entry.links
    )
    picture = (
        f'<img src="{_href(f"{entry.folder}/{entry.thumbnail}")}" alt="{escape(entry.title)}" loading="lazy">'
    )
    return f'<li class="card">{picture}<h2>{escape(entry.title)}</h2>{notes}<p>{links}</p></li>'


def _href(path: str) -> str:
    """A relative link; "./" keeps a colon in a name from looking like a scheme."""
    return "./" + quote(path)
