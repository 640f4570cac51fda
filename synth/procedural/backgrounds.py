"""Backgrounds: sky, horizon, ground and out-of-focus things, never a flat colour. sRGB in [0, 1]."""

import cv2
import numpy as np
from jaxtyping import Float

Image = Float[np.ndarray, "size size 3"]

GROUNDS = (
    (0.30, 0.40, 0.14), (0.24, 0.36, 0.12), (0.42, 0.46, 0.22), (0.55, 0.50, 0.28),
    (0.52, 0.44, 0.34), (0.64, 0.56, 0.44), (0.40, 0.33, 0.26), (0.50, 0.49, 0.48), (0.72, 0.70, 0.67),
)  # fmt: skip
SKIES = (
    (0.45, 0.62, 0.85), (0.60, 0.72, 0.88), (0.75, 0.80, 0.86), (0.82, 0.82, 0.82),
    (0.65, 0.66, 0.68), (0.88, 0.78, 0.66), (0.35, 0.50, 0.72),
)  # fmt: skip
FOLIAGE = ((0.12, 0.22, 0.08), (0.20, 0.30, 0.12), (0.30, 0.36, 0.16), (0.26, 0.20, 0.12), (0.40, 0.30, 0.14))
THINGS = ((0.45, 0.22, 0.18), (0.80, 0.78, 0.74), (0.50, 0.42, 0.34), (0.30, 0.30, 0.32), (0.62, 0.60, 0.56))


def octave_noise(
    size: int, generator: np.random.Generator, *, coarsest: int = 3, octaves: int = 5, stretch: float = 1.0
) -> Float[np.ndarray, "size size"]:
    """Noise of several scales about 0, standard deviation about 1; `stretch` widens it sideways."""
    total = np.zeros((size, size))
    for octave in range(octaves):
        rows = min(size, coarsest * 2**octave)
        columns = max(2, min(size, round(rows / stretch)))
        grid = generator.normal(size=(rows, columns))
        total += 0.65**octave * cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC)
    return total / max(float(total.std()), 1e-6)


def background(size: int, horizon: float, generator: np.random.Generator) -> Image:
    """A scene with its horizon at row `horizon` (pixels, may lie outside), a little tilted and blurred."""
    columns = np.linspace(-0.5, 0.5, size)
    tilt = generator.normal() * 0.03 * size
    line = horizon + tilt * columns + generator.uniform(0.0, 0.02) * size * octave_noise(size, generator)[0]
    rows = np.arange(size)[:, None] + 0.5
    below = np.clip((rows - line[None, :]) / max(1.0, 0.02 * size) + 0.5, 0.0, 1.0)[..., None]
    image = _sky(size, generator) * (1.0 - below) + _ground(size, horizon, generator) * below
    if generator.random() < 0.75 and horizon > 0:
        image = _trees(image, line, generator)
    for _ in range(int(generator.integers(0, 3))):
        image = _thing(image, horizon, generator)
    if generator.random() < 0.3:
        image = _fence(image, horizon, generator)
    blur = generator.uniform(0.3, 2.5) * size / 128
    return np.clip(cv2.GaussianBlur(image, (0, 0), blur), 0.0, 1.0)


def _pick(colors: tuple[tuple[float, float, float], ...], generator: np.random.Generator) -> np.ndarray:
    color = np.array(colors[int(generator.integers(len(colors)))])
    return np.clip(color * np.exp(generator.normal() * 0.2) + generator.normal(size=3) * 0.03, 0.02, 0.98)


def _sky(size: int, generator: np.random.Generator) -> Image:
    top, bottom = _pick(SKIES, generator), _pick(SKIES, generator)
    share = np.linspace(0.0, 1.0, size)[:, None, None]
    clouds = octave_noise(size, generator, stretch=2.0)[..., None] * generator.uniform(0.0, 0.08)
    return top * (1 - share) + bottom * share + clouds


def _ground(size: int, horizon: float, generator: np.random.Generator) -> Image:
    """Two mixed colours under noise that grows coarser towards the viewer."""
    first, second = _pick(GROUNDS, generator), _pick(GROUNDS, generator)
    stretch = float(generator.uniform(1.5, 4.0))
    broad = octave_noise(size, generator, coarsest=2, octaves=4, stretch=stretch)
    fine = octave_noise(size, generator, coarsest=16, octaves=4, stretch=stretch / 1.5)
    near = np.clip((np.arange(size) - horizon) / size, 0.1, 1.0)[:, None]
    share = np.clip(0.5 + 0.35 * broad, 0.0, 1.0)[..., None]
    texture = generator.uniform(0.02, 0.10) * (0.4 + near) * fine
    return (first * (1 - share) + second * share) * (1.0 + 1.5 * texture[..., None])


def _trees(image: Image, line: np.ndarray, generator: np.random.Generator) -> Image:
    """A dark band of foliage or hills that stands on the horizon."""
    size = len(image)
    height = size * generator.uniform(0.03, 0.5)
    skyline = octave_noise(size, generator, coarsest=4, octaves=5)[size // 2]
    top = line - height * np.clip(1.0 + generator.uniform(0.1, 0.5) * skyline, 0.0, 2.5)
    rows = np.arange(size)[:, None]
    cover = np.clip(rows - top, 0.0, 1.0) * np.clip(line - rows + 1.0, 0.0, 1.0)
    texture = 1.0 + generator.uniform(0.1, 0.5) * octave_noise(size, generator, coarsest=6)[..., None]
    color = _pick(FOLIAGE, generator) * np.clip(texture, 0.3, 2.0)
    return image + cover[..., None] * (color - image)


def _thing(image: Image, horizon: float, generator: np.random.Generator) -> Image:
    """A building, a post, a bush or a rock: a soft-edged box or blob somewhere about the horizon."""
    size = len(image)
    width, height = size * generator.uniform(0.05, 0.5), size * generator.uniform(0.05, 0.4)
    x = generator.uniform(-0.1, 1.1) * size
    y = float(np.clip(horizon, -0.1 * size, size)) + generator.normal() * 0.15 * size
    rows, columns = np.mgrid[0:size, 0:size] + 0.5
    u, v = np.abs(columns - x) / width, np.abs(rows - y) / height
    power = float(generator.choice([2.0, 2.5, 20.0]))
    ragged = generator.uniform(0.0, 0.25) * octave_noise(size, generator, coarsest=5) if power < 10 else 0.0
    inside = 1.0 - ((2 * u) ** power + (2 * v) ** power) + ragged
    cover = np.clip(inside * 8.0, 0.0, 1.0)[..., None]
    palette = THINGS if power > 10 or generator.random() < 0.3 else FOLIAGE
    shade = 1.0 + 0.15 * octave_noise(size, generator, coarsest=4)[..., None]
    return image + cover * (_pick(palette, generator) * shade - image)


def _fence(image: Image, horizon: float, generator: np.random.Generator) -> Image:
    """Rails and posts behind the animal."""
    size = len(image)
    result = image.copy()
    color = _pick(THINGS, generator)
    base = float(np.clip(horizon, 0.1 * size, 0.7 * size)) + generator.uniform(0.0, 0.2) * size
    height = generator.uniform(0.1, 0.3) * size
    thick = max(1, round(size * generator.uniform(0.008, 0.025)))
    slope = generator.normal() * 0.05 * size
    for rail in range(int(generator.integers(2, 4))):
        y = base - height * (rail + 1) / 3.5
        ends = ((0, round(y - slope)), (size, round(y + slope)))
        cv2.line(result, *ends, color.tolist(), thick)
    for x in np.arange(generator.uniform(0, 0.3), 1.0, generator.uniform(0.2, 0.45)) * size:
        y = base + slope * (2 * x / size - 1)
        cv2.line(result, (round(x), round(y)), (round(x), round(y - height)), color.tolist(), thick + 1)
    return result
