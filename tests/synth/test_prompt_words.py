"""What the farm understands of a prompt, and what it says that it does not."""

import pytest
from farm3d.synth.procedural.coats.markings import Patches
from farm3d.synth.procedural.coats.patterns import Brindle, Spots
from farm3d.synth.procedural.species import SPECIES
from farm3d.synth.prompt_words import animal_named, order_of

from farm3d.errors import ConfigError


def test_species_pose_view_and_side_are_understood() -> None:
    order = order_of("A black dog running, facing left, side view")
    assert (order.species.name, order.pose, order.azimuth, order.side) == ("dog", "gallop", 90.0, -1.0)
    assert order.unknown == ()


@pytest.mark.parametrize(
    ("words", "azimuth", "elevation"),
    [
        ("a cow", 90.0, 8.0),
        ("a cow, front view", 0.0, 8.0),
        ("a cow seen from behind", 180.0, 8.0),
        ("a cow, three-quarter view", 45.0, 8.0),
        ("a cow from behind, three quarter view", 135.0, 8.0),
        ("a cow from above", 90.0, 60.0),
    ],
)
def test_view_words_are_angles(words: str, azimuth: float, elevation: float) -> None:
    order = order_of(words)
    assert (order.azimuth, order.elevation) == (azimuth, elevation)
    assert order.unknown == ()


def test_coats_are_those_that_fit_the_words() -> None:
    spotted = order_of("a spotted cow").species.coats
    assert spotted and all(any(isinstance(m, (Spots, Patches)) for m in coat.markings) for coat in spotted)
    (striped,) = order_of("a striped dog").species.coats
    assert any(isinstance(marking, Brindle) for marking in striped.markings)
    both = order_of("a black and white cow").species.coats
    assert 0 < len(both) < len(order_of("a white cow").species.coats) + len(order_of("a cow").species.coats)


def test_young_animals_are_young() -> None:
    for words, name in (("a foal", "horse"), ("two puppies and a puppy", "dog"), ("a baby sheep", "sheep")):
        species = order_of(words).species
        assert species.name == name
        assert species.types and all(kind.young for kind in species.types)


def test_what_is_not_understood_is_told() -> None:
    assert order_of("a purple cow in the moonlight").unknown == ("purple", "moonlight")
    assert order_of("a belted horse").unknown == ("belted",)
    assert order_of("a sitting cow").unknown == ("sitting",)


@pytest.mark.parametrize("words", ["a dragon", "", "42"])
def test_an_animal_that_the_farm_has_not_is_a_mistake(words: str) -> None:
    with pytest.raises(ConfigError, match="--model MODEL"):
        order_of(words)


def test_every_species_is_found_by_its_name_and_in_the_plural() -> None:
    for species in SPECIES:
        assert animal_named(f"a {species.name}") == species.name
    assert animal_named("five cows") == "cow"
    assert animal_named("a unicorn") is None
