"""Individuals: closed symmetric surfaces whose points correspond, on skeletons that leave the rest alone."""

import numpy as np
import pytest
import torch
from farm3d.synth.procedural.anatomy import GROUND, Species, Traits
from farm3d.synth.procedural.limbs import body_distance
from farm3d.synth.procedural.proportions import individual_landmarks, quadruped_body, random_traits
from farm3d.synth.procedural.quadruped import (
    make_individual,
    mean_individual,
    posed_vertices,
    surface_error,
)
from farm3d.synth.procedural.species import SPECIES, species_of
from scipy.spatial import cKDTree

from farm3d.errors import ConfigError
from farm3d.geometry.skeleton import bone_transforms
from farm3d.geometry.skinning import skin

VIEW = 2.2
"""Half the side (object units) of what the usual camera sees."""

FLIP = torch.tensor([-1.0, 1.0, 1.0])


@pytest.fixture(scope="module", params=[kind.name for kind in SPECIES])
def species(request: pytest.FixtureRequest) -> Species:
    return species_of(request.param)


def some_traits(species, count: int = 3) -> list[Traits]:
    return [random_traits(species, np.random.default_rng(seed)) for seed in range(count)]


def test_the_mean_animal_is_one_closed_surface_without_handles(mean):
    edges = torch.cat([mean.faces[:, [0, 1]], mean.faces[:, [1, 2]], mean.faces[:, [2, 0]]])
    directed = {tuple(edge) for edge in edges.tolist()}
    assert len(directed) == len(edges)
    assert all((b, a) in directed for a, b in directed)
    assert len(mean.vertices) - len(directed) // 2 + len(mean.faces) == 2
    assert 15_000 < len(mean.vertices) < 30_000


def test_its_faces_look_outwards(mean):
    corners = mean.vertices[mean.faces]
    volume = (torch.linalg.cross(corners[:, 0], corners[:, 1]) * corners[:, 2]).sum() / 6
    assert volume > 0.5


def test_it_stands_on_the_ground_facing_positive_z(species, mean):
    assert abs(float(mean.vertices[:, 1].min()) - GROUND) < 0.01
    names = mean.skeleton.names
    head, tail = (mean.skeleton.rest_joints[names.index(name), 1] for name in ("head", "tail_4"))
    assert head[2] > 1.0 > -1.0 > tail[2]
    left = mean.skeleton.rest_joints[names.index("left_forearm")]
    assert (left[:, 0] > 0).all()
    assert mean.vertices.abs().max() < VIEW
    extent = mean.vertices.amax(dim=0) - mean.vertices.amin(dim=0)
    assert float(extent[1:].max()) == pytest.approx(3.7, abs=0.25)


def test_mirror_points_of_every_individual_correspond(species, mean):
    """The mirror image of vertex i on the mean animal is the mirror image of vertex i on the individual."""
    distance, mirror = cKDTree(mean.vertices.numpy()).query((mean.vertices * FLIP).numpy())
    assert distance.max() < 1e-6
    for traits in some_traits(species):
        if traits.hornless:
            continue
        individual = make_individual(species, traits)
        torch.testing.assert_close(individual.canonical, mean.vertices)
        torch.testing.assert_close(
            individual.vertices[torch.from_numpy(mirror)], individual.vertices * FLIP, atol=1e-3, rtol=0
        )


def test_individuals_lie_on_their_own_limbs(species):
    for traits in some_traits(species):
        # Muscles and locks of wool rise from the limbs.
        assert surface_error(species, traits) < 0.008


def test_the_mean_traits_give_the_mean_animal(species, mean):
    same = make_individual(species, Traits())
    torch.testing.assert_close(same.vertices, mean.vertices, atol=1e-4, rtol=0)


def test_individuals_differ_and_keep_their_feet_on_the_ground(species, mean):
    tall, short = (make_individual(species, Traits(leg_length=scale)) for scale in (1.15, 0.9))
    assert tall.vertices[:, 1].max() > mean.vertices[:, 1].max() + 0.1
    assert short.vertices[:, 1].max() < mean.vertices[:, 1].max() - 0.05
    for individual in (tall, short):
        assert abs(float(individual.vertices[:, 1].min()) - GROUND) < 0.02


@pytest.mark.parametrize("name", ["cow", "sheep"])
def test_the_young_have_no_horns(name):
    kind = species_of(name)
    drawn = [random_traits(kind, np.random.default_rng(seed)) for seed in range(60)]
    young = {body.name for body in kind.types if body.young}
    assert {traits.hornless for traits in drawn if traits.body_type in young} == {True}
    assert {traits.hornless for traits in drawn if traits.body_type not in young} == {True, False}


def test_every_type_is_drawn_with_its_share(species):
    drawn = [random_traits(species, np.random.default_rng(seed)).body_type for seed in range(600)]
    assert sum(kind.share for kind in species.types) == pytest.approx(1.0)
    for kind in species.types:
        assert drawn.count(kind.name) / 600 == pytest.approx(kind.share, abs=0.06)


def test_a_foal_is_small_and_long_in_the_leg():
    horse = species_of("horse")
    (foal,) = (kind for kind in horse.types if kind.young)
    size = {name: float(np.exp(change)) for name, change in foal.changes.items()}
    points, mean = individual_landmarks(horse, Traits(**size)), individual_landmarks(horse, Traits())
    leg, mean_leg = (found["elbow"][1] - GROUND for found in (points, mean))
    trunk, mean_trunk = (found["breast"][2] - found["rump"][2] for found in (points, mean))
    assert 0.85 < leg / mean_leg < 1.0
    assert trunk / mean_trunk < 0.75


def test_ears_drop_tails_rise_and_faces_shorten():
    dog = species_of("dog")
    mean = individual_landmarks(dog, Traits())
    hanging = individual_landmarks(dog, Traits(ear_drop=1.0))
    assert hanging["ear_tip"][1] < hanging["ear_base"][1] - 0.2 < mean["ear_tip"][1]
    raised = individual_landmarks(dog, Traits(tail_lift=1.2, tail_curl=0.3))
    assert raised["tail_4"][1] > raised["tail_base"][1] > mean["tail_4"][1]
    short = individual_landmarks(dog, Traits(face_length=0.6))
    head, short_head = (np.linalg.norm(found["muzzle"] - found["poll"]) for found in (mean, short))
    assert short_head / head == pytest.approx(0.4 + 0.6 * 0.6)
    skull = (make_individual(dog, traits).vertices for traits in (Traits(), Traits(face_length=0.6)))
    behind = mean_individual(dog).canonical[:, 2] < mean["poll"][2]
    whole, shortened = (vertices[behind] for vertices in skull)
    torch.testing.assert_close(whole, shortened, atol=0.02, rtol=0)


def test_wool_lies_on_the_trunk_and_not_on_the_face():
    """The sheep's surface rises and falls about its limbs where the fleece is."""
    sheep = species_of("sheep")
    mean = mean_individual(sheep)
    body = quadruped_body(sheep, Traits())
    off = body_distance(body.limbs, mean.vertices, GROUND).abs()
    flank = (mean.vertices[:, 2].abs() < 0.5) & (mean.vertices[:, 1].abs() < 0.5)
    cannons = mean.vertices[:, 1] < -1.0
    assert off[flank].mean() > 0.006 > 2 * off[cannons].mean()


def test_a_hornless_cow_has_its_places_on_the_horned_mean():
    cow = species_of("cow")
    mean, hornless = mean_individual(cow), make_individual(cow, Traits(hornless=True))
    assert hornless.vertices[:, 1].max() < mean.vertices[:, 1].max() - 0.1
    nearest, _ = cKDTree(mean.vertices.numpy()).query(hornless.canonical.numpy())
    assert nearest.max() < 0.06
    moved = (hornless.canonical - make_individual(cow, Traits(hornless=True)).vertices).norm(dim=1)
    assert moved.median() < 0.003


def test_weights_are_shares_of_at_most_four_bones(mean):
    assert mean.skinning.weights.shape[1] == 4
    assert (mean.skinning.weights >= 0).all()
    torch.testing.assert_close(mean.skinning.weights.sum(dim=1), torch.ones(len(mean.vertices)))


def test_bones_move_their_own_side(mean):
    """Left leg bones hold no part of the right legs."""
    names = mean.skeleton.names
    dense = mean.skinning.dense(len(names))
    low = mean.vertices[:, 1] < -0.8
    for side, sign in (("left_", 1.0), ("right_", -1.0)):
        other = low & (mean.vertices[:, 0] * sign < -0.05)
        own_bones = [k for k, name in enumerate(names) if name.startswith(side)]
        assert dense[other][:, own_bones].max() < 0.02


def test_posing_is_the_documented_formula(mean):
    generator = torch.Generator().manual_seed(0)
    angles = 0.2 * torch.randn(2, len(mean.skeleton.names), 3, generator=generator)
    offset = torch.tensor([[0.1, 0.2, 0.3], [0.0, -0.1, 0.0]])
    rest = mean.vertices.expand(2, -1, -1)
    formula = skin(rest, bone_transforms(mean.skeleton, angles), mean.skinning) + offset[:, None]
    torch.testing.assert_close(posed_vertices(mean, angles, offset), formula)
    still = posed_vertices(mean, torch.zeros_like(angles), torch.zeros(2, 3))
    torch.testing.assert_close(still[0], mean.vertices, atol=1e-5, rtol=0)


def test_an_unknown_species_is_answered_with_the_nearest():
    with pytest.raises(ConfigError, match="did you mean 'horse'"):
        species_of("hors")
