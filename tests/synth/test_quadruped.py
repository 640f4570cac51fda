"""Individuals: closed symmetric surfaces whose points correspond, on skeletons that leave the rest alone."""

import numpy as np
import pytest
import torch
from farm3d.synth.procedural.anatomy import GROUND, Traits
from farm3d.synth.procedural.proportions import random_traits
from farm3d.synth.procedural.quadruped import (
    make_individual,
    mean_individual,
    posed_vertices,
    surface_error,
)
from farm3d.synth.procedural.species import species_of
from scipy.spatial import cKDTree

from farm3d.errors import ConfigError
from farm3d.geometry.skeleton import bone_transforms
from farm3d.geometry.skinning import skin

FLIP = torch.tensor([-1.0, 1.0, 1.0])


def some_traits(species, count: int = 3) -> list[Traits]:
    return [random_traits(species, np.random.default_rng(seed)) for seed in range(count)]


def test_the_mean_animal_is_one_closed_surface_without_handles(mean):
    edges = torch.cat([mean.faces[:, [0, 1]], mean.faces[:, [1, 2]], mean.faces[:, [2, 0]]])
    directed = {tuple(edge) for edge in edges.tolist()}
    assert len(directed) == len(edges)
    assert all((b, a) in directed for a, b in directed)
    assert len(mean.vertices) - len(directed) // 2 + len(mean.faces) == 2
    assert 6_000 < len(mean.vertices) < 16_000


def test_its_faces_look_outwards(mean):
    corners = mean.vertices[mean.faces]
    volume = (torch.linalg.cross(corners[:, 0], corners[:, 1]) * corners[:, 2]).sum() / 6
    assert volume > 1.0


def test_it_stands_on_the_ground_facing_positive_z(species, mean):
    assert abs(float(mean.vertices[:, 1].min()) - GROUND) < 0.01
    names = mean.skeleton.names
    head, tail = (mean.skeleton.rest_joints[names.index(name), 1] for name in ("head", "tail_4"))
    assert head[2] > 1.5 > -1.5 > tail[2]
    left = mean.skeleton.rest_joints[names.index("left_forearm")]
    assert (left[:, 0] > 0).all()
    assert float(mean.vertices[:, 2].max() - mean.vertices[:, 2].min()) == pytest.approx(3.7, abs=0.3)


def test_mirror_points_of_every_individual_correspond(species, mean):
    """The mirror image of vertex i on the mean animal is the mirror image of vertex i on the individual."""
    distance, mirror = cKDTree(mean.vertices.numpy()).query((mean.vertices * FLIP).numpy())
    assert distance.max() < 5e-5
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
        assert surface_error(species, traits) < 0.006


def test_the_mean_traits_give_the_mean_animal(species, mean):
    same = make_individual(species, Traits())
    torch.testing.assert_close(same.vertices, mean.vertices, atol=1e-4, rtol=0)


def test_individuals_differ_and_keep_their_feet_on_the_ground(species, mean):
    tall, short = (make_individual(species, Traits(leg_length=scale)) for scale in (1.15, 0.9))
    assert tall.vertices[:, 1].max() > mean.vertices[:, 1].max() + 0.1
    assert short.vertices[:, 1].max() < mean.vertices[:, 1].max() - 0.05
    for individual in (tall, short):
        assert abs(float(individual.vertices[:, 1].min()) - GROUND) < 0.02


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
        assert dense[other][:, own_bones].max() < 5e-3


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
