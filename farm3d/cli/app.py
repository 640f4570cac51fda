"""farm3d-app: photographs or words in, animals out, on a page in the browser."""

import argparse
import importlib.util

from farm3d.cli.infer import SEGMENTERS
from farm3d.cli.main import Messages, add_common_options, command_parser, positive_int, run_command
from farm3d.cli.model_options import add_model_options
from farm3d.errors import MissingDependencyError

LOOPBACK = "127.0.0.1"
PORT = 7860


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        "farm3d-app",
        "Serve a page on which photographs become rigged, textured 3D models. It needs no network.",
        examples=(
            "farm3d-app --port 8000",
            "farm3d-app --checkpoint runs/cow --segmenter farm",
        ),
    )
    parser.add_argument(
        "--host",
        default=LOOPBACK,
        metavar="ADDRESS",
        help=f"where to listen (default: {LOOPBACK}, this machine alone; 0.0.0.0: all who can reach it)",
    )
    parser.add_argument(
        "--port", type=positive_int, metavar="N", help=f"port (default: {PORT}, or the next free one)"
    )
    add_model_options(parser)
    pictures = parser.add_argument_group("pictures")
    pictures.add_argument(
        "--segmenter", default="auto", choices=SEGMENTERS, help="where masks come from (default: auto)"
    )
    pictures.add_argument(
        "--model",
        metavar="MODEL",
        help="Stable Diffusion (folder or hub id) that draws prompts; else the farm does",
    )
    add_common_options(parser, out=None, config=False, seed=False)
    return parser


def _app(arguments: argparse.Namespace, messages: Messages) -> int:
    if importlib.util.find_spec("gradio") is None:
        raise MissingDependencyError("the page needs gradio: pip install 'farm3d[app]'")
    from farm3d.cli.app_server import serve

    return serve(arguments, messages)


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return run_command(_parser, _app, argv)


if __name__ == "__main__":
    raise SystemExit(main())
