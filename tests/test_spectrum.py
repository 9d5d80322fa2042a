"""Blur and grids in the power spectrum."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from ganedu import data
from ganedu.metrics import spectrum
from ganedu.metrics.spectrum import (
    checkerboard,
    high_frequency_power,
    power_spectrum,
    radial_spectrum,
)
from ganedu.runtime import UsageError


@pytest.fixture(scope="module")
def digits():
    return data.load("digits", "test").array(200)


def test_a_wave_has_its_power_at_its_frequency():
    # cos has half of its amplitude at +3 and at -3: |F|^2 / (H W) = (H W / 2)^2 / (H W) = 16 at each
    wave = np.cos(2 * np.pi * 3 * np.arange(8) / 8)
    power = power_spectrum(np.broadcast_to(wave[None, None, :, None], (2, 8, 8, 1)))
    expected = np.zeros((8, 8))
    expected[0, [3, -3]] = 16.0
    np.testing.assert_allclose(power, expected, atol=1e-9)


def test_images_of_many_chunks_have_the_power_of_all(digits, monkeypatch):
    whole = power_spectrum(digits)
    monkeypatch.setattr(spectrum, "NUMBERS", 3 * 28 * 28)
    np.testing.assert_allclose(power_spectrum(digits), whole, rtol=1e-12)


def test_the_mean_of_an_image_is_left_out():
    assert power_spectrum(np.full((1, 8, 8, 3), 0.7)).max() < 1e-20


def test_the_radial_spectrum_of_noise_is_flat_and_holds_its_variance():
    noise = np.random.default_rng(0).normal(0, 0.1, (400, 28, 28, 1))
    frequencies, power = radial_spectrum(noise)
    np.testing.assert_allclose(power, 0.01, rtol=0.1)
    assert frequencies[0] < frequencies[-1] < 0.5


def test_sharpness_of_other_real_images_is_about_one_and_goes_with_the_square(digits):
    assert 0.8 < high_frequency_power(digits[:100], digits[100:]) < 1.25
    assert high_frequency_power(digits / 2, digits) == pytest.approx(0.25)


def test_blur_takes_sharpness_away_and_noise_adds_it(digits):
    assert high_frequency_power(gaussian_filter(digits, (0, 1, 1, 0)), digits) < 0.1
    noise = np.random.default_rng(0).normal(0, 0.2, digits.shape)
    assert high_frequency_power(digits + noise, digits) > 1.5


@pytest.mark.parametrize("axis", [1, 2])
def test_a_pattern_of_every_second_pixel_is_seen(digits, axis):
    sign = np.where(np.arange(28) % 2, -1.0, 1.0).reshape(
        [28 if a == axis else 1 for a in range(4)]
    )
    assert checkerboard(digits, digits) == pytest.approx(1.0)
    assert checkerboard(digits * (1 + 0.3 * sign), digits) > 3.0


def test_neither_blur_nor_noise_is_a_checkerboard(digits):
    noise = np.random.default_rng(0).normal(0, 0.3, digits.shape)
    for others in (gaussian_filter(digits, (0, 1, 1, 0)), digits + noise, digits[::-1] * 0.5):
        assert checkerboard(others, digits) < 1.6


@pytest.mark.parametrize(
    "images", [np.zeros((8, 8)), np.zeros((0, 8, 8, 1)), np.full((1, 8, 8, 1), np.nan)]
)
def test_what_has_no_spectrum_is_refused(images):
    with pytest.raises(UsageError, match="Images must be finite"):
        power_spectrum(images)


def test_two_shapes_are_refused(digits):
    with pytest.raises(UsageError, match="one shape"):
        high_frequency_power(digits, digits[:, :14])
