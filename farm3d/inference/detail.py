"""The same animal with fewer triangles: for games, for pages, for other programs.

Source: quadric error metrics (Garland & Heckbert, SIGGRAPH 1997) by fast-simplification.
"""

from dataclasses import dataclass, replace

import fast_simplification
import numpy as np
import torch
import trimesh
from jaxtyping import Float, Int
from scipy.spatial import cKDTree
from torch import Tensor

from farm3d.errors import ConfigError
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.skinning import MAX_INFLUENCES, SkinningWeights, skin
from farm3d.types import AnimalPrediction

FEWEST_FACES = 500
"""With fewer, legs fall apart."""

NEIGHBOURS = 16
"""How many triangles, those with the nearest middles, are looked at for the nearest point of a surface."""

Coordinates = Float[np.ndarray, "points 3"]
Triangles = Int[np.ndarray, "triangles 3"]


@dataclass(frozen=True)
class Carried:
    """Points of a surface as shares of its vertices, and faces between them."""

    sources: Int[Tensor, "points 6"]
    shares: Float[Tensor, "points 6"]
    faces: Int[Tensor, "faces 3"]

    def of(self, attribute: Float[Tensor, "*batch vertices c"]) -> Float[Tensor, "*batch points c"]:
        """An attribute of the surface's vertices at the points."""
        return (attribute[..., self.sources, :] * self.shares[..., None]).sum(dim=-2)


def with_faces(prediction: AnimalPrediction, count: int) -> AnimalPrediction:
    """The prediction of one image on a mesh of at most `count` faces, unchanged where it has no more.

    One half of the category's shape is simplified and mirrored, so that the mesh stays symmetric; every
    vertex then follows the points of the animal's own surface that it came from, with their bones' weights.
    A category's animals get the same faces. Textures are baked anew: the atlas is another one.

    Raises:
        ConfigError: fewer than FEWEST_FACES faces are asked for.
    """
    check_face_count(count)
    if count >= len(prediction.rest_mesh.faces):
        return prediction
    carried = simplified(prediction.rest_positions.detach().cpu(), prediction.rest_mesh.faces.cpu(), count)
    weights = _sparse(carried.of(prediction.skinning_weights.dense(prediction.joint_angles.shape[-2])))
    rest = carried.of(prediction.rest_mesh.vertices)
    return replace(
        prediction,
        rest_positions=carried.of(prediction.rest_positions),
        rest_mesh=Mesh(rest, carried.faces),
        posed_mesh=Mesh(skin(rest, prediction.bone_transforms, weights), carried.faces),
        skinning_weights=weights,
    )


def check_face_count(count: int) -> None:
    """Raise a ConfigError where fewer than FEWEST_FACES faces are asked for."""
    if count < FEWEST_FACES:
        raise ConfigError(f"{count} faces are too few for an animal; ask for {FEWEST_FACES} or more")


def simplified(vertices: Float[Tensor, "vertices 3"], faces: Int[Tensor, "faces 3"], count: int) -> Carried:
    """A mirror-symmetric closed surface with at most `count` faces, as points of a given one of that kind."""
    surface, triangles = vertices.double().numpy(), faces.numpy()
    cut = trimesh.intersections.slice_faces_plane(surface, triangles, [1.0, 0.0, 0.0], [0.0, 0.0, 0.0])
    half = trimesh.Trimesh(cut[0], cut[1])
    points, few, target = np.asarray(half.vertices), np.asarray(half.faces), count // 2
    while len(few) > count // 2:
        points, few = fast_simplification.simplify(half.vertices, half.faces, target_count=target)
        points, few = _mirrorable(points, few.astype(np.int64))
        target -= max(1, len(few) - count // 2)
    sources, shares = _nearest(points, surface, triangles)
    mirror = np.asarray(cKDTree(surface).query(surface * [-1.0, 1.0, 1.0])[1])
    # The half's border lies on the mirror plane: such a point takes half from each side, the others have a
    # twin on the other side.
    on_plane = np.isin(np.arange(len(points)), _border(few))
    own = np.where(on_plane, 0.5, 1.0)[:, None]
    here = (
        np.concatenate([sources, mirror[sources]], 1),
        np.concatenate([own * shares, (1 - own) * shares], 1),
    )
    twins = np.arange(len(points))
    twins[~on_plane] = len(points) + np.arange((~on_plane).sum())
    there = np.concatenate([mirror[sources], sources], 1)[~on_plane], here[1][~on_plane]
    return Carried(
        torch.from_numpy(np.concatenate([here[0], there[0]])),
        torch.from_numpy(np.concatenate([here[1], there[1]])).to(vertices),
        torch.from_numpy(np.concatenate([few, twins[few][:, ::-1]])),
    )


def _mirrorable(
    points: Coordinates, triangles: Triangles
) -> tuple[Float[np.ndarray, "more 3"], Int[np.ndarray, "split 3"]]:
    """A surface that has two faces at every edge when its border is joined to its mirror image.

    Where an edge has more than two faces, or joins two points of the border through the inside, each pair of
    faces beside it gets a point of its own in their middle, which splits the edge.
    """
    border = _border(triangles)
    while len(edges := _pinched(triangles, border)):
        start, end = edges[0].tolist()
        ahead, back = _beside(triangles, start, end), _beside(triangles, end, start)
        one, other = max(
            ((i, j) for i in ahead for j in back), key=lambda pair: _flatness(points[triangles[list(pair)]])
        )
        pair, new = triangles[[one, other]], len(points)
        points = np.concatenate([points, points[np.unique(pair)].mean(axis=0, keepdims=True)])
        halves = [np.where(pair == corner, new, pair) for corner in (start, end)]
        triangles = np.concatenate([np.delete(triangles, [one, other], axis=0), *halves])
    return points, triangles


def _border(triangles: Triangles) -> Int[np.ndarray, " border"]:
    """The points at which a surface ends."""
    edges, faces = _edges(triangles)
    return np.unique(edges[faces == 1])


def _pinched(triangles: Triangles, border: Int[np.ndarray, " border"]) -> Int[np.ndarray, "pinched 2"]:
    """The edges with more than two faces, and those between points of the border with more than one."""
    edges, faces = _edges(triangles)
    return edges[faces > np.where(np.isin(edges, border).all(axis=1), 1, 2)]


def _edges(triangles: Triangles) -> tuple[Int[np.ndarray, "edges 2"], Int[np.ndarray, " edges"]]:
    """The edges and how many faces each has."""
    ends = np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    return np.unique(ends, axis=0, return_counts=True)


def _beside(triangles: Triangles, start: int, end: int) -> list[int]:
    """The faces that go round from one point to the other."""
    return np.nonzero((triangles == start) & (np.roll(triangles, -1, axis=1) == end))[0].tolist()


def _flatness(corners: Float[np.ndarray, "2 3 3"]) -> float:
    """The cosine between two faces' normals."""
    first, second = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return float(first @ second / max(np.linalg.norm(first) * np.linalg.norm(second), 1e-30))


def _nearest(
    points: Coordinates, surface: Float[np.ndarray, "vertices 3"], triangles: Int[np.ndarray, "faces 3"]
) -> tuple[Int[np.ndarray, "points 3"], Float[np.ndarray, "points 3"]]:
    """The corners of the triangle nearest to each point, and its nearest place's shares of them."""
    middles = surface[triangles].mean(axis=1)
    candidates = cKDTree(middles).query(points, k=NEIGHBOURS)[1]
    corners = surface[triangles[candidates.ravel()]]
    places = trimesh.triangles.closest_point(corners, np.repeat(points, NEIGHBOURS, axis=0))
    away = np.linalg.norm(places.reshape(len(points), NEIGHBOURS, 3) - points[:, None], axis=2)
    best = np.arange(len(points)) * NEIGHBOURS + away.argmin(axis=1)
    shares = trimesh.triangles.points_to_barycentric(corners[best], places[best]).clip(0.0, 1.0)
    return triangles[candidates.ravel()[best]], shares / shares.sum(axis=1, keepdims=True)


def _sparse(dense: Float[Tensor, "points bones"]) -> SkinningWeights:
    """The largest weights of each point, normalised."""
    values, bones = dense.topk(MAX_INFLUENCES, dim=-1)
    return SkinningWeights(bones, values / values.sum(dim=-1, keepdim=True))
