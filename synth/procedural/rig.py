"""The farm's skeleton as a machine: where its bones are in a pose, and which angles bring a foot to a place.

Poses are made one at a time, so all of this is NumPy. Angles are radians about a bone's own right axis,
which is nearly the lateral one: positive turns a bone's free end down and back.

Source of the solver: damped least squares with a preferred posture in the null space, as Buss,
"Introduction to Inverse Kinematics" (2004), sections 5 and 8, states it; the constraints are our own.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from farm3d.geometry.skeleton import Skeleton, bone_depths, bone_frames

STEPS = 14
"""Steps that the solver takes at most; it seldom needs more than six."""

LARGEST_STEP = 0.3
"""How far (object units, radians) a step may try to move the tip, so that the linear model holds."""

LARGEST_TURN = 0.6
"""How far (radians) a step may turn a joint."""

DAMPING = 1e-5
CLOSE = 2e-4
"""Distance (object units) to the goal at which the solver is content."""

Table = Float[np.ndarray, "bones 3"]
Frame = Float[np.ndarray, "4 4"]


@dataclass(frozen=True)
class Rig:
    """A skeleton's tree: `offsets` are the rest frames in the frames of their parents' rest."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    order: tuple[int, ...]
    offsets: Float[np.ndarray, "bones 4 4"]
    lengths: Float[np.ndarray, " bones"]
    limits: Table
    rest: Float[np.ndarray, "bones 2 3"]

    def table(self, angles: dict[str, tuple[float, float, float]]) -> Table:
        """The angles of all bones, 0 where none are given."""
        return np.array([angles.get(name, (0.0, 0.0, 0.0)) for name in self.names])

    def chain(self, *names: str) -> tuple[int, ...]:
        """The numbers of these bones."""
        return tuple(self.names.index(name) for name in names)


@dataclass(frozen=True)
class Goal:
    """Where the tip of a chain of bones shall be, and the posture it likes best.

    `height` and `forward` are the tip's y and z in the object frame, before the animal is put on the ground;
    `pitch` is the angle of the last bone under the horizontal in the sagittal plane; `None` leaves it free.
    `preferred` are flexions, `ease` says how readily each joint leaves them.
    """

    preferred: tuple[float, ...]
    ease: tuple[float, ...]
    height: float | None = None
    forward: float | None = None
    pitch: float | None = None


def rig_of(skeleton: Skeleton) -> Rig:
    """The rig of one skeleton."""
    frames = bone_frames(skeleton.rest_joints).double().numpy()
    order = tuple(bone for level in bone_depths(skeleton.parents) for bone in level)
    offsets = np.stack(
        [
            frames[k] if parent < 0 else _rigid_inverse(frames[parent]) @ frames[k]
            for k, parent in enumerate(skeleton.parents)
        ]
    )
    rest = skeleton.rest_joints.double().numpy()
    lengths = np.linalg.norm(rest[:, 1] - rest[:, 0], axis=1)
    limits = skeleton.angle_limits.double().numpy()
    return Rig(skeleton.names, skeleton.parents, order, offsets, lengths, limits, rest)


def _rigid_inverse(frame: Frame) -> Frame:
    inverse = np.eye(4)
    inverse[:3, :3] = frame[:3, :3].T
    inverse[:3, 3] = -frame[:3, :3].T @ frame[:3, 3]
    return inverse


def turns(angles: Float[np.ndarray, "bones 3"]) -> Float[np.ndarray, "bones 4 4"]:
    """`Rx(flexion) @ Ry(side bending) @ Rz(twist)` of each row, as the renderer's skinning has it."""
    (a, b, c), (sa, sb, sc) = np.cos(angles).T, np.sin(angles).T
    matrix = np.zeros((len(angles), 4, 4))
    matrix[:, 0, 0], matrix[:, 0, 1], matrix[:, 0, 2] = b * c, -b * sc, sb
    matrix[:, 1, 0], matrix[:, 1, 1], matrix[:, 1, 2] = a * sc + sa * sb * c, a * c - sa * sb * sc, -sa * b
    matrix[:, 2, 0], matrix[:, 2, 1], matrix[:, 2, 2] = sa * sc - a * sb * c, sa * c + a * sb * sc, a * b
    matrix[:, 3, 3] = 1.0
    return matrix


def frames_of(rig: Rig, table: Table) -> Float[np.ndarray, "bones 4 4"]:
    """The frame of each bone in a pose: origin at its start, z along it."""
    local = rig.offsets @ turns(table)
    frames = np.empty_like(local)
    for bone in rig.order:
        parent = rig.parents[bone]
        frames[bone] = local[bone] if parent < 0 else frames[parent] @ local[bone]
    return frames


def tip_of(rig: Rig, frames: Float[np.ndarray, "bones 4 4"], bone: int) -> Float[np.ndarray, "3"]:
    """Where a bone ends."""
    return frames[bone, :3, 3] + rig.lengths[bone] * frames[bone, :3, 2]


def pitch_of(direction: Float[np.ndarray, "3"]) -> float:
    """The angle (radians) of a direction under the horizontal, forward being 0 and down a right angle."""
    return float(np.arctan2(-direction[1], direction[2]))


def rest_pitch(rig: Rig, bone: int) -> float:
    """The pitch of a bone at rest."""
    return pitch_of(rig.rest[bone, 1] - rig.rest[bone, 0])


def reach(rig: Rig, table: Table, chain: tuple[int, ...], *, goal: Goal) -> tuple[Table, float]:
    """The table with the flexions of a chain (parents first) that bring its tip to the goal.

    Returns the distance (object units) that is left, too: joints stay within their limits.
    """
    base = _base_frame(rig, table, chain[0])
    rows, limits = table[list(chain)].copy(), rig.limits[list(chain), 0]
    preferred, ease = np.array(goal.preferred), np.array(goal.ease)
    rows[:, 0] = np.clip(preferred, -limits, limits)
    for _ in range(STEPS):
        missing, jacobian = _linearised(rig, base, rows, chain=chain, goal=goal)
        if np.abs(missing).max() < CLOSE:
            break
        missing = missing * min(1.0, LARGEST_STEP / float(np.linalg.norm(missing)))
        rows[:, 0] += _step(
            jacobian, missing, preferred - rows[:, 0], ease=ease, room=(-limits, limits) - rows[:, 0]
        )
    solved = table.copy()
    solved[list(chain)] = rows
    return solved, float(np.linalg.norm(_linearised(rig, base, rows, chain=chain, goal=goal)[0]))


def _step(
    jacobian: np.ndarray, missing: np.ndarray, drift: np.ndarray, *, ease: np.ndarray, room: np.ndarray
) -> np.ndarray:
    """The smallest change of the angles, counted from `drift`, that does what is missing.

    All arrays are over the chain, the Jacobian is (wants, chain). It stays within `room` (lowest and highest
    change): what a joint at its limit cannot do is for the others.
    """
    for _ in range(len(drift)):
        eased = ease[:, None] * jacobian.T
        square = jacobian @ eased + DAMPING * np.eye(len(missing))
        step = drift + eased @ np.linalg.solve(square, missing - jacobian @ drift)
        step = step * min(1.0, LARGEST_TURN / max(float(np.abs(step).max()), 1e-9))
        held = np.clip(step, *room)
        out = np.abs(held - step) > 1e-9
        if not (out & (ease > 0.0)).any():
            break
        drift, ease = np.where(out, held, drift), np.where(out, 0.0, ease)
    return held


def aim(rig: Rig, table: Table, bone: int, *, pitch: float) -> Table:
    """The table with the flexion that gives a bone this pitch (radians), its limits permitting."""
    return reach(rig, table, (bone,), goal=Goal((float(table[bone, 0]),), (1.0,), pitch=pitch))[0]


def _base_frame(rig: Rig, table: Table, bone: int) -> Frame:
    """The frame of a bone's parent."""
    path, above = [], rig.parents[bone]
    while above >= 0:
        path.append(above)
        above = rig.parents[above]
    frame = np.eye(4)
    for link in reversed(path):
        frame = frame @ rig.offsets[link] @ turns(table[link : link + 1])[0]
    return frame


def _linearised(
    rig: Rig, base: np.ndarray, rows: np.ndarray, *, chain: tuple[int, ...], goal: Goal
) -> tuple[np.ndarray, np.ndarray]:
    """What is missing to the goal, and how tip and pitch follow the flexions."""
    rotations = turns(rows)
    axes, pivots = np.empty((len(chain), 3)), np.empty((len(chain), 3))
    frame = base
    for k, bone in enumerate(chain):
        frame = frame @ rig.offsets[bone]
        axes[k], pivots[k] = frame[:3, 0], frame[:3, 3]
        frame = frame @ rotations[k]
    tip = frame[:3, 3] + rig.lengths[chain[-1]] * frame[:3, 2]
    x, y, z = (tip - pivots).T
    rises, advances = axes[:, 2] * x - axes[:, 0] * z, axes[:, 0] * y - axes[:, 1] * x
    wants: list[float] = []
    follows: list[np.ndarray] = []
    if goal.height is not None:
        wants.append(goal.height - tip[1])
        follows.append(rises)
    if goal.forward is not None:
        wants.append(goal.forward - tip[2])
        follows.append(advances)
    if goal.pitch is not None:
        angle = goal.pitch - pitch_of(frame[:3, 2])
        wants.append((angle + np.pi) % (2.0 * np.pi) - np.pi)
        follows.append(axes[:, 0])
    return np.array(wants), np.stack(follows)
