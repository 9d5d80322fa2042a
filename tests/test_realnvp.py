"""RealNVP: its inverse, and its log-determinant against a Jacobian."""

import math

import keras
import numpy as np
import pytest
from keras import ops

from ganedu import models, networks, runtime
from ganedu.engine.gradients import input_gradient
from ganedu.layers import AffineCoupling, squeeze, unsqueeze
from ganedu.models import realnvp


def build(image_shape=(8, 8, 1), stddev=0.2, **options):
    """A small model, whose couplings' weights are random, the last layers' too."""
    runtime.setup(0)
    model = models.build("realnvp", image_shape, **{"width": 6, "couplings": 2, **options})
    rng = np.random.default_rng(1)
    for w in model.weights if stddev else ():
        w.assign(rng.normal(0, stddev, w.shape))
    return model


def images(count, shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (count, *shape)).astype("float32")


@pytest.mark.parametrize("shape", [(8, 8, 1), (12, 8, 3), (28, 28, 1)])
def test_what_is_encoded_is_decoded_exactly(shape):
    model, x = build(shape), images(4, shape)
    z = model.encode(x)
    assert z.shape == (4, math.prod(shape))
    np.testing.assert_allclose(model.decode(z), x, atol=1e-4)
    z = model.latents(4, seed=1) / 2  # not so far that the image is clipped
    inner = np.abs(model.decode(z)).reshape(4, -1).max(axis=1) < 1
    np.testing.assert_allclose(model.encode(model.decode(z))[inner], z[inner], atol=1e-3)
    assert np.abs(z - build(shape, 0.0).encode(x)).max() > 0.1  # the flow is no identity


def test_the_log_determinant_is_that_of_the_jacobian():
    """All of it, the logit too, by one gradient for each of the 16 latents."""
    model, x = build((4, 4, 1)), images(2, (4, 4, 1))

    def latents(x):
        return model.flow(realnvp.to_logits(x, model.alpha)[0])[0]

    rows = [
        input_gradient(lambda x, k=k: latents(x)[:, k], ops.convert_to_tensor(x), [])
        for k in range(16)
    ]
    jacobian = np.stack([ops.convert_to_numpy(ops.stop_gradient(r)) for r in rows], axis=1)
    _, log_det = np.linalg.slogdet(jacobian.reshape(2, 16, 16).astype("float64"))
    z = model.encode(x).astype("float64")
    expected = -0.5 * np.sum(z**2, axis=1) - 8 * math.log(2 * math.pi) + log_det
    np.testing.assert_allclose(model.log_likelihood(x), expected, rtol=1e-4)
    flow_log_det = ops.convert_to_numpy(model.flow(ops.convert_to_tensor(x))[1])
    assert np.abs(flow_log_det).min() > 0.1  # there is something to be found


def test_the_likelihood_of_an_identity_by_hand():
    # Couplings that start as the identity: z = logit(p). At x = 0, p = 1/2 and z = 0; of each value
    #   log N(0) = -ln(2 pi) / 2 = -0.91893853;  log dp/dx = ln 0.45 = -0.79850770;  log dz/dp = ln 4 = 1.38629436
    # At x = 1, p = 0.95 and z = ln 19 = 2.94443898:
    #   log N(z) = -0.91893853 - z^2 / 2 = -5.25379898;  -ln 0.95 - ln 0.05 = 3.04702557
    model = build(stddev=0.0)
    found = model.log_likelihood(np.stack([np.zeros((8, 8, 1)), np.ones((8, 8, 1))]))
    np.testing.assert_allclose(found, [64 * -0.33115187, 64 * -3.00528111], rtol=1e-5)


def test_the_logit_and_its_inverse():
    x = images(3, (2, 2, 1))
    y, _ = realnvp.to_logits(ops.convert_to_tensor(x), 0.05)
    np.testing.assert_allclose(ops.convert_to_numpy(realnvp.from_logits(y, 0.05)), x, atol=1e-6)
    assert float(ops.max(realnvp.from_logits(ops.full((1,), 9.0), 0.05))) == 1.0


def test_squeezing_by_hand():
    x = ops.convert_to_tensor(np.arange(16, dtype="float32").reshape(1, 4, 4, 1))
    found = ops.convert_to_numpy(squeeze(x))
    np.testing.assert_array_equal(found[0, 0, 0], [0, 1, 4, 5])
    np.testing.assert_array_equal(found[0, 1, 0], [8, 9, 12, 13])
    np.testing.assert_array_equal(*map(ops.convert_to_numpy, (unsqueeze(squeeze(x)), x)))


@pytest.mark.parametrize("parity", [0, 1])
@pytest.mark.parametrize("mask", ["checkerboard", "channel"])
@pytest.mark.parametrize("side", [4, 5])
def test_a_coupling_keeps_one_half_and_changes_the_other_by_hand(mask, parity, side):
    layer, x = AffineCoupling(mask, parity, 3), images(2, (side, side, 2))
    layer.build((None, side, side, 2))
    bias = layer.hidden[-1].bias
    half = bias.shape[0] // 2
    bias.assign([math.atanh(0.5)] * half + [2.0] * half)  # s = 0.5 and t = 2 wherever they count
    y, log_det = map(ops.convert_to_numpy, layer(ops.convert_to_tensor(x)))
    odd = np.indices((side, side)).sum(axis=0)[:, :, None] % 2
    changed = np.array([parity == 0, parity == 1]) if mask == "channel" else odd != parity
    changed = np.broadcast_to(changed, x.shape)
    np.testing.assert_allclose(y, np.where(changed, x * math.exp(0.5) + 2, x), rtol=1e-5)
    np.testing.assert_allclose(log_det, 0.5 * changed[0].sum(), rtol=1e-5)
    back, minus = layer(ops.convert_to_tensor(y), inverse=True)
    np.testing.assert_allclose(ops.convert_to_numpy(back), x, atol=1e-5)
    np.testing.assert_allclose(ops.convert_to_numpy(minus), -log_det, rtol=1e-5)


def test_a_half_is_changed_by_what_the_other_one_is():
    layer, x = AffineCoupling("checkerboard", 0, 8), images(1, (4, 4, 1))
    layer.build((None, 4, 4, 1))
    rng = np.random.default_rng(0)
    for w in layer.weights:
        w.assign(rng.normal(0, 0.5, w.shape))
    other = x.copy()
    other[0, 0, 1] += 0.5  # of the half that is changed: s and t do not see it
    log_dets = [ops.convert_to_numpy(layer(ops.convert_to_tensor(a))[1]) for a in (x, other)]
    np.testing.assert_array_equal(*log_dets)
    other[0, 0, 0] += 0.5
    assert ops.convert_to_numpy(layer(ops.convert_to_tensor(other))[1]) != log_dets[0]


def test_training_dequantizes_within_a_grey_value():
    model = build()
    n = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 1))
    seen, density = [], model.log_density
    vars(model)["log_density"] = lambda x, training: seen.append(x) or density(x, training)
    x = ops.convert_to_tensor((n / 127.5 - 1).astype("float32"))
    logs = [model.compute_losses(x, training=True) for _ in range(2)]
    a, b = (ops.convert_to_numpy(s) for s in seen)
    np.testing.assert_array_equal(np.floor((a + 1) * 128), n)
    assert (a != b).mean() > 0.9
    # log2 of a bin is -7.
    expected = ops.convert_to_numpy(logs[0]["loss"]) / (64 * math.log(2)) + 7
    assert ops.convert_to_numpy(logs[0]["bits_per_dimension"]) == pytest.approx(expected, rel=1e-5)


def test_temperature_scales_the_latents():
    model = build()
    np.testing.assert_allclose(
        model.generate(3, temperature=0.5, seed=1), model.decode(0.5 * model.latents(3, seed=1))
    )


def test_what_cannot_be_inverted_is_refused():
    x = keras.Input((8, 8, 1))
    z = keras.layers.Flatten()(x)
    with pytest.raises(ValueError, match=r"made by `networks.realnvp_flow`"):
        realnvp.RealNVP(keras.Model(x, [z, ops.sum(z, axis=-1)]))
    with pytest.raises(ValueError, match=r"alpha=0.5"):
        realnvp.RealNVP(networks.realnvp_flow((4, 4, 1), 4, 1), alpha=0.5)
    with pytest.raises(ValueError, match="Received: 'rows'"):
        AffineCoupling("rows", 0, 4)
