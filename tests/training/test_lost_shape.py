"""A shape that vanishes, loses its legs or outgrows the cube does not end a run; one that stays away does."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from farm3d.config import load_config
from farm3d.data.image_folder import ImageDataSet, open_data_set
from farm3d.errors import EmptyShapeError, TrainingError
from farm3d.fields.sdf_field import SDFField
from farm3d.geometry.skeleton_estimation import LEG_NAMES, estimate_skeleton, lost_legs
from farm3d.geometry.tetrahedral_grid import HALF_EXTENT, shape_lattice
from farm3d.losses.objective import LossTerms
from farm3d.models.animal_model import AnimalModel
from farm3d.models.shape_prior import extract_prior
from farm3d.training.config import TrainConfig
from farm3d.training.curricula import terms_by_step
from farm3d.training.lost_shape import PATIENCE, recovery_terms
from farm3d.types import ShapePrior

LATTICE = shape_lattice(48)
CONFIG = load_config(
    TrainConfig,
    preset_or_file="tiny",
    overrides=[
        "supervision=images",
        "batch_size=2",
        "images.grid_resolution=32",
        "images.articulation_from=0",
        "images.deformation_from=0",
        "images.eikonal_points=64",
    ],
)

Points = torch.Tensor


class Shape(SDFField):
    """Any function of points with a parameter, so that it can stand for a network."""

    def __init__(self, values: Callable[[Points], torch.Tensor]) -> None:
        super().__init__(width=4, layers=1, harmonics=1)
        self.values = values

    def forward(self, points: Points) -> torch.Tensor:
        return self.values(points)


def box(points: Points, centre: tuple[float, ...], half: tuple[float, ...]) -> torch.Tensor:
    return ((points - points.new_tensor(centre)).abs() - points.new_tensor(half)).amax(dim=-1)


def without_fore_legs(points: Points) -> torch.Tensor:
    """A rump on two hind legs, and before it nothing but a thin wall on the mirror plane."""
    beside = torch.cat([points[:, :1].abs(), points[:, 1:]], dim=1)
    rump = box(points, (0.0, 0.5, -1.2), (0.8, 0.4, 0.6))
    legs = box(beside, (0.5, -0.5, -1.4), (0.3, 0.8, 0.3))
    wall = box(points, (0.0, -0.3, 0.4), (0.2, 1.0, 1.4))
    return torch.stack([rump, legs, wall]).amin(dim=0)


def unfinished(values: Callable[[Points], torch.Tensor]) -> ShapePrior:
    return extract_prior(Shape(values), LATTICE, skinning_temperature=0.05, unfinished=True)


@pytest.fixture(scope="module")
def data(farm_folder: Path) -> ImageDataSet:
    return open_data_set(farm_folder)


def shifted(model: AnimalModel, by: float) -> None:
    """Add a number to the signed distance everywhere, through the network's own last bias-free layer."""
    layer = model.sdf.mlp
    original = layer.forward
    layer.forward = lambda points: original(points) + by  # type: ignore[method-assign]


def test_a_lost_pair_of_legs_gets_bones_below_the_trunk_that_mirror_each_other() -> None:
    prior = unfinished(without_fore_legs)
    assert prior.lost_legs == ("fore_left", "fore_right")
    names = prior.skeleton.names
    left, right = (
        prior.skeleton.rest_joints[names.index(f"fore_{side}_foot"), 1] for side in ("left", "right")
    )
    torch.testing.assert_close(left * left.new_tensor([-1.0, 1.0, 1.0]), right)
    assert left[0] > 0.1
    assert left[1] == pytest.approx(-1.3, abs=0.15)
    assert 0.0 < float(left[2]) < 1.8
    with pytest.raises(TrainingError, match="no fore left leg"):
        extract_prior(Shape(without_fore_legs), LATTICE, skinning_temperature=0.05)


@pytest.mark.parametrize("seed", range(5))
def test_any_vertices_at_all_give_a_skeleton_without_a_bone_of_no_length(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    vertices = torch.randn(4 + seed, 3, generator=generator) * torch.rand(3, generator=generator)
    joints = estimate_skeleton(vertices, imagine_legs=True).rest_joints
    assert torch.isfinite(joints).all()
    assert set(lost_legs(vertices)) <= set(LEG_NAMES)


@pytest.mark.parametrize("seen", [1.0, -1.0])
def test_a_field_of_one_sign_gets_a_surface_back_within_patience(seen: float) -> None:
    torch.manual_seed(0)
    model = AnimalModel(CONFIG.model)
    shifted(model, 6.0 * seen)
    with pytest.raises(EmptyShapeError):
        model.prior(resolution=32, unfinished=True)
    optimizer = torch.optim.Adam(model.sdf.parameters(), lr=1e-3)
    for step in range(PATIENCE):
        optimizer.zero_grad()
        terms = recovery_terms(model.sdf, step=step, empty_steps=step + 1)
        assert set(terms.present()) == {"absence"} and terms.absence is not None
        terms.absence.backward()
        optimizer.step()
        try:
            prior = model.prior(resolution=32, unfinished=True)
        except EmptyShapeError:
            continue
        assert prior.mesh.vertices.abs().max() <= HALF_EXTENT
        return
    raise AssertionError("no surface came back")


def test_training_goes_on_through_steps_without_a_surface_and_says_so_once(
    data: ImageDataSet, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    model, said = AnimalModel(CONFIG.model), list[str]()
    shifted(model, 6.0)
    steps = terms_by_step(CONFIG, data, model, run=tmp_path, first=1, notice=said.append)
    terms: list[LossTerms] = [next(steps), next(steps)]
    assert [set(step.present()) for step in terms] == [{"absence"}, {"absence"}]
    shifted(model, -6.0)
    assert {"mask", "score", "eikonal"} <= set(next(steps).present())
    steps.close()
    assert len(said) == 1 and said[0].startswith("step 1: the category's shape has no surface")


def test_a_surface_that_stays_away_ends_the_run_in_one_line() -> None:
    model = AnimalModel(CONFIG.model)
    recovery_terms(model.sdf, step=400, empty_steps=PATIENCE)
    with pytest.raises(TrainingError, match=r"step 400: .* no surface for 100 steps"):
        recovery_terms(model.sdf, step=400, empty_steps=PATIENCE + 1)


@pytest.mark.parametrize(
    "values",
    [
        lambda points: points.norm(dim=-1) - 0.45,
        lambda points: (points - points.new_tensor([0.0, 3.2, 0.0])).norm(dim=-1) - 0.3,
        lambda points: box(points, (0.0, 0.0, 0.0), (5.0, 1.0, 5.0)),
        without_fore_legs,
    ],
    ids=["a speck", "a ball out of sight", "a slab that leaves the cube", "no fore legs"],
)
def test_steps_on_a_strange_shape_have_finite_terms_and_gradients(
    values: Callable[[Points], torch.Tensor], data: ImageDataSet, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    model = AnimalModel(CONFIG.model)
    network = model.sdf
    strange = Shape(lambda points: values(points) + 1e-3 * network(points))
    strange.network = network
    model.sdf = strange
    steps = terms_by_step(CONFIG, data, model, run=tmp_path, first=0, notice=lambda line: None)
    terms = next(steps)
    steps.close()
    present = terms.present()
    assert "mask" in present and all(bool(torch.isfinite(term)) for term in present.values())
    sum(present.values(), start=torch.zeros(())).backward()
    assert all(bool(torch.isfinite(p.grad).all()) for p in model.parameters() if p.grad is not None)
    assert list(tmp_path.glob("pictures/*.png"))
