"""Processes that share every step of training, and the parts that a step's batch is cut into."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from farm3d.errors import TrainingError

CPU = torch.device("cpu")

PEER_LOST = ("by peer", "remote process exited")
"""What gloo and NCCL say, among much else, where another process is gone."""


@dataclass(frozen=True)
class Part:
    """One of `count` equal parts of a batch: every `count`-th sample from `index` on.

    The part with index 0 writes what a step shows of its batch.
    """

    index: int = 0
    count: int = 1

    @property
    def places(self) -> slice:
        """The part's samples in anything that is drawn for the whole batch."""
        return slice(self.index, None, self.count)

    def share(self, total: int) -> float:
        """What a mean over the part's own of `total` things counts: the parts' mean is then that over all."""
        return len(range(total)[self.places]) * self.count / total


WHOLE = Part()


@dataclass(frozen=True)
class Ranks:
    """This process's place among those that train together, and the device it computes on."""

    rank: int = 0
    count: int = 1
    device: torch.device = CPU

    @property
    def writes(self) -> bool:
        """One process writes the run's folder; the others only read there."""
        return self.rank == 0

    def parts(self, accumulate: int) -> list[Part]:
        """This process's parts of a batch, one after another."""
        return [Part(turn * self.count + self.rank, accumulate * self.count) for turn in range(accumulate)]

    def any(self, flag: bool) -> bool:
        """Whether any process says so; all of them have to ask."""
        return flag if self.count == 1 else bool(self._sum(torch.tensor([float(flag)])) > 0.0)

    def agree(self, number: int, *, what: str) -> None:
        """Raise TrainingError where the processes do not all have the same number."""
        if self.count > 1:
            everyone = self._sum(torch.eye(self.count)[self.rank] * number).long().tolist()
            if len(set(everyone)) > 1:
                raise TrainingError(
                    f"the processes {what} {everyone}: they have to see the same folder (a shared disk)"
                )

    def average(self, parameters: Sequence[nn.Parameter], values: Tensor) -> Tensor:
        """Replace gradients by their means over the processes; returns the mean of `values` (any numbers).

        A parameter that no process has a gradient for keeps none. One sum, in an order that depends on
        nothing but the number of processes.
        """
        if self.count == 1:
            return values
        own = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        present = torch.tensor([float(p.grad is not None) for p in parameters])
        parts = [*own, present.to(self.device), values.to(self.device)]
        mean = self._sum(torch.cat([part.reshape(-1) for part in parts])) / self.count
        *gradients, anywhere, values = mean.split([part.numel() for part in parts])
        for parameter, gradient, share in zip(parameters, gradients, anywhere.tolist(), strict=True):
            parameter.grad = gradient.view_as(parameter) if share else None
        return values

    def wait(self) -> None:
        """Go on when all processes are here."""
        self.any(False)

    def _sum(self, values: Tensor) -> Tensor:
        from accelerate.utils import reduce

        try:
            total = reduce(values.to(self.device), reduction="sum")
        except RuntimeError as error:
            if not any(words in str(error) for words in PEER_LOST):
                raise
            raise TrainingError(
                "another process of this training has ended; if it left no line of its own, it was killed"
            ) from None
        assert isinstance(total, Tensor)
        return total


ALONE = Ranks()


@contextmanager
def joined_ranks(device: torch.device) -> Iterator[Ranks]:
    """The place that `accelerate launch` or torchrun gave this process; alone on `device` without them.

    Several processes of one machine each take an accelerator of their own, or all compute on the CPU.
    """
    from accelerate import PartialState

    state = PartialState(cpu=device.type == "cpu")
    if state.num_processes == 1:
        yield Ranks(device=device)
        return
    yield Ranks(state.process_index, state.num_processes, state.device)
    # Only when all went well: after a mistake of one process alone the others would be waited for.
    state.destroy_process_group()
