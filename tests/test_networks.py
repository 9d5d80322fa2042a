"""The shared networks: shapes, what they see, what they refuse."""

import keras
import numpy as np
import pytest
from keras import ops

from ganedu import networks, runtime
from ganedu.engine import GenerativeModel
from ganedu.models import cgan
from ganedu.networks.convolutional import space_to_depth


@pytest.mark.parametrize(("shape", "count"), [((28, 28, 1), 2), ((32, 32, 3), 3), ((8, 8, 1), 1)])
def test_networks_halve_an_image(shape, count):
    assert networks.num_downsamplings(shape) == count
    assert networks.generator(shape, 4, 4).output_shape[1:] == shape
    assert networks.discriminator(shape, 4).output_shape == (None, 1)
    assert networks.denoiser(shape, 8).output_shape[1:] == shape
    assert networks.unet_translator(shape, 3, 4).output_shape[1:] == (*shape[:-1], 3)
    assert networks.resnet_translator(shape, 3, 4).output_shape[1:] == (*shape[:-1], 3)


def test_heads_share_one_body():
    network = networks.discriminator((8, 8, 1), 4, outputs=(1, 5))
    assert network.output_shape == [(None, 1), (None, 5)]
    mean, log_variance = networks.encoder((8, 8, 1), 3, 4, parameters=2).output_shape
    assert mean == log_variance == (None, 3)


def test_a_label_plane_is_constant():
    """Seen by a network that hands its input through."""

    def look(shape):
        x = keras.Input(shape)
        return keras.Model(x, keras.layers.Identity()(x), name="look")

    network = networks.condition_on_labels(look, (4, 4, 2), 3)
    x = np.random.default_rng(0).normal(size=(3, 4, 4, 2)).astype("float32")
    seen = ops.convert_to_numpy(network([x, np.eye(3, dtype="float32")]))
    np.testing.assert_array_equal(seen[..., :2], x)
    for i in range(3):
        for c in range(3):
            np.testing.assert_array_equal(seen[i, :, :, 2 + c], float(i == c))
    network = networks.condition_on_labels(look, (2,), 3)
    seen = ops.convert_to_numpy(network([x[:, 0, 0], np.eye(3, dtype="float32")]))
    np.testing.assert_array_equal(seen, np.concatenate([x[:, 0, 0], np.eye(3)], axis=1))


class Probe(GenerativeModel):
    def __init__(self, network):
        super().__init__()
        self.network = network


def test_a_patch_is_18_pixels_wide():
    network = networks.patch_discriminator((32, 32, 1), 4)
    x = ops.convert_to_tensor(
        np.random.default_rng(0).normal(size=(1, 32, 32, 1)).astype("float32")
    )

    def one_logit(x):
        return network(x, training=False)[:, 4, 4]

    slope = ops.convert_to_numpy(Probe(network).input_gradient(one_logit, x))[0, :, :, 0]
    rows, columns = np.nonzero(np.abs(slope) > 0)
    assert np.ptp(rows) + 1 == 18
    assert np.ptp(columns) + 1 == 18


def test_patches_become_pixels_and_come_back():
    import keras

    from ganedu.networks import unet

    x = keras.Input((4, 6, 2))
    there = keras.Model(x, unet._patches(x))
    back = keras.Model(x, unet._pixels(unet._patches(x)))
    image = np.arange(48, dtype="float32").reshape(1, 4, 6, 2)
    np.testing.assert_array_equal(ops.convert_to_numpy(back(image)), image)
    patch = ops.convert_to_numpy(there(image))[0, 0, 0]
    np.testing.assert_array_equal(np.sort(patch), np.sort(image[0, :2, :2].ravel()))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: networks.generator((9, 9, 1), 3), "Received: 9x9"),
        (lambda: networks.denoiser((10, 8, 1), 8), "divisible by 4. Received: 10x8"),
        (lambda: networks.denoiser((8, 8, 1), 12), "multiple of 8. Received: 12"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(runtime.UsageError, match=message):
        call()


def test_space_to_depth_keeps_the_values_of_a_square():
    x = keras.Input((4, 6, 2))
    image = np.arange(48, dtype="float32").reshape(1, 4, 6, 2)
    out = ops.convert_to_numpy(keras.Model(x, space_to_depth(x, 2))(image))
    assert out.shape == (1, 2, 3, 8)
    np.testing.assert_array_equal(out[0, 1, 2], image[0, 2:4, 4:6].ravel())


@pytest.mark.parametrize(("patch_size", "sides"), [(1, [14, 7, 4]), (2, [14, 7, 4]), (4, [7, 4])])
def test_a_discriminator_of_patches_leaves_out_the_large_maps(patch_size, sides):
    network = networks.discriminator((28, 28, 1), 4, patch_size=patch_size)
    maps = [v.output.shape for v in network.layers if isinstance(v, keras.layers.Conv2D)]
    assert [m[1] for m in maps] == sides
    assert [m[-1] for m in maps] == [4, 8, 16][-len(sides) :]


@pytest.mark.parametrize(("side", "patch_size"), [(28, 3), (28, 8), (8, 4)])
def test_a_patch_size_that_does_not_fit_is_refused(side, patch_size):
    with pytest.raises(ValueError, match="`patch_size` must be"):
        networks.discriminator((side, side, 1), 4, patch_size=patch_size)


def rounded(tensor):
    """The share of values that bfloat16 holds exactly."""
    again = ops.cast(ops.cast(tensor, "bfloat16"), "float32")
    return float(np.mean(ops.convert_to_numpy(ops.equal(tensor, again))))


def shaken(network, *zero):
    """The network with weights that are not 0, but those of the layers `zero`."""
    rng = np.random.default_rng(0)
    network.set_weights([w + rng.normal(0, 0.3, w.shape) for w in network.get_weights()])
    for layer in zero:
        layer.set_weights([np.zeros_like(w) for w in layer.get_weights()])
    return network


@pytest.fixture
def bfloat16():
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy("float32")


def test_the_denoiser_s_last_map_is_not_rounded(bfloat16):
    """With a gain of 0 what comes out is the last convolution, in another order."""
    network = networks.denoiser((8, 8, 1), 8, 8)
    gain = next(v for v in network.layers if isinstance(v, keras.layers.Dense) and v.units == 1)
    rng = np.random.default_rng(1)
    given = [rng.normal(size=(4, 8, 8, 1)).astype("float32"), rng.random(4).astype("float32")]
    assert rounded(shaken(network, gain)(given)) < 0.1


def test_the_projection_is_not_rounded(bfloat16):
    """With psi = 0 what comes out is <V y, phi(x)>."""
    network = cgan.projection_discriminator((8, 8, 1), 3, 4, 16)
    rng = np.random.default_rng(1)
    given = [rng.normal(size=(64, 8, 8, 1)).astype("float32"), np.eye(3)[rng.integers(3, size=64)]]
    assert rounded(shaken(network, network.get_layer("psi"))(given)) < 0.2


def test_an_encoder_may_see_patches():
    whole, cut = (networks.encoder((28, 28, 1), 3, 4, 2, patch_size=size) for size in (1, 4))
    assert whole.output_shape == cut.output_shape == [(None, 3)] * 2
    assert len(cut.layers) != len(whole.layers)
