"""The scores, against numbers worked out by hand and the properties that they promise."""

import math
import random

import numpy as np
import pytest

from ganedu import runtime
from ganedu.metrics import accuracy, classes, kernel, manifold, memorisation, pairs
from ganedu.metrics.estimate import Estimate

RNG = np.random.default_rng(0)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


class TestKernel:
    def test_by_hand(self):
        # d = 1, k(a, b) = (ab + 1)^3. x = {0, 1}, y = {1, 2}:
        # xx: 1, 1, 1, 8 -> off the diagonal 1 + 1; yy: 8, 27, 27, 125 -> 27 + 27; xy: 1, 1, 8, 27 -> 37/4.
        # (2 + 54) / (2 * 1) - 2 * 37 / 4 = 28 - 18.5 = 9.5
        assert kernel.mmd(np.array([[0.0], [1.0]]), np.array([[1.0], [2.0]])) == 9.5

    def test_equal_distributions_have_zero_on_average_within_their_error(self):
        """Of a hundred equal pairs about five are further from 0 than twice their error."""
        found = [
            kernel.kernel_distance(normal(400, 8, seed=2 * i), normal(400, 8, seed=2 * i + 1))
            for i in range(200)
        ]
        z = np.array([f.value / f.error for f in found])
        assert 0.02 <= np.mean(np.abs(z) > 2) <= 0.1
        values = np.array([f.value for f in found])
        assert abs(values.mean()) < 4 * values.std() / np.sqrt(len(values))

    def test_its_error_is_the_deviation_over_other_images(self):
        found = [
            kernel.kernel_distance(normal(400, 8, seed=2 * i), normal(400, 8, seed=2 * i + 1) + 0.3)
            for i in range(100)
        ]
        deviation = np.std([f.value for f in found])
        assert np.mean([f.error for f in found]) == pytest.approx(deviation, rel=0.25)

    def test_a_shift_is_seen_far_beyond_its_error(self):
        found = kernel.kernel_distance(normal(1000, 8), normal(1000, 8, seed=1) + 0.5)
        assert found.value > 10 * found.error

    def test_the_seed_decides(self):
        x, y = normal(600, 4), normal(600, 4, seed=1)
        found = [kernel.kernel_distance(x, y, subsets=3, seed=s) for s in (0, 0, 1)]
        assert found[0] == found[1] != found[2]

    def test_few_images_leave_it_an_error(self):
        x, y = normal(40, 3), normal(40, 3, seed=1)
        assert kernel.kernel_distance(x, y).error > 1e-6
        whole = kernel.kernel_distance(x, y, subsets=1)
        assert (whole.value, whole.error) == (pytest.approx(kernel.mmd(x, y)), 0.0)

    @pytest.mark.parametrize("subsets", [0, 5])
    def test_subsets_that_cannot_be_compared_are_refused(self, subsets):
        with pytest.raises(runtime.UsageError, match="at least one subset, of at least two rows"):
            kernel.kernel_distance(normal(9, 2), normal(9, 2), subsets=subsets)


class TestManifold:
    def test_by_hand(self):
        # Real 0, 1, 3: the nearest other is 1, 1 and 2 away. Drawn 0.5, 10, 11: 9.5, 1 and 1.
        # 0.5 is in the balls of 0 (1) and of 1 (1), and not of 3 (2.5 > 2); 10 and 11 in none.
        # precision 1/3; density (2 + 0 + 0) / 3; coverage: 0 and 1 hold a sample, 2/3;
        # recall: 0, 1 and 3 lie in the ball of 0.5, which reaches 9.5: 1.
        real, drawn = np.array([[0.0], [1], [3]]), np.array([[0.5], [10], [11]])
        found = manifold.manifold_scores(real, drawn, k=1)
        assert found == pytest.approx(manifold.PRDC(1 / 3, 1.0, 2 / 3, 2 / 3))

    def test_real_against_real_is_as_promised(self):
        found = manifold.manifold_scores(normal(3000, 6), normal(3000, 6, seed=1), k=3)
        assert found.density == pytest.approx(1.0, abs=0.05)
        assert found.coverage == pytest.approx(1 - 1 / 2**3, abs=0.02)

    def test_copies_of_one_good_drawing_are_precise_and_cover_nothing(self):
        real = normal(400, 4)
        drawn = np.repeat(real[:1] * 0.1, 300, axis=0)
        found = manifold.manifold_scores(real, drawn)
        assert found.precision == 1.0
        assert found.recall == 0.0
        assert found.coverage < 0.2

    def test_noise_is_varied_and_not_precise(self):
        found = manifold.manifold_scores(normal(400, 4), 20 * normal(400, 4, seed=1))
        assert found.precision < 0.05
        assert found.recall > 0.95

    def test_blocks_change_nothing(self, monkeypatch):
        x, y = normal(70, 3), normal(50, 3, seed=1)
        whole = manifold.manifold_scores(x, y)
        monkeypatch.setattr(manifold, "BLOCK", 16)
        assert manifold.manifold_scores(x, y) == whole

    def test_the_reach_is_the_distance_to_the_kth_other(self):
        x = normal(1500, 3)
        every = np.sort(np.sum((x[:, None] - x[None]) ** 2, axis=-1), axis=1)
        np.testing.assert_allclose(manifold.knn_radius(x, 1000), every[:, 1000])

    @pytest.mark.parametrize("k", [0, 5])
    def test_too_few_are_refused(self, k):
        with pytest.raises(runtime.UsageError, match="at least"):
            manifold.manifold_scores(normal(5, 2), normal(9, 2), k=k)


class TestClasses:
    def test_inception_score_by_hand(self):
        # Certain of two classes, equally often: exp(log 2) = 2. Always the same row: 1.
        sure = np.eye(2)[[0, 1, 0, 1]]
        assert classes.inception_score(sure, splits=1).value == pytest.approx(2.0)
        assert classes.inception_score(np.full((4, 2), 0.5), splits=2) == Estimate(1.0, 0.0)
        # Rows (3/4, 1/4) and (1/4, 3/4), mean (1/2, 1/2): KL = 3/4 log(3/2) + 1/4 log(1/2) = 0.130812
        blurred = np.array([[0.75, 0.25], [0.25, 0.75]])
        expected = math.exp(0.75 * math.log(1.5) + 0.25 * math.log(0.5))
        assert classes.inception_score(blurred, splits=1).value == pytest.approx(expected)

    def test_one_class_alone_scores_1_however_sure(self):
        assert classes.inception_score(np.eye(3)[[0] * 20]).value == pytest.approx(1.0)

    def test_histogram_and_entropy(self):
        shares = classes.class_histogram(np.eye(4)[[0, 0, 1, 3]])
        np.testing.assert_array_equal(shares, [0.5, 0.25, 0, 0.25])
        # 1/2 log 2 + 2/4 log 4 = 1.5 log 2
        assert classes.class_entropy(shares) == pytest.approx(1.5 * math.log(2))
        for bad in (2 * shares, [np.nan, 1.0]):
            with pytest.raises(runtime.UsageError, match="distribution"):
                classes.class_entropy(bad)

    @pytest.mark.parametrize(
        "bad", [np.ones((4, 2)), np.array([[1.5, -0.5]] * 4), np.eye(2), np.full((4, 2), np.nan)]
    )
    def test_what_is_no_distribution_is_refused(self, bad):
        with pytest.raises(runtime.UsageError, match="distribution"):
            classes.inception_score(bad, splits=2)

    @pytest.mark.parametrize(("unseen", "expected"), [(100, 1.99 / 101), (1000, 10.99 / 1001)])
    def test_as_good_as_nature_a_known_share_is_called_copied(self, unseen, expected):
        """The quantile of L distances has (1 + (L - 1) / 100) / (L + 1) of all distances below it."""
        rng = np.random.default_rng(0)
        train = rng.normal(size=(50, 2))
        found = [
            memorisation.memorisation(
                rng.normal(size=(500, 2)), train, rng.normal(size=(unseen, 2))
            ).copy_rate
            for _ in range(300)
        ]
        error = np.std(found) / np.sqrt(len(found))
        assert abs(np.mean(found) - expected) < 4 * error
        assert 4 * error < 0.006


class TestPairs:
    def test_psnr_by_hand(self):
        a = np.zeros((2, 4, 4, 1))
        b = a.copy()
        b[1] += 0.2  # mean squared error 0.04: 10 log10(4 / 0.04) = 20 dB
        np.testing.assert_allclose(pairs.psnr(a, b), [np.inf, 20.0])

    def test_ssim_of_constants_by_hand(self):
        # No variance: (2 ab + c1) / (a^2 + b^2 + c1) of values in [0, 1], with c1 = 0.01^2.
        # 0.5 and 0.1 in [-1, 1] are 0.75 and 0.55: (0.825 + 0.0001) / (0.5625 + 0.3025 + 0.0001).
        a, b = np.full((1, 16, 16, 1), 0.5), np.full((1, 16, 16, 1), 0.1)
        np.testing.assert_allclose(pairs.ssim(a, b), [0.8251 / 0.8651], rtol=1e-6)
        # Two greys around the middle, 0.1 apart: 0.475 and 0.525, (0.49875 + 0.0001) / (0.50125 + 0.0001).
        np.testing.assert_allclose(pairs.ssim(a - 0.55, a - 0.45), [0.49885 / 0.50135], rtol=1e-6)

    def test_ssim_of_a_copy_is_1_and_noise_lowers_it(self):
        x = RNG.uniform(-1, 1, (3, 16, 16, 3))
        np.testing.assert_allclose(pairs.ssim(x, x), 1.0)
        y = np.clip(x + 0.5 * RNG.normal(size=x.shape), -1, 1)
        assert (pairs.ssim(x, y) < 0.9).all()

    def test_wrong_images_are_refused(self):
        good = np.zeros((2, 16, 16, 1))
        for bad in (good[:1], good + 5.0, good * np.nan, good[0]):
            with pytest.raises(runtime.UsageError):
                pairs.psnr(good, bad)
        with pytest.raises(runtime.UsageError, match="Received: 8x8"):
            pairs.ssim(good[:, :8, :8], good[:, :8, :8])


class TestMemorisation:
    train, test = normal(500, 5), normal(200, 5, seed=1)

    def test_new_draws_are_as_far_as_unseen_images(self):
        found = memorisation.memorisation(normal(2000, 5, seed=2), self.train, self.test)
        assert found.copy_rate < 0.04
        assert np.median(found.distances) == pytest.approx(1.0, abs=0.15)

    def test_copies_are_found_and_named(self):
        drawn = np.concatenate([self.train[:30] + 1e-4, normal(70, 5, seed=3)])
        found = memorisation.memorisation(drawn, self.train, self.test)
        assert 0.3 <= found.copy_rate < 0.4
        np.testing.assert_array_equal(found.nearest[:30], np.arange(30))

    def test_distances_by_hand(self):
        distances, nearest = memorisation.nearest_neighbour_distance(
            np.array([[0.0, 0.0], [5.0, 4.0]]), np.array([[3.0, 4.0], [5.0, 5.0]])
        )
        np.testing.assert_allclose(distances, [5.0, 1.0])
        np.testing.assert_array_equal(nearest, [0, 1])

    def test_blocks_change_nothing(self, monkeypatch):
        x = normal(50, 5, seed=4)
        whole = memorisation.nearest_neighbour_distance(x, self.train)
        monkeypatch.setattr(manifold, "BLOCK", 16)
        for a, b in zip(memorisation.nearest_neighbour_distance(x, self.train), whole, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)

    def test_too_few_unseen_images_are_refused(self):
        with pytest.raises(runtime.UsageError, match="at least 100"):
            memorisation.memorisation(self.train, self.train, self.test[:99])


class TestAccuracy:
    labels = np.arange(240) % 2
    images = np.clip(
        np.where(labels, 0.5, -0.5)[:, None, None, None] + 0.2 * normal(240, 8, 8, 1), -1, 1
    )

    def test_drawings_that_show_their_label_teach_it_and_others_do_not(self):
        told = accuracy.classification_accuracy_score(
            self.images, self.labels, self.images, self.labels, epochs=12
        )
        assert told > 0.95
        turned = accuracy.classification_accuracy_score(
            self.images, 1 - self.labels, self.images, self.labels, epochs=12
        )
        assert turned < 0.05

    def test_it_leaves_the_chance_of_the_process_alone(self):
        given = (self.images, self.labels, self.images, self.labels)

        def state():
            return repr((np.random.get_state(), random.getstate()))  # noqa: NPY002

        before = state()
        found = [accuracy.classification_accuracy_score(*given, epochs=2, seed=s) for s in (3, 3)]
        assert found[0] == found[1]
        assert state() == before

    def test_what_does_not_fit_is_refused(self):
        x, y = self.images, self.labels
        with pytest.raises(runtime.UsageError, match=r"no sample of \[1\]"):
            accuracy.classification_accuracy_score(x, 0 * y, x, y)
        with pytest.raises(runtime.UsageError, match="finite"):
            accuracy.classification_accuracy_score(np.nan * x, y, x, y)
        with pytest.raises(runtime.UsageError, match="one label for each image"):
            accuracy.classification_accuracy_score(x, y[:-1], x, y)
