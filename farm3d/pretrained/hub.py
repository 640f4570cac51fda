"""Models from the Hugging Face hub, which may be out of reach: then what its cache holds."""

import re
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from farm3d.errors import CheckpointError

CHECKPOINT_FILE = "model.safetensors"
FILES = (".safetensors", ".pth", ".pt", ".pkl")
RUNS = "runs"
"""The folder in which training keeps its runs: what is sought there is no repository."""

PATIENCE = 10.0
"""Seconds that the hub has to answer: its own library looks a name up six times, for minutes."""


def is_hub_id(name: str) -> bool:
    """Whether `name` is written like a repository of the hub, owner/name, and not like a path.

    It is a path where it ends as FILES do, or the folder before the slash exists or is called RUNS.
    """
    path = Path(name)
    if re.fullmatch(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", name) is None or path.suffix in FILES:
        return False
    return path.parent.name != RUNS and not path.parent.is_dir()


def fetch_checkpoint(repository: str, **options: Any) -> Path:
    """The repository's model.safetensors, downloaded or from the cache; `options` are hf_hub_download's.

    Raises CheckpointError where it cannot be had.
    """
    from huggingface_hub import hf_hub_download

    return _fetch(repository, partial(hf_hub_download, filename=CHECKPOINT_FILE, **options))


def fetch_folder(repository: str, *, revision: str, wanted: Sequence[str]) -> Path:
    """The repository's snapshot in the hub's cache, downloaded as far as files that are wanted are missing.

    Raises CheckpointError where it cannot be had.
    """
    from huggingface_hub import snapshot_download

    get = partial(snapshot_download, revision=revision, allow_patterns=list(wanted))
    return _fetch(repository, get, revision)


def _fetch(repository: str, download: Callable[..., str], revision: str | None = None) -> Path:
    from huggingface_hub import constants
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    silent = not constants.HF_HUB_OFFLINE and not _answers(constants.ENDPOINT)
    try:
        return Path(download(repo_id=repository, **({"local_files_only": True} if silent else {})))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        first_line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        why = f"{constants.ENDPOINT} cannot be reached, and its cache has none" if silent else first_line
        name = repository if revision is None else f"{repository} ({revision})"
        raise CheckpointError(f"{name}: not a file or folder, and the hub does not give it ({why})") from None


def _answers(address: str) -> bool:
    """Whether a connection to that address, or to the proxy before it, opens within PATIENCE.

    Looking up a name may hang for longer than any timeout, so it has a thread, which nobody waits for.
    """
    url = urlsplit(address)
    proxy = None if proxy_bypass(url.hostname or "") else getproxies().get(url.scheme)
    door = urlsplit(proxy) if proxy else url
    port = door.port or (443 if door.scheme == "https" else 80)
    opened = threading.Event()

    def knock() -> None:
        with suppress(OSError), socket.create_connection((door.hostname, port), timeout=PATIENCE):
            opened.set()

    thread = threading.Thread(target=knock, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return opened.is_set()
