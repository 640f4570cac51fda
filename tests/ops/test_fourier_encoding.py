"""The position encoding equals its formula, channel by channel."""

import math

import torch

from farm3d.ops.fourier_encoding import BASE_FREQUENCY, encoded_size, fourier_encode


def test_encoding_equals_the_formula_written_as_loops() -> None:
    points = torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    harmonics = 4
    encoded = fourier_encode(points, harmonics)
    assert encoded.shape == (5, encoded_size(3, harmonics)) == (5, 27)
    for row, point in zip(encoded.tolist(), points.tolist(), strict=True):
        phases = [BASE_FREQUENCY * 2**k * value for value in point for k in range(harmonics)]
        expected = [*point, *map(math.sin, phases), *map(math.cos, phases)]
        torch.testing.assert_close(row, expected, rtol=0.0, atol=1e-12)


def test_the_lowest_wave_is_longer_than_the_cube_so_no_two_places_share_a_code() -> None:
    ends = fourier_encode(torch.tensor([[-3.5], [3.5]]), 1)[:, 1:]
    assert 2.0 * math.pi / BASE_FREQUENCY > 7.0
    assert (ends[0] - ends[1]).norm() > 0.5


def test_no_harmonics_leave_the_raw_values() -> None:
    values = torch.tensor([[1.0, -2.0]])
    assert torch.equal(fourier_encode(values, 0), values)
