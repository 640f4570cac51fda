"""The relief of wool, fur, long hair and muscles: heights over the smooth body, for light to show."""

import numpy as np

from .canvas import LEGS, Canvas, Values, soft
from .coat import Hair
from .trims import fleece_cover

WOOL_FREQUENCIES = (5.5, 11.0)
"""Cycles an object unit of the locks of wool and of the curls in them."""


FUR_FREQUENCY = 22.0


def hair_height(canvas: Canvas, hair: Hair) -> Values:
    """Heights (object units) of one individual's hair and muscles; each with its own random strength."""
    generator = canvas.generator
    body = canvas.part("trunk", "neck", *LEGS)
    height = generator.uniform(0.6, 1.3) * hair.muscles * _muscles(canvas) * body
    strand = canvas.noise(9.0, stretch=(1.0, 0.2, 1.0), waves=40)
    height = height + hair.strands * strand * canvas.part("mane", "tail")
    if hair.wool > 0.0:
        # A noise's absolute value is round above and creased at 0, as locks are.
        coarse, fine = (np.abs(canvas.noise(frequency, waves=40)) for frequency in WOOL_FREQUENCIES)
        locks = np.sqrt(coarse + 0.02) + 0.45 * np.sqrt(fine + 0.02)
        height = height + generator.uniform(0.6, 1.3) * hair.wool * locks * fleece_cover(canvas)
    # Fur lies along the body: streaks are longer in the direction of trunk and neck, upright on legs.
    along = canvas.noise(FUR_FREQUENCY, stretch=(1.0, 1.0, 0.4), waves=40)
    down = canvas.noise(FUR_FREQUENCY, stretch=(1.0, 0.4, 1.0), waves=40)
    fur = along * (canvas.part("trunk", "neck") + 0.35 * canvas.part("head")) + down * canvas.part(*LEGS)
    bare = 1.0 if hair.wool == 0.0 else 1.0 - fleece_cover(canvas)
    return (height + generator.uniform(0.5, 1.4) * hair.fur * bare * fur).astype(np.float32)


def _muscles(canvas: Canvas) -> Values:
    """Low swellings, and ribs on the flank."""
    ribs = np.cos(2 * np.pi * (8.0 * canvas.points[:, 2] + 1.5 * canvas.points[:, 1]))
    flank = (
        canvas.part("trunk") * soft(canvas.along_body, 0.35, 0.2) * soft(0.75 - canvas.along_body, 0.0, 0.2)
    )
    sides = soft(np.abs(canvas.normals[:, 0]), 0.6, 0.4) * soft(0.4 - canvas.girth, 0.0, 0.6)
    return canvas.noise(1.7) + 0.12 * ribs * flank * sides * canvas.generator.uniform(0.0, 1.0)
