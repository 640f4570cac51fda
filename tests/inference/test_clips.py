"""The clips loop; a walking animal puts its feet down in a horse's order and does not slide or sink."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import Float
from torch import Tensor

from farm3d.errors import InputError
from farm3d.geometry.clip import Clip
from farm3d.geometry.skeleton import Skeleton, bone_transforms, posed_joints
from farm3d.geometry.skeleton_estimation import LEG_NAMES, estimate_skeleton
from farm3d.inference.clips import DUTY_FACTOR, idle_clip, standard_clips, walk_clip


def quadruped(leg_length: float = 1.3, fore_place: float = 0.65, seed: int = 0) -> Skeleton:
    """The skeleton estimated from points on a trunk, a neck with a head, a tail and four legs."""
    generator = torch.Generator().manual_seed(seed)

    def tube(start: list[float], end: list[float], radius: float, count: int) -> Tensor:
        along = torch.rand(count, 1, generator=generator)
        around = torch.nn.functional.normalize(torch.randn(count, 3, generator=generator), dim=-1)
        return torch.tensor(start) * (1 - along) + torch.tensor(end) * along + radius * around

    parts = [
        tube([0.0, 0.3, -0.7], [0.0, 0.3, 0.7], 0.4, 4000),
        tube([0.0, 0.4, 0.7], [0.0, 1.2, 1.3], 0.15, 1500),
        tube([0.0, 1.2, 1.3], [0.0, 1.1, 1.7], 0.12, 800),
        tube([0.0, 0.5, -1.0], [0.0, 0.2, -1.3], 0.06, 400),
    ]
    for side in (0.2, -0.2):
        for place in (fore_place, -0.65):
            parts.append(tube([side, 0.1, place], [side, 0.1 - leg_length, place], 0.07, 1200))
    return estimate_skeleton(torch.cat(parts))


def foot_tracks(skeleton: Skeleton, clip: Clip) -> dict[str, Float[Tensor, "keys 3"]]:
    """Where the clip moves each foot, as offsets from its rest place."""
    moved = (
        posed_joints(skeleton, bone_transforms(skeleton, clip.joint_angles))
        + clip.root_offsets[:, None, None]
    )
    feet = {name: skeleton.names.index(f"{name}_foot") for name in LEG_NAMES}
    return {name: moved[:, bone, 1] - skeleton.rest_joints[bone, 1] for name, bone in feet.items()}


def shoulder_height(skeleton: Skeleton) -> float:
    """From the lowest foot to the top of a fore leg."""
    upper = skeleton.names.index("fore_left_upper")
    return float(skeleton.rest_joints[upper, 0, 1] - skeleton.rest_joints[..., 1].min())


def on_ground(track: Float[Tensor, "keys 3"], skeleton: Skeleton) -> Tensor:
    """The keys (without the closing one) at which a foot carries weight."""
    return track[:-1, 1] < 1e-3 * shoulder_height(skeleton)


@pytest.mark.parametrize("clip_of", [walk_clip, idle_clip])
def test_clips_loop(clip_of: Callable[[Skeleton], Clip]) -> None:
    clip = clip_of(quadruped())
    assert torch.equal(clip.joint_angles[0], clip.joint_angles[-1])
    assert torch.equal(clip.root_offsets[0], clip.root_offsets[-1])
    assert clip.times[0] == 0.0 and (clip.times.diff() > 0.0).all()
    # The step over the seam is no larger than the steps beside it: the motion does not jerk there.
    steps = clip.joint_angles.diff(dim=0).norm(dim=(1, 2))
    assert steps[-1] < 1.5 * steps.median().clamp_min(1e-3) and steps[0] < 1.5 * steps.median().clamp_min(
        1e-3
    )


def test_the_walk_is_a_lateral_sequence_with_its_duty_factor() -> None:
    skeleton = quadruped()
    tracks = foot_tracks(skeleton, walk_clip(skeleton))
    landings = {}
    for name, track in tracks.items():
        down = on_ground(track, skeleton)
        (landing,) = torch.nonzero(down & ~down.roll(1)).flatten().tolist()
        landings[name] = landing / len(down)
        assert abs(float(down.float().mean()) - DUTY_FACTOR) < 0.08
    start = landings["hind_left"]
    order = sorted(landings, key=lambda name: (landings[name] - start) % 1.0)
    assert order == ["hind_left", "fore_left", "hind_right", "fore_right"]
    intervals = [
        (landings[b] - landings[a]) % 1.0 for a, b in zip(order, [*order[1:], order[0]], strict=True)
    ]
    assert all(abs(interval - 0.25) < 0.05 for interval in intervals)


def test_at_least_two_feet_are_always_down() -> None:
    skeleton = quadruped()
    down = torch.stack(
        [on_ground(track, skeleton) for track in foot_tracks(skeleton, walk_clip(skeleton)).values()]
    )
    assert int(down.sum(dim=0).min()) >= 2


@settings(max_examples=5, deadline=None)
@given(leg=st.floats(1.0, 1.7), place=st.floats(0.5, 0.75), seed=st.integers(0, 3))
def test_feet_neither_sink_nor_slide_whatever_the_proportions(leg: float, place: float, seed: int) -> None:
    skeleton = quadruped(leg, place, seed)
    clip = walk_clip(skeleton)
    height = shoulder_height(skeleton)
    speeds = []
    for track in foot_tracks(skeleton, clip).values():
        assert track[:, 1].min() > -0.002 * height
        assert track[:, 1].max() > 0.03 * height
        down = on_ground(track, skeleton)
        both = down & down.roll(-1)
        speeds.append((track.diff(dim=0) / clip.times.diff()[:, None])[both])
    steady = torch.cat(speeds)
    assert steady[:, 2].max() < 0.0
    torch.testing.assert_close(steady[:, 2], steady[:, 2].mean().expand(len(steady)), rtol=0.1, atol=0.0)
    assert steady[:, 0].abs().max() < 0.02 * steady[:, 2].abs().mean()


def test_feet_stay_on_the_ground_between_keys() -> None:
    skeleton = quadruped()
    clip = walk_clip(skeleton)
    middle = Clip(
        "between",
        clip.times[:-1],
        (clip.joint_angles[1:] + clip.joint_angles[:-1]) / 2.0,
        (clip.root_offsets[1:] + clip.root_offsets[:-1]) / 2.0,
    )
    for track in foot_tracks(skeleton, middle).values():
        assert track[:, 1].min() > -0.01 * shoulder_height(skeleton)


def test_idle_feet_are_planted_while_body_and_head_move() -> None:
    skeleton = quadruped()
    clip = idle_clip(skeleton)
    for track in foot_tracks(skeleton, clip).values():
        assert track.abs().max() < 0.005 * shoulder_height(skeleton)
    assert clip.root_offsets.amax(0)[1] - clip.root_offsets.amin(0)[1] > 0.003 * shoulder_height(skeleton)
    for bone in ("head", "tail"):
        assert clip.joint_angles[:, skeleton.names.index(bone)].abs().max() > 0.05


def test_angles_keep_within_the_limits_without_being_cut() -> None:
    skeleton = quadruped()
    for clip in standard_clips(skeleton):
        assert (clip.joint_angles.abs() < skeleton.angle_limits).all(dim=-1).all(dim=0).all()


def test_bones_that_carry_legs_keep_still() -> None:
    skeleton = quadruped()
    carriers = {skeleton.parents[skeleton.names.index(f"{leg}_upper")] for leg in LEG_NAMES}
    for clip in standard_clips(skeleton):
        assert clip.joint_angles[:, sorted(carriers)].abs().max() == 0.0


def test_another_skeleton_is_refused() -> None:
    skeleton = quadruped()
    renamed = replace(skeleton, names=tuple(f"bone_{index}" for index in range(len(skeleton.names))))
    with pytest.raises(InputError, match="need a quadruped's skeleton"):
        walk_clip(renamed)
