"""How far a predicted surface lies from the farm's true one, by Animodel's protocol."""

from farm3d.errors import Farm3DError
from farm3d.geometry.mesh import Mesh

from .chamfer.protocol import ChamferProtocol, random_stream
from .chamfer.score import chamfer_score
from .viewpoint import GlobalAlignment


def aligned_chamfer(predicted: Mesh, true: Mesh, *, alignment: GlobalAlignment, name: str) -> float | None:
    """The scaled Chamfer distance of two posed surfaces; `None` where the predicted one has no volume.

    The protocol starts ICP from the pose as given, so a model's object frame is turned into the farm's
    first; it finds scale and place itself. The random numbers are those of `name`, whatever the model.
    """
    turned = predicted.vertices.double() @ alignment.rotation
    try:
        score = chamfer_score(
            turned[predicted.faces].numpy(),
            true.vertices.double()[true.faces].numpy(),
            protocol=ChamferProtocol(),
            random=random_stream(0, name),
        )
    except Farm3DError:
        return None
    return score.chamfer_scaled
