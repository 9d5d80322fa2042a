"""The contract that every model keeps, on the backend of this process.

`GANEDU_CONTRACT=kinds` holds one model of each kind to it, and leaves out what no backend changes.
"""

import functools
import inspect
import math
import os
import pathlib
import tempfile

import keras
import numpy as np
import pytest
from keras import ops
from rows import ALL, IMAGE_SHAPE, KINDS, ROWS, TEXTS, arrays, batch, everything, feed

from ganedu import data, engine, models, runs, runtime

OF_KINDS = os.environ.get("GANEDU_CONTRACT") == "kinds"
NAMES = sorted(KINDS if OF_KINDS else ALL)
FOLDER = tempfile.TemporaryDirectory(prefix="ganedu-")


def per_model(*feeds):
    """Of each model, or of those that take such batches."""
    names = [n for n in NAMES if not feeds or ALL[n].feed in feeds]
    return pytest.mark.parametrize("name", names)


def build(name, seed=0):
    runtime.setup(seed)
    return models.build(ALL[name].model or name, IMAGE_SHAPE, seed=seed, **ALL[name].build)


def given(name, count=8, seed=0):
    """A batch as the positional arguments of `train_on_batch` and `evaluate`."""
    fed = feed(name, count, seed)
    return fed if isinstance(fed, tuple) else (fed,)


def steps(model, name, count, start=0):
    """Trains on `count` batches, each a function of its number alone; returns the last logs."""
    for i in range(start, start + count):
        logs = model.train_on_batch(*given(name, seed=i), return_dict=True)
    return {k: float(v) for k, v in logs.items()}


def eagerly(model):
    """The model without a graph from here on: a step costs a fraction of tracing one. (On JAX it would cost more.)"""
    if keras.backend.backend() != "jax":
        model.run_eagerly = True
        model.train_function = model.test_function = None
    return model


@functools.cache
def trained(name):
    """A model after two steps, the first of them compiled, looked at between them; the last logs, all that training
    changed, and a file of it as it was after the first step, before it was looked at. Only to be looked at."""
    model = build(name)
    initial = arrays(model.weights)
    steps(model, name, 1)
    file = pathlib.Path(FOLDER.name) / f"{name}.keras"
    model.save(file)
    early = everything(model)
    eagerly(model).sample_grid(feed(name, count=16))
    model.evaluate(*given(name, seed=9), verbose=0)
    logs = steps(model, name, 1, start=1)
    return model, logs, everything(model), (file, early, initial)


@functools.cache
def untrained(name):
    """A model as `trained` began with it, and its weights."""
    model = build(name)
    return model, arrays(model.weights)


@functools.cache
def other(name):
    """A model of another seed and of another precision. Only to be looked at."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        return build(name, seed=4)
    finally:
        keras.config.set_dtype_policy("float32")


def test_every_model_has_a_row():
    assert sorted(ROWS) == models.names()


@per_model()
def test_logs_are_finite_and_have_the_declared_names(name):
    model, logs, *_ = trained(name)
    assert model.log_names
    tested = model.evaluate(*given(name), verbose=0, return_dict=True)
    for found in (logs, tested):
        assert set(found) == set(model.log_names)
        assert all(math.isfinite(v) for v in found.values())


@per_model()
def test_every_network_ends_in_float32(name):
    """Of whatever precision it is inside: losses are not taken of bfloat16 numbers."""
    model = other(name)
    parts = [getattr(model, n) for names in model.players.values() for n in names]
    networks = [p for p in parts if isinstance(p, keras.Model)]
    assert any(layer.compute_dtype == "bfloat16" for n in networks for layer in n.layers)
    outputs = [o for n in networks for o in n.outputs]
    assert {keras.backend.standardize_dtype(o.dtype) for o in outputs} == {"float32"}


INNER = {  # what is not a network's last word: features, which another network reads on
    "captioner": ("encoder",),
    "latent_diffusion": ("encoder",),
    "pixelcnn": ("vertical",),
    "stylegan": ("mapping",),
    "vaegan": ("discriminator",),
    "vqvae": ("encoder",),
}


@pytest.mark.skipif(OF_KINDS, reason="the layers of a network are the same on each backend")
@per_model()
def test_in_bfloat16_too_the_last_operation_is_in_float32(name):
    """By value: what was rounded to bfloat16 on its way out would be the same when it is rounded again."""
    model, rng = other(name), np.random.default_rng(0)
    names = {n for names in model.players.values() for n in names} - set(INNER.get(name, ()))
    for network in (getattr(model, n) for n in sorted(names)):
        if not isinstance(network, keras.Model):
            continue
        shaken = [w + rng.normal(0, 0.1, w.shape) for w in network.get_weights()]
        network.set_weights(shaken)  # nothing is 0
        given = [
            rng.integers(1, 4, (4, *x.shape[1:]))
            if "int" in x.dtype
            else rng.random((4, *x.shape[1:]))
            for x in network.inputs
        ]
        for out in keras.tree.flatten(network(given if len(given) > 1 else given[0])):
            out = ops.cast(out, "float32")
            again = ops.cast(ops.cast(out, "bfloat16"), "float32")
            assert np.mean(np.array(ops.convert_to_numpy(out == again))) < 0.5


@per_model()
def test_each_step_moves_its_own_network_and_no_other(name):
    """Every call of `minimize` in a step is watched, bit for bit. The first step, operation by operation, is the one
    that `trained` took as a graph."""
    if keras.backend.backend() == "jax":
        pytest.skip("tests/test_backends.py compares each weight with TensorFlow's after a step")
    model, _ = untrained(name)
    calls, still, minimize = [], set(), model.minimize

    def watched(loss_fn, network, optimizer):
        chosen = network if isinstance(network, (list, tuple)) else [network]
        own = {id(v) for n in chosen for v in n.trainable_variables}
        variables = model.trainable_variables
        before = arrays(variables)
        result = minimize(loss_fn, network, optimizer)
        for v, b, a in zip(variables, before, arrays(variables), strict=True):
            moved = not np.array_equal(b, a)
            assert not moved or id(v) in own, v.path
            if id(v) in own and not moved:
                still.add(v.path)
        calls.append(own)
        return result

    vars(model)["minimize"] = watched
    for i in range(3):  # layers that start at zero hold back those before them, one after the other
        still.clear()
        model.train_step(tuple(map(ops.convert_to_tensor, given(name, seed=i))))
        if i == 0:
            for a, b in zip(trained(name)[-1][1], everything(model), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
        if len(still) <= ALL[name].still:
            break
    assert len(still) <= ALL[name].still, still
    everyone = set.union(*calls)
    assert everyone == {id(v) for v in model.trainable_variables}


@per_model()
def test_saved_loaded_and_looked_at_it_trains_on_exactly(name):
    """Loaded from its file after one step, it ends after another where the model ends that was
    neither saved nor loaded, but looked at: bit for bit."""
    _, _, wanted, (file, early, _) = trained(name)
    loaded = runs.load_model_file(file, ALL[name].model or name, IMAGE_SHAPE)
    for a, b in zip(early, everything(loaded), strict=True):
        np.testing.assert_array_equal(a, b)
    steps(eagerly(loaded), name, 1, start=1)
    for a, b in zip(wanted, everything(loaded), strict=True):
        np.testing.assert_array_equal(a, b)
    assert int(ops.convert_to_numpy(loaded.steps)) == 2


@per_model()
def test_the_seed_decides_the_weights(name):
    first, again = trained(name)[-1][-1], untrained(name)[1]
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    different = arrays(other(name).weights)
    assert not all(np.array_equal(a, b) for a, b in zip(first, different, strict=True))


@per_model()
def test_generate_gives_images_that_the_seed_decides(name):
    model, *_ = trained(name)
    if not model.tasks & {"generate", "generate by class", "generate by text"}:
        pytest.skip("generates nothing from texts or latents alone")
    texts = [TEXTS[:5]] if "generate by text" in model.tasks else []
    asked = texts or [5]
    images = model.generate(*asked, seed=1)
    check_images(images, 5)
    np.testing.assert_array_equal(images, model.generate(*asked, seed=1))
    assert np.abs(images - model.generate(*asked, seed=2)).max() > 1e-4
    if "interpolate" in model.tasks or texts:
        z = model.latents(5, seed=1)
        assert z.shape == (5, model.latent_dim)
        np.testing.assert_array_equal(model.decode(z, *texts), images)


def translates(model):
    check_images(model.translate(batch(5)), 5)


def edits_images(model):
    a, b = (model.edit(batch(3), [text] * 3, seed=1) for text in ("make it red", "move it up"))
    check_images(a, 3)
    assert np.abs(a - b).max() > 1e-4


def captions(model):
    texts = model.caption(batch(3))
    assert len(texts) == 3
    assert all(isinstance(text, str) for text in texts)


def compares(model):
    assert model.similarity(batch(3), TEXTS[:2]).shape == (3, 2)


def tells_likelihoods(model):
    labels = [np.arange(4) % 3] if "generate by class" in model.tasks else []
    draws = {} if model.exact_likelihood else {"samples": 2}
    x = np.where(batch(4) > 0, 1.0, -1.0) if model.likelihood_of == "binary" else batch(4)
    told = model.log_likelihood(x, *labels, **draws)
    assert told.shape == (4,)
    assert np.isfinite(told).all()
    assert model.likelihood_of == "density" or told.max() < 0


def reconstructs(model):
    labels = [np.arange(4) % 3] if "generate by class" in model.tasks else []
    check_images(model.reconstruct(batch(4), *labels), 4)


def interpolates(model):
    check_images(model.decode(model.latents(4)), 4)


DONE = {
    "generate": lambda model: check_images(model.generate(4), 4),
    "generate by class": lambda model: check_images(model.generate(4, labels=[0, 1, 2, 0]), 4),
    "generate by text": lambda model: check_images(model.generate(TEXTS[:4]), 4),
    "interpolate": interpolates,
    "reconstruct": reconstructs,
    "translate": translates,
    "edit": edits_images,
    "caption": captions,
    "compare": compares,
    "likelihood": tells_likelihoods,
}


@per_model()
def test_it_declares_its_tasks_and_does_them(name):
    """No more and no less than its row says: a model that loses an ability fails."""
    model, *_ = trained(name)
    assert model.tasks == frozenset(ALL[name].tasks.split(", "))
    assert set(DONE) == set(engine.TASKS)
    assert (model.likelihood_of in engine.LIKELIHOODS) == ("likelihood" in model.tasks)
    for task in sorted(model.tasks):
        assert all(
            callable(vars(type(model)).get(m, getattr(model, m))) for m in engine.TASKS[task]
        )
        DONE[task](model)


@per_model()
def test_the_options_of_sampling_are_those_that_it_declares(name):
    model, *_ = trained(name)
    generate = getattr(model, "generate", None)
    taken = set(inspect.signature(generate).parameters) if generate else set()
    for owner in type(model).__mro__:  # a subclass may hand on what its parent takes
        if "decode_tokens" in vars(owner):
            taken |= set(inspect.signature(owner.decode_tokens).parameters)
    assert taken & {"steps", "sampler", "guidance", "temperature"} == model.sampling_options


@per_model("pairs")
def test_a_translator_maps_images(name):
    model, *_ = trained(name)
    sources = batch(5)
    images = model.translate(sources)
    check_images(images, 5)
    assert np.abs(images - model.translate(sources[::-1])).max() > 1e-4
    with pytest.raises(ValueError, match="Sources must have the shape"):
        model.translate(np.zeros((2, 8, 8, 3)))


def check_images(images, count):
    assert images.shape == (count, *IMAGE_SHAPE)
    assert images.dtype == np.float32
    assert np.abs(images).max() <= 1


@per_model()
def test_a_sheet_shows_what_the_model_is_for(name):
    model, *_ = trained(name)
    images, columns = model.sample_grid(feed(name, count=16), seed=1)
    assert len(images) % columns == 0
    check_images(images, len(images))
    again, _ = model.sample_grid(feed(name, count=16), seed=1)
    np.testing.assert_array_equal(images, again)


@per_model()
def test_encode_and_reconstruct(name):
    model, *_ = trained(name)
    if "reconstruct" not in model.tasks:
        pytest.skip("no encoder")
    inputs = given(name)
    codes, copies = model.encode(*inputs), model.reconstruct(*inputs)
    assert len(codes) == len(copies) == 8
    if ALL[name].feed == "labels":
        inputs = ([inputs[0], model.one_hot(inputs[1], 8)],)
    np.testing.assert_allclose(copies, ops.convert_to_numpy(model(*inputs)), atol=1e-5)


@per_model("labels")
class TestLabels:
    def test_they_decide_the_image(self, name):
        model, *_ = trained(name)
        z = model.latents(3, seed=0)
        by_label = [model.decode(z, label) for label in range(3)]
        np.testing.assert_array_equal(by_label[1], model.decode(z, [1, 1, 1]))
        in_turn = np.stack([by_label[i][i] for i in range(3)])
        np.testing.assert_allclose(model.decode(z), in_turn, atol=1e-5)
        assert np.abs(by_label[0] - by_label[1]).max() > 1e-4

    @pytest.mark.parametrize("labels", [3, -1, [0, 1], 1.0, [0, 1, 2, 5]])
    def test_wrong_ones_are_refused(self, name, labels):
        model, *_ = trained(name)
        with pytest.raises(runtime.UsageError, match="integers from 0 to 2"):
            model.generate(4, labels=labels)

    def test_a_batch_without_is_refused(self, name):
        with pytest.raises(ValueError, match="must be given labels"):
            trained(name)[0].unpack(batch())


@per_model("texts", "edits")
class TestTexts:
    def test_they_decide_what_is_done(self, name):
        model, *_ = trained(name)
        texts = ["a thick red three", "a blue seven"]
        if "generate by text" in model.tasks:
            a, b = (model.generate([t, t], seed=1) for t in texts)
        elif "compare" in model.tasks:
            a, b = model.embed_texts(texts)
        else:
            pytest.skip("reads none")
        assert np.abs(a - b).max() > 1e-4

    @pytest.mark.parametrize(
        ("texts", "message"),
        [
            (
                ["a three", "a purple three", "horse"],
                "does not know: horse, purple.* It knows: 0, 1, ",
            ),
            (["a three", ""], r"at least one word. Received: \['a three', ''\]"),
            ([" ,. "], "at least one word"),
            ([], r"at least one word. Received: \[\]"),
            (["a thick red three above a green one"], "at most 6 words. Received: 8 in 'a thick"),
            ("a three", "must be a sequence of str. Received: the one str 'a three'"),
        ],
    )
    def test_what_cannot_be_read_is_refused(self, name, texts, message):
        with pytest.raises(runtime.UsageError, match=message):
            trained(name)[0].tokenize(texts)

    def test_data_without_captions_are_refused(self, name):
        with pytest.raises(runtime.UsageError, match=r"needs captions.*digits has none"):
            trained(name)[0].prepare_dataset(data.load("digits"))


def test_unknown_models_and_arguments_are_named():
    with pytest.raises(runtime.UsageError, match=r"'dcgna'.*Did you mean dcgan\?"):
        models.build("dcgna", IMAGE_SHAPE)
    with pytest.raises(runtime.UsageError, match="Received: colour"):
        models.build("dcgan", IMAGE_SHAPE, colour=1)


@pytest.mark.parametrize("patch_size", [1, 2, 4])
def test_a_vaegan_compares_maps_of_a_quarter_of_the_side(patch_size):
    model = models.build("vaegan", (28, 28, 1), width=4, patch_size=patch_size, spectral_norm=True)
    features, logit = model.discriminator.output_shape
    assert features == (None, 7, 7, 8)
    assert logit == (None, 1)


def test_an_averaged_decoder_follows_the_trained_one():
    model = models.build("vaegan", IMAGE_SHAPE, **ROWS["vaegan"].build, ema_momentum=0.5)
    before = arrays(model.ema_decoder.weights)
    model.train_on_batch(batch())
    trained = arrays(model.decoder.weights)
    averaged, m = arrays(model.ema_decoder.weights), 2 / 11  # of the first step, below 0.5
    for a, old, new in zip(averaged, before, trained, strict=True):
        np.testing.assert_allclose(a, m * old + (1 - m) * new, atol=1e-5)
    z = model.latents(2)
    np.testing.assert_allclose(
        model.decode(z), ops.convert_to_numpy(model.ema_decoder(z)), atol=1e-5
    )
    assert not np.allclose(model.decode(z), ops.convert_to_numpy(model.decoder(z)), atol=1e-6)


@pytest.mark.parametrize("name", ["vaegan", "wgan"])
def test_a_d_of_patches_has_fewer_convolutions(name):
    counts = []
    for patch_size in (1, 4):
        model = models.build(name, (28, 28, 1), width=4, patch_size=patch_size)
        kinds = [type(v) for v in model.discriminator.layers]
        counts.append(kinds.count(keras.layers.Conv2D))
    assert counts == [3, 2]
