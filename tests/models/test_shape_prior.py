"""From a signed distance to a mesh with bones: symmetric, in one piece, with a leg at each corner."""

import pytest
import torch
from scipy.spatial import cKDTree

from farm3d.errors import TrainingError
from farm3d.fields.sdf_field import SDFField
from farm3d.geometry.skeleton_estimation import BONE_NAMES, LEG_NAMES
from farm3d.geometry.tetrahedral_grid import shape_lattice
from farm3d.models.shape_prior import extract_prior
from farm3d.ops.mesh_topology import connected_components, edge_topology
from farm3d.types import ShapePrior

from .small_models import FEET, FLOOR, ConstantField, QuadrupedField

MIRROR = torch.tensor([-1.0, 1.0, 1.0])
LATTICE = shape_lattice(96)
SPACING = 7.0 / 40
MIRRORED_LEG = {"fore_left": "fore_right", "hind_left": "hind_right"}


@pytest.fixture(scope="module")
def prior() -> ShapePrior:
    return extract_prior(QuadrupedField(), LATTICE, skinning_temperature=0.05)


def bone(prior: ShapePrior, name: str) -> torch.Tensor:
    """Start and end of a bone."""
    return prior.skeleton.rest_joints[BONE_NAMES.index(name)]


def test_vertices_come_in_mirrored_pairs(prior: ShapePrior) -> None:
    vertices = prior.mesh.vertices
    distance, _ = cKDTree(vertices.numpy()).query((vertices * MIRROR).numpy())
    assert distance.max() < 1e-6


def test_the_mesh_is_closed_and_in_one_piece(prior: ShapePrior) -> None:
    faces = prior.mesh.faces
    assert (edge_topology(faces).side_offsets.diff() == 2).all()
    assert connected_components(faces, len(prior.mesh.vertices)).max() == 0


def test_the_shape_of_a_field_that_has_moved_a_little_is_found_from_where_it_was(prior: ShapePrior) -> None:
    class Thicker(QuadrupedField):
        def forward(self, points: torch.Tensor) -> torch.Tensor:
            return super().forward(points) - 0.05

    again = extract_prior(Thicker(), LATTICE, skinning_temperature=0.05, previous=prior)
    anew = extract_prior(Thicker(), LATTICE, skinning_temperature=0.05)
    assert torch.equal(again.mesh.faces, anew.mesh.faces)
    torch.testing.assert_close(again.mesh.vertices, anew.mesh.vertices)
    assert len(anew.mesh.vertices) != len(prior.mesh.vertices)


def test_gradients_of_the_vertices_reach_the_field(prior: ShapePrior) -> None:
    torch.manual_seed(0)
    field = SDFField(width=8, layers=2, harmonics=2)
    shape, bulge = QuadrupedField(), field.mlp

    class Both(QuadrupedField):
        def forward(self, points: torch.Tensor) -> torch.Tensor:
            return shape(points) + 0.01 * bulge(points.abs()).squeeze(-1)

    extract_prior(Both(), LATTICE, skinning_temperature=0.05).mesh.vertices.square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in bulge.parameters())


def test_the_skeleton_has_the_named_bones_and_its_limits_in_radians(prior: ShapePrior) -> None:
    skeleton = prior.skeleton
    assert skeleton.names == BONE_NAMES
    assert skeleton.rest_joints.shape == (20, 2, 3)
    assert (skeleton.angle_limits > 0).all() and skeleton.angle_limits.max() <= torch.pi / 2


def test_bones_hang_together_and_parents_lead_to_mid_body(prior: ShapePrior) -> None:
    joints, parents, names = prior.skeleton.rest_joints, prior.skeleton.parents, prior.skeleton.names
    roots = [names[k] for k, parent in enumerate(parents) if parent < 0]
    assert roots == ["spine_front", "spine_rear"]
    for child, parent in enumerate(parents):
        if parent >= 0 and not names[child].endswith("_upper"):
            torch.testing.assert_close(joints[child, 0], joints[parent, 1], msg=f"{names[child]}")
    for leg in LEG_NAMES:
        owner = names[parents[names.index(f"{leg}_upper")]]
        assert (
            owner in ("withers", "neck", "spine_front")
            if "fore" in leg
            else owner in ("croup", "loin", "spine_rear")
        )


def test_the_head_is_at_plus_z_and_the_tail_at_minus_z(prior: ShapePrior) -> None:
    vertices = prior.mesh.vertices
    assert bone(prior, "head")[1, 2] == vertices[:, 2].max()
    assert bone(prior, "tail")[1, 2] == vertices[:, 2].min()
    body = prior.skeleton.rest_joints[:8]
    assert (body[..., 0].abs() < 1e-6).all()


@pytest.mark.parametrize("leg", ["fore_left", "hind_left"])
@pytest.mark.parametrize("part", ["foot", "lower", "upper"])
def test_legs_mirror_each_other(prior: ShapePrior, leg: str, part: str) -> None:
    left, right = bone(prior, f"{leg}_{part}"), bone(prior, f"{MIRRORED_LEG[leg]}_{part}")
    torch.testing.assert_close(left * MIRROR, right, rtol=0.0, atol=1e-5)
    assert left[:, 0].min() > 0.0


@pytest.mark.parametrize(("leg", "foot"), list(zip(("fore_left", "hind_left"), FEET, strict=True)))
def test_feet_stand_on_the_floor_under_the_legs(
    prior: ShapePrior, leg: str, foot: tuple[float, float]
) -> None:
    end = bone(prior, f"{leg}_foot")[1]
    torch.testing.assert_close(end, torch.tensor([foot[0], FLOOR, foot[1]]), rtol=0.0, atol=SPACING / 2)
    assert float(end[1]) == pytest.approx(float(prior.mesh.vertices[:, 1].min()), abs=1e-3)


def test_a_vertex_of_a_foot_follows_that_foot(prior: ShapePrior) -> None:
    lowest = prior.mesh.vertices[:, 1] < FLOOR + 0.1
    heaviest = prior.skinning_weights.dense(20)[lowest].argmax(dim=-1)
    assert {BONE_NAMES[k] for k in heaviest.tolist()} == {f"{leg}_foot" for leg in LEG_NAMES}


@pytest.mark.parametrize("value", [1.0, -1.0])
def test_a_field_without_a_change_of_sign_is_refused(value: float) -> None:
    with pytest.raises(TrainingError, match="no surface"):
        extract_prior(ConstantField(value), LATTICE, skinning_temperature=0.05)


def test_a_shape_that_stands_on_its_mirror_plane_has_no_legs() -> None:
    """Four feet under the middle line: nothing low lies to the left or right of the trunk."""

    class Blade(QuadrupedField):
        """A thin wall under a thin trunk, with a wide sheet at the hind end alone."""

        def forward(self, points: torch.Tensor) -> torch.Tensor:
            wall = (points / points.new_tensor([0.3, 1.0, 1.5])).abs().amax(dim=-1) - 1.0
            plate = (points - points.new_tensor([0.0, 0.0, -1.4])) / points.new_tensor([1.2, 1.0, 0.3])
            return torch.minimum(wall, plate.abs().amax(dim=-1) - 1.0)

    with pytest.raises(TrainingError, match="the shape has no fore left leg"):
        extract_prior(Blade(), LATTICE, skinning_temperature=0.05)


def test_a_floating_ball_is_dropped() -> None:
    class WithBall(QuadrupedField):
        def forward(self, points: torch.Tensor) -> torch.Tensor:
            ball = (points - points.new_tensor([0.0, 2.6, 0.0])).norm(dim=-1) - 0.5
            return torch.minimum(super().forward(points), ball)

    vertices = extract_prior(WithBall(), LATTICE, skinning_temperature=0.05).mesh.vertices
    assert vertices[:, 1].max() < 2.0
