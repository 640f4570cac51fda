"""Checkpoints from the Hugging Face hub."""

import re
from pathlib import Path
from typing import Any

from farm3d.errors import CheckpointError

CHECKPOINT_FILE = "model.safetensors"


def is_hub_id(name: str) -> bool:
    """Whether `name` is written like a repository of the hub, owner/name."""
    return re.fullmatch(r"[\w.-]+/[\w.-]+", name) is not None


def fetch_checkpoint(repository: str, **options: Any) -> Path:
    """The repository's model.safetensors, downloaded or from the cache; `options` are hf_hub_download's.

    Raises CheckpointError where it cannot be had.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(hf_hub_download(repository, CHECKPOINT_FILE, **options))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        first_line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise CheckpointError(
            f"{repository}: neither a file or folder here nor a checkpoint that the hub gives ({first_line})"
        ) from None
