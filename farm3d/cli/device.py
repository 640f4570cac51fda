"""The `--device` option of every command that computes."""

import torch

from farm3d.cli.main import Messages
from farm3d.errors import ConfigError


def choose_device(name: str, messages: Messages) -> torch.device:
    """The device called `name`; `auto` is the CPU, the only one this version has a rasteriser for.

    Where an accelerator stands idle under `auto`, one notice says so. Raises ConfigError for a device
    that torch does not know or this machine does not have.
    """
    if name == "auto":
        if torch.accelerator.is_available():
            messages.say("device: cpu (this version draws on the CPU only)")
        return torch.device("cpu")
    device = present_device(name)
    if device.type != "cpu":
        raise ConfigError(f"--device {name}: this version computes on the CPU only; give auto or cpu")
    return device


def present_device(name: str) -> torch.device:
    """Any device of this machine by its name; `auto` is its accelerator where it has one.

    Raises ConfigError for a device that torch does not know or this machine does not have.
    """
    if name == "auto":
        found = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
        return torch.device("cpu") if found is None else found
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ConfigError(f"--device {name}: no such kind of device; give auto or cpu") from None
    if device.type != "cpu" and not _is_present(device):
        raise ConfigError(f"--device {name}: this machine has none; give auto or cpu")
    return device


def _is_present(device: torch.device) -> bool:
    if not torch.accelerator.is_available():
        return False
    kind = torch.accelerator.current_accelerator()
    return (
        kind is not None
        and kind.type == device.type
        and (device.index or 0) < torch.accelerator.device_count()
    )
