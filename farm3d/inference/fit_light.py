"""The light of the photograph, read off the animal's own shading.

Own choice: the published method keeps the light that its network predicts, and so does training here.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.types import DirectionalLight

ELEVATIONS, AZIMUTHS = 6, 16
"""Directions that are tried, all from above: from just over the horizon to nearly overhead, all around."""

SHARES = (0.2, 0.35, 0.5, 0.6, 0.7)
"""Shares of the distant light in all light that are tried; the sun's is higher, but ground and coat throw
light back into its shadows, which this model of light does not know."""

PRIOR = 0.1
"""Cost of one minus the cosine of the angle to the predicted direction, and of a share's distance."""

MOST_PIXELS = 1000
FEWEST_PIXELS = 50
DARKEST = 0.05
"""Least shading, and a fifth of it least colour, that is told from black."""


def fit_light(
    light: DirectionalLight, normals: Float[Tensor, "pixels 3"], linear: Float[Tensor, "pixels 3"]
) -> DirectionalLight:
    """The light of one image whose shading explains the pixels best, were the coat of one colour.

    Normals are unit vectors in the camera frame, colours linear. Direction and share of the distant light are
    those with the least mean absolute deviation of `log(colour / shading)` from its median, held near the
    predicted ones, which too few pixels leave as they are. The mean shading stays: a coat's paleness and a
    light's strength cannot be told apart.
    """
    stride = max(1, len(normals) // MOST_PIXELS)
    seen, grey = normals[::stride], linear[::stride].mean(dim=-1).clamp_min(DARKEST / 5.0).log()
    if len(seen) < FEWEST_PIXELS:
        return light
    toward, share = light.direction.reshape(3), light.diffuse / (light.ambient + light.diffuse)
    directions = _directions().to(seen)
    facing = (seen @ directions.T).clamp_min(0.0)
    shares = torch.tensor(SHARES).to(seen)
    shading = ((1.0 - shares) + shares * facing[..., None]).clamp_min(DARKEST)
    rest = grey[:, None, None] - shading.log()
    misfit = (rest - rest.median(dim=0).values).abs().mean(dim=0)
    change = (1.0 - directions @ toward)[:, None] + (shares - share).abs()
    best = int((misfit + PRIOR * change).argmin())
    direction, chosen = directions[best // len(SHARES)], shares[best % len(SHARES)]
    before = light.ambient + light.diffuse * (normals @ toward).clamp_min(0.0).mean()
    after = (1.0 - chosen) + chosen * (normals @ direction).clamp_min(0.0).mean()
    strength = before / after
    return DirectionalLight(
        direction.expand_as(light.direction).clone(), strength * (1.0 - chosen), strength * chosen
    )


def _directions() -> Float[Tensor, "directions 3"]:
    """Unit vectors with y > 0 on rings."""
    elevation = torch.linspace(0.05, 1.4, ELEVATIONS)[:, None]
    azimuth = torch.arange(AZIMUTHS) * (2.0 * math.pi / AZIMUTHS)
    rings = [elevation.cos() * azimuth.sin(), elevation.sin().expand(-1, AZIMUTHS)]
    return torch.stack([*rings, elevation.cos() * azimuth.cos()], dim=-1).flatten(0, 1)
