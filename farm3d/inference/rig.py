"""The animal as a rig in metres."""

from farm3d.geometry.clip import Clip
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.skeleton import Skeleton
from farm3d.geometry.skinning import SkinningWeights
from farm3d.inference.texture import BakedTexture
from farm3d.inference.withers import top_of_withers
from farm3d.io.gltf import Rig, TexturedSurface, WorldScale, skinned_glb
from farm3d.io.image import encode_png
from farm3d.ops.mesh_topology import vertex_normals
from farm3d.types import AnimalPrediction


def single_skeleton(prediction: AnimalPrediction) -> Skeleton:
    """The skeleton of a prediction of one image, without the batch axis."""
    return prediction.skeleton.at(prediction.skeleton.rest_joints[0])


def world_scale(prediction: AnimalPrediction, shoulder_height_metres: float) -> WorldScale:
    """Metres an object unit such that the withers of the rest shape stand at the category's height.

    One photograph does not show how large an animal is, so the category's typical height is assumed.
    """
    vertices = prediction.rest_mesh.vertices[0].detach()
    ground = float(vertices[:, 1].min())
    top = top_of_withers(vertices, prediction.rest_mesh.faces, single_skeleton(prediction))
    return WorldScale(shoulder_height_metres / (top - ground), ground)


def standing_rise(prediction: AnimalPrediction) -> float:
    """How far (object units) the posed animal rises so that it stands on the ground of the rest shape."""
    rest, posed = prediction.rest_mesh.vertices[0], prediction.posed_mesh.vertices[0]
    return float(rest[:, 1].min() - posed[:, 1].min())


def rigged_glb(
    prediction: AnimalPrediction, texture: BakedTexture, *, clips: tuple[Clip, ...], scale: WorldScale
) -> bytes:
    """The GLB of one animal: rest mesh, skin, texture, clips; the nodes stand in the photograph's pose."""
    atlas, weights = texture.atlas, prediction.skinning_weights
    rest, faces = prediction.rest_mesh.vertices[0], prediction.rest_mesh.faces
    surface = TexturedSurface(
        mesh=atlas.cut(Mesh(rest, faces)),
        normals=atlas.split(vertex_normals(rest, faces)),
        texture_png=encode_png(texture.pixels),
    )
    split = SkinningWeights(weights.indices[atlas.source_vertices], weights.weights[atlas.source_vertices])
    rig = Rig(
        single_skeleton(prediction),
        split,
        prediction.joint_angles[0],
        clips,
        (0.0, standing_rise(prediction), 0.0),
    )
    return skinned_glb(surface, rig, scale)
