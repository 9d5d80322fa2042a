"""Bits per dimension, against numbers worked out by hand."""

import math

import numpy as np
import pytest

from ganedu import data, engine, models, runtime
from ganedu.metrics import likelihood
from ganedu.runs import evaluation

SHAPE = (2, 2, 1)


def test_probabilities_by_hand():
    # P = 1/16 and 1/256 of 4 binary values: 4 / 4 = 1 bit and 8 / 4 = 2; deviation sqrt(1/2), over sqrt(2): 1/2.
    found = likelihood.bits_per_dimension([-math.log(16), -math.log(256)], SHAPE)
    assert found.value == pytest.approx(1.5)
    assert found.error == pytest.approx(0.5)


def test_a_density_by_hand():
    # Even over [-1, 1]^4 the density is 1/16: log2 is -4, with cells of 2/256: 1 + 7 = 8 bits of 256 grey values.
    found = likelihood.bits_per_dimension([-math.log(16)] * 3, SHAPE, bin_width=2 / 256)
    assert found.value == pytest.approx(8.0)
    # Densities may be over 1.
    assert likelihood.bits_per_dimension([math.log(16)] * 3, SHAPE, bin_width=2 / 256).value == 6


def test_dequantisation_is_an_upper_bound_that_a_flat_density_reaches():
    """One grey value of two, 0 with P = 1/4: a density that is flat in each cell has the bits of P, one that is not has
    more."""
    n = np.repeat(np.arange(256, dtype="uint8"), 40)[:, None, None, None]
    x, bin_width = likelihood.dequantized(n)
    assert bin_width == 2 / 256
    np.testing.assert_array_equal(np.floor((x + 1) * 128), n)  # in its own cell, [-1, 1)
    mass = np.where(n < 128, 1.5, 0.5).ravel() / 256  # P of each grey value
    bits = -np.mean(np.log2(mass))
    flat = likelihood.bits_per_dimension(np.log(mass / bin_width), (1, 1, 1), bin_width)
    assert flat.value == pytest.approx(bits)
    place = ((x + 1) * 128 - n).ravel()  # u in [0, 1)
    leaning = likelihood.bits_per_dimension(
        np.log(mass / bin_width * 2 * place), (1, 1, 1), bin_width
    )
    # E[log2(2u)] = 1 - 1 / ln 2 = -0.4427
    assert leaning.value == pytest.approx(bits + 0.4427, abs=0.02)


def test_binarized_images_keep_their_grey_on_average():
    grey = np.full((1, 300, 300, 1), 0.5)
    found = likelihood.binarized(grey)
    assert set(np.unique(found)) == {-1, 1}
    assert found.mean() == pytest.approx(0.5, abs=0.01)
    np.testing.assert_array_equal(likelihood.binarized(np.array([-1.0, 1.0])), [-1, 1])
    assert (likelihood.binarized(grey, seed=1) != found).any()


@pytest.mark.parametrize(
    ("log_p", "options", "message"),
    [
        ([-1.0], {}, "at least 2"),
        ([-1.0, np.nan], {}, "all finite: False"),
        ([[-1.0], [-2.0]], {}, "at least 2"),
        ([-1.0, 2.0], {}, "need `bin_width`. Received: a log-likelihood of 2"),
        ([-1.0, -2.0], {"bin_width": 0.0}, "bin width positive"),
        ([-1.0, -2.0], {"image_shape": (4,)}, r"Received: \(4,\)"),
    ],
)
def test_what_cannot_be_told_is_refused(log_p, options, message):
    with pytest.raises(runtime.UsageError, match=message):
        likelihood.bits_per_dimension(log_p, **{"image_shape": SHAPE, **options})


def test_images_of_another_kind_are_refused():
    with pytest.raises(runtime.UsageError, match=r"whole, uint8. Received: float64"):
        likelihood.dequantized(np.zeros(SHAPE))
    with pytest.raises(runtime.UsageError, match=r"in \[-1, 1\]. Received: 0 to 255"):
        likelihood.binarized(np.full(SHAPE, 255.0))


def uncertain(name, **options):
    """A model whose decoder ignores its code: each value of an image is 1 with probability 1/2."""
    runtime.setup(0)
    model = models.build(name, (8, 8, 1), latent_dim=2, width=4, **options)
    for w in model.decoder.weights[-2:]:
        w.assign(np.zeros(w.shape))
    return model


@pytest.mark.parametrize(("name", "options"), [("vae", {}), ("cvae", {"num_classes": 10})])
def test_a_model_that_knows_nothing_needs_a_bit(name, options):
    digits = data.load("digits", "test", image_size=8).first_n(40)
    model = uncertain(name, **options)
    for w in model.encoder.weights[-4:]:  # q(z|x) = p(z)
        w.assign(np.zeros(w.shape))
    found = evaluation.model_bits_per_dim(model, digits, samples=3)
    assert found.value == pytest.approx(1.0, rel=1e-5)
    assert found.error < 1e-5


def test_a_conditional_model_is_told_the_labels():
    digits = data.load("digits", "test", image_size=8).first_n(40)
    model = uncertain("cvae", num_classes=10)
    told = []
    model.log_likelihood = lambda x, labels, **options: told.append(labels) or -np.ones(len(x))
    evaluation.model_bits_per_dim(model, digits)
    np.testing.assert_array_equal(told[0], digits.labels)


def scores_of(model, name, count=60):
    return evaluation.evaluate(
        model, {"model": name, "data": "digits", "image_size": 8}, count=count
    )


def test_evaluate_tells_the_bits_of_a_binary_vae():
    scores = scores_of(uncertain("vae"), "vae")["scores"]
    # q(z|x) is not p(z) here
    assert scores["bits_per_dimension_binary"] == pytest.approx(1.0, abs=0.05)
    assert scores["bits_per_dimension_binary_error"] > 0
    assert "bits_per_dimension_8bit" not in scores
    assert not any("bits" in name for name in scores_of(uncertain("vae"), "vae", 49)["scores"])


EIGHT_BIT = {
    "iwae": {"levels": 256, "width": 4},
    "pixelcnn": {"width": 4, "depth": 1, "kernel": 3},
    "realnvp": {"width": 4, "couplings": 1},
    "vae": {"levels": 256, "width": 4},
}
BINARY = {
    "iwae": {"width": 4},
    "pixelcnn": {"levels": 2, "width": 4, "depth": 1, "kernel": 3},
    "vae": {"width": 4},
}


def small(name, options):
    runtime.setup(0)
    return models.build(name, (8, 8, 1), **options)


@pytest.mark.parametrize("name", sorted(EIGHT_BIT))
def test_bits_of_8_bit_images_have_a_name_of_their_own(name):
    scores = scores_of(small(name, EIGHT_BIT[name]), name)["scores"]
    assert 4 < scores["bits_per_dimension_8bit"] < 10  # untrained: nothing known is 8
    assert scores["bits_per_dimension_8bit_error"] > 0
    assert not any(n.startswith("bits_per_dimension_binary") for n in scores)


@pytest.mark.parametrize("name", sorted(BINARY))
def test_bits_of_binary_images_have_another(name):
    scores = scores_of(small(name, BINARY[name]), name)["scores"]
    assert 0.5 < scores["bits_per_dimension_binary"] < 3
    assert not any("8bit" in n for n in scores)


@pytest.mark.parametrize("kind", ["binary", "8-bit", "density"])
def test_each_kind_of_likelihood_is_asked_for_its_images(kind):
    """By a model that keeps what it is asked for."""
    digits, asked = data.load("digits", "test", image_size=8).first_n(5), []

    class Model:
        tasks = {"likelihood"}
        likelihood_of = kind
        exact_likelihood = kind != "binary"

        def log_likelihood(self, x, **draws):
            asked.extend([x, draws])
            return np.full(len(x), -64 * math.log(2.0))

    bits = evaluation.model_bits_per_dim(Model(), digits, samples=7, seed=3).value
    x, draws = asked
    assert draws == ({"samples": 7, "seed": 3} if kind == "binary" else {})
    if kind == "binary":
        assert set(np.unique(x)) == {-1, 1}
        assert bits == pytest.approx(1)
    elif kind == "8-bit":
        np.testing.assert_array_equal(x, digits.array())
        assert bits == pytest.approx(1)
    else:  # the bin of a grey value is 2^-7 wide
        np.testing.assert_array_equal(np.floor((x + 1) * 128), digits.images)
        assert bits == pytest.approx(1 + 7)


def test_every_kind_of_likelihood_has_its_axis():
    assert set(evaluation.LIKELIHOOD_IMAGES) == set(engine.LIKELIHOODS)


def test_binary_bits_of_colour_are_left_out_and_8_bit_ones_told():
    run_info = {"model": "vae", "data": "photos", "image_size": 8}
    for levels, name in ((2, "bits_per_dimension_binary"), (256, "bits_per_dimension_8bit")):
        runtime.setup(0)
        model = models.build("vae", (8, 8, 3), levels=levels, width=4)
        found = evaluation.evaluate(model, run_info, count=60)
        assert (name in found["left_out"]) == (levels == 2)
        assert (name in found["scores"]) == (levels == 256)


def test_a_model_without_a_likelihood_is_refused():
    with pytest.raises(runtime.UsageError, match=r"as vae and pixelcnn do. Received: a DCGAN"):
        evaluation.model_bits_per_dim(
            type("DCGAN", (), {"tasks": {"generate"}})(),
            data.load("digits", "test", image_size=8).first_n(3),
        )
