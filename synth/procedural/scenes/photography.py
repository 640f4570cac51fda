"""What a camera makes of light: small pure effects, and a random photograph made of them.

Images are float32, height x width x 3; "linear" ones are proportional to light, others are sRGB in [0, 1].
"""

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from .colors import to_srgb

Image = Float[np.ndarray, "height width 3"]

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""Weights of linear red, green and blue (ITU-R BT.709)."""


def metered_gain(linear: Image, target: float, trust: float) -> float:
    """The factor by which a camera brightens a scene so that its middle comes out near `target`.

    `trust` 1 brings every scene there, 0 none. Weighted towards the picture's middle.
    """
    axis = np.linspace(-1.0, 1.0, len(linear))
    weight = np.exp(-1.5 * (axis[:, None] ** 2 + axis[None, :] ** 2))
    light = np.log(np.maximum(linear @ LUMINANCE, 1e-3))
    return float((target / np.exp((light * weight).sum() / weight.sum())) ** trust)


def vignetted(linear: Image, strength: float) -> Image:
    """Corners darker by up to `strength` (the cosine law's shape)."""
    axis = np.linspace(-1.0, 1.0, len(linear))
    radius = (axis[:, None] ** 2 + axis[None, :] ** 2) / 2.0
    return linear * (1.0 - strength * radius**1.5)[..., None].astype(np.float32)


def defocused(linear: Image, radius: float) -> Image:
    """Blurred by a disc of light of this radius (pixels)."""
    if radius < 0.4:
        return linear
    reach = int(np.ceil(radius + 0.5))
    axis = np.arange(-reach, reach + 1)
    disc = np.clip(radius + 0.5 - np.hypot(axis[:, None], axis[None, :]), 0.0, 1.0)
    return cv2.filter2D(linear, -1, (disc / disc.sum()).astype(np.float32), borderType=cv2.BORDER_REPLICATE)


def motion_blurred(linear: Image, length: float, angle: float) -> Image:
    """Smeared along a straight line of this length (pixels) and angle (radians)."""
    if length < 1.0:
        return linear
    reach = int(np.ceil(length / 2)) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    along = np.linspace(-length / 2, length / 2, 4 * reach + 1)
    for x, y in zip(reach + along * np.cos(angle), reach + along * np.sin(angle), strict=True):
        column, row = int(x), int(y)
        for step_y, step_x in ((0, 0), (0, 1), (1, 0), (1, 1)):
            kernel[row + step_y, column + step_x] += (1 - abs(x - column - step_x)) * (
                1 - abs(y - row - step_y)
            )
    return cv2.filter2D(linear, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)


def fringed(linear: Image, amount: float) -> Image:
    """Lateral chromatic aberration: red enlarged and blue shrunk about the middle by this fraction."""
    size = len(linear)
    result = linear.copy()
    for channel, scale in ((0, 1.0 + amount), (2, 1.0 - amount)):
        shift = (1.0 - scale) * (size - 1) / 2
        matrix = np.array([[scale, 0.0, shift], [0.0, scale, shift]])
        result[..., channel] = cv2.warpAffine(
            linear[..., channel],
            matrix,
            (size, size),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
    return result


def noisy(linear: Image, generator: np.random.Generator, *, shot: float, read: float) -> Image:
    """Sensor noise: variance `shot`^2 x light + `read`^2, partly the same in all channels and neighbours.

    Source: the affine noise model of Foi et al. 2008, "Practical Poissonian-Gaussian noise modeling".
    """
    noise = generator.standard_normal(linear.shape, dtype=np.float32)
    noise = 0.75 * noise + 0.65 * generator.standard_normal((*linear.shape[:2], 1), dtype=np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), 0.55) * 1.6
    return linear + noise * np.sqrt(shot**2 * np.maximum(linear, 0.0) + read**2)


def shouldered(linear: Image, knee: float) -> Image:
    """Highlights above `knee` bent smoothly towards 1 instead of cut off."""
    over = np.maximum(linear - knee, 0.0) / (1.0 - knee)
    return np.minimum(linear, knee) + (1.0 - knee) * (1.0 - np.exp(-over)).astype(np.float32)


def contrasted(image: Image, contrast: float, saturation: float) -> Image:
    """A curve about middle grey, steeper for a `contrast` over 1, and colours drawn from or to grey."""
    grey = image @ LUMINANCE
    image = grey[..., None] + saturation * (image - grey[..., None])
    return 0.46 + contrast * (image - 0.46)


def sharpened(image: Image, amount: float, radius: float) -> Image:
    """Unsharp masking, with its halos."""
    return image + amount * (image - cv2.GaussianBlur(image, (0, 0), radius))


def resampled(image: Image, factor: float, *, enlarge: int, shrink: int) -> Image:
    """Brought to `factor` times its size and back, by OpenCV's interpolations."""
    side = len(image)
    other = max(8, round(side * factor))
    first, second = (enlarge, shrink) if factor > 1 else (shrink, enlarge)
    middle = cv2.resize(image, (other, other), interpolation=first)
    return cv2.resize(middle, (side, side), interpolation=second)


def compressed(image: UInt8[np.ndarray, "height width 3"], quality: int, *, subsampled: bool) -> np.ndarray:
    """Through a JPEG file of this quality, with or without halved chroma."""
    sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420 if subsampled else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", image, options)[1], cv2.IMREAD_COLOR))


def random_gain(linear: Image, generator: np.random.Generator) -> float:
    """A camera's exposure of a scene, sometimes a little off."""
    return metered_gain(linear, generator.uniform(0.16, 0.27), generator.uniform(0.6, 0.95)) * float(
        np.exp(generator.normal() * 0.15)
    )


def photographed(linear: Image, generator: np.random.Generator) -> UInt8[np.ndarray, "height width 3"]:
    """A photograph of exposed light with a random camera: lens, sensor, development, file."""
    size = len(linear)
    balance = 1.0 + generator.normal(size=3) * [0.05, 0.02, 0.06]
    image = vignetted(linear * balance.astype(np.float32), generator.uniform(0.0, 0.35))
    if generator.random() < 0.18:
        image = defocused(image, generator.uniform(0.3, 1.3) * size / 128)
    if generator.random() < 0.08:
        image = motion_blurred(image, generator.uniform(1.0, 5.0) * size / 128, generator.uniform(0, np.pi))
    if generator.random() < 0.3:
        image = fringed(image, generator.uniform(0.001, 0.006))
    level = float(np.exp(generator.uniform(np.log(0.003), np.log(0.03))))
    image = noisy(image, generator, shot=level, read=0.05 * level)
    image = to_srgb(shouldered(image, generator.uniform(0.55, 0.85)).astype(np.float32))
    image = contrasted(image, generator.uniform(0.92, 1.22), generator.uniform(0.75, 1.25))
    if generator.random() < 0.4:
        image = sharpened(image, generator.uniform(0.2, 1.0), generator.uniform(0.6, 1.4))
    if generator.random() < 0.35:
        factor = generator.uniform(0.55, 0.95) if generator.random() < 0.6 else generator.uniform(1.1, 1.8)
        large = (cv2.INTER_LINEAR, cv2.INTER_CUBIC)[int(generator.integers(2))]
        small = (cv2.INTER_AREA, cv2.INTER_LINEAR)[int(generator.integers(2))]
        image = resampled(image, factor, enlarge=large, shrink=small)
    final = (np.clip(image, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)
    quality, halved = int(generator.integers(40, 96)), bool(generator.random() < 0.7)
    return compressed(final, quality, subsampled=halved) if generator.random() < 0.7 else final
