"""The specification as slow, obvious PyTorch: any floating dtype, any device, gradients by autograd.

Which triangle a pixel shows, and which silhouette edge passes between two pixels, is decided in double
precision without gradients by trying all of them; values are then computed differentiably.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from farm3d.ops.mesh_topology import EdgeTopology
from farm3d.shapes import ClipPositions, Faces, Images, Rasterized

_DEGENERATE = 1e-14
"""A triangle is degenerate where its determinant is below this part of the terms that it sums."""


def rasterize(
    clip_positions: ClipPositions, faces: Faces, resolution: tuple[int, int], *, cull_back_faces: bool
) -> Rasterized:
    """`farm3d.ops.rasterize.rasterize` by definition."""
    height, width = resolution
    winners = torch.full((len(clip_positions), height, width), -1, device=faces.device)
    for index, clip in enumerate(clip_positions.detach()):
        winners[index] = _nearest_triangles(clip, faces, resolution, cull_back_faces=cull_back_faces)
    image, row, column = torch.nonzero(winners >= 0, as_tuple=True)
    triangle = winners[image, row, column]
    corners = clip_positions[image[:, None], faces[triangle].long()].double()
    values = _edge_values(_lines(corners), _centres(column, width), _centres(row, height))
    barycentrics = values / values.sum(dim=1, keepdim=True)
    z, w = ((barycentrics * corners[:, :, axis]).sum(dim=1) for axis in (2, 3))
    pixels = torch.stack([barycentrics[:, 0], barycentrics[:, 1], z / w, triangle + 1.0], dim=1)
    background = clip_positions.new_zeros(*winners.shape, 4)
    return background.index_put((image, row, column), pixels.to(background.dtype))


def interpolate(
    attributes: Float[Tensor, "attribute_images vertices channels"], rasterized: Rasterized, faces: Faces
) -> Images:
    """`farm3d.ops.rasterize.interpolate` by definition."""
    image, row, column = torch.nonzero(rasterized[..., 3] > 0, as_tuple=True)
    pixels = rasterized[image, row, column]
    source = image.clamp(max=len(attributes) - 1)
    triangles = faces[pixels[:, 3].long() - 1].long()
    first, second, third = attributes[source[:, None], triangles].unbind(dim=1)
    values = third + pixels[:, :1] * (first - third) + pixels[:, 1:2] * (second - third)
    background = attributes.new_zeros(*rasterized.shape[:3], attributes.shape[2])
    return background.index_put((image, row, column), values)


def antialias(
    colors: Images,
    rasterized: Rasterized,
    clip_positions: ClipPositions,
    faces: Faces,
    *,
    topology: EdgeTopology,
) -> Images:
    """`farm3d.ops.rasterize.antialias` by definition."""
    beside = _crossings(clip_positions, rasterized, faces=faces, topology=topology, diagonals=True)
    # Pixels above each other lie beside each other in the transposed image, where x and y trade places.
    transposed = clip_positions[..., [1, 0, 2, 3]], rasterized.transpose(1, 2)
    above = _crossings(*transposed, faces=faces, topology=topology, diagonals=False).transpose(1, 2)
    received = (*_exchange(colors, beside, dim=2), *_exchange(colors, above, dim=1))
    total = torch.stack([weight for weight, _ in received]).sum(dim=0)
    change = torch.stack([weight * (neighbour - colors) for weight, neighbour in received]).sum(dim=0)
    return colors + change / torch.where(total > 1, total, 1.0)


def _centres(indices: Int[Tensor, "..."], size: int) -> Float[Tensor, "..."]:
    """NDC coordinates of pixel centres along an axis of `size` pixels."""
    return (2.0 * indices.double() + 1.0 - size) / size


def _lines(corners: Float[Tensor, "*triangles 3 4"]) -> Float[Tensor, "*triangles 3 3"]:
    """The lines opposite to vertices 0, 1, 2: cross products of (x, y, w) of their ends."""
    first, second, third = corners[..., [0, 1, 3]].unbind(dim=-2)
    ends = ((second, third), (third, first), (first, second))
    return torch.stack([torch.linalg.cross(start, end) for start, end in ends], dim=-2)


def _edge_values(
    lines: Float[Tensor, "*triangles 3 3"], x: Float[Tensor, "*points"], y: Float[Tensor, "*points"]
) -> Float[Tensor, "*points 3"]:
    """The homogeneous edge functions e0, e1, e2 at points (Olano and Greer 1997)."""
    return lines[..., 0] * x[..., None] + (lines[..., 1] * y[..., None] + lines[..., 2])


def _winding(corners: Float[Tensor, "*triangles 3 4"]) -> Float[Tensor, "*triangles"]:
    """Determinant of (x, y, w) of the vertices, 0 where degenerate; negative where counter-clockwise."""
    terms = corners[..., 0, [0, 1, 3]] * _lines(corners)[..., 0, :]
    determinant, size = terms[..., 0] + terms[..., 1] + terms[..., 2], terms.abs().sum(dim=-1)
    return torch.where((determinant.abs() > _DEGENERATE * size) & (size < torch.inf), determinant, 0.0)


def _nearest_triangles(
    clip: Float[Tensor, "vertices 4"], faces: Faces, resolution: tuple[int, int], *, cull_back_faces: bool
) -> Int[Tensor, "height width"]:
    """The triangle seen at each pixel centre of one image, -1 where there is none."""
    height, width = resolution
    rows, columns = torch.arange(height, device=faces.device), torch.arange(width, device=faces.device)
    y, x = torch.meshgrid(_centres(rows, height), _centres(columns, width), indexing="ij")
    nearest = torch.full((height, width), torch.inf, dtype=clip.dtype, device=clip.device)
    winners = torch.full((height, width), -1, device=faces.device)
    for index, face in enumerate(faces.long()):
        corners = clip[face].double()
        winding = _winding(corners)
        if winding == 0 or (cull_back_faces and winding > 0):
            continue
        covered, depth = _cover(corners, x, y)
        wins = covered & (depth.to(clip.dtype) < nearest)
        nearest[wins] = depth.to(clip.dtype)[wins]
        winners[wins] = index
    return winners


def _cover(
    corners: Float[Tensor, "3 4"], x: Float[Tensor, "height width"], y: Float[Tensor, "height width"]
) -> tuple[Bool[Tensor, "height width"], Float[Tensor, "height width"]]:
    """Where one triangle covers pixel centres, and its z/w there."""
    inward = _lines(corners) * _winding(corners).sign()
    values = _edge_values(inward, x, y)
    includes_edge = (inward[:, 0] > 0) | ((inward[:, 0] == 0) & (inward[:, 1] > 0))
    inside = ((values > 0) | ((values == 0) & includes_edge)).all(dim=-1)
    e0, e1, e2 = values.unbind(dim=-1)
    z, w = (e0 * corners[0, axis] + e1 * corners[1, axis] + e2 * corners[2, axis] for axis in (2, 3))
    return inside & (w > 0) & (z >= -w) & (z <= w), z / w


def _exchange(colors: Images, crossings: Tensor, *, dim: int) -> tuple[tuple[Tensor, Tensor], ...]:
    """What pixels receive from the one before along `dim` and from the one after: weights and colours.

    `crossings` are those of each pixel with the one after; the last pixel's are 0.5 and weigh nothing.
    """
    crossings = crossings[..., None].to(colors.dtype)
    to_next = torch.where(crossings >= 0.5, crossings - 0.5, 0.0)
    from_next = torch.where(crossings < 0.5, 0.5 - crossings, 0.0)
    return (to_next.roll(1, dim), colors.roll(1, dim)), (from_next, colors.roll(-1, dim))


def _crossings(
    clip_positions: ClipPositions,
    rasterized: Rasterized,
    *,
    faces: Faces,
    topology: EdgeTopology,
    diagonals: bool,
) -> Float[Tensor, "images height width"]:
    """Where the silhouette passes between each pixel (0) and its right neighbour (1); 0.5 where none does."""
    owners = torch.stack(
        [
            _owners(clip.detach().double(), seen, faces=faces, topology=topology, diagonals=diagonals)
            for clip, seen in zip(clip_positions, rasterized.detach(), strict=True)
        ]
    )
    image, row, column = torch.nonzero(owners >= 0, as_tuple=True)
    edges = topology.edges[owners[image, row, column]].long()
    start, end = clip_positions[image[:, None], edges].double()[..., [0, 1, 3]].unbind(dim=1)
    places = _places(torch.linalg.cross(start, end), _centres(row, owners.shape[1]), owners.shape[2])
    return torch.full_like(owners, 0.5, dtype=torch.double).index_put((image, row, column), places - column)


def _places(line: Float[Tensor, "*lines 3"], y: Float[Tensor, "..."], width: int) -> Float[Tensor, "..."]:
    """The column (a fraction counts from pixel centre to pixel centre) at which lines have the height y."""
    x = -(line[..., 1] * y + line[..., 2]) / line[..., 0]
    return ((x + 1.0) * width - 1.0) / 2.0


def _surface_sides(
    clip: Float[Tensor, "vertices 4"], faces: Faces, topology: EdgeTopology
) -> Int[Tensor, " edges"]:
    """The sign of each edge's line equation on its faces if they all lie on one side, otherwise 0."""
    signs = _winding(clip[faces.long()]).sign()[topology.side_faces]
    signs = torch.where(topology.side_forward, signs, -signs)
    counts = topology.side_offsets.diff()
    edge = torch.arange(len(counts), device=counts.device).repeat_interleave(counts)
    positive = torch.zeros_like(counts).index_add(0, edge, (signs > 0).to(counts.dtype)) > 0
    negative = torch.zeros_like(counts).index_add(0, edge, (signs < 0).to(counts.dtype)) > 0
    return positive.long() - negative.long()


def _owners(
    clip: Float[Tensor, "vertices 4"],
    seen: Float[Tensor, "height width 4"],
    *,
    faces: Faces,
    topology: EdgeTopology,
    diagonals: bool,
) -> Int[Tensor, "height width"]:
    """The edge that is the silhouette between each pixel and its right neighbour, -1 where none is."""
    height, width = seen.shape[:2]
    sides = _surface_sides(clip, faces, topology)
    start, end = (clip[topology.edges[:, i].long()][:, None] for i in (0, 1))
    line = torch.linalg.cross(start[..., [0, 1, 3]], end[..., [0, 1, 3]])
    across, along = line[..., 0].abs() * height, line[..., 1].abs() * width
    steep = (across >= along) & (across > 0) if diagonals else across > along
    y = _centres(torch.arange(height, device=clip.device), height)
    above, below = start[..., 1] - y * start[..., 3], end[..., 1] - y * end[..., 3]
    part = (above / (above - below))[..., None]
    z, w = (start + part * (end - start))[..., 2:].unbind(dim=-1)
    places = _places(line, y, width)
    met = ((above >= 0) != (below >= 0)) & steep & (sides != 0)[:, None]
    met &= (w > 0) & (z >= -w) & (z <= w) & (places >= 0) & (places < width - 1)
    depths = torch.where(seen[..., 3] > 0, seen[..., 2].double(), torch.inf)
    owners = torch.full((height, width), -1, device=clip.device)
    outermost = torch.full_like(depths, 0.5, dtype=seen.dtype)
    for edge, row in torch.nonzero(met).tolist():
        column = int(places[edge, row])
        crossing = (places[edge, row] - column).to(seen.dtype)
        here, there = depths[row, column], depths[row, column + 1]
        reaches_right = here <= there
        surface_is_left = (line[edge, 0, 0] < 0) == (sides[edge] > 0)
        best = outermost[row, column]
        further = crossing > best if reaches_right else crossing < best
        if (
            seen[row, column, 3] != seen[row, column + 1, 3]
            and surface_is_left == reaches_right
            and z[edge, row] / w[edge, row] < torch.maximum(here, there)
            and (owners[row, column] < 0 or further)
        ):
            owners[row, column], outermost[row, column] = edge, crossing
    return owners
