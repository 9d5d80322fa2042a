"""Networks that do not end, begin or fit as they should."""

import keras
import numpy as np
from keras import layers

from fuzz.runner import NonsenseError
from ganedu.models.autoencoder import Autoencoder
from ganedu.models.cgan import CGAN
from ganedu.models.flow_matching import FlowMatching
from ganedu.models.gan import GAN
from ganedu.models.lsgan import LSGAN
from ganedu.models.vae import VAE
from ganedu.models.wgan import WGAN

SHAPE = (8, 8, 1)
ENDINGS = (None, None, None, "tanh", "tanh", "sigmoid", "softmax", "relu")


def network(rng, shape_in, shape_out):
    """A stack between two shapes, either of which may be another than it should be."""
    if rng.random() < 0.15:
        shape_in = [(3,), (4, 4, 1), (8, 8, 3), (5,)][rng.integers(4)]
    if rng.random() < 0.15:
        shape_out = [(1,), (2,), (8, 8, 3), (8, 8), (16, 16, 1), (3,)][rng.integers(6)]
    inner = [layers.Dense(8, "relu")] if rng.random() < 0.5 else []
    inner += [layers.BatchNormalization()] if rng.random() < 0.3 else []
    inner += [layers.Dropout(0.2, seed=1)] if rng.random() < 0.3 else []
    last = layers.Dense(int(np.prod(shape_out)), ENDINGS[rng.integers(len(ENDINGS))])
    stack = [layers.Flatten(), *inner, last, layers.Reshape(shape_out)]
    kind = rng.integers(8)
    if kind == 0:
        return keras.Sequential(stack)  # not built
    if kind == 1:
        made = keras.Sequential(stack)
        made(np.zeros((2, *shape_in), "float32"))
        return made
    if kind == 2:
        x = keras.Input(shape_in)
        y = x
        for layer in stack:
            y = layer(y)
        return keras.Model(x, [y, y] if rng.random() < 0.2 else y)
    if kind == 3 and rng.random() < 0.3:
        return [layers.Dense(3), None, "network", lambda x: x][rng.integers(4)]
    return keras.Sequential([keras.Input(shape_in), *stack])


def codes(rng, outputs):
    x = keras.Input(SHAPE)
    y = layers.Flatten()(x)
    return keras.Model(x, [layers.Dense(int(rng.choice([3, 3, 3, 4])))(y) for _ in range(outputs)])


def own(rng, path):
    """A model of one's own networks, and a step."""
    makers = {
        "GAN": lambda: GAN(network(rng, (3,), SHAPE), network(rng, SHAPE, (1,))),
        "LSGAN": lambda: LSGAN(
            network(rng, (3,), SHAPE), network(rng, SHAPE, (1,)), ema_momentum=None
        ),
        "WGAN": lambda: WGAN(
            network(rng, (3,), SHAPE),
            network(rng, SHAPE, (1,)),
            critic_steps=int(rng.integers(0, 4)),
        ),
        "CGAN": lambda: CGAN(network(rng, (3,), SHAPE), network(rng, SHAPE, (1,))),
        "Autoencoder": lambda: Autoencoder(network(rng, SHAPE, (3,)), network(rng, (3,), SHAPE)),
        "VAE": lambda: VAE(codes(rng, int(rng.integers(1, 4))), network(rng, (3,), SHAPE)),
        "FlowMatching": lambda: FlowMatching(network(rng, SHAPE, SHAPE)),
    }
    name = str(rng.choice(list(makers)))

    def action():
        model = makers[name]()
        players = {p: keras.optimizers.Adam(1e-3) for p in model.players}
        model.compile(run_eagerly=True, **players)
        x = np.random.default_rng(0).uniform(-1, 1, (6, *SHAPE)).astype("float32")
        logs = model.fit(x, batch_size=6, verbose=0).history
        made = model.generate(3)
        if not all(np.isfinite(v).all() for v in logs.values()) or not np.isfinite(made).all():
            raise NonsenseError("it gave NaN or infinity")
        if made.shape != (3, *SHAPE):
            raise NonsenseError(f"images of {made.shape}")

    return name, action


KINDS = [own]
