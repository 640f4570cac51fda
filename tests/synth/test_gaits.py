"""Footfalls are those of the literature, standing feet stay where they are, and the solver does its work."""

import numpy as np
import pytest
import torch
from farm3d.synth.procedural import gaits
from farm3d.synth.procedural.footing import BONES_OF, LEGS, leg_height, planted
from farm3d.synth.procedural.rig import Goal, Rig, frames_of, pitch_of, reach, rest_pitch, rig_of, tip_of
from farm3d.synth.procedural.species import SPECIES, species_of
from hypothesis import given
from hypothesis import strategies as st

from farm3d.geometry.skeleton import bone_transforms, posed_joints

MOMENTS = 16
ALL_GAITS = (gaits.walk, gaits.trot, gaits.canter, gaits.gallop)


@pytest.fixture(scope="module")
def rig(mean) -> Rig:
    return rig_of(mean.skeleton)


def footfalls(gait: gaits.Gait) -> list[str]:
    """The legs in the order in which they touch down, from the left hind foot."""
    return sorted(LEGS, key=lambda leg: gait.touchdowns[LEGS.index(leg)])


def standing(gait: gaits.Gait, moment: float) -> int:
    return sum(gaits.stands(gait, leg, moment) for leg in LEGS)


@pytest.mark.parametrize("species", SPECIES, ids=lambda species: species.name)
def test_every_walk_is_a_lateral_sequence_with_two_or_three_feet_on_the_ground(species):
    gait = gaits.walk(species.manners)
    assert footfalls(gait) == ["left_hind", "left_fore", "right_hind", "right_fore"]
    assert gait.duty > 0.5
    assert {standing(gait, k / 200) for k in range(200)} <= {2, 3, 4}


def test_a_giraffes_walk_is_nearer_to_a_pace_than_a_cows():
    lags = {name: species_of(name).manners.walk_lag for name in ("giraffe", "cow", "horse", "dog")}
    assert lags["giraffe"] < 0.18 < lags["dog"] <= lags["horse"] <= lags["cow"] <= 0.25


def test_diagonal_feet_trot_together_and_the_animal_is_off_the_ground_between():
    gait = gaits.trot(species_of("horse").manners)
    down = dict(zip(LEGS, gait.touchdowns, strict=True))
    assert down["left_fore"] == down["right_hind"]
    assert down["right_fore"] == down["left_hind"]
    assert {standing(gait, k / 200) for k in range(200)} == {0, 2}


def test_the_canter_has_three_beats():
    gait = gaits.canter(species_of("horse").manners)
    down = dict(zip(LEGS, gait.touchdowns, strict=True))
    assert abs(down["right_hind"] - down["left_fore"]) < 0.05
    assert down["left_hind"] + 0.2 < down["right_hind"]
    assert down["left_fore"] + 0.2 < down["right_fore"]
    assert standing(gait, 0.97) == 0


@pytest.mark.parametrize("species", SPECIES, ids=lambda species: species.name)
def test_gallops_are_transverse_or_rotary_with_a_gathered_suspension(species):
    gait = gaits.gallop(species.manners)
    order = footfalls(gait)
    assert order[:2] == ["left_hind", "right_hind"]
    fore = ["right_fore", "left_fore"] if species.name in ("dog", "giraffe") else ["left_fore", "right_fore"]
    assert order[2:] == fore
    assert standing(gait, 0.93) == 0


def test_only_a_dogs_gallop_has_a_second_suspension_in_which_it_is_stretched():
    def airborne(name: str) -> int:
        gait = gaits.gallop(species_of(name).manners)
        up = [standing(gait, k / 400) == 0 for k in range(400)]
        return sum(up[k] and not up[k - 1] for k in range(400))

    assert airborne("dog") == 2
    assert airborne("horse") == 1
    assert airborne("giraffe") == 1


def toes(rig: Rig, plan) -> tuple[np.ndarray, float]:
    """Where the four feet's last bones end, and how far the trunk is lowered."""
    table, sink = planted(rig, plan)
    frames = frames_of(rig, table)
    bones = [rig.chain(f"{leg.split('_')[0]}_{BONES_OF[leg.split('_')[1]][-1]}")[0] for leg in LEGS]
    return np.stack([tip_of(rig, frames, bone) for bone in bones]), sink


@pytest.mark.parametrize("make", ALL_GAITS, ids=lambda make: make.__name__)
def test_standing_feet_stay_on_the_ground_where_they_are_and_lifted_ones_clear_it(species, rig, make):
    gait = make(species.manners)
    speed = gait.step * leg_height(rig) / gait.duty
    places: dict[str, list[float]] = {leg: [] for leg in LEGS}
    for k in range(MOMENTS):
        moment = k / MOMENTS
        ends, sink = toes(rig, gaits.stride(rig, gait, moment))
        for n, leg in enumerate(LEGS):
            rest = rig.rest[rig.chain(f"{leg.split('_')[0]}_{BONES_OF[leg.split('_')[1]][-1]}")[0], 1]
            height = ends[n, 1] - sink - rest[1]
            since = (moment - gait.touchdowns[n]) % 1.0
            if gaits.stands(gait, leg, moment):
                # The toe's bone rises a little as the hoof rolls over its tip at the end.
                assert -0.005 < height < (0.01 if since < 0.75 * gait.duty else 0.08)
                places[leg].append(ends[n, 2] + speed * since)
            else:
                assert height > -0.005
    for leg in LEGS:
        assert np.ptp(places[leg]) < 0.01


def test_the_rigs_frames_are_those_by_which_the_mesh_is_posed(mean, rig):
    table = np.random.default_rng(0).normal(size=(len(rig.names), 3)) * 0.4
    transforms = bone_transforms(mean.skeleton, torch.tensor(table, dtype=torch.float32))
    expected = posed_joints(mean.skeleton, transforms).numpy()
    frames = frames_of(rig, table)
    for bone in range(len(rig.names)):
        assert np.abs(tip_of(rig, frames, bone) - expected[bone, 1]).max() < 1e-5


@given(st.floats(-0.3, 0.3), st.floats(0.0, 0.3), st.floats(-0.3, 0.6))
def test_the_solver_brings_a_hind_foot_to_where_it_can_be(rig, forward, up, tilt):
    chain = rig.chain(*(f"left_{bone}" for bone in BONES_OF["hind"]))
    toe, pitch = rig.rest[chain[-1], 1], rest_pitch(rig, chain[-1])
    goal = Goal((0.0,) * 4, (1.0,) * 4, height=toe[1] + up, forward=toe[2] + forward, pitch=pitch + tilt)
    table, missing = reach(rig, np.zeros((len(rig.names), 3)), chain, goal=goal)
    frames = frames_of(rig, table)
    tip = tip_of(rig, frames, chain[-1])
    assert missing < 0.002
    assert tip[1] == pytest.approx(goal.height, abs=0.002)
    assert tip[2] == pytest.approx(goal.forward, abs=0.002)
    assert pitch_of(frames[chain[-1], :3, 2]) == pytest.approx(goal.pitch, abs=0.002)
    assert (np.delete(table, chain, axis=0) == 0.0).all()


def test_the_solver_says_what_is_left_where_a_foot_cannot_reach(rig):
    chain = rig.chain(*(f"left_{bone}" for bone in BONES_OF["fore"]))
    goal = Goal((0.0,) * 5, (1.0,) * 5, height=float(rig.rest[chain[-1], 1, 1]) - 2.0)
    _, missing = reach(rig, np.zeros((len(rig.names), 3)), chain, goal=goal)
    assert missing > 0.5
