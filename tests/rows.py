"""One row for each model: the smallest network that still is that model, and how the contract feeds it."""

import dataclasses
import functools

import numpy as np

IMAGE_SHAPE = (8, 8, 1)


@dataclasses.dataclass(frozen=True)
class Row:
    """
    Args:
        build: dict, arguments of the model's `build`.
        feed: what a batch is: `"images"`, `"labels"` (images and labels), `"pairs"`, `"texts"` (images
            and words) or `"edits"` (images with those to be made of them, and words). Defaults to
            `"images"`.
        tasks: str, what it can do, as it should declare: names of `ganedu.engine.TASKS`, with commas
            between. Defaults to `"generate, interpolate"`.
        model: str, the model's name, where it is not the row's: a way of `VARIANTS` to build it. Defaults to `None`.
        still: int, how many trainable variables may have a gradient that is exactly zero: a critic
            that is only asked for differences has no use for its last bias. Defaults to `0`.
    """

    build: dict
    feed: str = "images"
    tasks: str = "generate, interpolate"
    still: int = 0
    model: str | None = None


GAN = {"latent_dim": 3, "width": 4}
LABELLED = {**GAN, "num_classes": 3}
BY_CLASS = "generate by class, interpolate"
AUTOENCODER = "generate, interpolate, reconstruct"
TEXTS = (
    "a thick red three",
    "a blue seven at the top",
    "a ring above a cross",
    "a one",
    "two",
    "a 4",
)
WORDED = {"length": 8, "width": 8, "text_width": 8}
ROWS = {
    "acgan": Row(LABELLED, "labels", BY_CLASS),
    "autoencoder": Row(GAN, tasks=AUTOENCODER),
    "captioner": Row({"length": 8, "width": 4, "text_width": 8}, "texts", "caption"),
    "cgan": Row(LABELLED, "labels", BY_CLASS),
    "clip": Row({"length": 8, "width": 4, "text_width": 8, "dim": 6}, "texts", "compare"),
    "cvae": Row(LABELLED, "labels", f"{BY_CLASS}, reconstruct, likelihood"),
    "cyclegan": Row({"width": 4, "d_width": 4}, "pairs", "translate"),
    "dcgan": Row({"latent_dim": 3, "g_width": 4, "d_width": 4}),
    "diffusion": Row({"width": 8, "units": 8}),
    "drifting": Row({"latent_dim": 3, "width": 4, "num_generated": 6}),
    "editor": Row({**WORDED, "units": 8}, "edits", "edit, generate by text"),
    "flow_matching": Row({"width": 8, "units": 8}),
    "gan": Row({"latent_dim": 3, "width": 8}),
    "infogan": Row({"noise_dim": 2, "num_categories": 3, "continuous_dim": 2, "width": 4}),
    "iwae": Row({**GAN, "num_samples": 3}, tasks=f"{AUTOENCODER}, likelihood"),
    "latent_diffusion": Row(
        {"code_channels": 2, "width": 4, "units": 8, "learning_rate": 1e-3}, tasks=AUTOENCODER
    ),
    "lsgan": Row(GAN),
    "pix2pix": Row({"width": 4}, "pairs", "translate"),
    "pixelcnn": Row(
        {"width": 4, "depth": 2, "kernel": 5, "mixtures": 2}, tasks="generate, likelihood"
    ),
    "r3gan": Row(GAN, still=1),
    "realnvp": Row({"width": 4, "couplings": 1}, tasks=f"{AUTOENCODER}, likelihood"),
    "reflow": Row({"width": 8, "units": 8, "num_pairs": 6, "new_pairs": 2, "pair_steps": 1}),
    "sngan": Row(GAN, still=1),
    "stylegan": Row({"latent_dim": 4, "width": 4}),
    "text_flow": Row({**WORDED, "units": 8}, "texts", "generate by text"),
    "text_gan": Row({**WORDED, **GAN}, "texts", "generate by text"),
    "vae": Row(GAN, tasks=f"{AUTOENCODER}, likelihood"),
    "vaegan": Row(GAN, tasks=AUTOENCODER),
    "vqvae": Row(
        {"num_embeddings": 5, "code_dim": 3, "width": 4, "learning_rate": 1e-4},
        tasks="generate, reconstruct",
    ),
    "wgan": Row({**GAN, "critic_steps": 2}, still=1),
    "wgan_gp": Row({**GAN, "critic_steps": 2}, still=1),
}
# What is another class of the same file.
GUIDED = {"width": 8, "units": 8, "num_classes": 3}
VARIANTS = {
    f"guided_{name}": Row(GUIDED, "labels", BY_CLASS, model=name)
    for name in ("diffusion", "flow_matching")
}
ALL = {**ROWS, **VARIANTS}
# One of each way to be stepped, sampled and asked, for where each costs much: JAX compiles for each.
KINDS = (
    *("captioner", "clip", "cyclegan", "guided_flow_matching"),
    *("realnvp", "vaegan", "vqvae", "wgan_gp"),
)
# On JAX their steps are compiled with optimizations, even where it would be left out. Their text encoder takes the
# largest value over the words: without, the values to be compared are rounded another way than their maximum, and the
# gradient goes nowhere.
OPTIMIZED = ("clip", "editor", "text_flow", "text_gan")


def batch(count=8, seed=0):
    """Images (count, 8, 8, 1) in [-1, 1], float32."""
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, (count, *IMAGE_SHAPE)).astype("float32")


def feed(name, count=8, seed=0):
    """A batch as the model `name` takes it."""
    images, kind = batch(count, seed), ALL[name].feed
    if kind in ("texts", "edits"):
        if kind == "edits":
            images = np.concatenate([images, batch(count, seed + 1000)], axis=-1)
        return images, tokens(count, ROWS[name].build["length"], seed)
    if kind == "labels":
        return images, np.arange(count) % ALL[name].build["num_classes"]
    return (images, batch(count, seed + 1000)) if kind == "pairs" else images


def tokens(count, length, seed):
    """Texts of one to `length - 2` words of the grammar's, as numbers: int32 (count, length)."""
    from ganedu.data.captions.tokenizer import END, SPECIAL, START, Tokenizer

    rng, found = np.random.default_rng(seed), np.zeros((count, length), "int32")
    for row in found:
        sentence = rng.integers(len(SPECIAL), len(Tokenizer()), rng.integers(1, length - 1))
        row[: len(sentence) + 2] = START, *sentence, END
    return found


def arrays(variables):
    """The values of Keras variables, as NumPy arrays."""
    from keras import ops

    return [np.array(ops.convert_to_numpy(v.value)) for v in variables]


def everything(model):
    """All that training changes: weights, seeds, optimizer state."""
    return arrays([*model.variables, *model.optimizer.variables])


@functools.cache
def _kept(name, changes):
    """A model, its attributes, and its variables with their values, as they are when it is built."""
    from ganedu import models, runtime

    runtime.setup(0)
    row = ALL[name]
    model = models.build(row.model or name, IMAGE_SHAPE, **{**row.build, **dict(changes)})
    variables = [*model.variables, *model.optimizer.variables]
    return model, dict(vars(model)), list(zip(variables, arrays(variables), strict=True))


def as_built(name, **changes):
    """A model of a row's smallest network, with seed 0, as it is when it is built: built once for all tests of a
    process, and put back for each. What is given to its networks, its layers and its optimizers as attributes stays.

    Args:
        name: str, a row's name.
        **changes: arguments of the model's `build`, in the place of the row's.
    """
    from ganedu import runtime

    model, attributes, values = _kept(name, tuple(sorted(changes.items())))
    runtime.setup(0)
    vars(model).clear()
    vars(model).update(attributes)
    for variable, value in values:
        variable.assign(value)
    return model


def steps_are_eager(patch):
    """Models that are built from now on take their steps without a graph: for few steps, a fraction of the time of
    tracing one (on JAX it would be more). The contract and the lessons train with graphs.

    Args:
        patch: `pytest.MonkeyPatch`.
    """
    import keras

    from ganedu.engine import GenerativeModel

    eager = keras.backend.backend() != "jax"
    patch.setitem(GenerativeModel.compile.__kwdefaults__, "run_eagerly", eager)
