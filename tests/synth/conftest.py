"""The mean animals are meshed once for all tests of the farm."""

import pytest
import torch
from farm3d.synth.procedural.anatomy import Species
from farm3d.synth.procedural.quadruped import Individual, mean_individual
from farm3d.synth.procedural.species import species_of


@pytest.fixture(autouse=True)
def one_thread():
    """The farm's arrays are small; waiting threads would only slow the tests down."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module", params=["horse", "cow"])
def species(request: pytest.FixtureRequest) -> Species:
    return species_of(request.param)


@pytest.fixture(scope="module")
def mean(species: Species) -> Individual:
    return mean_individual(species)
