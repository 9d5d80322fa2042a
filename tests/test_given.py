"""What people who know Keras give to `fit`, `evaluate`, `predict`, `encode`: understood, or refused before a step."""

import keras
import numpy as np
import pytest
from keras import ops
from rows import IMAGE_SHAPE, ROWS, arrays, as_built, batch, steps_are_eager

from ganedu import data, models
from ganedu.engine import given
from ganedu.runtime import UsageError


@pytest.fixture(autouse=True)
def eager(monkeypatch):
    steps_are_eager(monkeypatch)


def images(count=32, labels=False):
    return data.ImageDataset(
        "noise", "train", data.to_uint8(batch(count)), np.arange(count) % 3, return_labels=labels
    )


class TestEndlessStreams:
    def test_fit_evaluate_and_predict_need_a_number_of_steps(self):
        model = as_built("autoencoder")
        for call, name in (
            (model.fit, "steps_per_epoch"),
            (model.evaluate, "steps"),
            (model.predict, "steps"),
        ):
            with pytest.raises(UsageError, match=f"needs `{name}`"):
                call(images().batches(8))
        with pytest.raises(UsageError, match="needs `validation_steps`"):
            model.fit(batch(), validation_data=images().batches(8))
        assert int(model.steps) == 0

    def test_those_that_end_and_those_with_steps_are_taken(self):
        model = as_built("autoencoder")
        model.fit(images().test_batches(8), validation_data=images().test_batches(8), verbose=0)
        assert int(model.steps) == 4
        model.fit(images().batches(8), steps_per_epoch=1, verbose=0)
        model.fit(batch(), validation_data=images().batches(8), validation_steps=1, verbose=0)
        model.evaluate(images().batches(8), steps=1, verbose=0)
        assert model.predict(images().batches(8), steps=1, verbose=0).shape == (8, *IMAGE_SHAPE)

    def test_whose_they_are_does_not_matter(self):
        class Own(keras.utils.PyDataset):
            num_batches = None

        assert given.endless(Own())
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            dataset = tf.data.Dataset.from_tensor_slices(batch()).batch(4)
            assert given.endless(dataset.repeat())
            assert not given.endless(dataset)
        assert not given.endless(batch())
        assert not given.endless(None)


WRONG = {
    "uint8": (data.to_uint8(batch()), r"uint8; `x / 127\.5 - 1`"),
    "0 to 255": ((batch() + 1) * 127.5, r"to 255; `x / 127\.5 - 1`|to 254.*`x / 127\.5 - 1`"),
    "0 to 1": ((batch(16) + 1) / 2, r"no value below 0; `2 \* x - 1`"),
    "int": (np.ones((8, *IMAGE_SHAPE), "int64"), "Received: int64"),
    "NaN": (np.full((8, *IMAGE_SHAPE), np.nan, "float32"), "NaN"),
    "infinite": (np.full((8, *IMAGE_SHAPE), -np.inf, "float32"), "infinity"),
    "objects": (np.full((8, *IMAGE_SHAPE), None), "object"),
    "a little more": (1.1 * batch() / np.abs(batch()).max(), r"Received: -1\.1|to 1\.1"),
}


@pytest.mark.parametrize("name", WRONG)
def test_images_that_are_no_floats_in_range_are_refused(name):
    wrong, message = WRONG[name]
    autoencoder, vae, vq = as_built("autoencoder"), as_built("vae"), as_built("vqvae")
    calls = [
        autoencoder.fit,
        autoencoder.evaluate,
        lambda x: autoencoder.fit(batch(), validation_data=(x,)),
        autoencoder.encode,
        autoencoder.reconstruct,
        vae.encode_distribution,
        vae.log_likelihood,
        vq.encode,
        as_built("pix2pix").translate,
        lambda x: as_built("pix2pix").fit(batch(len(x)), x),
        lambda x: as_built("cvae").encode(x, np.arange(len(x)) % 3),
        lambda x: as_built("cgan").fit(x, np.arange(len(x)) % 3),
    ]
    for call in calls:
        with pytest.raises(UsageError, match=message):
            call(wrong)
    assert int(autoencoder.steps) == 0


def test_images_in_range_of_any_float_are_taken():
    model = as_built("autoencoder")
    for x in (
        batch(),
        batch().astype("float64"),
        batch().astype("float16"),
        ops.convert_to_tensor(batch()),
    ):
        model.fit(x, batch_size=8, verbose=0)
        assert model.encode(x).shape == (8, 3)
    bright = np.ones((20, *IMAGE_SHAPE), "float32")
    assert model.encode(bright).shape == (20, 3)
    few = np.full((3, *IMAGE_SHAPE), 0.5, "float32")
    assert model.encode(few).shape == (3, 3)


@pytest.mark.parametrize("name", ["autoencoder", "vae", "vqvae"])
def test_one_image_is_no_batch(name):
    model, x = as_built(name), batch()
    with pytest.raises(
        UsageError, match=r"\(N, 8, 8, 1\).*Received: \(8, 8, 1\); one image is x\[None\]"
    ):
        model.encode(x[0])
    with pytest.raises(UsageError, match=r"Received: \(8, 8, 8\)"):
        model.reconstruct(x[..., 0])
    assert len(model.encode(x[0][None])) == 1


SHAPELESS = {
    "one image": (batch()[0], r"\(N, 8, 8, 1\).*Received: \(8, 8, 1\); one image is x\[None\]"),
    "no channel": (batch()[..., 0], r"Received: \(8, 8, 8\)"),
    "three channels": (np.repeat(batch(), 3, axis=-1), r"Received: \(8, 8, 8, 3\)"),
    "none": (batch()[:0], r"Received: \(0, 8, 8, 1\)"),
    "numbers": (batch().tolist(), r"`x` must be arrays.*a list of 8; as np.array\(x\)"),
    "a number": (3.0, r"`x` must be arrays.*Received: 3.0"),
    "a word": ("digits", "`x` must be arrays.*Received: 'digits'"),
    "None": (None, "`x` must be arrays.*Received: None"),
}


@pytest.mark.parametrize("name", SHAPELESS)
@pytest.mark.parametrize("model", ["gan", "vae", "vqvae", "stylegan", "flow_matching"])
def test_fit_and_evaluate_refuse_what_is_no_batch(name, model):
    wrong, message = SHAPELESS[name]
    model = as_built(model)
    for call in (model.fit, model.evaluate):
        with pytest.raises(UsageError, match=message):
            call(wrong)


def test_targets_have_their_shape_and_number():
    with pytest.raises(UsageError, match=r"Targets must have the shape \(N, 8, 8, 1\)"):
        as_built("pix2pix").fit(batch(), batch()[:, :4])
    with pytest.raises(UsageError, match=r"one length\. Received: 8 and 7"):
        as_built("cgan").fit(batch(), np.arange(7) % 3)
    with pytest.raises(UsageError, match=r"shape \(N, 8, 8, 2\)"):  # of an editor, two in one
        as_built("editor").fit(batch(), np.zeros((8, 8), "int32"))


LATENTS = {
    "one latent": (lambda z: z[0], r"\(N, \d+\).*Received: \(\d+,\); one latent is z\[None\]"),
    "too wide": (lambda z: np.zeros((3, 777)), r"Received: \(3, 777\)"),
    "none": (lambda z: z[:0], r"Received: \(0, \d+\)"),
    "NaN": (lambda z: z * np.nan, "NaN or infinity"),
    "a word": (lambda z: "abc", "must be numbers. Received: 'abc'"),
    "objects": (lambda z: np.full(z.shape, None), "NaN or infinity|must be numbers"),
}


@pytest.mark.parametrize("name", LATENTS)
@pytest.mark.parametrize("model", ["gan", "cgan", "vae", "stylegan", "flow_matching", "infogan"])
def test_what_are_no_latents_is_refused(name, model):
    wrong, message = LATENTS[name]
    model = as_built(model)
    with pytest.raises(UsageError, match=message):
        model.decode(wrong(model.latents(3)))


@pytest.mark.parametrize("model", ["text_gan", "text_flow"])
def test_so_it_is_where_texts_stand_beside_them(model):
    model = as_built(model)
    with pytest.raises(UsageError, match=r"Received: \(1, 777\)"):
        model.decode(np.zeros((1, 777)), ["a one"])


def test_latents_of_every_form_mean_the_same():
    model = as_built("gan")
    z = model.latents(3)
    forms = (z, z.tolist(), z.astype("float64"), ops.convert_to_tensor(z))
    first, *others = [model.decode(form) for form in forms]
    for images in others:
        np.testing.assert_array_equal(images, first)


@pytest.mark.parametrize(
    "model", ["gan", "cgan", "autoencoder", "vqvae", "flow_matching", "infogan"]
)
def test_what_is_no_count_or_seed_is_refused(model):
    model = as_built(model)
    for count in (0, -1, 2.5, "3", None, True):
        with pytest.raises(UsageError, match=rf"`count` must be an integer from 1.*: {count!r}"):
            model.generate(count)
    for seed in (-1, 0.5, None, "a"):
        with pytest.raises(UsageError, match=rf"`seed` must be an integer from 0.*: {seed!r}"):
            model.generate(2, seed=seed)
    assert len(model.generate(np.int64(2), seed=np.int32(1))) == 2


def test_codes_that_there_are_not_are_refused():
    model = as_built("vqvae")
    h, w = model.latent_grid_shape
    codes = np.zeros((2, h, w), int)
    for wrong in (codes + 5, codes - 1, codes[:0], codes[0], codes + 0.5):
        with pytest.raises(UsageError, match=r"Codes must be integers in \[0, 5\)"):
            model.decode(wrong)
    with pytest.raises(UsageError, match="`temperature` must be above 0"):
        model.generate(1, temperature=0)


@pytest.mark.parametrize(
    ("name", "shape", "arguments", "message"),
    [
        ("gan", (8, 8), {}, r"three integers from 1. Received: \(8, 8\)"),
        ("gan", (8, 8, 0), {}, r"Received: \(8, 8, 0\)"),
        ("gan", "large", {}, r"Received: \('large',\)"),
        ("vae", (8, 8, 1), {"learning_rate": float("nan")}, "finite and not negative"),
        ("cgan", (8, 8, 1), {"num_classes": 0}, "`num_classes` must be an integer from 1"),
    ],
)
def test_what_cannot_be_built_is_refused(name, shape, arguments, message):
    with pytest.raises(ValueError, match=message):
        models.build(name, shape, **arguments)


def test_an_average_that_would_run_away_is_refused():
    model = models.build("gan", IMAGE_SHAPE, **ROWS["gan"].build, ema_momentum=1.5)
    with pytest.raises(ValueError, match=r"`ema_momentum` must lie in \[0, 1\)"):
        model.train_on_batch(batch())


LABELS = np.arange(8) % 3


@pytest.mark.parametrize("name", ["cgan", "acgan", "cvae"])
def test_labels_of_every_form_mean_the_same(name):
    forms = [
        LABELS,
        LABELS[:, None],
        np.eye(3)[LABELS],
        LABELS.astype("float32"),
        LABELS.astype("uint8"),
    ]
    found = []
    for y in forms:
        model = as_built(name)
        model.fit(batch(), y, batch_size=8, verbose=0)
        found.append(arrays(model.trainable_variables))
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


WRONG_LABELS = {
    "too large": (LABELS + 1, r"from 0 to 2.*\[1, 2, 3\]"),
    "negative": (LABELS - 1, r"from 0 to 2.*\[-1, 0, 1\]"),
    "halves": (LABELS / 2, "from 0 to 2"),
    "two rows": (np.stack([LABELS, LABELS], axis=1), r"\(8, 2\)"),
    "no single 1": (np.ones((8, 3)), "a single 1 in each row"),
    "shares": (np.full((8, 3), 1 / 3), "a single 1 in each row"),
    "words": (np.array(["cat"] * 8), "from 0 to 2"),
}


@pytest.mark.parametrize("name", WRONG_LABELS)
def test_labels_that_are_no_classes_are_refused(name):
    wrong, message = WRONG_LABELS[name]
    model = as_built("cgan")
    for call in (
        lambda: model.fit(batch(), wrong, verbose=0),
        lambda: model.evaluate(batch(), wrong, verbose=0),
        lambda: model.fit(batch(), LABELS, validation_data=(batch(), wrong), verbose=0),
        lambda: model.generate(8, labels=wrong),
    ):
        with pytest.raises(UsageError, match=message):
            call()
    assert int(model.steps) == 0


def test_weights_are_refused_and_not_forgotten():
    model, x = as_built("cgan"), batch()
    for options in ({"sample_weight": np.ones(8)}, {"class_weight": {0: 1.0, 1: 5.0, 2: 1.0}}):
        with pytest.raises(UsageError, match=f"Received: `{next(iter(options))}`"):
            model.fit(x, LABELS, **options)
    with pytest.raises(UsageError, match="`sample_weight`"):
        model.evaluate(x, LABELS, sample_weight=np.ones(8))
    with pytest.raises(UsageError, match="`sample_weight`"):
        model.fit(x, LABELS, validation_data=(x, LABELS, np.ones(8)))
    assert int(model.steps) == 0


@pytest.mark.parametrize(
    ("name", "wanted"), [("gan", "g_optimizer=Adam"), ("vae", "optimizer=Adam")]
)
def test_compile_says_what_it_wants(name, wanted):
    model = as_built(name)
    with pytest.raises(
        ValueError, match=f"{wanted}.*Received: .*loss; the losses are the model's own"
    ):
        model.compile(optimizer="adam", loss="mse")


@pytest.mark.parametrize(
    ("count", "batch_size", "advice"),
    [
        (11, 4, r"x\[:8\], batch_size=4"),
        (12, 5, r"x\[:12\], batch_size=4"),
        (33, None, r"x\[:32\], batch_size=32"),
    ],
)
@pytest.mark.parametrize("name", ["wgan", "wgan_gp"])
def test_a_critic_s_batches_divide_and_the_last_one_too(name, count, batch_size, advice):
    model = as_built(name)  # two steps of the critic
    with pytest.raises(UsageError, match=advice):
        model.fit(batch(count), batch_size=batch_size, verbose=0)
    assert int(model.steps) == 0
    model.fit(batch(10), batch_size=8, verbose=0)
    assert int(model.steps) == 2
