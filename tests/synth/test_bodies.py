"""The species' tables: read as they are written, refused where they are wrong."""

import pytest
from farm3d.synth.procedural.anatomy import BONES, Ridge, Traits
from farm3d.synth.procedural.bodies.plans import EAR, TAIL
from farm3d.synth.procedural.bodies.relief import ridges
from farm3d.synth.procedural.species import SPECIES


def test_a_table_s_missing_lines_have_their_usual_values():
    limb = EAR.shaped("""
        at     0  0.5  1
        depth  4  6    2
        taper  0.1
    """)
    assert limb.stations == (
        (0.0, 0.0, 0.0, 0.04, 0.04, 0.1),
        (0.5, 0.0, 0.0, 0.06, 0.06, 0.1),
        (1.0, 0.0, 0.0, 0.02, 0.02, 0.1),
    )
    assert (limb.name, limb.part, limb.paired) == ("ear", "ear", True)


@pytest.mark.parametrize("line", ["width 1 2", "breadth 1 2 3"])
def test_a_wrong_table_is_refused(line):
    with pytest.raises(ValueError, match="tail: lines that are no columns, or columns of different lengths"):
        TAIL.shaped(f"at 0 1 2\ndepth 3 3 3\n{line}")


def test_a_ridge_has_one_place_or_two():
    one, two = ridges(
        """
        head: poll muzzle: 20 5 4 2
        trunk+neck: withers loin: 0 1 50 2 4 -2
        """,
        strength=0.5,
    )
    assert one == Ridge(("head",), ("poll", "muzzle"), ((0.2, 0.05), (0.2, 0.05)), 0.04, 0.01)
    assert two == Ridge(("trunk", "neck"), ("withers", "loin"), ((0.0, 0.01), (0.5, 0.02)), 0.04, -0.01)
    with pytest.raises(ValueError, match="one place or two"):
        ridges("head: poll muzzle: 1 2 3")


@pytest.mark.parametrize("species", SPECIES, ids=lambda species: species.name)
def test_tables_name_landmarks_parts_and_traits_that_exist(species):
    wanted = {end for bone in BONES for end in (bone.start, bone.end)} | {"rump", "breast"}
    wanted |= {name for limb in species.limbs for name in limb.chain}
    wanted |= {name for ridge in species.relief for name in ridge.landmarks} | set(species.hanging_ear)
    assert wanted <= set(species.landmarks)
    parts = {limb.part for limb in species.limbs}
    assert all(parts & set(ridge.parts) for ridge in species.relief)
    traits = {name for kind in species.types for name in kind.changes} | {*species.build, *species.spread}
    assert traits <= set(vars(Traits()))
    bones = {bone.name for bone in BONES}
    assert {bone for limb in species.limbs for _, bone in limb.bones} <= bones
    assert all(points[0] >= 0.0 for points in species.landmarks.values()), "paired ones are the left side's"
