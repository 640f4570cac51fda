"""The plan of a run: at which step what changes, read from its config."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from farm3d.schedule import Constant, Linear, Schedule, Steps
from farm3d.training.config import TrainConfig

FOR_EVER = 10**9


@dataclass(frozen=True)
class Change:
    """What changes at `step`; with `until`, it goes on changing until that step."""

    step: int
    what: str
    until: int | None = None

    def __str__(self) -> str:
        return self.what if self.until is None else f"{self.what} until {self.until}"


def planned_changes(config: TrainConfig) -> list[Change]:
    """All changes that the config's schedules and switches make, in the order of their steps.

    Schedules are named by their keys. Those that the kind of supervision does not read are left out.
    """
    changes = [change for name, schedule in read_schedules(config) for change in _changes(name, schedule)]
    if config.supervision == "truth":
        changes.append(Change(config.prior_steps, "the category's shape is fixed; training on images begins"))
        if config.joint_steps:
            changes.append(Change(config.joints_from, "only joint maps learn"))
        if config.look_steps:
            changes.append(Change(config.looks_from, "only second looks learn"))
    else:
        if config.images.shape_from:
            changes.append(Change(config.images.shape_from, "the category's shape begins to change"))
        changes.append(Change(config.images.articulation_from, "articulation begins"))
        changes.append(Change(config.images.deformation_from, "deformation begins"))
    return sorted(changes, key=lambda change: change.step)


def read_schedules(config: TrainConfig) -> Iterator[tuple[str, Schedule]]:
    """The schedules that a run reads, by their dotted keys."""
    unread = {"images", "guidance"} if config.supervision == "truth" else set[str]()
    if config.guidance.source == "none":
        unread.add("guidance")
    return ((key, value) for key, value in _schedules(config) if key.split(".")[0] not in unread)


def plan_table(config: TrainConfig) -> str:
    """The plan as a table, a line a change; what lies beyond the run's end is listed under it."""
    rows = [(0, _beginning(config)), *((c.step, str(c)) for c in planned_changes(config))]
    inside = [row for row in rows if row[0] < config.steps]
    width = max(4, len(str(config.steps)))
    lines = [f"{'step':>{width}}  what changes"]
    lines += [f"{step:>{width}}  {what}" for step, what in [*inside, (config.steps, "the end")]]
    if beyond := [f"{step} {what}" for step, what in rows if step >= config.steps]:
        lines.append(f"not reached: {'; '.join(beyond)}")
    return "\n".join(lines)


def plan_line(config: TrainConfig) -> str:
    """The plan in one line."""
    changes = [f"{c.step} {c}" for c in planned_changes(config) if c.step < config.steps]
    return f"plan: {'; '.join([*changes, f'{config.steps} the end'])}"


def settled(config: TrainConfig, step: int) -> TrainConfig:
    """The config of a run that stays for ever at what `config` has at `step`: to measure that step."""
    values = config.model_dump(by_alias=True)
    for key, schedule in _schedules(config):
        *path, last = key.split(".")
        inner = values
        for part in path:
            inner = inner[part]
        inner[last] = schedule.value(step)
    values["look_steps"] = FOR_EVER if step >= config.looks_from else 0
    values["joint_steps"] = FOR_EVER if config.joints_from <= step < config.looks_from else 0
    values["steps"] = FOR_EVER
    values["prior_steps"] = FOR_EVER if step < config.prior_steps else 0
    for switch in ("shape_from", "articulation_from", "deformation_from"):
        values["images"][switch] = 0 if values["images"][switch] <= step else FOR_EVER
    return TrainConfig.model_validate(values)


def _schedules(config: BaseModel, prefix: str = "") -> Iterator[tuple[str, Schedule]]:
    for name in type(config).model_fields:
        value = getattr(config, name)
        if isinstance(value, Constant | Linear | Steps):
            yield f"{prefix}{name}", value
        elif isinstance(value, BaseModel):
            yield from _schedules(value, f"{prefix}{name}.")


def _changes(name: str, schedule: Schedule) -> Sequence[Change]:
    """A ramp is one change, and each step of a staircase one; a constant makes none."""
    if isinstance(schedule, Linear):
        first = Change(schedule.start, f"{name} {schedule.from_:g} → {schedule.to:g}", schedule.end)
        return [first, *(_changes(name, schedule.then) if schedule.then else ())]
    if isinstance(schedule, Steps):
        pairs = zip(schedule.steps, schedule.steps[1:], strict=False)
        return [Change(step, f"{name} {before:g} → {after:g}") for (_, before), (step, after) in pairs]
    return []


def _beginning(config: TrainConfig) -> str:
    if config.supervision == "truth":
        return "the category's shape, from the farm's mean animal"
    features = ", features" if config.model.feature_channels else ""
    shape = "" if config.images.shape_from else "shape, "
    return f"{shape}viewpoint, light, colours{features}, from images alone"
