"""How near a rendered picture is to the true one: PSNR, SSIM, and L1 where the animal is.

Images are sRGB in [0, 1], so the data range is 1 throughout.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import correlate1d

from farm3d.inference.reconstruct import intersection_over_union

DATA_RANGE = 1.0
SSIM_WINDOW, SSIM_SIGMA = 11, 1.5
"""Side and standard deviation (pixels) of the Gaussian window of Wang et al. 2004."""

Image = Float[np.ndarray, "height width channels"]
Mask = Bool[np.ndarray, "height width"]


@dataclass(frozen=True)
class ViewScore:
    """One picture against the true one: PSNR (dB, infinite where equal), SSIM, masked L1, the masks' IoU."""

    psnr: float
    ssim: float
    masked_l1: float
    iou: float


def score_view(image: Image, reference: Image, *, mask: Mask, true_mask: Mask) -> ViewScore:
    """The four figures; the L1 is taken where either mask is, PSNR and SSIM look at the whole picture."""
    return ViewScore(
        psnr(image, reference),
        ssim(image, reference),
        masked_l1(image, reference, mask | true_mask),
        intersection_over_union(mask, true_mask),
    )


def psnr(image: Image, reference: Image) -> float:
    """`10 log10(range^2 / mean squared error)` over all pixels and channels, in decibels."""
    error = float(np.square(image.astype(np.float64) - reference).mean())
    return 10.0 * math.log10(DATA_RANGE**2 / error) if error else math.inf


def ssim(image: Image, reference: Image) -> float:
    """The mean structural similarity, channel by channel and then over the channels.

    *Source:* Wang et al. 2004, "Image quality assessment", equation 13: a Gaussian window of 11 x 11 with
    standard deviation 1.5, K1 = 0.01, K2 = 0.03, weighted (biased) moments, and the mean over the places
    at which the window lies inside the picture, which must be as large as it.
    """
    assert min(image.shape[:2]) >= SSIM_WINDOW, f"{image.shape}: smaller than the window"
    first, second = image.astype(np.float64), reference.astype(np.float64)
    mean_1, mean_2 = _windowed(first), _windowed(second)
    variance_1 = _windowed(first * first) - mean_1 * mean_1
    variance_2 = _windowed(second * second) - mean_2 * mean_2
    covariance = _windowed(first * second) - mean_1 * mean_2
    c1, c2 = (0.01 * DATA_RANGE) ** 2, (0.03 * DATA_RANGE) ** 2
    similarity = (2.0 * mean_1 * mean_2 + c1) * (2.0 * covariance + c2)
    norm = (mean_1 * mean_1 + mean_2 * mean_2 + c1) * (variance_1 + variance_2 + c2)
    return float((similarity / norm).mean())


def masked_l1(image: Image, reference: Image, mask: Mask) -> float:
    """The mean absolute difference over the mask's pixels and all channels; 0 where the mask is empty."""
    if not mask.any():
        return 0.0
    return float(np.abs(image.astype(np.float64) - reference)[mask].mean())


def _windowed(values: Image) -> Float[np.ndarray, "rows columns channels"]:
    """Gaussian means about every pixel whose window lies inside."""
    half = SSIM_WINDOW // 2
    weights = np.exp(-0.5 * (np.arange(-half, half + 1) / SSIM_SIGMA) ** 2)
    weights /= weights.sum()
    smooth = correlate1d(correlate1d(values, weights, axis=0), weights, axis=1)
    return smooth[half:-half, half:-half]
