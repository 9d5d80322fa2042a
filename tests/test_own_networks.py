"""Networks that a user brings: Sequential, subclassed, functional; unfit ones are refused in our words."""

import keras
import numpy as np
import pytest
from keras import Input, Sequential, ops
from keras.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Reshape,
)
from rows import arrays, steps_are_eager

from ganedu import engine, layers, networks
from ganedu.models.acgan import ACGAN
from ganedu.models.autoencoder import Autoencoder
from ganedu.models.captioner import Captioner
from ganedu.models.cgan import CGAN
from ganedu.models.clip import CLIP
from ganedu.models.cyclegan import CycleGAN
from ganedu.models.dcgan import DCGAN
from ganedu.models.flow_matching import FlowMatching
from ganedu.models.gan import GAN
from ganedu.models.lsgan import LSGAN
from ganedu.models.pix2pix import Pix2Pix
from ganedu.models.vae import VAE
from ganedu.models.vaegan import VAEGAN
from ganedu.models.vqvae import VQVAE
from ganedu.models.wgan import WGAN

SHAPE = (8, 8, 1)


@pytest.fixture(autouse=True)
def eager(monkeypatch):
    steps_are_eager(monkeypatch)


def dense(inputs, units, activation=None, shape=None):
    """Sequential: a dense layer between forms."""
    last = [Reshape(shape)] if shape else []
    return Sequential([Input(inputs), Flatten(), Dense(units, activation), *last])


def g(activation="tanh"):
    return dense((3,), 64, activation, SHAPE)


def d(activation=None):
    return dense(SHAPE, 1, activation)


def called(*inner):
    """Sequential without an Input, called on a batch."""
    network = Sequential(inner)
    network(np.zeros((5, 3), "float32"))
    return network


@keras.saving.register_keras_serializable("ganedu_tests")
class Own(keras.Model):
    """Subclassed as Keras asks: its config makes it again."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inside, self.form = Dense(64, "tanh"), Reshape(SHAPE)

    def build(self, shape):
        self.inside.build(shape)
        self.built = True

    def call(self, z):
        return self.form(self.inside(z))


class NoConfig(Own):
    def __init__(self):
        super().__init__()


def of_class(kind):
    network = kind()
    network(np.zeros((1, 3), "float32"))
    return network


def to_image():
    return dense(SHAPE, 64, "tanh", SHAPE)


def pair(first, shape, activation=None):
    """A network of two inputs."""
    x, y = Input(first), Input((3,))
    seen = ops.concatenate([Flatten()(x), y], axis=-1)
    return keras.Model([x, y], Reshape(shape)(Dense(int(np.prod(shape)), activation)(seen)))


def two_codes(outputs=2):
    x = Input(SHAPE)
    return keras.Model(x, [Dense(2)(Flatten()(x)) for _ in range(outputs)])


def batch(count=8, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (count, *SHAPE)).astype("float32")


MADE = {
    "gan": lambda: GAN(g(), d()),
    "gan, deep": lambda: GAN(
        Sequential(
            [
                Input((3,)),
                Sequential([Dense(64)]),
                BatchNormalization(),
                Reshape(SHAPE),
                Activation("tanh"),
            ]
        ),
        Sequential([Input(SHAPE), Conv2D(2, 3), Flatten(), Dropout(0.3, seed=3), Dense(1)]),
    ),
    "gan, called": lambda: GAN(called(Dense(64, "tanh"), Reshape(SHAPE)), d()),
    "gan, subclassed": lambda: GAN(of_class(Own), d()),
    "gan, one of each": lambda: GAN(networks.generator(SHAPE, 3, 4), d()),
    "wgan": lambda: WGAN(g(), d(), critic_steps=2),
    "autoencoder": lambda: Autoencoder(dense(SHAPE, 2), dense((2,), 64, "tanh", SHAPE)),
    "vae": lambda: VAE(two_codes(), dense((2,), 64, None, SHAPE)),
    "no average of what cannot be copied": lambda: GAN(of_class(NoConfig), d(), ema_momentum=None),
}


def compiled(model):
    return model.compile_with(keras.optimizers.Adam, *[1e-3] * len(model.players))


@pytest.mark.parametrize("name", MADE)
def test_networks_of_every_kind_train(name):
    model = compiled(MADE[name]())
    before = arrays(model.trainable_variables)
    logs = model.fit(batch(), batch_size=8, verbose=0).history
    assert all(np.isfinite(v[0]) for v in logs.values())
    after = arrays(model.trainable_variables)
    still = sum(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert still <= isinstance(model, WGAN)  # a critic has no use for its last bias
    if "generate" in model.tasks:
        assert model.generate(3).shape == (3, *SHAPE)


@pytest.mark.parametrize("name", ["gan, deep", "gan, subclassed", "vae"])
def test_they_are_saved_and_train_on_exactly(name, tmp_path):
    model = compiled(MADE[name]())
    model.train_on_batch(batch())
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for m in (model, loaded):
        m.train_on_batch(batch(seed=1))
    for a, b in zip(arrays(model.variables), arrays(loaded.variables), strict=True):
        np.testing.assert_array_equal(a, b)


def test_layers_are_shared_with_what_was_brought():
    own = g()
    model = compiled(GAN(own, d()))
    model.train_on_batch(batch())
    for a, b in zip(arrays(own.weights), arrays(model.generator.weights), strict=True):
        np.testing.assert_array_equal(a, b)


def unbuilt():
    return Sequential([Dense(64, "tanh"), Reshape(SHAPE)])


NOT_BUILT = {
    "gan": ("generator", lambda: GAN(unbuilt(), d())),
    "gan, subclassed": ("generator", lambda: GAN(Own(), d())),
    "lsgan": ("discriminator", lambda: LSGAN(g(), Sequential([Flatten(), Dense(1)]))),
    "cgan": ("discriminator", lambda: CGAN(g(), unbuilt())),
    "autoencoder": ("encoder", lambda: Autoencoder(unbuilt(), g())),
    "vaegan": (
        "discriminator",
        lambda: VAEGAN(two_codes(), dense((2,), 64, "tanh", SHAPE), unbuilt()),
    ),
    "flow": ("network", lambda: FlowMatching(unbuilt())),
    "vqvae": ("decoder", lambda: VQVAE(g(), layers.VectorQuantizer(3), unbuilt(), g())),
    "pix2pix": ("generator", lambda: Pix2Pix(unbuilt(), d())),
    "cyclegan": ("D_Y", lambda: CycleGAN(g(), g(), d(), unbuilt())),
    "captioner": ("decoder", lambda: Captioner(g(), unbuilt())),
    "clip": ("text_tower", lambda: CLIP(g(), unbuilt())),
}


@pytest.mark.parametrize("name", NOT_BUILT)
def test_what_is_not_built_is_named(name):
    role, make = NOT_BUILT[name]
    with pytest.raises(ValueError, match=rf"`{role}` must be built.*keras\.Input\(shape\)"):
        make()


@pytest.mark.parametrize(
    ("received", "name"),
    [
        (None, "NoneType"),
        (Dense(1), "Layer Dense"),
        (lambda x: x, "function"),
        ("generator.keras", "str"),
    ],
)
def test_what_is_no_model_is_refused(received, name):
    with pytest.raises(ValueError, match=f"`discriminator` must be a Keras model.*{name}"):
        GAN(g(), received)


def test_an_augment_that_is_no_layer_is_refused():
    with pytest.raises(ValueError, match=r"`augment` must be a Keras layer.*Received: 'flip'"):
        GAN(g(), d(), augment="flip")


def test_a_network_that_cannot_be_copied_is_told_so():
    with pytest.raises(ValueError, match="`get_config`; or set `ema_momentum=None`"):
        GAN(of_class(NoConfig), d())


def by_operation(name):
    """A D whose last step is no layer's activation."""
    x = Input(SHAPE)
    return keras.Model(x, getattr(ops, name)(Dense(1)(Flatten()(x))))


UNFIT = {
    "a sigmoid D": ("sigmoid", lambda: GAN(g(), d("sigmoid"))),
    "as a layer": ("sigmoid", lambda: DCGAN(g(), Sequential([d(), Activation("sigmoid")]))),
    "nested": ("tanh", lambda: LSGAN(g(), Sequential([Input(SHAPE), d("tanh"), Reshape((1,))]))),
    "an operation": ("sigmoid", lambda: WGAN(g(), by_operation("sigmoid"))),
    "a critic": ("relu", lambda: WGAN(g(), d("relu"))),
    "a sigmoid G": ("sigmoid", lambda: GAN(g("sigmoid"), d())),
    "a decoder": (
        "sigmoid",
        lambda: Autoencoder(dense(SHAPE, 2), dense((2,), 64, "sigmoid", SHAPE)),
    ),
    "of logits": ("tanh", lambda: VAE(two_codes(), dense((2,), 64, "tanh", SHAPE))),
    "translated": ("relu", lambda: Pix2Pix(dense(SHAPE, 64, "relu", SHAPE), d())),
    "a patch D": (r"\(B, 1\)", lambda: GAN(g(), Sequential([Input(SHAPE), Conv2D(1, 3)]))),
    "two numbers": (r"\(B, 1\)", lambda: GAN(g(), dense(SHAPE, 2))),
    "three codes": (
        "x -> mean, log_variance.*1 input, 3 outputs",
        lambda: VAE(two_codes(3), dense((2,), 64, None, SHAPE)),
    ),
    "two codes": (
        "x -> z.*1 input, 2 outputs",
        lambda: Autoencoder(two_codes(), dense((2,), 64, "tanh", SHAPE)),
    ),
    "one code": (
        "x -> mean, log_variance.*1 input, 1 output",
        lambda: VAE(dense(SHAPE, 2), dense((2,), 64, None, SHAPE)),
    ),
    "no labels": ("z, y -> images.*1 input, 1 output", lambda: CGAN(g(), d())),
    "no times": ("x, t -> y.*1 input, 1 output", lambda: FlowMatching(g())),
    "no class": ("x -> logit, class_logits", lambda: ACGAN(pair((3,), SHAPE, "tanh"), d())),
    "a map as z": ("vectors", lambda: GAN(dense((4, 4, 2), 64, "tanh", SHAPE), d())),
    "half of an image": (
        r"x without channels \(None, 8, 8\), y without channels \(None, 4, 8\)",
        lambda: FlowMatching(pair(SHAPE, (4, 8, 1))),
    ),
    "two vocabularies": (
        r"encoder's map \(None, 2, 2, 8\), the decoder's \(None, 2, 2, 4\)",
        lambda: VQVAE(
            dense(SHAPE, 32, None, (2, 2, 8)),
            layers.VectorQuantizer(3),
            dense((2, 2, 4), 64, "tanh", SHAPE),
            g(),
        ),
    ),
    "more than was read": (
        r"encoder's images \(None, 8, 8, 1\), the decoder's \(None, 4, 4, 1\)",
        lambda: VQVAE(
            dense(SHAPE, 32, None, (2, 2, 8)),
            layers.VectorQuantizer(3),
            dense((2, 2, 8), 16, "tanh", (4, 4, 1)),
            g(),
        ),
    ),
    "two spaces": (r"\(None, 8\), the text", lambda: CLIP(dense(SHAPE, 8), dense((8,), 6))),
    "sources and targets": (
        r"D_Y's input \(None, 4, 4, 1\)",
        lambda: CycleGAN(to_image(), to_image(), d(), dense((4, 4, 1), 1)),
    ),
    "a D of targets alone": (
        r"source and target \(None, 8, 8, 2\)",
        lambda: Pix2Pix(to_image(), d()),
    ),
}


@pytest.mark.parametrize("name", UNFIT)
def test_networks_with_the_wrong_ending_are_refused(name):
    message, make = UNFIT[name]
    with pytest.raises(ValueError, match=message):
        make()


def test_endings_that_nothing_tells_are_taken():
    x = Input(SHAPE)
    scaled = keras.Model(x, 2.0 * Dense(1)(Flatten()(x)))
    leaky = dense(SHAPE, 1, "leaky_relu")
    for network in (scaled, leaky, by_operation("negative")):
        engine.check_one_logit(network, "discriminator")
