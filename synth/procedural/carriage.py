"""How an animal carries head, ears and tail: angles (radians) that are added to those of its trunk.

Positive flexion turns a bone's free end down and back: neck down, tail up, ears forward.
"""

import numpy as np

from .anatomy import Manners
from .footing import TAIL, Angles


def head(generator: np.random.Generator, *, lively: bool) -> Angles:
    """Neck and head lowered or raised, and turned: mostly a little, now and then to look at something."""
    lift = float(generator.normal(0.06 if lively else 0.0, 0.15))
    mood = generator.random()
    if not lively and mood < 0.15:
        lift -= float(generator.uniform(0.25, 0.65))
    elif not lively and mood < 0.3:
        lift += float(generator.uniform(0.1, 0.25))
    looks = generator.random() < (0.08 if lively else 0.33)
    turn = float(generator.normal()) * (0.33 if looks else 0.06)
    nod, tilt = float(generator.normal()) * 0.13, float(generator.normal()) * 0.06
    angles = {bone: (-lift * share, turn * share, 0.0) for bone, share in NECK_SHARES.items()}
    return angles | {"head": (lift * 1.4 + nod, turn * 0.8, tilt)}


NECK_SHARES = {"neck_1": 1.0, "neck_2": 0.8, "neck_3": 0.4}


def ears(generator: np.random.Generator, *, lively: bool) -> Angles:
    """Ears pricked, laid back, or turned each its own way."""
    together = float(generator.normal(-0.15 if lively else 0.05, 0.2))
    if generator.random() < 0.12:
        together -= 0.4
    angles = {}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        flexion = together + float(generator.normal()) * 0.14
        angles[f"{side}_ear"] = (flexion, sign * float(generator.normal()) * 0.15, 0.0)
    return angles


def tail(manners: Manners, generator: np.random.Generator, *, lively: bool) -> Angles:
    """A hanging tail, one that is carried high and streams behind, or one that swings."""
    raised = generator.random() < manners.raised_tail[0 if lively else 1]
    lift = float(generator.uniform(0.4, 1.15) if raised else generator.normal(-0.05, 0.1))
    side = float(generator.normal()) * 0.12
    if generator.random() < manners.wag:
        side = float(generator.uniform(0.3, 0.6)) * (1.0 if generator.random() < 0.5 else -1.0)
    curl = float(generator.normal()) * 0.12
    shares = (1.0, 0.15, -0.2, -0.35) if raised else (1.0, 0.3, 0.3, 0.3)
    # A swinging tail's end lags behind its root.
    sides = (1.0, 0.7, 0.2, -0.3)
    return {
        bone: (lift * share + float(generator.normal()) * 0.06, side * lag + curl * (1.0 - lag), 0.0)
        for bone, share, lag in zip(TAIL, shares, sides, strict=True)
    }
