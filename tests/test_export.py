"""Ways out: what a model exports makes the images that the model makes, without it; what it saves, Keras loads."""

import importlib.util
import re
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops
from rows import IMAGE_SHAPE, ROWS, batch

from ganedu import models, runtime
from ganedu.engine import BACKEND

PAGE = Path(__file__).parents[1] / "docs" / "models.md"

# Keras on PyTorch writes no SavedModel; those of JAX are compared in the same way.
saved_model = pytest.mark.skipif(BACKEND == "torch", reason="Keras cannot on PyTorch")
tensorflow = pytest.mark.skipif(BACKEND != "tensorflow", reason="Keras can on TensorFlow alone")
lite = pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated:UserWarning")


def build(name):
    """A model whose averaged weights are not its trained ones, nor any of both what they were at first."""
    runtime.setup(0)
    model, rng = models.build(name, IMAGE_SHAPE, **ROWS[name].build), np.random.default_rng(1)
    for w in model.weights:
        if not w.path.endswith(("moving_variance", "code_covariance", "counts")):
            w.assign(rng.normal(0, 0.3, w.shape))
    return model


def asked(model, count):
    """Inputs of what is exported, in its order, and the model's own images of them."""
    rng = np.random.default_rng(count)
    if "translate" in model.tasks:
        x = batch(count)
        return [x], model.translate(x)
    z = rng.standard_normal((count, model.latent_dim)).astype("float32")
    if "generate by class" in model.tasks:
        labels = rng.integers(0, 3, count)
        return [z, model.one_hot(labels, count)], model.decode(z, labels)
    if "generate by text" in model.tasks:
        tokens = model.tokenize(["a thick red three", "a blue seven"])
        return [z, tokens], model.decode_tokens(z, tokens)
    return [z], model.decode(z)


KINDS = ["cgan", "stylegan", "vae"]


@saved_model
@pytest.mark.parametrize("name", KINDS)
def test_a_saved_model_makes_the_same_images(name, tmp_path, capfd):
    import tensorflow as tf

    model = build(name)
    model.export(tmp_path / "out")
    assert capfd.readouterr().out == ""
    loaded = tf.saved_model.load(tmp_path / "out")
    for count in (1, 5):
        inputs, images = asked(model, count)
        assert images.shape == (count, *IMAGE_SHAPE)
        assert images.std() > 0.01
        made = loaded.serve(inputs if len(inputs) > 1 else inputs[0])
        np.testing.assert_allclose(made.numpy(), images, atol=1e-5)


@tensorflow
@lite
@pytest.mark.parametrize("name", ["cgan", "vae"])
def test_a_tflite_file_makes_the_same_images(name, tmp_path):
    import tensorflow as tf

    model, file = build(name), tmp_path / "out.tflite"
    model.export(file, format="litert")
    interpreter = tf.lite.Interpreter(str(file))
    runner = interpreter.get_signature_runner()
    for count in (1, 5):
        inputs, images = asked(model, count)
        names = [x.name for x in model.network_to_export().inputs]
        named = dict(zip(names, inputs, strict=True))
        np.testing.assert_allclose(runner(**named)["output_0"], images, atol=1e-5)


@tensorflow
@lite
def test_the_lines_on_the_page_work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "dcgan-digits").mkdir(parents=True)
    model = build("dcgan")
    model.save("runs/dcgan-digits/model.keras")
    section = PAGE.read_text().split("## Taking a model elsewhere")[1]
    there, elsewhere = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    exec(there, {})
    found = {"latent_dim": model.latent_dim}
    exec(elsewhere, found)
    images = model.decode(found["z"])
    for name in ("images", "the_same"):
        np.testing.assert_allclose(np.array(found[name]), images, atol=1e-5)


@pytest.mark.parametrize("name", models.names())
def test_every_model_has_a_network_or_says_which(name, tmp_path):
    model = build(name)
    if model.export_instead is None:
        network = model.network_to_export()
        assert network is not model
        inputs, images = asked(model, 2)
        made = network(inputs if len(inputs) > 1 else inputs[0])
        np.testing.assert_allclose(ops.convert_to_numpy(made), images, atol=1e-5)
        return
    with pytest.raises(runtime.UsageError, match=f"^A model must .* {type(model).__name__}, which"):
        model.export(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
    networks = [getattr(model, name) for name in model.export_instead[1]]
    assert networks
    assert all(isinstance(network, keras.Model) for network in networks)


@saved_model
@pytest.mark.parametrize("name", ["diffusion", "vqvae"])
def test_the_lines_of_a_refusal_work(name, tmp_path):
    model = build(name)
    with pytest.raises(runtime.UsageError) as refused:
        model.export(tmp_path)
    lines = re.findall(r"`(model\.(\w+)\.export\(path\))`", str(refused.value))
    assert len(lines) == len(model.export_instead[1])
    for line, attribute in lines:
        exec(line, {"model": model, "path": tmp_path / attribute})
        assert (tmp_path / attribute / "saved_model.pb").is_file()


def test_what_keras_cannot_export_is_told_in_one_line(tmp_path):
    model = build("gan")
    with pytest.raises(runtime.UsageError, match=r"^Keras must .*Unrecognized format=gif") as told:
        model.export(tmp_path / "out", format="gif")
    assert "\n" not in str(told.value)
    if BACKEND != "tensorflow":
        with pytest.raises(runtime.UsageError, match="KERAS_BACKEND=tensorflow can"):
            model.export(tmp_path / "out.tflite", format="litert")
    elif importlib.util.find_spec("onnx") is None:
        with pytest.raises(runtime.UsageError, match=r"on tensorflow.*No module named 'onnx'"):
            model.export(tmp_path / "out.onnx", format="onnx")
    assert list(tmp_path.iterdir()) == []


def test_files_are_named_as_keras_reads_them(tmp_path):
    model = build("gan")
    for file in ("x.h5", "x", "x.keras.h5"):
        with pytest.raises(runtime.UsageError, match=r"must be named `\.keras`\. Received: .*x"):
            model.save(tmp_path / file)
        with pytest.raises(runtime.UsageError, match=r"`\.weights\.h5`\. .*save\('model\.keras'\)"):
            model.save_weights(tmp_path / file)
    assert list(tmp_path.iterdir()) == []
    z = model.latents(2)
    images = model.decode(z)
    model.save(tmp_path / "x.keras")
    model.save(tmp_path / "folder", zipped=False)
    for file in ("x.keras", "folder"):
        np.testing.assert_array_equal(keras.models.load_model(tmp_path / file).decode(z), images)
    model.save_weights(tmp_path / "x.weights.h5")
    other = models.build("gan", IMAGE_SHAPE, **ROWS["gan"].build)
    other.load_weights(tmp_path / "x.weights.h5")
    np.testing.assert_array_equal(other.decode(z), images)
