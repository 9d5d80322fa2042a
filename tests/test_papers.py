"""The models' numbers, worked out by hand from their papers."""

import math

import keras
import numpy as np
import pytest
from keras import ops
from rows import IMAGE_SHAPE, ROWS, batch, feed, steps_are_eager

from ganedu import layers, models, networks, runtime
from ganedu.engine import AdversarialModel
from ganedu.engine.gradients import input_gradient
from ganedu.models import (
    acgan,
    autoencoder,
    cgan,
    cyclegan,
    gan,
    infogan,
    iwae,
    lsgan,
    r3gan,
    sngan,
    vae,
    vaegan,
    wgan,
    wgan_gp,
)


@pytest.fixture(autouse=True)
def eager(monkeypatch):
    steps_are_eager(monkeypatch)


def build(name, **changes):
    runtime.setup(0)
    return models.build(name, IMAGE_SHAPE, **{**ROWS[name].build, **changes})


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


def test_the_negative_elbo_weighs_its_second_term():
    # x = 1 at logit ln 3: -ln 3/4. KL(N(1, 1) || N(0, 1)) = 1/2, for each of two numbers.
    x, logits = ops.ones((1, 1, 1, 1)), ops.full((1, 1, 1, 1), math.log(3.0))
    found = vae.negative_elbo(x, logits, ops.ones((1, 2)), ops.zeros((1, 2)), beta=4.0)
    assert list(found) == ["loss", "reconstruction_loss", "kl_loss"]
    expected = [math.log(4 / 3) + 4.0, math.log(4 / 3), 1.0]
    np.testing.assert_allclose([number(v) for v in found.values()], expected, rtol=1e-5)


def test_vae_image_of_a_logit():
    # 2 sigma(ln 3) - 1 = 1/2
    np.testing.assert_allclose(number(vae.mean_image(ops.full((1,), math.log(3.0)))), [0.5], 1e-6)


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
        # The last four: kernel and bias of the means, then of the log-variances, of 3 latents.
        model.encoder.weights[-3].assign(np.array([0.3, -0.2, 0.1], "float32"))
        model.encoder.weights[-1].assign(np.array([-0.1, 0.1, 0.2], "float32"))
        x = np.where(batch(2) > 0, 1.0, -1.0)
        found = model.log_likelihood(x, samples=2000)
        np.testing.assert_allclose(found, -64 * math.log(2), atol=0.05)


class TestDiscretizedVAE:
    """`vae` with 256 levels: a true probability of 8-bit images."""

    def model(self, **changes):
        return build("vae", levels=256, **changes)

    def test_the_loss_by_hand(self):
        # Means 0 and log-scales 0: white has 1 - sigma(1 - 1/255), value 128 sigma(2/255) - sigma(0).
        x = np.ones((2, 1, 1, 1), "float32")
        x[1] = 128 / 127.5 - 1
        p = [1 / (1 + math.exp(254 / 255)), 1 / (1 + math.exp(-2 / 255)) - 0.5]
        found = vae.negative_elbo(
            ops.convert_to_tensor(x), ops.zeros((2, 1, 1, 2)), *ops.zeros((2, 2, 3)), 1.0, 256
        )
        close(found["reconstruction_loss"], -np.mean(np.log(p)))
        # The last channels are log-scales: with s = 1/2 white has 1 - sigma(2 - 2/255).
        outputs = ops.convert_to_tensor(
            np.array([0.0, -math.log(2)], "float32").reshape(1, 1, 1, 2)
        )
        found = vae.value_log_probs(ops.convert_to_tensor(x[:1]), outputs, 256)
        close(found, -math.log(1 + math.exp(2 * 254 / 255)))

    def test_its_likelihood_is_exact_where_it_can_be(self):
        """So are its losses and, whatever the number of draws, those of `iwae`."""
        expected = 64 * math.log(1 + math.exp(254 / 255))
        for name in ("vae", "iwae"):
            model = build(name, levels=256)
            for w in [*model.decoder.weights[-2:], *model.encoder.weights]:
                w.assign(ops.zeros(w.shape))
            found = model.log_likelihood(np.ones((2, *IMAGE_SHAPE)), samples=3)
            np.testing.assert_allclose(found, -expected, rtol=1e-5)
            losses = model.compute_losses(ops.ones((2, *IMAGE_SHAPE)), training=False)
            close(losses["loss"], expected)
            close(losses["reconstruction_loss"], expected)

    def test_its_images_are_its_means(self):
        model = self.model()
        assert model.decoder.output_shape == (None, 8, 8, 2)
        assert model.image_shape == IMAGE_SHAPE
        z = model.latents(3)
        images = np.clip(number(model.decoder(z, training=False))[..., :1], -1, 1)
        np.testing.assert_allclose(model.decode(z), images, atol=1e-6)
        np.testing.assert_allclose(number(model.network_to_export()(z)), images, atol=1e-6)

    def test_it_is_saved_and_an_older_file_has_two_levels(self, tmp_path):
        self.model().save(tmp_path / "model.keras")
        assert keras.models.load_model(tmp_path / "model.keras").levels == 256
        config = build("vae").get_config()
        del config["levels"]
        assert vae.VAE.from_config(config).levels == 2

    def test_other_levels_and_decoders_are_refused(self):
        with pytest.raises(ValueError, match=r"2 or 256. Received: levels=16"):
            build("vae", levels=16)
        encoder, decoder = vae.make_networks(IMAGE_SHAPE, 3, 4, levels=2)
        with pytest.raises(ValueError, match="decoder must turn"):
            vae.VAE(encoder, decoder, levels=256)


class TestIWAE:
    def test_the_bound_by_hand(self):
        # Weights 1 and 3: log of their mean is ln 2; of three times 1/4 ln 1/4.
        log_w = np.log([[1.0, 0.25], [3.0, 0.25]]).astype("float32")
        close(iwae.importance_weighted_bound(ops.convert_to_tensor(log_w)), np.log([2, 1 / 4]))
        far = ops.convert_to_tensor(np.array([[-2000.0], [-1000.0]], "float32"))
        close(iwae.importance_weighted_bound(far), [-1000 - math.log(2)])

    def test_log_weights_by_hand(self):
        # d = 2, mu = 1, sigma = 2, epsilon = (1, -1), so z = (3, -1): log p(z) - log q(z|x) =
        # -(9 + 1) / 2 + (1 + 1) / 2 + 2 ln 2 = -4 + 2 ln 2; with log p(x|z) = -5: -9 + 2 ln 2
        epsilon = ops.convert_to_tensor(np.array([[[1.0, -1.0]]], "float32"))
        log_variance = ops.full((1, 2), 2 * math.log(2))
        found = iwae.log_weights(ops.full((1, 1), -5.0), 1 + 2 * epsilon, epsilon, log_variance)
        close(found, [[-9 + 2 * math.log(2)]])

    def test_its_gradient_counts_each_draw_by_its_weight(self):
        """Equation 14: of log w_k it is w_k / sum_j w_j."""
        log_w = ops.convert_to_tensor(np.log([[1.0], [3.0]]).astype("float32"))
        found = input_gradient(iwae.importance_weighted_bound, log_w, [])
        close(ops.stop_gradient(found), [[0.25], [0.75]])

    def model(self, num_samples, levels=2):
        """Random weights, and an encoder that is far from the posterior."""
        model = build("iwae", num_samples=num_samples, levels=levels)
        rng = np.random.default_rng(0)
        for w in model.weights:
            if not w.path.endswith("moving_variance"):
                w.assign(rng.normal(0, 0.3, w.shape))
        return model

    def bound(self, num_samples, repeats):
        model, x = self.model(num_samples), ops.convert_to_tensor(np.sign(batch(32)))
        logs = [model.compute_losses(x, training=False) for _ in range(repeats)]
        return {name: -np.mean([number(log[name]) for log in logs]) for name in model.log_names}

    def test_one_draw_is_the_vae_s_bound_and_more_are_tighter(self):
        one, five, many = (self.bound(k, n) for k, n in ((1, 60), (5, 40), (50, 10)))
        elbo = one["reconstruction_loss"] + one["kl_loss"]  # with the KL term in closed form
        assert one["loss"] == pytest.approx(elbo, abs=0.15)
        assert one["loss"] + 0.3 < five["loss"]
        assert five["loss"] + 0.1 < many["loss"]

    def test_it_is_the_bound_that_evaluation_tells(self):
        model, x = self.model(5), np.sign(batch(32))
        told = np.mean([model.log_likelihood(x, samples=5, seed=s) for s in range(20)])
        assert self.bound(5, 40)["loss"] == pytest.approx(told, abs=0.15)

    def test_its_first_draw_is_the_vae_s(self):
        """With one draw both decode the same z."""
        model = self.model(1)
        x = ops.convert_to_tensor(np.sign(batch(4)))
        logs = model.compute_losses(x, training=False)
        plain = build("vae")
        plain.set_weights(model.get_weights())
        close(
            logs["reconstruction_loss"],
            plain.compute_losses(x, False)["reconstruction_loss"],
            rtol=1e-4,
        )

    def test_it_takes_no_beta_and_at_least_one_draw(self):
        assert "beta" not in build("iwae").get_config()
        with pytest.raises(ValueError, match=r"at least 1. Received: 0"):
            build("iwae", num_samples=0)


class TestDenoisingAutoencoder:
    def corrupted(self, x, **changes):
        return number(build("autoencoder", **changes).corrupt(ops.convert_to_tensor(x)))

    def test_masking_blackens_whole_pixels(self):
        runtime.setup(0)
        model = models.build("autoencoder", (32, 32, 3), width=4, mask_prob=0.25)
        x = np.random.default_rng(0).uniform(0, 1, (8, 32, 32, 3)).astype("float32")
        found = number(model.corrupt(ops.convert_to_tensor(x)))
        masked = (found == -1).all(axis=-1)
        np.testing.assert_array_equal(found[~masked], x[~masked])
        assert masked.mean() == pytest.approx(0.25, abs=0.02)
        assert (masked[0] != masked[1]).any()

    def test_noise_has_its_deviation(self):
        noise = self.corrupted(np.zeros((64, *IMAGE_SHAPE), "float32"), noise_std=0.3)
        assert noise.mean() == pytest.approx(0, abs=0.02)
        assert noise.std() == pytest.approx(0.3, rel=0.05)
        x = batch()
        np.testing.assert_array_equal(self.corrupted(x), x)  # none by default

    @pytest.mark.parametrize("changes", [{"mask_prob": 0.5}, {"noise_std": 0.5}])
    def test_only_in_training_and_the_clean_image_is_wanted(self, changes):
        model = build("autoencoder", **changes)
        x, seen, corrupt = ops.convert_to_tensor(batch()), [], model.corrupt
        vars(model)["corrupt"] = lambda x: seen.append(corrupt(x)) or seen[-1]
        tested = model.compute_losses(x, training=False)["loss"]
        assert not seen
        np.testing.assert_allclose(
            tested, np.mean((batch() - number(model(x, training=False))) ** 2), rtol=1e-4
        )
        trained = model.compute_losses(x, training=True)["loss"]
        z = model.encoder(seen[0], training=True)
        close(trained, np.mean((batch() - number(model.decoder(z, training=True))) ** 2), rtol=1e-4)
        assert np.abs(number(seen[0]) - batch()).max() > 0.1

    def test_numbers_out_of_range_are_refused(self):
        for changes in ({"mask_prob": 1.0}, {"noise_std": -1.0}):
            with pytest.raises(ValueError, match="`mask_prob` must lie"):
                build("autoencoder", **changes)


class TestSparseAutoencoder:
    def test_the_penalty_by_hand(self):
        # Means 1/2 and 1/4, rho = 1/4: 1/4 ln(1/4 / 1/2) + 3/4 ln(3/4 / 1/2) = -ln 2 / 4 + 3/4 ln 3/2 = 0.13081204;
        # and 0
        a = ops.convert_to_tensor([[0.2, 0.25], [0.8, 0.25]])
        close(autoencoder.sparsity_penalty(a, 0.25), 0.13081204)
        dead = autoencoder.sparsity_penalty(ops.zeros((2, 3)), 0.1)
        assert 0 < number(dead) < np.inf

    def test_it_is_added_with_its_weight(self):
        model = build("autoencoder", sparsity_weight=3.0, sparsity_target=0.2)
        x = ops.convert_to_tensor(batch())
        a = model.encoder(x, training=False)
        assert 0 < number(a).min() < number(a).max() < 1
        expected = np.mean((batch() - number(model(x, training=False))) ** 2)
        expected += 3 * number(autoencoder.sparsity_penalty(a, 0.2))
        close(model.compute_losses(x, training=False)["loss"], expected, rtol=1e-4)

    def test_it_makes_codes_sparse(self):
        means = []
        for weight in (1e-9, 0.3):
            model = build("autoencoder", latent_dim=8, sparsity_weight=weight, learning_rate=1e-2)
            for i in range(40):
                model.train_on_batch(batch(seed=i))
            means.append(model.encode(batch()).mean())
        assert means[1] < 0.2  # rho is 0.1
        assert means[0] > 0.3

    def test_it_needs_activations(self):
        encoder = networks.encoder(IMAGE_SHAPE, 3, 4)
        with pytest.raises(ValueError, match="must end in a sigmoid"):
            autoencoder.Autoencoder(
                encoder, networks.decoder(IMAGE_SHAPE, 3, 4), sparsity_weight=1.0
            )
        with pytest.raises(ValueError, match=r"lie in \(0, 1\). Received: 1.0, 1.0"):
            build("autoencoder", sparsity_weight=1.0, sparsity_target=1.0)


def test_an_older_file_of_an_autoencoder_is_a_plain_one():
    config = build("autoencoder").get_config()
    for name in ("mask_prob", "noise_std", "sparsity_weight", "sparsity_target"):
        del config[name]
    model = autoencoder.Autoencoder.from_config(config)
    assert [model.mask_prob, model.noise_std, model.sparsity_weight] == [0, 0, 0]


def test_autoencoder_draws_from_the_codes_it_saw():
    model = build("autoencoder")
    rng = np.random.default_rng(0)
    mixing = np.array([[1.0, 0, 0], [0.5, 2.0, 0], [0, 0, 0.1]])
    for _ in range(400):
        z = rng.standard_normal((64, 3)) @ mixing.T + [1.0, -2.0, 3.0]
        model.update_code_statistics(ops.convert_to_tensor(z.astype("float32")))
    generated = model.latents(20_000, seed=0)
    np.testing.assert_allclose(generated.mean(axis=0), [1, -2, 3], atol=0.15)
    np.testing.assert_allclose(np.cov(generated.T), mixing @ mixing.T, atol=0.6)


def test_networks_that_do_not_fit_are_refused():
    small, large = (networks.discriminator((s, s, 1), 4) for s in (8, 16))
    draw = networks.generator((8, 8, 1), 3, 4)
    assert gan.GAN(draw, small).latent_dim == 3
    with pytest.raises(ValueError, match=r"read what the generator generates.*16, 16"):
        gan.GAN(draw, large)
    with pytest.raises(ValueError, match="decoder must turn"):
        vae.VAE(networks.encoder((8, 8, 1), 2, 4, parameters=2), draw)


def column(*values):
    """Logits (B, 1)."""
    return ops.convert_to_tensor(np.array(values, "float32")[:, None])


def close(found, expected, **tolerance):
    np.testing.assert_allclose(number(found), expected, **{"rtol": 1e-5, **tolerance})


@pytest.mark.parametrize("name", ["gan", "dcgan", "lsgan", "cgan", "acgan", "infogan"])
def test_smoothing_counts_wherever_it_is_taken(name):
    plain = build(name)
    smoothed = build(name)
    smoothed.label_smoothing = 0.5
    fed = feed(name)
    found = [
        m.evaluate(*(fed if isinstance(fed, tuple) else (fed,)), verbose=0, return_dict=True)
        for m in (plain, smoothed)
    ]
    assert abs(found[0]["d_loss"] - found[1]["d_loss"]) > 1e-4
    assert found[0]["g_loss"] == pytest.approx(found[1]["g_loss"], rel=1e-5)


def test_label_smoothing():
    # Target 0.9 at the logit ln 3: -0.9 ln 3/4 - 0.1 ln 1/4 = 0.39754334; fake at 0: ln 2.
    loss = gan.discriminator_loss(column(math.log(3.0)), column(0.0), smoothing=0.1)
    close(loss, 0.39754334 + math.log(2))
    # LSGAN: ((0.5 - 0.9)^2 + 0) / 2
    close(lsgan.discriminator_loss(column(0.5), column(0.0), smoothing=0.1), 0.08)
    with pytest.raises(ValueError, match=r"needs a loss with targets.*SNGAN"):
        sngan.SNGAN(*players(), label_smoothing=0.1)
    AdversarialModel(*players())  # one whose steps have losses of their own


def players():
    return networks.generator(IMAGE_SHAPE, 3, 4), networks.discriminator(IMAGE_SHAPE, 4)


def test_least_squares_losses():
    # ((1.5 - 1)^2 + (0 - 1)^2) / 2 / 2 + (0.5^2 + 1^2) / 2 / 2 = 0.3125 + 0.3125
    close(lsgan.discriminator_loss(column(1.5, 0.0), column(0.5, -1.0)), 0.625)
    # ((0.5 - 1)^2 + (-1 - 1)^2) / 2 / 2
    close(lsgan.generator_loss(column(0.5, -1.0)), 1.0625)


def test_critic_losses():
    # means 2 and -0.5: -(2 + 0.5)
    close(wgan.critic_loss(column(3.0, 1.0), column(-1.0, 0.0)), -2.5)
    close(wgan.generator_loss(column(-1.0, 0.0)), 0.5)


def test_hinge_losses():
    # max(0, 1 - 2) = 0, max(0, 1 - 0.5) = 0.5: 0.25; max(0, 1 - 3) = 0, max(0, 1 + 0.5) = 1.5: 0.75
    close(sngan.discriminator_loss(column(2.0, 0.5), column(-3.0, 0.5)), 1.0)


def test_relativistic_losses():
    # real - fake = ln 3: softplus(-ln 3) = ln 4/3, softplus(ln 3) = ln 4
    real, fake = column(math.log(3.0) + 7), column(7.0)
    close(r3gan.discriminator_loss(real, fake), math.log(4 / 3))
    close(r3gan.generator_loss(real, fake), math.log(4))
    # gradients (3, 4) and (0, 0): (25 + 0) / 2 / 2
    slopes = np.zeros((2, 1, 2, 1), "float32")
    slopes[0, 0, :, 0] = [3, 4]
    close(r3gan.zero_centered_penalty(ops.convert_to_tensor(slopes)), 6.25)


class Linear(keras.layers.Layer):
    """D(x) = <a, x>: its slope is a everywhere."""

    def __init__(self, a):
        super().__init__()
        self.a = ops.convert_to_tensor(a)

    def call(self, x):
        return ops.sum(self.a * x, axis=(1, 2, 3))[:, None]


@pytest.mark.parametrize("augment", [None, layers.DiffAugment()], ids=["plain", "augmented"])
@pytest.mark.parametrize("length", [0.5, 1.0, 3.0])
def test_the_penalty_of_a_linear_critic(length, augment):
    """Its slope at what it sees is the same, whatever was done to the images before."""
    a = np.random.default_rng(0).normal(size=IMAGE_SHAPE).astype("float32")
    a *= length / np.linalg.norm(a)
    model = build("wgan_gp", augment=augment)
    x = keras.Input(IMAGE_SHAPE)
    model.discriminator = keras.Model(x, Linear(a)(x))
    z = model.sample_prior(8)
    losses = model.d_losses(ops.convert_to_tensor(batch()), z, training=True)
    close(losses["gradient_penalty"], (length - 1) ** 2, atol=1e-6)


def test_a_critic_step_draws_once():
    model, watched = build("wgan_gp"), build("wgan_gp")
    z = model.sample_prior(8)
    model.generator(z, training=True)
    watched.d_losses(ops.convert_to_tensor(batch()), z, training=True)
    for a, b in zip(model.generator.weights, watched.generator.weights, strict=True):
        np.testing.assert_allclose(number(a), number(b), rtol=1e-5)  # moving statistics as well


def test_the_penalty_looks_between_the_images_with_one_draw_for_each(monkeypatch):
    model = build("wgan_gp")
    x, z = ops.convert_to_tensor(batch()), model.sample_prior(8)
    shapes, seen = [], []
    uniform, gradient = keras.random.uniform, model.input_gradient

    def watched(shape, *args, **kwargs):
        shapes.append(tuple(int(n) for n in shape))
        return uniform(shape, *args, **kwargs)

    monkeypatch.setattr(keras.random, "uniform", watched)
    vars(model)["input_gradient"] = lambda fn, at: (seen.append(number(at)), gradient(fn, at))[1]
    model.d_losses(x, z, training=False)
    assert shapes == [(8, 1, 1, 1)]
    fake, real = number(model.generator(z, training=False)), number(x)
    share = (seen[0] - fake) / (real - fake)
    spread = np.ptp(np.median(share.reshape(8, -1), axis=1))
    assert np.abs(share - np.median(share, axis=(1, 2, 3), keepdims=True)).max() < 0.05
    assert share.min() + 0.05 >= 0
    assert share.max() - 0.05 <= 1
    assert spread > 0.2


def test_each_critic_step_sees_fresh_images_and_clips(monkeypatch):
    model = build("wgan")
    seen, step = [], model.critic_step
    vars(model)["critic_step"] = lambda x: (seen.append(number(x)), step(x))[1]
    model.train_step(ops.convert_to_tensor(batch()))
    np.testing.assert_array_equal(np.concatenate(seen), batch())
    assert len(seen) == 2
    weights = [number(w) for w in model.discriminator.trainable_variables]
    assert max(np.abs(w).max() for w in weights) <= model.clip + 1e-7
    assert not issubclass(wgan_gp.WGANGP, wgan.WGAN)
    with pytest.raises(ValueError, match=r"2 equal parts.*Received: 7"):
        model.train_step(ops.convert_to_tensor(batch(7)))


def test_class_loss():
    # P = (3/4, 1/4): -ln 3/4 and -ln 1/4
    logits = ops.convert_to_tensor([[math.log(3.0), 0.0]] * 2)
    y = ops.convert_to_tensor(np.eye(2, dtype="float32"))
    close(acgan.class_loss(y, logits), (math.log(4 / 3) + math.log(4)) / 2)


def test_projection_by_hand():
    network = cgan.projection_discriminator(IMAGE_SHAPE, 3, width=4, features=5)
    x, y = batch(2), np.eye(3, dtype="float32")[[0, 2]]
    body, v, psi = (
        network.get_layer("discriminator"),
        network.get_layer("V"),
        network.get_layer("psi"),
    )
    phi = number(body(x))
    phi = np.where(phi > 0, phi, 0.2 * phi)
    rows = number(v.kernel)[[0, 2]]
    expected = phi @ number(psi.kernel) + number(psi.bias) + (rows * phi).sum(1, keepdims=True)
    close(network([x, y]), expected, rtol=1e-4)


@pytest.mark.parametrize("projection", [True, False])
def test_no_conditional_discriminator_ignores_its_label(projection):
    model = build("cgan", projection=projection)
    x = batch(2)
    logits = [
        number(model.discriminator([x, np.eye(3, dtype="float32")[[c, c]]])) for c in range(3)
    ]
    assert np.abs(logits[0] - logits[1]).min() > 1e-5
    assert np.abs(logits[1] - logits[2]).min() > 1e-5


def test_infogan_latents_and_losses():
    model = build("infogan")
    z = number(model.sample_prior(3000))
    noise, category, numbers = z[:, :2], z[:, 2:5], z[:, 5:]
    np.testing.assert_array_equal(category.sum(axis=1), 1)
    np.testing.assert_allclose(category.mean(axis=0), 1 / 3, atol=0.05)
    assert -1 <= numbers.min() < -0.98
    assert 0.98 < numbers.max() <= 1
    np.testing.assert_allclose(noise.std(axis=0), 1, atol=0.05)
    # c - mean = (1, 0), variances (1, e^2): (0 + 1) / 2 + (2 + 0) / 2 = 1.5
    c, mean = ops.convert_to_tensor([[1.0, 0.5]]), ops.convert_to_tensor([[0.0, 0.5]])
    close(infogan.gaussian_nll(c, mean, ops.convert_to_tensor([[0.0, 2.0]])), 1.5)
    z = number(model.latents(6, seed=1))
    np.testing.assert_array_equal(z[:, 2:5].argmax(axis=1), [0, 1, 2, 0, 1, 2])


def test_infogan_s_bounds_on_a_variance_let_its_gradient_through():
    """log s^2 = 5 counts as 2, and -9 as -6: the loss is bounded, and still says which way is back."""
    model, z = build("infogan"), ops.convert_to_tensor(np.zeros((1, 7), "float32"))
    category, mean = ops.zeros((1, 3)), ops.zeros((1, 2))

    def loss(log_variance):
        return model.info_loss(z, (category, mean, log_variance))[1]["continuous_loss"]

    for told, bounded in ((5.0, 2.0), (-9.0, -6.0), (1.0, 1.0)):
        close(loss(ops.full((1, 2), told)), loss(ops.full((1, 2), bounded)))
        # d/da [a / 2 + (c - mean)^2 / (2 e^a)] with c = mean: 1/2 for each of two latents.
        gradient = model.input_gradient(loss, ops.full((1, 2), told))
        np.testing.assert_allclose(number(gradient), [[0.5, 0.5]], rtol=1e-5)


def test_vaegan_losses():
    # ((1 - 0)^2 + (2 - 4)^2) / 2
    a, b = (
        ops.convert_to_tensor(np.array(v, "float32").reshape(1, 1, 1, 2)) for v in ((1, 2), (0, 4))
    )
    close(vaegan.feature_loss(a, b), 2.5)
    # All logits 0: three times ln 2.
    close(vaegan.gan_loss(column(0.0), column(0.0), column(0.0)), 3 * math.log(2))


def test_identity_networks_have_no_cycle_loss():
    model = build("cyclegan", identity_weight=5.0)
    x = keras.Input(IMAGE_SHAPE)
    model.G = model.F = keras.Model(x, keras.layers.Identity()(x))
    a, b = (ops.convert_to_tensor(batch(seed=i)) for i in range(2))
    losses = model.g_losses(a, b, training=False)
    close(losses["cycle_loss"], 0.0, atol=1e-7)
    close(losses["identity_loss"], 0.0, atol=1e-7)
    close(cyclegan.l1(ops.convert_to_tensor([1.0, -1.0]), ops.convert_to_tensor([0.5, 1.0])), 1.25)
    with pytest.raises(ValueError, match="identity term needs sources and targets of one shape"):
        build("cyclegan", task="coloured", identity_weight=5.0)


def test_pix2pix_losses():
    model = build("pix2pix")
    x, y = (ops.convert_to_tensor(batch(seed=i)) for i in range(2))
    losses = {k: number(v) for k, v in model.g_losses(x, y, training=False).items()}
    generated = number(model.generator(x, training=False))
    np.testing.assert_allclose(losses["l1_loss"], np.abs(number(y) - generated).mean(), rtol=1e-4)
    logits = number(model.discriminate(x, ops.convert_to_tensor(generated), training=False))
    fooled = np.logaddexp(0, -logits).mean()
    np.testing.assert_allclose(losses["g_loss"], fooled + 100 * losses["l1_loss"], rtol=1e-4)


class TestStyleGAN:
    def test_truncation_0_gives_one_image(self):
        model = build("stylegan")
        model.train_on_batch(batch())
        z = model.latents(4, seed=0)
        mean = model.decode(z, truncation=0.0)
        np.testing.assert_allclose(mean, np.repeat(mean[:1], 4, axis=0), atol=1e-6)
        assert np.abs(model.decode(z) - mean).max() > 1e-4

    def test_mixing_all_or_no_layers_is_no_mixing(self):
        model = build("stylegan")
        a, b = model.latents(2, seed=0), model.latents(2, seed=1)
        np.testing.assert_allclose(model.mix_styles(a, b, crossover=0), model.decode(b), atol=1e-6)
        np.testing.assert_allclose(
            model.mix_styles(a, b, crossover=model.depth), model.decode(a), atol=1e-6
        )
        assert np.abs(model.mix_styles(a, b, crossover=1) - model.decode(a)).max() > 1e-5


@pytest.mark.parametrize("name", ["cvae", "vae"])
def test_beta_is_not_negative(name):
    with pytest.raises(ValueError, match=r"not be negative. Received: beta=-1"):
        build(name, beta=-1.0)


def test_vqvae_needs_words_of_its_vocabulary():
    model = build("vqvae")
    words = model.encode(batch())
    assert words.shape == (8, 2, 2)
    for bad in (words + 5, words - 5, words[:, 0], np.full_like(words, 5)):
        with pytest.raises(ValueError, match=r"\[0, 5\)"):
            model.decode(bad)


@pytest.mark.parametrize("prior", ["transformer", "pixelcnn"])
def test_a_prior_of_codes_sees_those_before_and_no_others(prior):
    model = models.build("vqvae", (16, 16, 1), num_embeddings=5, width=4, prior=prior)
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 5, (1, 16))
    before = np.concatenate([[[5]], codes[:, :-1]], axis=1)  # 5 is the start
    logits = number(model.prior(before))
    assert logits.shape == (1, 16, 5)
    for place in range(1, 16):
        other = before.copy()
        other[0, place] = (other[0, place] + 1) % 5  # the code before `place` in reading order
        moved = np.abs(number(model.prior(other)) - logits).max(axis=(0, 2))
        assert not moved[:place].any()
        assert moved[place] > 1e-6


def test_a_code_of_vqvae_may_be_about_more_of_an_image():
    model = models.build("vqvae", (28, 28, 1), num_embeddings=5, width=4, code_kernel=4)
    codes = model.encode(np.tile(batch(), (1, 4, 4, 1))[:, :28, :28])
    assert codes.shape == (8, 4, 4)
    assert model.decode(codes).shape == (8, 28, 28, 1)
    with pytest.raises(runtime.UsageError, match="A kernel of 4 needs sides of at least 16"):
        build("vqvae", code_kernel=4)
    with pytest.raises(runtime.UsageError, match=r"transformer, pixelcnn\. Received: 'lstm'"):
        build("vqvae", prior="lstm")


@pytest.mark.parametrize(
    ("name", "network", "use"),
    [
        ("vqvae", "prior", lambda model: model.generate(4)),
        ("cyclegan", "G", lambda model: model.translate(batch())),
        ("pix2pix", "generator", lambda model: model.translate(batch())),
    ],
)
def test_samples_are_of_the_average_where_there_is_one(name, network, use):
    assert not hasattr(build(name), f"ema_{network}")
    model = build(name, ema_momentum=0.999)
    trained, average = getattr(model, network), getattr(model, f"ema_{network}")
    start = np.concatenate([w.ravel() for w in average.get_weights()])
    fed = feed(name)
    model.train_on_batch(*(fed if isinstance(fed, tuple) else (fed,)))
    assert np.abs(np.concatenate([w.ravel() for w in average.get_weights()]) - start).max() > 0
    before = use(model)
    trained.set_weights([np.zeros_like(w) for w in trained.get_weights()])
    np.testing.assert_array_equal(use(model), before)
    model.reset_ema()
    assert np.abs(use(model) - before).max() > 0


@pytest.mark.parametrize(
    ("name", "players"), [("pix2pix", ["discriminator"]), ("cyclegan", ["D_X", "D_Y"])]
)
def test_the_discriminators_of_translators_may_be_smooth(name, players):
    rates = {"learning_rate": 4e-3, "d_learning_rate": 3e-3, "beta_1": 0.0}
    model = build(name, spectral_norm=True, **rates)
    for player in players:
        kernels = [v for v in getattr(model, player).layers if hasattr(v, "kernel")]
        assert {type(v) for v in kernels} == {layers.SpectralConv2D}
    np.testing.assert_allclose(number(model.d_optimizer.learning_rate), 3e-3)
    assert model.g_optimizer.beta_1 == 0.0
    np.testing.assert_allclose(
        number(build(name, learning_rate=4e-3).d_optimizer.learning_rate), 2e-3
    )


@pytest.mark.parametrize("name", ["dcgan", "lsgan", "cgan", "infogan"])
def test_an_adaptive_augmentation_follows_the_verdicts(name):
    # Every r is over a target of -2: each step of 8 images moves p by 8 / 100, and no evaluation does.
    augment = layers.AdaptiveAugment(target=-2.0, images=100)
    model = models.build(name, IMAGE_SHAPE, **ROWS[name].build, augment=augment)
    fed = feed(name)
    given = fed if isinstance(fed, tuple) else (fed,)
    for _ in range(2):
        model.train_on_batch(*given)
    model.evaluate(*given, verbose=0)
    np.testing.assert_allclose(number(model.augment.probability), 0.16, rtol=1e-5)


@pytest.mark.parametrize(("name", "decision_boundary"), [("dcgan", 0.0), ("lsgan", 0.5)])
def test_an_adaptive_augmentation_knows_where_d_cannot_tell(name, decision_boundary):
    """r = 0 there: under a target of 0.1, over one of -0.1."""
    for target, moved in ((0.1, 0.0), (-0.1, 0.08)):
        augment = layers.AdaptiveAugment(target=target, images=100)
        model = build(name, augment=augment)
        model.update_augment(ops.full((8, 1), decision_boundary), training=True)
        np.testing.assert_allclose(number(augment.probability), moved, atol=1e-6)


@pytest.mark.parametrize("name", ["wgan", "wgan_gp", "r3gan"])
def test_an_adaptive_augmentation_needs_decisions(name):
    with pytest.raises(ValueError, match="decides at a known output"):
        build(name, augment=layers.AdaptiveAugment())
    build(name, augment=layers.DiffAugment())


@pytest.mark.parametrize(
    ("name", "augment"),
    [
        ("dcgan", layers.DiffAugment()),
        ("dcgan", layers.AdaptiveAugment(images=100)),
        ("dcgan", keras.layers.GaussianNoise(0.1)),
        ("lsgan", layers.AdaptiveAugment(images=100)),
        ("cgan", layers.AdaptiveAugment(images=100)),
    ],
)
def test_any_gan_takes_an_augmentation(name, augment, tmp_path):
    """It trains, is saved with the model, and D judges without it in tests."""
    from rows import feed

    copy = type(augment).from_config(augment.get_config())
    model = build(name, augment=copy)
    given = feed(name)
    given = given if isinstance(given, tuple) else (given,)
    for _ in range(2):
        model.train_on_batch(*given)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.augment) is type(augment)
    logs = [m.train_on_batch(*given, return_dict=True) for m in (model, loaded)]
    assert logs[0] == logs[1]
    if hasattr(copy, "probability"):
        assert float(loaded.augment.probability) == float(copy.probability)


def test_the_likelihood_of_a_conditional_vae_is_that_of_its_label():
    """Logits +2 for label 0 and -2 for label 1, whatever z: log p = 64 log sigma(2) of a white image with the one, 64
    log sigma(-2) with the other."""
    model = build("cvae")
    k = model.num_classes
    z, y = keras.Input((model.latent_dim,)), keras.Input((k,))
    sign = ops.reshape(2.0 * (y[:, :1] - y[:, 1:2]), (-1, 1, 1, 1))
    nothing = ops.reshape(ops.sum(0.0 * z, axis=-1), (-1, 1, 1, 1))
    model.decoder = keras.Model([z, y], sign + nothing + ops.zeros((1, *IMAGE_SHAPE)))
    for w in model.encoder.weights[-4:]:  # q = N(0, 1), the prior
        w.assign(ops.zeros(w.shape))
    labels = np.array([0, 1] * 10)  # more than are asked at once
    found = model.log_likelihood(np.ones((20, *IMAGE_SHAPE)), labels, samples=3)
    n = math.prod(IMAGE_SHAPE)
    expected = [-n * math.log1p(math.exp(-2)), -n * math.log1p(math.exp(2))] * 10
    np.testing.assert_allclose(found, expected, rtol=1e-5)
