"""The server of farm3d-app: it listens, works without a network, and leaves nothing behind."""

import argparse
import os
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from farm3d.cli.app import LOOPBACK, PORT
from farm3d.cli.app_work import Workshop
from farm3d.cli.device import choose_device
from farm3d.cli.main import Messages
from farm3d.cli.model_options import chosen_reconstructor
from farm3d.config import load_config
from farm3d.errors import ConfigError
from farm3d.pretrained.segmentation import make_segmenter
from farm3d.pretrained.stable_diffusion import DiffusionSettings

if TYPE_CHECKING:
    import gradio

DIFFUSION_PRESET = "synthesis/stable_diffusion"


def serve(arguments: argparse.Namespace, messages: Messages) -> int:
    """Serve the page until Ctrl-C or SIGTERM; returns the exit code."""
    with TemporaryDirectory(prefix="farm3d-app-", ignore_cleanup_errors=True) as folder:
        root = Path(folder).resolve()
        _prepare_gradio(root)
        workshop = _workshop(root, arguments, messages)
        page = _launched(workshop, arguments)
        if arguments.host != LOOPBACK:
            messages.say(f"everybody who reaches {arguments.host} can use the page and its files")
        messages.result(str(page.local_url))
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            messages.say("stopped; uploads and results are removed")
        finally:
            page.close(verbose=False)
    return 0


def _prepare_gradio(root: Path) -> None:
    """Settings that Gradio reads when it is imported: no analytics, uploads in `root`, no proxy to itself."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_TEMP_DIR"] = str(root / "uploads")
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    own = [LOOPBACK, "localhost"]
    for name in ("no_proxy", "NO_PROXY"):
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), *own]))


def _workshop(root: Path, arguments: argparse.Namespace, messages: Messages) -> Workshop:
    device = choose_device(arguments.device, messages)
    masks = make_segmenter(arguments.segmenter, device=device)
    messages.say(masks.notice)
    reconstructor = chosen_reconstructor(arguments)
    diffusion = None
    if arguments.model is not None:
        overrides = [f"model={arguments.model}"]
        diffusion = load_config(DiffusionSettings, preset_or_file=DIFFUSION_PRESET, overrides=overrides)
    workshop = Workshop(root, reconstructor, masks, diffusion, device)
    workshop.results.mkdir()
    return workshop


def _launched(workshop: Workshop, arguments: argparse.Namespace) -> "gradio.Blocks":
    """The page, being served. Raises ConfigError where the address cannot be listened on."""
    from farm3d.cli.app_page import STYLE, UPLOAD_LIMIT, build_page, theme

    page = build_page(workshop)
    try:
        page.launch(
            server_name=arguments.host,
            server_port=arguments.port,
            allowed_paths=[str(workshop.results)],
            max_file_size=UPLOAD_LIMIT,
            theme=theme(),
            css=STYLE,
            footer_links=[],
            run_history=False,
            share=False,
            quiet=True,
            prevent_thread_lock=True,
        )
    except OSError:
        port = f"port {arguments.port}" if arguments.port else f"ports from {PORT} on"
        raise ConfigError(
            f"cannot serve on {arguments.host}, {port}: taken, or no address of this machine;"
            " give another --host or --port"
        ) from None
    return page
