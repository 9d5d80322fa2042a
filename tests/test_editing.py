"""Inversion, SDEdit and RePaint: of models whose best prediction is known, so that what comes of it is too."""

import functools

import numpy as np
import pytest
from rows import ALL, IMAGE_SHAPE, batch

from ganedu import editing, models, runtime

DENOISING = pytest.mark.parametrize("name", ["diffusion", "flow_matching"])


@functools.cache
def build(name):
    runtime.setup(0)
    row = ALL[name]
    return models.build(row.model or name, IMAGE_SHAPE, **row.build)


def amounts(model, level):
    """How much image and how much noise there is at a level."""
    return model.add_noise(1.0, 0.0, level), model.add_noise(0.0, 1.0, level)


def level_of(model, t):
    """The noise level of a time as a network is told it."""
    if isinstance(model, models.module("diffusion").Diffusion):
        return t
    return 1.0 - t * model.shift / (1.0 - t + t * model.shift)


def of_gaussian_images(model, variance):
    """E[x_0 | x_t] of images N(0, variance), each value by itself."""

    def predict(x, t):
        a, s = amounts(model, level_of(model, t))
        return a * variance * x / (a**2 * variance + s**2)

    return predict


def of_plain_images(model):
    """E[x_0 | x_t] of images of one grey each, N(0, 0.25): all values tell of it."""

    def predict(x, t):
        a, s = amounts(model, level_of(model, t))
        mean = x.mean(axis=(1, 2, 3), keepdims=True)
        grey = a * 0.25 * mean / (a**2 * 0.25 + s**2 / x[0].size)
        return np.broadcast_to(grey, x.shape)

    return predict


@DENOISING
def test_levels_go_from_the_image_to_noise_alone(name):
    model = build(name)
    assert amounts(model, 0.0) == (1.0, 0.0)
    np.testing.assert_allclose(amounts(model, 1.0), (0.0, 1.0), atol=1e-3)
    images = [amounts(model, u)[0] for u in np.linspace(0, 1, 11)]
    assert (np.diff(images) < 0).all()


@DENOISING
def test_a_step_to_no_noise_is_the_prediction(name):
    model, x = build(name), batch(2)
    found = model.step(x, 0.5, 0.0, predict=lambda x, t: np.full_like(x, 0.3))
    np.testing.assert_allclose(found, 0.3, atol=1e-6)


@DENOISING
def test_steps_are_those_of_the_model_s_own_sampler(name):
    model = build(name)
    z = model.latents(3, seed=1)
    x = z.reshape(3, *IMAGE_SHAPE).astype("float64")
    for level in (4, 3, 2, 1):
        x = model.step(x, level / 4, (level - 1) / 4)
    sampler = "ddim" if name == "diffusion" else "euler"
    np.testing.assert_allclose(np.clip(x, -1, 1), model.decode(z, 4, sampler), atol=1e-5)


class TestDDIMInversion:
    @DENOISING
    def test_what_is_found_is_noise_and_leads_back(self, name):
        model, rng = build(name), np.random.default_rng(0)
        images = np.clip(0.3 * rng.normal(size=(6, *IMAGE_SHAPE)), -1, 1)
        predict = of_gaussian_images(model, 0.09)
        errors = []
        for steps in (25, 100, 400):
            z = editing.ddim_inversion(model, images, steps, predict)
            assert z.shape == (6, model.latent_dim)
            x = z.reshape(images.shape).astype("float64")
            back = model.sample_from(x, steps, predict=predict)
            errors.append(np.abs(back - images).mean() / np.abs(images).mean())
        # Ten times the time of the first step's tenth is left out: what remains is less with more steps.
        assert errors[0] > errors[1] > errors[2]
        assert errors[2] < 0.05
        np.testing.assert_allclose(z.std(), images.std() / 0.3, rtol=0.1)

    def test_of_a_model_of_classes_too(self):
        model = build("guided_flow_matching")
        assert editing.ddim_inversion(model, batch(2), 3).shape == (2, model.latent_dim)


class TestSDEdit:
    @DENOISING
    def test_little_noise_keeps_the_image_and_all_of_it_nothing(self, name):
        model = build(name)
        a, b = (np.full((4, *IMAGE_SHAPE), v, "float32") for v in (-0.8, 0.8))
        predict = of_plain_images(model)
        apart = [
            np.abs(
                np.subtract(*(editing.sdedit(model, x, s, predict=predict) for x in (a, b)))
            ).mean()
            for s in (0.05, 0.7, 1.0)
        ]
        assert apart[0] > 1.4
        assert apart[0] > apart[1] > apart[2]
        assert apart[2] < 0.05

    def test_it_becomes_what_the_model_knows(self):
        """Of a picture of noise, for a model that knows plain ones, a plain one."""
        model = build("flow_matching")
        found = editing.sdedit(model, batch(3), 0.6, predict=of_plain_images(model))
        assert found.std(axis=(1, 2, 3)).max() < 0.05


class TestRePaint:
    @DENOISING
    @pytest.mark.parametrize("each", [False, True])
    def test_the_rest_follows_from_what_is_known(self, name, each):
        model = build(name)
        greys = np.array([-0.7, 0.0, 0.6], "float32").reshape(-1, 1, 1, 1)
        images = np.broadcast_to(greys, (3, *IMAGE_SHAPE)).copy()
        mask = np.zeros(IMAGE_SHAPE[:2], bool)
        mask[:2] = True
        hidden = images.copy()
        hidden[:, ~mask] = 1.0
        asked = np.repeat(mask[None], 3, axis=0) if each else mask
        found = editing.repaint(
            model, hidden, asked, steps=20, resamplings=10, predict=of_plain_images(model)
        )
        np.testing.assert_array_equal(found[:, mask], images[:, mask])
        np.testing.assert_allclose(found[:, ~mask], images[:, ~mask], atol=0.2)

    @DENOISING
    def test_the_known_part_has_as_much_noise_as_the_level(self, name):
        model, seen = build(name), {}

        def predict(x, t):
            seen[round(level_of(model, t), 3)] = x[:, :4]
            return np.zeros_like(x)

        images = np.full((40, *IMAGE_SHAPE), -0.5, "float32")
        mask = np.zeros(IMAGE_SHAPE[:2], bool)
        mask[:4] = True
        editing.repaint(model, images, mask, steps=4, resamplings=1, predict=predict)
        assert sorted(seen) == [0.25, 0.5, 0.75, 1.0]
        for level in (0.25, 0.5, 0.75):  # at 1 there is noise alone
            a, s = amounts(model, level)
            np.testing.assert_allclose(seen[level].mean(), -0.5 * a, atol=0.1)
            np.testing.assert_allclose(seen[level].std(), s, rtol=0.1)

    def test_more_noise_is_as_if_it_had_been_there_at_once(self):
        model = build("diffusion")
        rng = np.random.default_rng(0)
        x = model.add_noise(0.5, rng.standard_normal((200_000,)), 0.2)
        found = editing._back(model, x, 0.2, 0.6, rng)
        a, s = amounts(model, 0.6)
        np.testing.assert_allclose(found.mean(), 0.5 * a, atol=0.01)
        np.testing.assert_allclose(found.std(), s, rtol=0.01)


class TestGANInversion:
    @pytest.mark.parametrize("name", ["dcgan", "vae", "stylegan"])
    def test_images_of_the_generator_are_found_again(self, name):
        model = build(name)
        images = model.decode(2.0 * model.latents(3, seed=5))
        z = editing.gan_inversion(model, images, steps=120, restarts=4, prior_weight=0.0)
        assert z.shape == (3, model.latent_dim)
        before = np.square(model.decode(model.latents(3, seed=0)) - images).mean()
        assert np.square(model.decode(z) - images).mean() < 0.25 * before

    def test_the_prior_keeps_latents_short(self):
        model = build("dcgan")
        images = model.decode(2.0 * model.latents(2, seed=5))
        lengths = [
            np.linalg.norm(
                editing.gan_inversion(model, images, 60, 1, prior_weight=w), axis=1
            ).max()
            for w in (0.0, 10.0)
        ]
        assert lengths[1] < 0.3 * lengths[0]

    @pytest.mark.parametrize("name", ["cgan", "diffusion", "pix2pix"])
    def test_other_models_are_refused(self, name):
        with pytest.raises(runtime.UsageError, match="needs a generator of latents alone"):
            editing.gan_inversion(build(name), batch(2))


@pytest.mark.parametrize("call", [editing.ddim_inversion, editing.sdedit])
@pytest.mark.parametrize("name", ["dcgan", "text_flow"])
def test_what_does_not_denoise_images_is_refused(call, name):
    with pytest.raises(runtime.UsageError, match="needs a model such as diffusion"):
        call(build(name), batch(2))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, x: editing.sdedit(m, x, strength=0.0), "strength=0.0"),
        (lambda m, x: editing.sdedit(m, x, strength=1.1), "strength=1.1"),
        (lambda m, x: editing.ddim_inversion(m, x, 0), "steps=0"),
        (lambda m, x: editing.sdedit(m, x[:, :4]), r"\(2, 4, 8, 1\)"),
        (lambda m, x: editing.repaint(m, x, np.ones((8, 8))), "float64"),
        (lambda m, x: editing.repaint(m, x, np.ones((4, 8), bool)), r"\(4, 8\)"),
        (lambda m, x: editing.repaint(m, x, np.ones((8, 8), bool), resamplings=0), "resamplings=0"),
    ],
)
def test_mistakes_are_told(call, message):
    with pytest.raises(runtime.UsageError, match=message):
        call(build("flow_matching"), batch(2))
