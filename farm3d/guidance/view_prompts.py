"""Prompts that say from where the animal is seen.

Source: DreamFusion (arXiv 2209.14988) for view words; their ranges are `geometry.viewpoint.view_word`'s.
"""

from dataclasses import dataclass

from farm3d.geometry.viewpoint import view_word

VIEW_WORDS = ("front", "side", "back", "overhead")


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
