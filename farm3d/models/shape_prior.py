"""The category's shape: signed distance field to mesh, skeleton and skinning weights."""

from farm3d.errors import EmptyShapeError
from farm3d.fields.sdf_field import SDFField
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.skeleton_estimation import estimate_skeleton, lost_legs, tail_repulsion
from farm3d.geometry.skinning import distance_skinning_weights
from farm3d.ops.body_centred_lattice import BodyCentredLattice
from farm3d.ops.mesh_topology import largest_piece
from farm3d.ops.sparse_isosurface import sparse_isosurface
from farm3d.types import ShapePrior


def extract_prior(
    field: SDFField,
    lattice: BodyCentredLattice,
    *,
    skinning_temperature: float,
    previous: ShapePrior | None = None,
    shift: tuple[float, float] = (0.0, 0.0),
    unfinished: bool = False,
) -> ShapePrior:
    """The zero level set of `field` on `lattice` with its skeleton and skinning weights.

    The field is symmetric, so it is evaluated where x >= 0 and mirrored, and only near the surface. With
    `previous`, the shape of a similar field on the same lattice, the search starts from where its surface
    was (see `sparse_isosurface`). Only the largest connected piece is kept. `shift` moves the lattice in y
    and z (object units) and leaves the surface where it is: training draws it anew at each step, so that the
    field learns no pattern of the lattice. Gradients reach the field through the vertices. Raises
    EmptyShapeError where there is no surface, and TrainingError where a leg is missing, unless the shape is
    `unfinished`: while it is learned it may lose a leg, whose bones then wait where it would be.
    """
    offset = next(field.parameters()).new_tensor([0.0, *shift])
    surface = sparse_isosurface(
        lambda points: field(points + offset),
        lattice,
        symmetric=True,
        previous=None if previous is None else previous.active_cells,
        device=next(field.parameters()).device,
    )
    if surface.faces.shape[0] == 0:
        raise EmptyShapeError(
            "the category's signed distance has no surface: its sign is the same everywhere"
        )
    vertices, faces = largest_piece(surface.vertices, surface.faces)
    vertices = vertices + offset
    skeleton = estimate_skeleton(vertices, imagine_legs=unfinished)
    still = vertices.detach()
    weights = distance_skinning_weights(
        still, skeleton.rest_joints, skinning_temperature, farther=tail_repulsion(still, skeleton)
    )
    return ShapePrior(
        Mesh(vertices, faces),
        skeleton,
        weights,
        active_cells=surface.active,
        lost_legs=lost_legs(vertices) if unfinished else (),
    )
