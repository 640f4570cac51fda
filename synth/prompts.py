"""What Stable Diffusion is asked to draw: sentences from weighted texts, diverse in view and individual.

Source: Farm3D (arXiv 2304.10535) section 3.2, whose prompts are a category and view words such as "cow,
walking away from the camera"; scenes, breeds, ages and all weights are ours (prompts.yaml).
"""

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from farm3d.errors import ConfigError, InputError
from farm3d.seeding import numpy_rng
from farm3d.yaml_text import parse_yaml

TABLES = "prompts.yaml"
MAX_CATEGORY = 60
"""Characters of a category's name; the text encoder reads 77 tokens in all."""

_SYMBOL = re.compile(r"\{(\w+)\}")
_WRONG_ARTICLE = re.compile(r"\b([Aa]) (?=(?!uni|eu|ewe|one)[aeiou])", re.IGNORECASE)

Weighted = Mapping[str, float]


@dataclass(frozen=True)
class Prompt:
    """What to draw, the view asked for (None where nobody knows), and what this view must not show."""

    text: str
    view: str | None
    negative: str


@dataclass(frozen=True)
class View:
    """A direction to see an animal from: how often, in which words, and what to keep away."""

    weight: float
    seen: Weighted
    avoid: str


@dataclass(frozen=True)
class PromptTables:
    """The texts of prompts.yaml: views, lists common to all categories, and each category's own."""

    views: Mapping[str, View]
    common: Mapping[str, Weighted]
    categories: Mapping[str, Mapping[str, Weighted]]


def prompt_of(category: str, number: int, seed: int, *, own: tuple[str, ...] = ()) -> Prompt:
    """The prompt of picture `number` of the set with this seed; it depends on its arguments alone.

    A category without lists of its own gets the common ones. `own` prompts (`read_prompt_file`) take the
    place of the tables, each as often as the others; nobody knows their views. Raises ConfigError for a
    category that is no word.
    """
    generator = numpy_rng(seed, "prompt", category, number)
    if own:
        return Prompt(own[int(generator.random() * len(own))], None, "")
    tables = prompt_tables()
    view = _pick({name: view.weight for name, view in tables.views.items()}, generator)
    lists = {
        **tables.common,
        **tables.categories.get(category, {}),
        "category": {_checked(category): 1.0},
        "seen": tables.views[view].seen,
    }
    text = _expand("{picture}", lists, generator)
    return Prompt(_WRONG_ARTICLE.sub(r"\1n ", text), view, tables.views[view].avoid)


def view_rates() -> dict[str, float]:
    """How often each view is asked for; the rates add up to 1."""
    weights = {name: view.weight for name, view in prompt_tables().views.items()}
    total = sum(weights.values())
    return {name: weight / total for name, weight in weights.items()}


@cache
def prompt_tables() -> PromptTables:
    """The packaged tables."""
    values = parse_yaml(resources.files(__package__).joinpath(TABLES).read_text("utf-8"), source=TABLES)
    views = {
        name: View(float(view["weight"]), _weights(view["seen"]), view["avoid"])
        for name, view in values["views"].items()
    }
    categories = {name: _lists(lists) for name, lists in values["categories"].items()}
    return PromptTables(views, _lists(values["common"]), categories)


def read_prompt_file(path: Path) -> tuple[str, ...]:
    """The user's own prompts, one a line; empty lines and lines that begin with # do not count.

    A prompt that stands twice is drawn twice as often. Raises InputError for what is no such file.
    """
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a text file (UTF-8); give one prompt a line") from None
    prompts = tuple(line for line in lines if line and not line.startswith("#"))
    if not prompts:
        raise InputError(f"{path}: holds no prompt; give one a line")
    return prompts


def _lists(lists: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    return {name: _weights(texts) for name, texts in lists.items()}


def _weights(texts: Mapping[str, Any]) -> dict[str, float]:
    return {text: float(weight) for text, weight in texts.items()}


def _checked(category: str) -> str:
    if not category.strip() or len(category) > MAX_CATEGORY or set(category) & set("{}\n\r"):
        raise ConfigError(
            f"--category {category[:MAX_CATEGORY]!r}: give an animal's name of up to {MAX_CATEGORY} letters"
        )
    return category


def _expand(text: str, lists: Mapping[str, Weighted], generator: np.random.Generator) -> str:
    """`text` with every {name} replaced, from the left, by a text of that list, and so on."""
    while found := _SYMBOL.search(text):
        text = text[: found.start()] + _pick(lists[found[1]], generator) + text[found.end() :]
    return text


def _pick(weighted: Weighted, generator: np.random.Generator) -> str:
    """One of the texts, with probability proportional to its weight."""
    names, bounds = list(weighted), list(accumulate(weighted.values()))
    return names[min(bisect_right(bounds, generator.random() * bounds[-1]), len(names) - 1)]
