"""Muscle, bone and wool under the skin: small rises and grooves of the mean animal's surface.

Places after Ellenberger, Dittrich & Baum, "An Atlas of Animal Anatomy for Artists" (1901).
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.geometry.mesh import Mesh
from farm3d.ops.mesh_topology import vertex_normals

from .anatomy import Ridge, Species
from .refinement import mirror_vertices

EYE, BROW, NOSTRIL = (0.045, 0.02), (0.04, 0.012), (0.03, -0.012)
"""Radius and height (object units) of what every face has."""

FLEECE_SEED = 17
LOCKS = 4.4
"""Locks of wool in an object unit."""

SHEARED_HEIGHT, SHEARED_FACE = -0.62, 0.1
"""Height (object units) on the legs, and share of the way from poll to muzzle, where the wool ends."""


def with_relief(
    species: Species, mesh: Mesh, membership: Float[Tensor, "vertices parts"], *, parts: tuple[str, ...]
) -> Float[Tensor, "vertices 3"]:
    """The mean animal's vertices raised along their normals by its species' ridges and fleece."""
    points = mesh.vertices.double().numpy()
    normals = vertex_normals(mesh.vertices, mesh.faces).double().numpy()
    shares = dict(zip(parts, membership.double().numpy().T, strict=True))
    # What is drawn in the side view lies on the sides, not where the surface turns to or from the viewer.
    sideways = np.clip(1.6 * np.abs(normals[:, 0]), 0.0, 1.0)
    height = np.zeros(len(points))
    for ridge in (*species.relief, *_face(species)):
        share = np.sum([shares[part] for part in ridge.parts if part in shares], axis=0)
        height += (
            ridge.height
            * np.exp(-((_distance(species, ridge, points) / ridge.radius) ** 2))
            * share
            * sideways
        )
    if species.fleece:
        woolly = _wool(species, points, shares)
        height += species.fleece * woolly * _locks(points)
    raised = torch.from_numpy(points + height[:, None] * normals)
    flipped = raised[mirror_vertices(mesh.vertices)] * torch.tensor([-1.0, 1.0, 1.0])
    return ((raised + flipped) / 2.0).to(mesh.vertices.dtype)


def _wool(
    species: Species, points: np.ndarray, shares: dict[str, np.ndarray]
) -> Float[np.ndarray, " vertices"]:
    """Where the fleece grows: everywhere but on the face, the ears and the lower legs."""
    poll, muzzle = (np.array(species.landmarks[name]) for name in ("poll", "muzzle"))
    along = (points - poll) @ (muzzle - poll) / np.sum((muzzle - poll) ** 2)
    crown = shares["head"] * np.clip((SHEARED_FACE - along) / 0.1, 0.0, 1.0)
    thighs = (shares["foreleg"] + shares["hindleg"]) * np.clip(
        (points[:, 1] - SHEARED_HEIGHT) / 0.15, 0.0, 1.0
    )
    wool: np.ndarray = shares["trunk"] + shares["neck"] + shares["tail"] + crown + thighs
    return wool


def _face(species: Species) -> tuple[Ridge, ...]:
    """Eyeballs, brows and nostrils where the coat paints them."""
    (eye, up), nostril = species.face_marks.eye, species.face_marks.nostril
    brow = ((eye - 0.07, up + 0.035), (eye + 0.03, up + 0.045))
    rows = (((eye, up), (eye, up), EYE), (*brow, BROW), (nostril, nostril, NOSTRIL))
    return tuple(Ridge(("head",), ("poll", "muzzle"), (start, end), *size) for start, end, size in rows)


def _distance(species: Species, ridge: Ridge, points: np.ndarray) -> Float[np.ndarray, " vertices"]:
    """Distance (object units) of each point from a ridge's line in the side view."""
    origin, target = (np.array(species.landmarks[name])[[2, 1]] for name in ridge.landmarks)
    length = float(np.linalg.norm(target - origin))
    forward = (target - origin) / length
    left = np.array([-forward[1], forward[0]])
    start, end = (origin + share * length * forward + aside * left for share, aside in ridge.ends)
    along, offset = end - start, points[:, [2, 1]] - start
    share = np.clip(offset @ along / max(float(along @ along), 1e-12), 0.0, 1.0)
    distance: np.ndarray = np.linalg.norm(offset - share[:, None] * along, axis=1)
    return distance


def _locks(points: np.ndarray) -> Float[np.ndarray, " vertices"]:
    """The lumps of a fleece, the same on both sides: a sum of waves, in [-1, 1] for the most part."""
    generator = np.random.default_rng(FLEECE_SEED)
    waves = generator.normal(size=(40, 3))
    waves *= (
        2
        * np.pi
        * LOCKS
        * generator.uniform(0.7, 1.3, (40, 1))
        / np.linalg.norm(waves, axis=1, keepdims=True)
    )
    phases = generator.uniform(0, 2 * np.pi, 40)
    values = np.cos(points[:, :1] * waves[:, 0]) * np.cos(points[:, 1:] @ waves[:, 1:].T + phases)
    lumps: np.ndarray = np.tanh(values.sum(axis=1) / 3.5)
    return lumps
