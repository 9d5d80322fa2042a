"""The contract that every model keeps, on the backend of this process, and its numbers worked out by hand."""

import math

import keras
import numpy as np
import pytest
from keras import ops
from rows import IMAGE_SHAPE, ROWS, arrays, batch, everything

from ganedu import models, networks, runtime
from ganedu.models import autoencoder, gan, vae

NAMES = models.names()
per_model = pytest.mark.parametrize("name", NAMES)


def build(name, seed=0, **changes):
    runtime.setup(seed)
    return models.build(name, IMAGE_SHAPE, seed=seed, **{**ROWS[name].build, **changes})


def steps(model, count, start=0):
    """Trains on `count` batches, each a function of its number alone; returns the last logs."""
    for i in range(start, start + count):
        logs = model.train_on_batch(batch(seed=i), return_dict=True)
    return {k: float(v) for k, v in logs.items()}


def test_every_model_has_a_row():
    assert sorted(ROWS) == NAMES


@per_model
def test_logs_are_finite_and_have_the_declared_names(name):
    model = build(name)
    assert model.log_names
    for logs in (steps(model, 2), model.evaluate(batch(), verbose=0, return_dict=True)):
        assert set(logs) == set(model.log_names)
        assert all(math.isfinite(v) for v in logs.values())


@per_model
def test_each_step_moves_its_own_network_and_no_other(name):
    """Every call of `minimize` in a step is watched, bit for bit."""
    model = build(name)
    calls, minimize = [], model.minimize

    def watched(loss_fn, network, optimizer):
        chosen = network if isinstance(network, (list, tuple)) else [network]
        own = {id(v) for n in chosen for v in n.trainable_variables}
        variables = model.trainable_variables
        before = arrays(variables)
        result = minimize(loss_fn, network, optimizer)
        moved = [not np.array_equal(b, a) for b, a in zip(before, arrays(variables), strict=True)]
        for v, m in zip(variables, moved, strict=True):
            assert m == (id(v) in own), v.path
        calls.append(own)
        return result

    vars(model)["minimize"] = watched
    model.train_step(ops.convert_to_tensor(batch()))
    everyone = set.union(*calls)
    assert everyone == {id(v) for v in model.trainable_variables}


@per_model
def test_the_same_seed_repeats_and_another_does_not(name):
    first, again, other = (build(name, seed) for seed in (3, 3, 4))
    logs = [steps(m, 2) for m in (first, again, other)]
    assert logs[0] == logs[1]
    assert logs[0] != logs[2]


@per_model
def test_a_loaded_model_trains_on_exactly(name, tmp_path):
    whole, part = build(name), build(name)
    steps(whole, 4)
    steps(part, 2)
    part.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for a, b in zip(everything(part), everything(loaded), strict=True):
        np.testing.assert_array_equal(a, b)
    steps(loaded, 2, start=2)
    for a, b in zip(everything(whole), everything(loaded), strict=True):
        np.testing.assert_array_equal(a, b)
    assert int(ops.convert_to_numpy(loaded.steps)) == 4


@per_model
def test_generate_gives_images_that_the_seed_decides(name):
    model = build(name)
    steps(model, 2)
    images = model.generate(5, seed=1)
    assert images.shape == (5, *IMAGE_SHAPE)
    assert images.dtype == np.float32
    assert np.abs(images).max() <= 1
    np.testing.assert_array_equal(images, model.generate(5, seed=1))
    assert np.abs(images - model.generate(5, seed=2)).max() > 1e-4


@per_model
def test_latents_decode_to_what_generate_draws(name):
    model = build(name)
    if not hasattr(model, "latents"):
        pytest.skip("no latent space")
    z = model.latents(4, seed=7)
    assert z.shape == (4, model.latent_dim)
    np.testing.assert_array_equal(model.decode(z), model.generate(4, seed=7))


@per_model
def test_looking_at_a_model_does_not_disturb_its_training(name):
    quiet, watched = build(name), build(name)
    steps(quiet, 2)
    steps(watched, 1)
    watched.generate(3)
    watched.evaluate(batch(seed=9), verbose=0)
    steps(watched, 1, start=1)
    for a, b in zip(everything(quiet), everything(watched), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", [n for n in NAMES if "encoder" in str(models.module(n).__doc__)])
def test_encode_and_reconstruct(name):
    model = build(name)
    codes = model.encode(batch())
    assert codes.shape == (8, model.latent_dim)
    np.testing.assert_allclose(
        model.reconstruct(batch()), ops.convert_to_numpy(model(batch())), atol=1e-5
    )


def test_unknown_models_and_arguments_are_named():
    with pytest.raises(runtime.UsageError, match=r"'dcgna'.*Did you mean dcgan\?"):
        models.build("dcgna", IMAGE_SHAPE)
    with pytest.raises(runtime.UsageError, match="Received: colour"):
        models.build("dcgan", IMAGE_SHAPE, colour=1)


# Numbers worked out by hand


def number(tensor):
    return ops.convert_to_numpy(tensor)


def test_gan_losses():
    # sigma(ln 3) = 3/4 and sigma(-ln 3) = 1/4.
    real = ops.convert_to_tensor([[math.log(3.0)], [-math.log(3.0)]])
    fake = ops.convert_to_tensor([[0.0], [math.log(3.0)]])
    # -E log sigma(real)      = -(ln 3/4 + ln 1/4) / 2 = (2 ln 4 - ln 3) / 2     = 0.83698822
    # -E log(1 - sigma(fake)) = -(ln 1/2 + ln 1/4) / 2 = (ln 2 + ln 4) / 2       = 1.03972077
    np.testing.assert_allclose(number(gan.discriminator_loss(real, fake)), 1.87670899, rtol=1e-6)
    # -E log sigma(fake)      = -(ln 1/2 + ln 3/4) / 2 = (ln 2 + ln 4 - ln 3)/2  = 0.49041463
    np.testing.assert_allclose(number(gan.generator_loss(fake)), 0.49041463, rtol=1e-6)


def test_gan_losses_where_d_cannot_tell():
    # D = 1/2 everywhere: the value of equation 1 is -log 4 (Goodfellow 2014, theorem 1).
    zero = ops.zeros((4, 1))
    np.testing.assert_allclose(number(gan.discriminator_loss(zero, zero)), math.log(4), rtol=1e-6)


def test_gan_losses_do_not_overflow():
    far = ops.convert_to_tensor([[500.0]])
    np.testing.assert_allclose(number(gan.discriminator_loss(-far, far)), 1000.0, rtol=1e-6)
    np.testing.assert_allclose(number(gan.generator_loss(-far)), 500.0, rtol=1e-6)


def test_reconstruction_loss():
    x = ops.convert_to_tensor([[[[1.0], [-1.0]]]])
    y = ops.convert_to_tensor([[[[0.5], [0.0]]]])
    # (0.25 + 1) / 2
    np.testing.assert_allclose(number(autoencoder.reconstruction_loss(x, y)), 0.625, rtol=1e-6)


def test_kl_divergence():
    zero = ops.zeros((1, 1))
    np.testing.assert_allclose(number(vae.kl_divergence(zero, zero)), [[0.0]], atol=1e-7)
    # mu = 1, sigma^2 = 4: (1 + 4 - 1 - ln 4) / 2 = 2 - ln 2 = 1.30685282
    kl = vae.kl_divergence(ops.ones((1, 1)), ops.full((1, 1), math.log(4.0)))
    np.testing.assert_allclose(number(kl), [[1.30685282]], rtol=1e-6)


def test_kl_divergence_agrees_with_monte_carlo():
    mean, log_variance = 0.7, math.log(0.3)
    z = mean + math.sqrt(0.3) * np.random.default_rng(0).standard_normal(400_000)
    log_q = -0.5 * (log_variance + (z - mean) ** 2 / 0.3)
    estimate = np.mean(log_q + 0.5 * z**2)
    exact = vae.kl_divergence(ops.full((1, 1), mean), ops.full((1, 1), log_variance))
    np.testing.assert_allclose(number(exact).item(), estimate, rtol=0.01)


def test_bernoulli_nll():
    # x = 1, -1, 0 are p = 1, 0, 1/2; logits ln 3 give q = 3/4:
    # -ln 3/4 - ln 1/4 - (ln 3/4 + ln 1/4)/2 = 1.5 (2 ln 4 - ln 3) = 2.51096463
    x = ops.convert_to_tensor(np.array([1.0, -1.0, 0.0], "float32").reshape(1, 1, 3, 1))
    logits = ops.full((1, 1, 3, 1), math.log(3.0))
    np.testing.assert_allclose(number(vae.bernoulli_nll(x, logits)), [2.51096463], rtol=1e-6)


def test_vae_image_of_a_logit():
    # 2 sigma(ln 3) - 1 = 1/2
    np.testing.assert_allclose(number(vae.images_of(ops.full((1,), math.log(3.0)))), [0.5], 1e-6)


class TestLogLikelihood:
    """With a decoder that ignores z, p(x|z) = p(x), and any q gives the exact likelihood once it is weighted away."""

    def model(self):
        model = build("vae")
        for w in model.decoder.weights[-2:]:  # the last kernel and bias: all logits are 0
            w.assign(ops.zeros(w.shape))
        for w in model.encoder.weights:  # q = N(0, 1), the prior
            w.assign(ops.zeros(w.shape))
        return model

    def test_is_exact_where_it_can_be(self):
        x = np.where(batch(3) > 0, 1.0, -1.0)
        # Every pixel has probability 1/2: log p = -64 ln 2.
        expected = np.full(3, -64 * math.log(2))
        for samples in (1, 5):
            found = self.model().log_likelihood(x, samples=samples)
            np.testing.assert_allclose(found, expected, rtol=1e-6)

    def test_weights_a_proposal_away(self):
        model = self.model()
        bias = model.encoder.weights[-1]  # means, then log-variances, of 3 latents
        bias.assign(np.array([0.3, -0.2, 0.1, -0.1, 0.1, 0.2], "float32"))
        x = np.where(batch(2) > 0, 1.0, -1.0)
        found = model.log_likelihood(x, samples=2000)
        np.testing.assert_allclose(found, -64 * math.log(2), atol=0.05)


def test_autoencoder_draws_from_the_codes_it_saw():
    model = build("autoencoder")
    rng = np.random.default_rng(0)
    mixing = np.array([[1.0, 0, 0], [0.5, 2.0, 0], [0, 0, 0.1]])
    for _ in range(400):
        z = rng.standard_normal((64, 3)) @ mixing.T + [1.0, -2.0, 3.0]
        model.follow_codes(ops.convert_to_tensor(z.astype("float32")))
    drawn = model.latents(20_000, seed=0)
    np.testing.assert_allclose(drawn.mean(axis=0), [1, -2, 3], atol=0.15)
    np.testing.assert_allclose(np.cov(drawn.T), mixing @ mixing.T, atol=0.6)


def test_networks_that_do_not_fit_are_refused():
    small, large = (networks.discriminator((s, s, 1), 4) for s in (8, 16))
    draw = networks.generator((8, 8, 1), 3, 4)
    assert gan.GAN(draw, small).latent_dim == 3
    with pytest.raises(ValueError, match=r"read what the generator draws.*16, 16"):
        gan.GAN(draw, large)
    with pytest.raises(ValueError, match="decoder must turn"):
        vae.VAE(networks.encoder((8, 8, 1), 2, 4, parameters=2), draw)
    with pytest.raises(runtime.UsageError, match="Received: 9x9"):
        networks.generator((9, 9, 1), 3)


@pytest.mark.parametrize(("shape", "count"), [((28, 28, 1), 2), ((32, 32, 3), 3), ((8, 8, 1), 1)])
def test_networks_halve_an_image(shape, count):
    assert networks.halvings(shape) == count
    assert networks.generator(shape, 4, 4).output_shape[1:] == shape
    assert networks.discriminator(shape, 4).output_shape == (None, 1)
