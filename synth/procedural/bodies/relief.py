"""Muscle and bone that all quadrupeds show, and the tables in which species add their own.

Places after Ellenberger, Dittrich & Baum, "An Atlas of Animal Anatomy for Artists" (1901).
"""

from ..anatomy import Ridge


def ridges(table: str, strength: float = 1.0) -> tuple[Ridge, ...]:
    """The ridges of a table with the lines `parts: landmark landmark: a b [a b] radius height`.

    `a` is in hundredths of the way from one landmark to the other, `b`, radius and height in hundredths of
    an object unit; parts are joined by plus signs. `strength` multiplies the heights. Raises ValueError
    for other lines.
    """
    found = []
    for line in filter(str.strip, table.split("\n")):
        parts, landmarks, numbers = line.split(":")
        *places, radius, height = (float(word) / 100.0 for word in numbers.split())
        if len(places) not in (2, 4):
            raise ValueError(f"a ridge has one place or two, a radius and a height: {line}")
        start, end = landmarks.split()
        line_ends = ((places[0], places[1]), (places[-2], places[-1]))
        found.append(
            Ridge(tuple(parts.strip().split("+")), (start, end), line_ends, radius, strength * height)
        )
    return tuple(found)


MUSCLES = """
    foreleg+trunk+neck: scapula shoulder: 5 3 75 3 5 1.5
    foreleg+trunk+neck: withers elbow: -5 -3 75 -6 8 -1.8
    foreleg+trunk+neck: shoulder elbow: 60 -28 90 -14 13 2.2
    foreleg+trunk+neck: shoulder elbow: 0 0 9 2
    foreleg+trunk+neck: shoulder elbow: 47 4 88 5.5 6 -1.2
    foreleg+trunk+neck: elbow carpus: 20 5 50 5 7 1.4
    foreleg+trunk+neck: elbow carpus: 100 2 6 1.2
    trunk+hindleg: loin stifle: -3 2 9 2.6
    trunk+hindleg: loin stifle: 36 13 78 19 11 -2
    trunk+hindleg: hip tail_base: 14 -20 29 5 14 1.6
    trunk+hindleg: hip hock: 3 -24 48 -3 4 -1.6
    hindleg+trunk+udder: hip stifle: 100 0 9 1.8
    hindleg+trunk: stifle hock: 44 -1 65 1 7 1.2
    hindleg: stifle hock: 67 -6 92 -2.5 3.5 -1.8
    hindleg: hock hind_fetlock: -6 -7 5 1.2
"""
"""Shoulder blade, groove behind it, triceps, point of the shoulder, elbow, forearm, knee; point of the hip,
flank, croup, groove behind the thigh, stifle, gaskin, Achilles tendon, point of the hock."""

RIBS = """
    trunk: withers loin: 20 14 30 68 3 0.6
    trunk: withers loin: 31 14 42 70 3 0.6
    trunk: withers loin: 43 16 55 70 3 0.6
    trunk: withers loin: 54 16 67 67 3 0.6
    trunk: withers loin: 66 18 78 62 3 0.5
"""
