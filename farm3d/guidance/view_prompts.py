"""Prompts that say from where the animal is seen, and what data sets say of it.

Source: DreamFusion (arXiv 2209.14988) for view words; their ranges are `geometry.viewpoint.view_word`'s.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from farm3d.geometry.viewpoint import view_word

VIEW_WORDS = ("front", "side", "back", "overhead")

AZIMUTHS = {
    "front": 0.0,
    "back": math.pi,
    "facing right": 0.5 * math.pi,
    "facing left": -0.5 * math.pi,
}
"""The azimuths (radians) of the words that say where the head is."""


@dataclass(frozen=True)
class ViewPrompt:
    """A subject in words, and the side from which it is seen; no view says nothing about the side."""

    subject: str
    view: str | None = None

    @property
    def text(self) -> str:
        """What a text encoder reads."""
        return self.subject if self.view is None else f"{self.subject}, {self.view} view"


def view_prompt(template: str, category: str, *, azimuth: float, elevation: float) -> ViewPrompt:
    """The prompt for a camera (radians); `template` has `{category}` where the animal's name goes."""
    return ViewPrompt(template.format(category=category), view_word(azimuth, elevation))


def recorded_view(record: Mapping[str, Any]) -> str | None:
    """The view word of a data set's picture, from its JSON (docs/data_sets.md); `None` where it names none.

    A view from three quarters counts as one from that end.
    """
    asked = str(record.get("view") or "").split(" ")[0]
    if asked in VIEW_WORDS:
        return asked
    return next((word for word in VIEW_WORDS if f"{word} view" in record.get("prompt", "")), None)


def recorded_azimuth(record: Mapping[str, Any]) -> float | None:
    """Where a picture's JSON says that the head is, one of `AZIMUTHS`; `None` where it does not say."""
    facing = (word for word in AZIMUTHS if word.startswith("facing") and word in record.get("prompt", ""))
    return AZIMUTHS.get(next(facing, recorded_view(record) or ""))
