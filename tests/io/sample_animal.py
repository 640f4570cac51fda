"""A small rigged animal for the tests: a tube with four bones, a striped coat and two clips."""

import io
import math

import numpy as np
import torch
from PIL import Image

from farm3d.geometry.clip import Clip
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.skeleton import Skeleton
from farm3d.geometry.skinning import distance_skinning_weights
from farm3d.io.gltf import Rig, TexturedSurface, WorldScale

RINGS, SEGMENTS = 41, 24
SCALE = WorldScale(metres_per_unit=0.8, ground_height=-0.6)
NAMES = ("head", "chest", "tail", "loin")


def tube_mesh() -> Mesh:
    """A spindle of half length 2 along z; the column at the seam is doubled for its texture coordinates."""
    along = torch.linspace(-1.0, 1.0, RINGS)
    around = torch.linspace(0.0, 1.0, SEGMENTS + 1)
    radius = 0.02 + 0.5 * torch.sqrt((1.0 - along.square()).clamp_min(0.0)) * (1.0 - 0.3 * along)
    angle = 2.0 * math.pi * around
    ring = torch.stack([torch.sin(angle), torch.cos(angle)], dim=-1)
    crosswise = radius[:, None, None] * ring
    lengthwise = (2.0 * along)[:, None, None].expand(-1, SEGMENTS + 1, 1)
    uvs = torch.stack(
        [around.expand(RINGS, -1), (0.5 - 0.5 * along)[:, None].expand(-1, SEGMENTS + 1)], dim=-1
    )
    row, column = torch.meshgrid(torch.arange(RINGS - 1), torch.arange(SEGMENTS), indexing="ij")
    first = (row * (SEGMENTS + 1) + column).flatten()
    above, right = first + SEGMENTS + 1, first + 1
    faces = torch.cat([torch.stack([first, above, right], 1), torch.stack([right, above, above + 1], 1)])
    return Mesh(torch.cat([crosswise, lengthwise], dim=-1).flatten(0, 1), faces, uvs.flatten(0, 1))


def radial_normals(mesh: Mesh) -> torch.Tensor:
    """Unit vectors away from the z axis."""
    return torch.nn.functional.normalize(mesh.vertices * torch.tensor([1.0, 1.0, 0.0]), dim=-1)


def skeleton() -> Skeleton:
    """Two chains that start mid-body; each tip comes before the bone that it follows."""
    joints = [
        [[0, 0.1, 1], [0, 0.4, 2]],
        [[0, 0, 0], [0, 0.1, 1]],
        [[0, 0.1, -1], [0, -0.2, -2]],
        [[0, 0, 0], [0, 0.1, -1]],
    ]
    return Skeleton(torch.tensor(joints, dtype=torch.float32), (1, -1, 3, -1), NAMES, torch.ones(4, 3))


def clip(name: str, amplitude: float) -> Clip:
    """One second of bending and bobbing whose last key equals its first."""
    times = torch.linspace(0.0, 1.0, 9)
    phase = torch.sin(2.0 * math.pi * times)
    angles = (
        amplitude
        * phase[:, None, None]
        * torch.tensor([[1.0, 0.5, 0.1], [0.3, 0, 0], [-1, 0.8, 0], [0, 0.2, 0]])
    )
    offsets = 0.2 * phase[:, None] * torch.tensor([0.0, 1.0, 0.3])
    return Clip(name, times, angles, offsets)


def rig() -> Rig:
    """Smooth weights, a bent pose and the clips walk and idle."""
    bones = skeleton()
    weights = distance_skinning_weights(tube_mesh().vertices, bones.rest_joints, temperature=0.1)
    pose = torch.tensor([[-0.4, 0.3, 0.1], [0.2, -0.2, 0.0], [0.5, 0.1, 0.0], [-0.1, 0.1, 0.2]])
    return Rig(bones, weights, pose, (clip("walk", 0.6), clip("idle", 0.1)))


def striped_png() -> bytes:
    """A 64 x 64 coat: stripes across, darker towards the tail."""
    row, column = np.mgrid[0:64, 0:64]
    shade = np.where((row // 4) % 2 == 0, 220, 90) - row
    pixels = np.stack([shade, shade * 0.8, shade * 0.5 + column * 0.3], axis=-1).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="PNG")
    return stream.getvalue()


def surface() -> TexturedSurface:
    """The tube with its normals and coat."""
    mesh = tube_mesh()
    return TexturedSurface(mesh, radial_normals(mesh), striped_png())
