"""farm3d: one photograph of an animal in, a rigged, textured, animatable 3D model out.

From Python: `farm3d.load_model` and `farm3d.reconstruct` (docs/quickstart.md).
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from farm3d.inference.api import load_model as load_model
    from farm3d.inference.api import reconstruct as reconstruct

__version__ = "0.1.0"

_API = ("load_model", "reconstruct")
"""What `farm3d.inference.api` has for users; imported when it is first asked for, since torch takes long."""


def __getattr__(name: str) -> Any:
    if name not in _API:
        raise AttributeError(f"module 'farm3d' has no attribute {name!r}")
    from farm3d.inference import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_API])
