"""Diffusion and flows: numbers worked out by hand from their papers, samplers, guidance."""

import math

import numpy as np
import pytest
from keras import ops
from rows import IMAGE_SHAPE, as_built, batch, steps_are_eager

from ganedu import networks, runtime, samplers
from ganedu.engine import classifier_free_guidance
from ganedu.models import diffusion, flow_matching


@pytest.fixture(autouse=True)
def eager(monkeypatch):
    steps_are_eager(monkeypatch)


def number(tensor):
    return np.asarray(ops.convert_to_numpy(tensor))


def replaced(model, **parts):
    """The model with attributes in the place of its own, past Keras's tracking."""
    vars(model).update(parts)
    return model


class Network:
    """In the place of a network: answers by a function of its inputs, and keeps them."""

    def __init__(self, answer):
        self.answer, self.seen = answer, []

    def __call__(self, inputs, training):
        self.seen.append([number(x) for x in inputs])
        return self.answer(*inputs)


class TestTheSchedule:
    def test_by_hand(self):
        found = diffusion.cosine_alpha_bar(1000)
        assert found[0] == 1
        # f(500) / f(0): cos^2((0.5 + 0.008) / 1.008 pi / 2) / cos^2(0.008 / 1.008 pi / 2) = 0.4938436
        np.testing.assert_allclose(found[500], 0.4938436, rtol=1e-5)
        assert (np.diff(found) < 0).all()
        assert 0 < found[-1] < 1e-4

    def test_a_shift_divides_the_signal_to_noise_ratio(self):
        # 1/2 : 1/2 over 9 is 1 : 9, so 0.1; no noise and no shift change nothing.
        np.testing.assert_allclose(
            diffusion.shift_alpha_bar(np.array([1.0, 0.5]), 3.0), [1.0, 0.1], rtol=1e-12
        )
        a = diffusion.cosine_alpha_bar(1000)
        np.testing.assert_allclose(diffusion.shift_alpha_bar(a, 1.0), a, rtol=1e-12)
        model = as_built("diffusion", shift=2.0)
        ratio = a[1:] / (1 - a[1:]) / (model.alpha_bar[1:] / (1 - model.alpha_bar[1:]))
        np.testing.assert_allclose(ratio, 4.0, rtol=1e-9)

    @pytest.mark.parametrize("t", [1, 300, 700, 1000])
    def test_the_forward_process_has_the_variance_of_its_closed_form(self, t):
        alpha_bar = diffusion.cosine_alpha_bar(1000)
        epsilon = np.random.default_rng(t).normal(size=(400, 16, 16, 1)).astype("float32")
        x = np.full_like(epsilon, 0.5)
        tensors = map(ops.convert_to_tensor, (x, epsilon, np.float32(alpha_bar[t])))
        x_t = number(diffusion.q_sample(*tensors))
        np.testing.assert_allclose(x_t.mean(), 0.5 * np.sqrt(alpha_bar[t]), atol=0.01)
        np.testing.assert_allclose(x_t.var(), 1 - alpha_bar[t], rtol=0.02)
        # And step by step, x_t = sqrt(1 - beta_t) x + sqrt(beta_t) epsilon, it is the same.
        variance, mean = 0.0, 0.5
        for s in range(1, t + 1):
            beta = 1 - alpha_bar[s] / alpha_bar[s - 1]
            variance, mean = (1 - beta) * variance + beta, math.sqrt(1 - beta) * mean
        np.testing.assert_allclose(variance, 1 - alpha_bar[t], rtol=1e-6)
        np.testing.assert_allclose(mean, 0.5 * np.sqrt(alpha_bar[t]), rtol=1e-6)

    def test_times_are_those_from_1_to_T(self):
        """t = 0 is the image itself, where there is no noise to see."""
        for times in (1, 3):
            model, network = as_built("diffusion", num_timesteps=times), Network(lambda x, t: x)
            replaced(model, network=network)
            model.compute_losses(ops.zeros((64, *IMAGE_SHAPE)), training=False)
            seen = sorted(set(network.seen[0][1].tolist()))
            np.testing.assert_allclose(seen, np.arange(1, times + 1) / times, rtol=1e-6)

    def test_times_of_a_flow_by_hand(self):
        # 1/2 / (1/2 + 3/2) = 1/4.
        np.testing.assert_allclose(samplers.timesteps(2, 3.0), [0, 1 / 4, 1])
        np.testing.assert_allclose(samplers.timesteps(4), [0, 1 / 4, 1 / 2, 3 / 4, 1])
        assert samplers.shift_timesteps(0.3, 1.0) == pytest.approx(0.3)

    @pytest.mark.parametrize("name", ["diffusion", "flow_matching"])
    @pytest.mark.parametrize("shift", [0.0, -1.0, math.nan])
    def test_a_shift_that_is_none_is_refused(self, name, shift):
        with pytest.raises(ValueError, match="`shift` must be above 0"):
            as_built(name, shift=shift)


class TestTheLoss:
    def test_noise_and_image_err_alike_up_to_the_signal_to_noise_ratio(self):
        # x_t = 0.6 * 1 + 0.8 * 0.5 = 1: who sees the image sees the noise.
        np.testing.assert_allclose(samplers.predicted_noise(1.0, 1.0, 0.36), 0.5, rtol=1e-12)
        # Who sees 0.2 for it: (1 - 0.6 * 0.2) / 0.8 = 1.1, off by 0.6; 0.36 / 0.64 * 0.8^2 = 0.36.
        error = samplers.predicted_noise(1.0, 0.2, 0.36) - 0.5
        np.testing.assert_allclose(error**2, 0.36 / 0.64 * 0.8**2, rtol=1e-12)

    @pytest.mark.parametrize(
        ("name", "prediction"), [("diffusion", "noise"), ("flow_matching", "velocity")]
    )
    def test_of_images_of_zeros_the_other_prediction_is_seen_in_x_t(self, name, prediction):
        """x_t = sqrt(1 - alpha_bar_t) epsilon, and (1 - t) x_0 = -(1 - t) u."""
        model = as_built(name, prediction=prediction, shift=1.0)

        def answer(x, t):
            t = number(t)
            a = 1 - model.alpha_bar[np.round(1000 * t).astype(int)] if name == "diffusion" else 0
            size = np.sqrt(a) if name == "diffusion" else -(1 - t)
            return ops.convert_to_tensor((number(x) / size[:, None, None, None]).astype("float32"))

        replaced(model, network=Network(answer))
        loss = model.compute_losses(ops.zeros((16, *IMAGE_SHAPE)), training=False)["loss"]
        np.testing.assert_allclose(number(loss), 0.0, atol=1e-6)

    @pytest.mark.parametrize(
        ("name", "prediction", "t"),
        [("diffusion", "noise", 0.4), ("flow_matching", "velocity", 0.4)],
    )
    def test_the_image_follows_from_either_prediction(self, name, prediction, t):
        model, x_1 = as_built(name, prediction=prediction, shift=1.0), batch(2).astype("float64")
        other = np.random.default_rng(1).normal(size=x_1.shape)
        if name == "diffusion":
            a = model.alpha_bar[400]
            x_t, output = np.sqrt(a) * x_1 + np.sqrt(1 - a) * other, other
        else:
            x_t, output = (1 - t) * other + t * x_1, x_1 - other
        np.testing.assert_allclose(model.image_from(output, x_t, t), x_1, atol=1e-9)
        ask = model.predict_noise if name == "diffusion" else model.predict_velocity
        replaced(model, predict_output=lambda x, t: output)
        np.testing.assert_array_equal(ask(x_t, t), output)
        replaced(model, predict_output=lambda x, t: x_1, prediction="image")
        np.testing.assert_allclose(ask(x_t, t), output, atol=1e-9)

    def test_another_prediction_is_refused(self):
        with pytest.raises(runtime.UsageError, match="predictions are velocity, image"):
            as_built("flow_matching", prediction="noise")

    @pytest.mark.parametrize("name", ["diffusion", "flow_matching"])
    def test_it_is_zero_for_the_image_and_the_square_of_what_is_missing(self, name):
        model, x = as_built(name), ops.convert_to_tensor(batch(6))
        for answer, expected in ((x, 0.0), (x + 0.5, 0.25)):
            replaced(model, network=Network(lambda x_t, t, answer=answer: answer))
            loss = model.compute_losses(x, training=False)["loss"]
            np.testing.assert_allclose(number(loss), expected, atol=1e-6)

    def test_what_a_flow_sees_lies_on_the_straight_path(self):
        """Of images of ones: x_t = t + (1 - t) x_0, whose mean is t and whose spread is 1 - t."""
        model = replaced(as_built("flow_matching"), network=Network(lambda x, t: x))
        model.compute_losses(ops.ones((400, *IMAGE_SHAPE)), training=False)
        x_t, t = model.network.seen[0]
        np.testing.assert_allclose(x_t.mean(axis=(1, 2, 3)), t, atol=0.7)
        np.testing.assert_allclose(x_t.std(axis=(1, 2, 3)), 1 - t, rtol=0.5, atol=1e-3)
        np.testing.assert_allclose(np.median(t), 1 / 4, atol=0.08)  # as u = 1/2 goes

    def test_the_velocity_is_that_of_the_path_to_the_image(self):
        model, x_1 = as_built("flow_matching"), batch(2)
        replaced(model, predict_output=lambda x, t: x_1)
        x_t = 0.75 * np.ones_like(x_1) + 0.25 * x_1
        np.testing.assert_allclose(model.predict_velocity(x_t, 0.25), x_1 - 1, atol=1e-5)
        assert np.isfinite(model.predict_velocity(x_t, 1.0)).all()


def gaussian_noise_of(variance, alpha_bar):
    """epsilon_theta that is best for images N(0, variance): E[x_0 | x_t] = sqrt(a) c x_t / (a c + 1 - a)."""

    def predict_noise(x, t):
        a = alpha_bar[t]
        return samplers.predicted_noise(x, np.sqrt(a) * variance * x / (a * variance + 1 - a), a)

    return predict_noise


class TestSamplersOfDiffusion:
    @pytest.mark.parametrize("steps", [1, 3, 20])
    @pytest.mark.parametrize("sampler", sorted(diffusion.Diffusion.samplers))
    def test_who_sees_the_image_arrives_there(self, sampler, steps):
        model, x_0 = as_built("diffusion"), batch(2).astype("float64")
        noise = np.random.default_rng(0).normal(size=x_0.shape)
        found = model.sample_from(noise, steps, sampler, predict=lambda x, t: x_0)
        np.testing.assert_allclose(found, x_0, atol=1e-4)

    def test_dpm_solver_is_of_second_order_and_ddim_of_first(self):
        """Of Gaussian images the path is known: x_t grows as the root of a c + 1 - a."""
        alpha_bar, c = diffusion.cosine_alpha_bar(100_000), 0.25
        start, end = 70_000, 20_000
        size = np.sqrt(alpha_bar * c + 1 - alpha_bar)
        exact = size[end] / size[start]
        predict_noise = gaussian_noise_of(c, alpha_bar)

        def error(sampler, steps):
            # Even in lambda, half the log of the signal-to-noise ratio.
            log_snr = 0.5 * np.log(alpha_bar[1:] / (1 - alpha_bar[1:]))
            wanted = np.linspace(log_snr[start - 1], log_snr[end - 1], steps + 1)
            times = 1 + np.array([np.abs(log_snr - w).argmin() for w in wanted])
            x = sampler(predict_noise, np.ones((1, 1, 1, 1)), alpha_bar, times, None)
            return abs(x.item() - exact)

        for sampler, order in ((samplers.ddim, 2), (samplers.dpm_solver, 4)):
            ratio = error(sampler, 40) / error(sampler, 80)
            np.testing.assert_allclose(ratio, order, rtol=0.2)
        assert error(samplers.dpm_solver, 20) < 0.2 * error(samplers.ddim, 20)

    def test_ddpm_has_the_mean_and_the_variance_of_the_posterior(self):
        """Ho 2020, equations 6 and 7, of neighbouring times."""
        alpha_bar, t = diffusion.cosine_alpha_bar(10), 6
        a, before = alpha_bar[t], alpha_bar[t - 1]
        alpha, beta = a / before, 1 - a / before
        x_t, x_0 = 0.3, 0.8
        mean = (
            np.sqrt(before) * beta / (1 - a) * x_0 + np.sqrt(alpha) * (1 - before) / (1 - a) * x_t
        )
        variance = (1 - before) / (1 - a) * beta
        x = np.full((40_000, 1, 1, 1), x_t)
        predict_noise = lambda x, t: samplers.predicted_noise(x, x_0, alpha_bar[t])  # noqa: E731
        rng = np.random.default_rng(0)
        found = diffusion.Diffusion.samplers["ddpm"](predict_noise, x, alpha_bar, [t, t - 1], rng)
        np.testing.assert_allclose(found.mean(), mean, atol=4 * np.sqrt(variance / 40_000))
        np.testing.assert_allclose(found.var(), variance, rtol=0.03)

    def test_with_chance_the_sample_is_not_settled_by_its_latent(self):
        model = as_built("diffusion")
        z = model.latents(2)
        for sampler, settled in (("ddim", True), ("dpm_solver", True), ("ddpm", False)):
            a, b = (model.decode(z, 3, sampler, seed=s) for s in (0, 1))
            assert np.array_equal(a, b) == settled

    @pytest.mark.parametrize("times", [1, 10, 25])
    def test_few_times_allow_no_more_steps_than_they_are(self, times):
        model = as_built("diffusion", num_timesteps=times)
        noise = np.random.default_rng(0).normal(size=(2, *IMAGE_SHAPE))
        for sampler in model.samplers:
            assert np.isfinite(model.sample_from(noise, times, sampler)).all()
        assert np.isfinite(model.generate(2)).all()  # its own steps, or as many as there are times
        for ask in (model.sample_from, model.decode):
            z = noise if ask == model.sample_from else noise.reshape(2, -1)
            with pytest.raises(runtime.UsageError, match=f"are {times} times.*steps={times + 1}"):
                ask(z, times + 1)


class TestSamplersOfAFlow:
    @pytest.mark.parametrize("method", [samplers.euler, samplers.heun])
    def test_a_straight_flow_is_exact_in_one_step(self, method):
        noise, image = np.zeros((1, 2, 2, 1)), np.full((1, 2, 2, 1), 0.7)
        for steps, shift in ((1, 1.0), (4, 1.0), (4, 3.0)):
            found = method(lambda x, t: image - noise, noise, steps, shift)
            np.testing.assert_allclose(found, image, rtol=1e-12)

    @pytest.mark.parametrize("shift", [1.0, 3.0])
    def test_heun_is_of_second_order(self, shift):
        # dx/dt = x from 1 ends at e; halving the step quarters the error (Euler's it halves).
        errors = {
            m: [abs(m(lambda x, t: x, np.ones(1), n, shift)[0] - math.e) for n in (40, 80)]
            for m in (samplers.euler, samplers.heun)
        }
        np.testing.assert_allclose(np.divide(*errors[samplers.euler]), 2, rtol=0.05)
        np.testing.assert_allclose(np.divide(*errors[samplers.heun]), 4, rtol=0.06)

    @pytest.mark.parametrize(("final_correction", "evaluations"), [(True, 6), (False, 5)])
    def test_heun_need_not_ask_at_the_end(self, final_correction, evaluations):
        asked = []
        samplers.heun(
            lambda x, t: asked.append(t) or x, np.ones(1), 3, final_correction=final_correction
        )
        assert len(asked) == evaluations
        assert (max(asked) == 1.0) == final_correction

    @pytest.mark.parametrize("steps", [1, 5])
    @pytest.mark.parametrize("sampler", ["euler", "heun"])
    def test_who_sees_the_image_arrives_there(self, sampler, steps):
        model, image = as_built("flow_matching"), batch(2)
        noise = np.random.default_rng(0).normal(size=image.shape)
        found = model.sample_from(noise, steps, sampler, predict=lambda x, t: image)
        np.testing.assert_allclose(found, image, atol=1e-5)


@pytest.mark.parametrize("name", ["diffusion", "flow_matching", "text_flow"])
def test_steps_below_one_are_refused(name):
    asked = ["a one"] if name == "text_flow" else 2
    for steps in (0, -1):
        with pytest.raises(ValueError, match=rf"at least 1\. Received: steps={steps}"):
            as_built(name).generate(asked, steps=steps)


@pytest.mark.parametrize("name", ["diffusion", "guided_flow_matching"])
def test_another_sampler_is_refused(name):
    with pytest.raises(runtime.UsageError, match=r"samplers are .*Received: sampler='rk4'"):
        as_built(name).generate(2, sampler="rk4")


GUIDED = pytest.mark.parametrize("name", ["guided_diffusion", "guided_flow_matching"])


class TestGuidance:
    def test_by_hand(self):
        # 1 + 3 (2 - 1) = 4, 0 + 3 (-1 - 0) = -3.
        found = classifier_free_guidance(np.array([2.0, -1.0]), np.array([1.0, 0.0]), 3.0)
        np.testing.assert_array_equal(found, [4.0, -3.0])

    @GUIDED
    @pytest.mark.parametrize(
        ("scale", "expected"), [(0.0, 0.2), (1.0, 0.5), (2.0, 0.8), (3.0, 1.0)]
    )
    def test_it_goes_from_no_class_to_the_class_and_past_it(self, name, scale, expected):
        """0.2 with no class, 0.5 with one: 0.2 + s 0.3, at most 1."""
        model = as_built(name)
        replaced(
            model, predict_output=lambda x, t, y=None: np.full_like(x, 0.2 if y is None else 0.5)
        )
        found = model.generate(3, labels=1, guidance=scale, steps=2)
        np.testing.assert_allclose(found, expected, atol=1e-5)

    @GUIDED
    def test_classes_are_dropped_in_training_alone(self, name):
        x, y = ops.convert_to_tensor(batch(400)), ops.ones((400, 3))
        for training, prob, share in ((True, 0.25, 0.75), (True, 0.0, 1.0), (False, 0.25, 1.0)):
            model = as_built(name)
            model.condition_drop_prob = prob
            replaced(model, network=Network(lambda x, t, y: x))
            model.compute_losses([x, y], training=training)
            seen = model.network.seen[0][2]
            assert set(seen.ravel()) <= {0.0, 1.0}
            assert (seen == seen[:, :1]).all()
            np.testing.assert_allclose(seen.mean(), share, atol=0.07 if 0 < share < 1 else 0)

    @GUIDED
    @pytest.mark.parametrize("guidance", [-0.5, math.inf, math.nan])
    def test_a_guidance_that_is_none_is_refused(self, name, guidance):
        with pytest.raises(runtime.UsageError, match="`guidance` must be a number from 0"):
            as_built(name).generate(2, guidance=guidance)

    def test_a_probability_that_is_none_is_refused(self):
        network = networks.denoiser(IMAGE_SHAPE, 8, 8, num_classes=3)
        with pytest.raises(ValueError, match="`condition_drop_prob` must lie in"):
            flow_matching.ConditionalFlowMatching(network, condition_drop_prob=1.5)

    def test_a_network_without_classes_is_refused(self):
        with pytest.raises(ValueError, match=r"x, t, y -> y"):
            flow_matching.ConditionalFlowMatching(networks.denoiser(IMAGE_SHAPE, 8, 8))


class TestLatentDiffusion:
    def test_the_losses_by_hand(self):
        """x' = x + 0.1: 0.01 / 0.05 = 0.2. Codes N(1, 1): KL = 1/2 of each, times 0.02."""
        model, x = as_built("latent_diffusion"), ops.convert_to_tensor(batch(4))
        mean = ops.ones((4, 2, 2, 2))
        encoder = lambda x, training: (mean, 0.0 * mean)  # noqa: E731
        decoder = lambda z, training: x + 0.1  # noqa: E731
        losses = replaced(model, encoder=encoder, decoder=decoder).autoencoder_losses(x, True)
        found = {k: float(v) for k, v in losses.items() if k != "codes"}
        expected = {"loss": 0.2 + 0.02 * 0.5, "reconstruction_loss": 0.01, "kl_loss": 0.5}
        assert found == pytest.approx(expected, rel=1e-4)
        codes = number(losses["codes"])
        assert 0.3 < codes.mean() < 1.7  # drawn, not the mean
        assert codes.std() > 0.5

    def test_codes_have_the_variance_of_noise_where_the_flow_sees_them(self):
        model = as_built("latent_diffusion")
        codes = 3.0 * np.random.default_rng(0).normal(size=(64, 2, 2, 2)).astype("float32")
        for _ in range(1000):  # 0.99^1000: nothing is left of the 1 at the start
            model.update_code_variance(ops.convert_to_tensor(codes))
        np.testing.assert_allclose(number(model.code_variance), codes.var(), rtol=1e-3)
        np.testing.assert_allclose(number(model.scaled(codes)).std(), 1.0, rtol=1e-3)

    def test_who_sees_the_codes_decodes_them_at_their_own_size(self):
        model = as_built("latent_diffusion")
        model.code_variance.assign(4.0)
        codes = np.random.default_rng(0).normal(size=(3, 2, 2, 2)).astype("float32")
        found = model.sample_from(3.0 * codes, 4, predict=lambda x, t: codes / 2)
        np.testing.assert_allclose(model.finish(found), model.decode_codes(codes), atol=1e-5)

    def test_codes_are_not_clipped(self):
        model = as_built("latent_diffusion")
        replaced(model, predict_output=lambda x, t: np.full_like(x, 7.0))
        found = model.sample_from(np.zeros((1, 2, 2, 2)), 2)
        np.testing.assert_allclose(found, 7.0)
