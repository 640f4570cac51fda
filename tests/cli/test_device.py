"""The `--device` option names a device of this machine or is refused in one line."""

import pytest
import torch

from farm3d.cli.device import choose_device
from farm3d.cli.main import Messages
from farm3d.errors import ConfigError


@pytest.mark.parametrize("name", ["auto", "cpu"])
def test_the_cpu_is_always_there(name: str) -> None:
    assert choose_device(name, Messages("farm3d-demo")) == torch.device("cpu")


@pytest.mark.parametrize("name", ["abacus", "", "meta", "xpu:99"])
def test_a_device_that_is_not_there_is_a_config_error(name: str) -> None:
    with pytest.raises(ConfigError, match="--device"):
        choose_device(name, Messages("farm3d-demo"))
