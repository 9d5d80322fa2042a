"""The losses, on the backend of this process, against numbers worked out by hand."""

import math

import numpy as np
import pytest
from keras import ops
from scipy.stats import wasserstein_distance

from ganedu import losses
from ganedu.engine.gradients import input_gradient
from ganedu.runtime import UsageError


def tensor(values):
    return ops.convert_to_tensor(np.array(values, "float32"))


def close(found, expected, rtol=1e-5):
    np.testing.assert_allclose(ops.convert_to_numpy(found), expected, rtol=rtol, atol=1e-6)


def gradient(fn, x):
    """The gradient of a loss where it is hard to take, as NumPy."""
    return ops.convert_to_numpy(ops.stop_gradient(input_gradient(fn, tensor(x), [])))


def test_unit():
    close(losses.l2_normalize(tensor([[3.0, 4.0], [0.0, 0.0]])), [[0.6, 0.8], [0.0, 0.0]])
    assert np.isfinite(gradient(losses.l2_normalize, [[0.0, 0.0]])).all()


class TestInfoNce:
    # Lengths do not matter: cosines (1, 0.8) of a_1 with b_1, b_2 and (0, 0.6) of a_2.
    a, b = [[1.0, 0.0], [0.0, 2.0]], [[3.0, 0.0], [4.0, 3.0]]

    def test_by_hand(self):
        # a -> b: ln(1 + e^(0.8 - 1)) = 0.59813887, ln(1 + e^(0 - 0.6)) = 0.43748795, mean 0.51781341
        # b -> a: ln(1 + e^(0 - 1))   = 0.31326169, ln(1 + e^(0.8 - 0.6)) = 0.79813887, mean 0.55570028
        found = losses.info_nce(tensor(self.a), tensor(self.b), temperature=1.0)
        close(found, (0.51781341 + 0.55570028) / 2)
        # Half the temperature doubles the cosines: of the identity ln(1 + e^-2).
        close(losses.info_nce(tensor(np.eye(2)), tensor(np.eye(2)), 0.5), 0.12692801)

    def test_all_alike_is_log_of_the_batch(self):
        x = tensor(np.ones((8, 3)))
        close(losses.info_nce(x, x), math.log(8))

    def test_it_is_symmetric_and_does_not_overflow(self):
        a, b = tensor(self.a), tensor(self.b)
        close(losses.info_nce(a, b), ops.convert_to_numpy(losses.info_nce(b, a)))
        # Pairs that are opposite, with another's in their direction: s is -1000 where it should be 1000.
        x = tensor(np.eye(2))
        close(losses.info_nce(x, -x, 0.001), 1000.0)

    def test_gradients_are_finite(self):
        for x in (self.a, np.zeros((2, 2)), self.b):
            found = gradient(lambda x: losses.info_nce(x, tensor(self.b)), x)
            assert np.isfinite(found).all()
        assert np.abs(gradient(lambda x: losses.info_nce(x, tensor(self.b)), self.a)).max() > 1e-4


class TestContrastive:
    a, b = [[0.0, 0.0]] * 3, [[3.0, 4.0], [0.6, 0.0], [2.0, 0.0]]

    def test_by_hand(self):
        # One kind: 25 / 2. Others: (1 - 0.6)^2 / 2 = 0.08; and 0, being further than 1 away.
        found = losses.contrastive(tensor(self.a), tensor(self.b), np.array([1, 0, 0]))
        close(found, (12.5 + 0.08) / 3)
        # With the margin 3: (3 - 0.6)^2 / 2 = 2.88 and (3 - 2)^2 / 2 = 0.5.
        found = losses.contrastive(tensor(self.a), tensor(self.b), np.array([1, 0, 0]), margin=3.0)
        close(found, (12.5 + 2.88 + 0.5) / 3)

    def test_gradient(self):
        def loss(x):
            return losses.contrastive(x, tensor([[0.0, 0.0]]), np.array([0]))

        # d/dx (1 - |x|)^2 / 2 = -(1 - |x|) x / |x|: -0.5 at x = 0.5; at no distance there is no direction.
        close(gradient(loss, [[0.5, 0.0]]), [[-0.5, 0.0]])
        close(gradient(loss, [[0.0, 0.0]]), [[0.0, 0.0]])


class TestTriplet:
    def test_by_hand(self):
        a = tensor([[0.0, 0.0]] * 3)
        p = tensor([[1.0, 0.0], [1.0, 0.0], [2.0, 0.0]])
        n = tensor([[0.0, 1.0], [0.0, 3.0], [1.0, 0.0]])
        # 1 - 1 + 0.2; 1 - 9 + 0.2 < 0; 4 - 1 + 0.2
        close(losses.triplet(a, p, n), (0.2 + 0 + 3.2) / 3)
        close(losses.triplet(a, p, n, margin=9.0), (9 + 1 + 12) / 3)

    def test_gradient_where_all_three_meet(self):
        zero = tensor([[0.0, 0.0]])
        assert np.isfinite(gradient(lambda x: losses.triplet(x, zero, zero), [[0.0, 0.0]])).all()


class TestCentre:
    centres = [[0.0, 0.0], [1.0, 0.0]]

    def test_by_hand(self):
        # |(1, 2) - (1, 0)|^2 = 4 and |(3, 0) - (0, 0)|^2 = 9
        found = losses.center_loss(
            tensor([[1.0, 2.0], [3.0, 0.0]]), np.array([1, 0]), tensor(self.centres)
        )
        close(found, (4 + 9) / 4)

    def test_the_centres_follow(self):
        features = tensor([[1.0, 2.0], [3.0, 2.0]])
        # Both of class 1: sum (c - x) = (0, -2) + (-2, -2), over 1 + 2; half of it: (-1/3, -2/3).
        moved = losses.update_centers(tensor(self.centres), features, np.array([1, 1]))
        close(moved, [[0.0, 0.0], [4 / 3, 2 / 3]])


class TestAdditiveAngularMargin:
    def test_by_hand(self):
        x, labels = tensor([[2.0, 0.0]]), np.array([0])
        w = tensor([[1.0, math.sqrt(3)], [0.0, 5.0]])  # at 60 and at 90 degrees
        # Without a margin: cosines 0.5 and 0, at the scale 2: ln(1 + e^-1).
        found = losses.additive_angular_margin(x, w, labels, margin=0.0, scale=2.0)
        close(found, 0.31326169)
        # 60 + 30 degrees: both cosines are 0.
        found = losses.additive_angular_margin(x, w, labels, margin=math.pi / 6)
        close(found, math.log(2), rtol=1e-4)

    def test_past_180_degrees_it_goes_on_falling(self):
        angle = math.radians(170)
        w = tensor([[math.cos(angle), math.sin(angle)], [0.0, 1.0]])
        found = losses.additive_angular_margin(
            tensor([[1.0, 0.0]]), w, np.array([0]), margin=math.pi / 6, scale=1.0
        )
        # cos 170 - pi/6 sin 30 = -0.98480775 - 0.26179939 = -1.24660714 against 0: ln(1 + e^1.24660714)
        close(found, 1.49929065)

    @pytest.mark.parametrize("sign", [1.0, -1.0])
    def test_gradients_are_finite_at_0_and_180_degrees(self, sign):
        w = tensor([[sign, 0.0], [0.0, 1.0]])
        for x in ([[1.0, 0.0]], [[1.0, 1e-6]], [[0.0, 0.0]]):
            found = gradient(lambda x: losses.additive_angular_margin(x, w, np.array([0])), x)
            assert np.isfinite(found).all()


class TestEarthMovers:
    def test_samples_by_hand(self):
        # In order 1, 3, 5 and 2, 2, 9: (1 + 1 + 4) / 3
        found = losses.wasserstein_1d(tensor([1.0, 5.0, 3.0]), tensor([2.0, 9.0, 2.0]))
        close(found, 2.0)

    def test_histograms_by_hand(self):
        p, q = tensor([[0.5, 0.5, 0.0, 0.0]]), tensor([[0.0, 0.5, 0.0, 0.5]])
        # Cumulative 0.5, 1, 1, 1 and 0, 0.5, 0.5, 1: half of the earth moves by three bins.
        close(losses.wasserstein_1d_histogram(p, q), [1.5])
        close(losses.wasserstein_1d_histogram(p, q, width=0.25), [0.375])

    def test_both_are_scipys(self):
        rng = np.random.default_rng(0)
        a, b = rng.normal(size=(2, 4, 50)).astype("float32")
        expected = [wasserstein_distance(x, y) for x, y in zip(a, b, strict=True)]
        close(losses.wasserstein_1d(tensor(a), tensor(b)), expected)
        p, q = rng.dirichlet(np.ones(9), size=2).astype("float32")
        bins = 0.5 * np.arange(9)
        expected = wasserstein_distance(bins, bins, p, q)
        close(losses.wasserstein_1d_histogram(tensor(p), tensor(q), width=0.5), expected)

    def test_gradients(self):
        b = tensor([[0.0, 1.0, 2.0]])
        # The largest is paired with the largest: each moves by a third towards its own.
        found = gradient(lambda a: losses.wasserstein_1d(a, b), [[5.0, -1.0, 1.5]])
        close(found, [[1 / 3, -1 / 3, 1 / 3]])
        found = gradient(lambda a: losses.wasserstein_1d(a, b), [[1.0, 1.0, 1.0]])
        assert np.isfinite(found).all()
        found = gradient(lambda p: losses.wasserstein_1d_histogram(p, p), [[0.5, 0.5]])
        assert np.isfinite(found).all()


@pytest.mark.parametrize(
    ("loss", "shapes"),
    [
        (losses.info_nce, [(3, 2), (4, 2)]),
        (lambda a, b: losses.contrastive(a, b, np.ones(3)), [(3, 2), (3, 4)]),
        (losses.triplet, [(3, 2), (3, 2), (3, 1)]),
        (losses.wasserstein_1d, [(3,), (4,)]),
        (losses.wasserstein_1d_histogram, [(3,), (4,)]),
        (lambda a, b: losses.center_loss(a, np.zeros(3, int), b), [(3, 2), (5, 4)]),
        (lambda a, b: losses.update_centers(b, a, np.zeros(3, int)), [(3, 2), (5, 4)]),
        (lambda a, b: losses.additive_angular_margin(a, b, np.zeros(3, int)), [(3, 2), (5, 4)]),
    ],
)
def test_shapes_that_do_not_belong_together_are_refused(loss, shapes):
    with pytest.raises(UsageError, match=r"one (shape|dimension d)\. Received: \("):
        loss(*(tensor(np.ones(s)) for s in shapes))


class TestDiscretizedLogistic:
    # Three values -1, 0 and 1, h = 1/2. With s = h / ln 3 a bin's edges lie at -ln 3 and ln 3 of a mean of 0:
    # P(0) = 3/4 - 1/4 and P(-1) = P(1) = 1/4. With a mean of 1 they lie at -3 ln 3 and -ln 3: P(1) = 3/4,
    # P(0) = 1/4 - 1/28 = 3/14 and P(-1) = 1/28.
    values, log_scale = [-1.0, 0.0, 1.0], math.log(0.5 / math.log(3))

    def test_by_hand(self):
        for mean, p in ((0.0, [1 / 4, 1 / 2, 1 / 4]), (1.0, [1 / 28, 3 / 14, 3 / 4])):
            found = losses.discretized_logistic_log_prob(
                tensor(self.values), tensor(mean), tensor(self.log_scale), levels=3
            )
            close(found, np.log(p))

    def test_a_mixture_by_hand(self):
        # 3/4 of the mean 0 and 1/4 of the mean 1: P(0) = 3/8 + 3/56 = 3/7 and P(1) = 3/16 + 3/16
        logits, means = tensor([[math.log(3.0), 0.0]] * 2), tensor([[[0.0], [1.0]]] * 2)
        scales = tensor(np.full((2, 2, 1), self.log_scale))
        found = losses.logistic_mixture_log_prob(
            tensor([[0.0], [1.0]]), logits, means, scales, tensor(np.zeros((2, 2, 0))), levels=3
        )
        close(found, np.log([3 / 7, 3 / 8]))

    def test_a_channel_moves_the_mean_of_the_next_ones(self):
        # r = 1 has P = 1/4; the coefficient 1 brings the mean of g from 0 to 1, where P(g = 0) = 3/14; those
        # of b, 1/2 and 3, bring it from 1/2 to 1/2 + 1/2 1 + 3 0 = 1, where P(b = 1) = 3/4.
        found = losses.logistic_mixture_log_prob(
            tensor([1.0, 0.0, 1.0]),
            tensor([0.0]),
            tensor([[0.0, 0.0, 0.5]]),
            tensor([[self.log_scale] * 3]),
            tensor([[1.0, 0.5, 3.0]]),
            levels=3,
        )
        close(found, math.log(1 / 4 * 3 / 14 * 3 / 4))

    @pytest.mark.parametrize("channels", [1, 2, 3])
    def test_the_256_values_of_the_last_channel_have_probability_one_given_the_others(
        self, channels
    ):
        rng = np.random.default_rng(channels)
        given = rng.integers(0, 256, channels - 1) / 127.5 - 1
        x = np.concatenate([np.tile(given, (256, 1)), np.linspace(-1, 1, 256)[:, None]], axis=1)
        parameters = rng.normal(0, 1.5, (1, 4 * losses.mixture_size(channels)))
        *split, k = losses.split_mixture(tensor(parameters), channels)
        together = losses.logistic_mixture_log_prob(tensor(x), *split, k)
        before = 0.0
        if channels > 1:  # the first channels are such a mixture themselves
            logits, means, scales = split
            c, used = channels - 1, (channels - 1) * (channels - 2) // 2
            before = losses.logistic_mixture_log_prob(
                tensor(x[:1, :c]), logits, means[..., :c], scales[..., :c], k[..., :used]
            )
        p = np.exp(ops.convert_to_numpy(together - before).astype("float64"))
        assert p.sum() == pytest.approx(1.0, abs=1e-4)

    @pytest.mark.parametrize("log_scale", [-7.0, 0.0, 9.0])
    @pytest.mark.parametrize("mean", [-1e3, 0.0, 1e3])
    def test_it_is_finite_wherever_its_mean_lies(self, mean, log_scale):
        x = tensor([-1.0, 0.5, 1.0])

        def log_p(m):
            return losses.discretized_logistic_log_prob(x, m, tensor(log_scale))

        assert np.isfinite(ops.convert_to_numpy(log_p(tensor(mean)))).all()
        assert np.isfinite(gradient(log_p, [mean] * 3)).all()

    def test_a_tiny_probability_has_its_logarithm(self):
        # Far to the left of the mean, sigma(a) - sigma(b) = e^a - e^b: a + log(1 - e^(b - a)), with s = 1/255
        # a = (-1 + 2/255 + 1/255 - 1) 255 = -507 and b = a - 2.
        x = tensor([-1 + 2 / 255])
        found = losses.discretized_logistic_log_prob(x, tensor(1.0), tensor(-math.log(255)))
        close(found, [-507 + math.log(1 - math.exp(-2))], rtol=1e-4)


def test_bernoulli_log_prob():
    # sigma(ln 3) = 3/4: ln 3/4, ln 1/4, and of 1/2 the mean of both
    found = losses.bernoulli_log_prob(tensor([1.0, -1.0, 0.0]), tensor([math.log(3)] * 3))
    close(found, [math.log(3 / 4), math.log(1 / 4), (math.log(3 / 4) + math.log(1 / 4)) / 2])
