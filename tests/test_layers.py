"""The layers, on the backend of this process: the papers' properties and numbers worked out by hand."""

import keras
import numpy as np
import pytest
from keras import ops

from ganedu import layers, networks

RNG = np.random.default_rng(0)


def images(count=6, size=8, channels=2):
    return RNG.uniform(-1, 1, (count, size, size, channels)).astype("float32")


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assign(variable, values):
    variable.assign(np.array(values, "float32"))


def test_a_spectral_convolution_is_not_bounded_by_1():
    """What is bounded is the kernel's matrix; a 3x3 kernel of ones over 9, whose matrix has the norm 1/3 and is
    divided by it, is three times an average: of a constant image it makes three times that."""
    layer = layers.SpectralConv2D(1, 3, padding="valid", use_bias=False)
    layer.build((None, 8, 8, 1))
    layer.kernel.assign(np.full((3, 3, 1, 1), 1 / 9))
    out = ops.convert_to_numpy(layer(np.ones((1, 8, 8, 1), "float32"), training=True))
    np.testing.assert_allclose(out, 3.0, rtol=1e-5)


class TestSpectral:
    @pytest.mark.parametrize(
        ("layer", "shape"),
        [
            (layers.SpectralDense(5), (4, 7)),
            (layers.SpectralConv2D(5, 3, strides=2, padding="same"), (4, 8, 8, 2)),
        ],
    )
    def test_the_largest_singular_value_becomes_1_and_the_kernel_stays(self, layer, shape):
        x = RNG.normal(size=shape).astype("float32")
        layer(x)
        kernel = array(layer.kernel)
        for _ in range(60):
            layer(x, training=True)
        np.testing.assert_array_equal(array(layer.kernel), kernel)
        normalized = array(layer.normalized(training=False)).reshape(-1, 5)
        largest = np.linalg.svd(normalized, compute_uv=False)[0]
        np.testing.assert_allclose(largest, 1.0, rtol=0.01)
        # Only the scale changed.
        ratio = kernel.reshape(-1, 5) / normalized
        np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-4)

    def test_only_training_moves_u(self):
        layer = layers.SpectralDense(5)
        x = RNG.normal(size=(4, 7)).astype("float32")
        layer(x)
        u = array(layer.u)
        layer(x, training=False)
        np.testing.assert_array_equal(array(layer.u), u)
        layer(x, training=True)
        assert np.abs(array(layer.u) - u).max() > 1e-4

    def test_a_diagonal_kernel_by_hand(self):
        layer = layers.SpectralDense(2, use_bias=False)
        layer.build((None, 2))
        assign(layer.kernel, [[3, 0], [0, 1]])
        assign(layer.u, [1, 0])  # the singular vector of 3
        # x W / 3
        y = layer(np.array([[3.0, 6.0]], "float32"))
        np.testing.assert_allclose(array(y), [[3.0, 2.0]], rtol=1e-6)

    def test_it_computes_what_keras_computes(self):
        ours = layers.SpectralConv2D(3, 3, strides=2, padding="same")
        keras_own = keras.layers.Conv2D(3, 3, strides=2, padding="same")
        x = images()
        ours(x)
        keras_own(x)
        keras_own.kernel.assign(array(ours.normalized(training=False)))
        np.testing.assert_allclose(array(ours(x)), array(keras_own(x)), atol=1e-5)


class TestDiffAugment:
    def test_without_training_nothing_changes(self):
        x = images()
        np.testing.assert_array_equal(array(layers.DiffAugment()(x, training=False)), x)
        changed = array(layers.DiffAugment()(x))
        assert changed.shape == x.shape
        assert np.abs(changed - x).max() > 0.1

    def test_an_unknown_policy_is_refused(self):
        with pytest.raises(ValueError, match="Received: rotation"):
            layers.DiffAugment(("colour", "rotation"))

    def test_brightness_contrast_and_saturation_by_hand(self):
        x = ops.convert_to_tensor(np.array([0.0, 1.0], "float32").reshape(1, 1, 1, 2))

        def always(value):
            return lambda shape: ops.full(shape, value)

        module = layers.augment
        # x + 1 - 1/2
        found = array(module.brightness(x, always(1.0)))
        np.testing.assert_allclose(found.ravel(), [0.5, 1.5], rtol=1e-6)
        # The mean is 1/2; the distances of 1/2 are multiplied by 1.5, and by 2.
        found = array(module.contrast(x, always(1.0)))
        np.testing.assert_allclose(found.ravel(), [-0.25, 1.25], rtol=1e-6)
        found = array(module.saturation(x, always(1.0)))
        np.testing.assert_allclose(found.ravel(), [-0.5, 1.5], rtol=1e-6)

    @pytest.mark.parametrize(("sample", "move"), [(0.0, -1), (0.5, 0), (0.99, 1)])
    def test_translation_moves_by_whole_pixels_and_zeros_come_in(self, sample, move):
        # 8 // 8 = 1 pixel at most: U in thirds is -1, 0, 1.
        x = images()
        found = array(layers.augment.translation(x, lambda shape: ops.full(shape, sample)))
        expected = np.zeros_like(x)
        to = slice(max(move, 0), 8 + min(move, 0))
        of = slice(max(-move, 0), 8 + min(-move, 0))
        expected[:, to, to] = x[:, of, of]
        np.testing.assert_allclose(found, expected, atol=1e-6)

    def test_cutout_blanks_a_square_of_half_a_side(self):
        x = np.ones((1, 8, 8, 1), "float32")
        # The centre is floor(0.5 * 9) = 4: places 2 to 5.
        found = array(
            layers.augment.cutout(ops.convert_to_tensor(x), lambda shape: ops.full(shape, 0.5))
        )
        expected = x.copy()
        expected[:, 2:6, 2:6] = 0
        np.testing.assert_array_equal(found, expected)

    def test_each_image_has_its_own_draw(self):
        x = np.repeat(images(1), 16, axis=0)
        for policy in layers.augment.POLICIES:
            found = array(layers.DiffAugment((policy,))(x)).reshape(16, -1)
            assert len(np.unique(found.round(5), axis=0)) > 3

    def test_a_gradient_comes_back_through_it(self):
        from ganedu.engine import GenerativeModel

        augment = layers.DiffAugment()

        class Probe(GenerativeModel):
            def __init__(self):
                super().__init__()
                self.augment = augment

        x = ops.convert_to_tensor(images())
        slope = array(Probe().input_gradient(lambda x: ops.sum(augment(x), axis=(1, 2, 3)), x))
        assert np.isfinite(slope).all()
        assert np.abs(slope).max() > 0.1


class TestAdaptiveAugment:
    def test_p_follows_what_d_knows(self):
        layer = layers.AdaptiveAugment(target=0.6, images=100)
        sure, unsure = np.full((10, 1), 5.0, "float32"), np.tile([[1.0], [-1.0]], (5, 1))
        layer.update_probability(ops.convert_to_tensor(sure))  # r = 1: up by 10 / 100
        layer.update_probability(ops.convert_to_tensor(sure))
        np.testing.assert_allclose(array(layer.probability), 0.2, rtol=1e-5)
        layer.update_probability(ops.convert_to_tensor(unsure.astype("float32")))  # r = 0: down
        np.testing.assert_allclose(array(layer.probability), 0.1, rtol=1e-5)
        for _ in range(3):
            layer.update_probability(ops.convert_to_tensor(unsure.astype("float32")))
        np.testing.assert_allclose(array(layer.probability), 0.0, atol=1e-6)

    def test_p_is_the_share_of_changed_images(self):
        layer = layers.AdaptiveAugment(policy=("cutout",))
        x = np.ones((400, 8, 8, 1), "float32")
        np.testing.assert_array_equal(array(layer(x)), x)
        layer.probability.assign(0.3)
        changed = (array(layer(x)) != x).any(axis=(1, 2, 3)).mean()
        assert 0.2 < changed < 0.4


def test_minibatch_standard_deviation_by_hand():
    x = np.zeros((2, 1, 1, 2), "float32")
    x[1, 0, 0] = [2.0, 4.0]
    # Over the batch the deviations are 1 and 2; their mean, 1.5, is one more map.
    found = array(layers.MinibatchStdDev()(x))
    np.testing.assert_array_equal(found[..., :2], x)
    np.testing.assert_allclose(found[..., 2].ravel(), [1.5, 1.5], rtol=1e-4)


class TestVectorQuantizer:
    def layer(self, codebook, **changes):
        layer = layers.VectorQuantizer(len(codebook), **changes)
        layer.build((None, len(codebook[0])))
        assign(layer.codebook, codebook)
        assign(layer.sums, codebook)
        return layer

    def test_the_nearest_code_and_the_perplexity(self):
        layer = self.layer([[0, 0], [1, 1], [5, 5]])
        x = np.array([[0.1, 0.2], [0.9, 0.7], [0.6, 0.5], [-3, 0]], "float32")
        quantized, indices, perplexity = layer(x)
        np.testing.assert_array_equal(array(indices), [0, 1, 1, 0])
        np.testing.assert_allclose(array(quantized), [[0, 0], [1, 1], [1, 1], [0, 0]], atol=1e-6)
        # Two codes, each half of the time: exp(ln 2).
        np.testing.assert_allclose(array(perplexity), 2.0, rtol=1e-4)

    def test_gradients_pass_straight_through(self):
        from ganedu.engine import GenerativeModel

        layer = self.layer([[0, 0], [1, 1]])

        class Probe(GenerativeModel):
            def __init__(self):
                super().__init__()
                self.layer = layer

        weights = ops.convert_to_tensor(np.array([[1.0, -2.0], [3.0, 0.5]], "float32"))
        x = ops.convert_to_tensor(np.array([[0.1, 0.2], [0.9, 0.7]], "float32"))
        slope = Probe().input_gradient(lambda x: ops.sum(layer(x)[0] * weights, axis=1), x)
        np.testing.assert_allclose(array(slope), array(weights), rtol=1e-6)

    def test_the_codebook_follows_its_vectors(self):
        layer = self.layer([[0.0], [1.0]], momentum=0.5, dead_threshold=0.0)
        x = np.array([[0.2], [0.4], [0.3], [2.0]], "float32")
        layer(x, training=True)
        # Shares 3/4 and 1/4, times 2 codes: n = 1.5, 0.5; s = 2 (0.9, 2.0) / 4 = 0.45, 1.0.
        # N = (1 + n) / 2 = 1.25, 0.75; sums = (e + s) / 2 = 0.225, 1.0; e = 0.18, 4/3.
        np.testing.assert_allclose(array(layer.counts), [1.25, 0.75], rtol=1e-5)
        np.testing.assert_allclose(array(layer.codebook), [[0.18], [4 / 3]], rtol=1e-5)

    def test_what_is_handed_on_is_the_code_before_it_moves(self):
        layer = self.layer(
            [[0.0, 0.0], [1.0, 1.0]], dead_threshold=0.97
        )  # the second dies in this very step
        x = np.array([[0.95, 0.95], *[[0.0, 0.0]] * 9], "float32")
        quantized, indices, _ = layer(x, training=True)
        assert array(indices)[0] == 1
        np.testing.assert_allclose(array(quantized)[0], [1.0, 1.0], atol=1e-6)

    def test_a_dead_code_comes_back_among_the_vectors(self):
        layer = self.layer([[0.0], [100.0]], momentum=0.5, dead_threshold=0.3)
        x = np.array([[0.2], [0.4], [0.3], [0.25]], "float32")
        layer(x, training=True)  # N of the second: 0.5
        assert array(layer.codebook)[1, 0] == 100.0
        layer(x, training=True)  # 0.25: dead
        assert array(layer.codebook)[1, 0] in x

    def test_sums_begin_as_the_codes(self):
        layer = layers.VectorQuantizer(4)
        layer.build((None, 3))
        np.testing.assert_array_equal(array(layer.sums), array(layer.codebook))

    def test_without_training_nothing_moves(self):
        layer = self.layer([[0.0], [1.0]])
        layer(np.array([[0.2]], "float32"), training=False)
        np.testing.assert_array_equal(array(layer.codebook), [[0.0], [1.0]])


def test_positions_are_added():
    layer = layers.PositionEmbedding()
    layer.build((None, 2, 1))
    assign(layer.embedding, [[10.0], [20.0]])
    found = layer(np.array([[[1.0], [2.0]], [[3.0], [4.0]]], "float32"))
    np.testing.assert_array_equal(array(found)[..., 0], [[11, 22], [13, 24]])


class TestPatchWriter:
    """Two patches of 4x4 pixels and 2 channels into a map of 12 rows and 16 columns."""

    patches = RNG.normal(size=(1, 2, 4, 4, 2)).astype("float32")

    def written(self, where, patches=None):
        patches = self.patches if patches is None else patches
        return array(layers.DRAWWrite(12, 16)([patches, np.array([where], "float32")]))[0]

    def test_a_map_pixel_by_pixel(self):
        where = [[0.3, -0.5, 0.2], [0.0, 0.8, -0.4]]
        expected = np.zeros((12, 16, 2))
        for patch, (v, h, s) in zip(self.patches[0], where, strict=True):
            weight = []
            for size, at in ((12, v), (16, h)):
                delta = 0.6 * size / 4 * np.exp(np.tanh(s))
                g = (size - 1) / 2 * (1 + np.tanh(at))
                mu = [g + (p - 1.5) * delta for p in range(4)]
                scale = delta / (0.6 * delta * np.sqrt(2 * np.pi))
                weight.append(
                    [
                        [scale * np.exp(-((y - m) ** 2) / (2 * (0.6 * delta) ** 2)) for m in mu]
                        for y in range(size)
                    ]
                )
            for y, x, p, q in np.ndindex(12, 16, 4, 4):
                expected[y, x] += weight[0][y][p] * weight[1][x][q] * patch[p, q]
        np.testing.assert_allclose(self.written(where), expected, atol=1e-5)

    def test_where_moves_what_is_written_and_nothing_else(self):
        row = np.arctanh(2 * 2 / 11)  # two rows down
        there = [[row, 0, -1], [row, 0, -1]]
        np.testing.assert_allclose(
            self.written(there)[4:], self.written([[0, 0, -1]] * 2)[2:-2], atol=1e-5
        )

    def test_ones_make_about_one_at_every_size(self):
        ones = np.ones((1, 1, 4, 4, 1), "float32")
        for s in (-0.7, 0.0, 0.4, 100.0):  # the largest is e times 0.6 of the map
            np.testing.assert_allclose(self.written([[0, 0, s]], ones)[5:7, 7:9], 1.0, atol=0.1)


class TestStyle:
    def test_slow_dense_by_hand(self):
        layer = layers.EqualizedDense(1, multiplier=0.1)
        layer.build((None, 2))
        assign(layer.kernel, [[10.0], [20.0]])
        assign(layer.bias, [5.0])
        # sqrt(2 / 2) = 1: 0.1 (3 * 10 + 4 * 20) + 0.1 * 5 = 11.5
        y = array(layer(np.array([[3.0, 4.0]], "float32")))
        np.testing.assert_allclose(y, [[11.5]], rtol=1e-6)

    def test_slow_dense_begins_like_he_and_keeps_the_variance_of_relu_units(self):
        x = RNG.normal(size=(2000, 64)).astype("float32")
        y = array(layers.EqualizedDense(400, multiplier=0.01)(x))
        np.testing.assert_allclose(y.var(), 2.0, rtol=0.05)  # fan_in * 2 / fan_in

    def test_modulation_by_hand(self):
        layer = layers.ModulatedConv2D(1, 1)
        layer.build([(None, 2, 2, 2), (None, 1)])
        assign(layer.kernel, np.reshape([3.0, 4.0], (1, 1, 2, 1)))
        assign(layer.affine.kernel, [[1, 0]])
        assign(layer.affine.bias, [1, 1])
        x = np.ones((1, 2, 2, 2), "float32")
        # w = 1 gives s = (2, 1), w' = (6, 4): (6 + 4) / sqrt(36 + 16) = 1.38675049
        y = layer([x, np.array([[1.0]], "float32")])
        np.testing.assert_allclose(array(y), np.full((1, 2, 2, 1), 1.38675049), rtol=1e-5)

    def test_demodulated_outputs_have_unit_variance_whatever_the_style(self):
        layer = layers.ModulatedConv2D(4, 3)
        x = RNG.normal(size=(8, 32, 32, 8)).astype("float32")
        w = np.linspace(0.1, 40, 8)[:, None].astype("float32")
        inside = array(layer([x, w]))[:, 1:-1, 1:-1]  # at the edges zeros are added
        np.testing.assert_allclose(inside.var(axis=(1, 2)), 1.0, rtol=0.25)

    def test_noise_is_one_map_for_all_channels_and_only_in_training(self):
        layer = layers.NoiseInjection()
        x = images()
        np.testing.assert_array_equal(array(layer(x, training=True)), x)  # strength 0
        layer.strength.assign(0.5)
        np.testing.assert_array_equal(array(layer(x)), x)
        added = array(layer(x, training=True)) - x
        np.testing.assert_allclose(added[..., 0], added[..., 1], atol=1e-6)
        assert 0.4 < added.std() < 0.6


def test_times_become_waves():
    found = array(layers.SinusoidalEmbedding(4, highest=4.0)(np.array([0.0, 0.25], "float32")))
    # Frequencies 1 and 4. At 0: sines 0, cosines 1. At 1/4: a quarter turn, and a whole one.
    np.testing.assert_allclose(found, [[0, 0, 1, 1], [1, 0, 0, 1]], atol=1e-5)
    with pytest.raises(ValueError, match="must be even"):
        layers.SinusoidalEmbedding(3)


def test_a_thousand_times_stay_a_thousand_in_bfloat16():
    """bfloat16 has 8 bits: of t / 1000 it would keep about every second."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        network = networks.denoiser((8, 8, 1), 8, 8)
    finally:
        keras.config.set_dtype_policy("float32")
    embedding = next(v for v in network.layers if isinstance(v, layers.SinusoidalEmbedding))
    t = np.arange(1, 1001, dtype="float32") / 1000
    told = keras.Model(network.inputs, embedding.output)([np.zeros((1000, 8, 8, 1)), t])
    exact = layers.SinusoidalEmbedding(32)(t)
    np.testing.assert_allclose(*map(ops.convert_to_numpy, (told, exact)), atol=1e-5)
