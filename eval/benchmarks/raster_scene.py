"""The rasteriser's input for benchmarks: an animal from a circle of views."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from farm3d.ops.mesh_topology import EdgeTopology, edge_topology
from farm3d.ops.rasterize import Backend, rasterize
from farm3d.seeding import torch_generator

from .animal import animal_mesh, project, views
from .rasterize_work import Amounts

CHANNELS = 3


@dataclass(frozen=True)
class Setting:
    """How much is drawn: `batch` images of `size` x `size` pixels of an animal of `faces` faces."""

    faces: int
    size: int
    batch: int

    def __str__(self) -> str:
        return f"{self.faces:,} faces, {self.size}², batch {self.batch}"


@dataclass(frozen=True)
class Scene:
    """The input of the operators, and the gradient that comes back to their result."""

    clip_positions: Float[Tensor, "images vertices 4"]
    attributes: Float[Tensor, "one vertices channels"]
    faces: Int[Tensor, "faces 3"]
    topology: EdgeTopology
    gradient: Float[Tensor, "images height width channels"]

    @property
    def resolution(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.gradient.shape[1], self.gradient.shape[2]


def make_scene(setting: Setting, device: torch.device, *, seed: int) -> Scene:
    """The animal with random colours in `setting.batch` views, and a random gradient."""
    mesh = animal_mesh(setting.faces)
    generator = torch_generator(seed, "rasterize benchmark")
    colors = torch.rand(1, len(mesh.vertices), CHANNELS, generator=generator)
    shape = (setting.batch, setting.size, setting.size, CHANNELS)
    faces = mesh.faces.to(device)
    return Scene(
        clip_positions=project(mesh, views(setting.batch)).to(device),
        attributes=colors.to(device),
        faces=faces,
        topology=edge_topology(faces),
        gradient=torch.randn(shape, generator=generator).to(device),
    )


def with_gradients(scene: Scene) -> Scene:
    """The scene with clip positions and attributes that collect gradients."""
    return replace(
        scene,
        clip_positions=scene.clip_positions.detach().requires_grad_(),
        attributes=scene.attributes.detach().requires_grad_(),
    )


def amounts_of(scene: Scene, backend: Backend) -> Amounts:
    """What a scene's call draws."""
    with torch.no_grad():
        rasterized = rasterize(scene.clip_positions, scene.faces, scene.resolution, backend=backend)
    height, width = scene.resolution
    return Amounts(
        images=len(rasterized),
        vertices=scene.clip_positions.shape[1],
        faces=len(scene.faces),
        edges=len(scene.topology.edges),
        pixels=height * width,
        covered=float((rasterized[..., 3] > 0).sum()) / len(rasterized),
        channels=CHANNELS,
    )


def setting_numbers(setting: Setting, amounts: Amounts) -> dict[str, float]:
    """A case's numbers that say how much was drawn; `covered_pixels` are those of an image."""
    counts = {
        "faces": setting.faces,
        "vertices": amounts.vertices,
        "pixels": amounts.pixels,
        "covered_pixels": amounts.covered,
        "images": setting.batch,
        "size": setting.size,
    }
    return {name: float(count) for name, count in counts.items()}
