"""The contract of a model: what it declares, and what is asked of it by those who train it.

One `train_step` runs unchanged on TensorFlow, JAX and PyTorch, under `keras.Model.fit`. It is written with
the verbs of `verbs.py`; `keras_adapter.py` and `steps.py` are what Keras needs for that.
"""

import keras

from ganedu import devices
from ganedu.engine.failure import FirstFailure
from ganedu.engine.keras_adapter import KerasAdapter
from ganedu.engine.verbs import Verbs

# What a model may declare that it can do, and the methods that it then has.
TASKS = {
    "generate": ("generate",),
    "generate by class": ("generate", "one_hot"),
    "generate by text": ("generate", "tokenize"),
    "interpolate": ("latents", "decode"),
    "reconstruct": ("encode", "reconstruct"),
    "translate": ("translate",),
    "edit": ("edit", "tokenize"),
    "caption": ("caption", "attention"),
    "compare": ("similarity", "embed_images", "embed_texts"),
    "likelihood": ("log_likelihood",),
}

# What a likelihood may be of, and so which images `log_likelihood` takes: each on an axis of its own, but for the
# last two, which meet in the bits of 8-bit images.
LIKELIHOODS = {
    "binary": "binary images, -1 or 1: a probability",
    "8-bit": "images of 256 grey values n / 127.5 - 1, as data sets give them: a probability",
    "density": "images of real numbers in [-1, 1]: a density, for dequantized grey values",
}


class GenerativeModel(Verbs, KerasAdapter):
    """A Keras model whose `train_step(data)` runs unchanged on TensorFlow, JAX and PyTorch.

    A subclass declares

    - `players`: for each optimizer by name, the networks that it moves. The first player's
      optimizer is applied exactly once a step, and so counts the steps.
    - `log_names`: the names of the scalars that its steps log.
    - `forms`: what its networks read and return, as `engine.functional` has it, where that is not one thing each;
    - `batch_divisor`: into how many equal parts its step cuts a batch; 1 unless it says more.
    - `tasks`: what it can do, a frozenset of names in `TASKS`; a kind of model in this room declares
      them for its subclasses.
    - `sampling_options`: which of the options `steps`, `sampler`, `guidance` and `temperature` its `generate` takes;
    - `likelihood_of`: where it has the task "likelihood", of which images, a name in `LIKELIHOODS`;
      `exact_likelihood`: whether `log_likelihood(x)` is exact, or a bound, estimated from
      `log_likelihood(x, samples=64, seed=0)` draws of a latent.
    - `network_to_export`: the network that `export` writes; or, where there is no such network,
      `export_instead`: what the model does, and the networks (attributes) that can be exported.

    and writes `train_step(data)` and `test_step(data)`, both ending in `return self.log({...})`.
    Arguments of `__init__` are kept in attributes of the same name; that makes `get_config` and
    loading work with no further code. `**others` in an `__init__` stands for its parents' arguments.

    Args:
        seed: int in [0, 2**31). Every random draw of the model comes from `self.seed_generator`.
            Defaults to `0`.

    Example:

    >>> class LeastSquares(GenerativeModel):
    ...     players = {"optimizer": ("network",)}
    ...     log_names = ("loss",)
    ...
    ...     def __init__(self, network, seed=0):
    ...         super().__init__(seed=seed)
    ...         self.network = network
    ...
    ...     def train_step(self, data):
    ...         x, y = self.unpack(data)
    ...         loss = lambda: keras.ops.mean((self.network(x, training=True) - y) ** 2)
    ...         return self.log({"loss": self.minimize(loss, self.network, self.optimizer)})
    """

    players = {}
    log_names = ()
    forms = {}
    batch_divisor = 1
    tasks = frozenset()
    sampling_options = frozenset()
    likelihood_of = None
    exact_likelihood = False
    export_instead = None

    def __init__(self, seed=0):
        super().__init__()
        if not 0 <= seed < 2**31:
            raise ValueError(f"`seed` must lie in [0, 2**31). Received: seed={seed}")
        self.seed = seed
        self.devices = devices.current()
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.trackers = [keras.metrics.Mean(name=name) for name in self.log_names]
        self.first_failure = FirstFailure(self.log_names)
        self.built = True  # the networks are

    @property
    def image_shape(self):
        """(H, W, C) of the images that the model is about, or `None` where it does not say."""
        return None

    @property
    def batch_shapes(self):
        """Of the images in a batch as the steps take it: a tuple of (H, W, C)."""
        return () if self.image_shape is None else (tuple(self.image_shape),)

    def prepare_dataset(self, dataset):
        """An `ImageDataset` in the form that the steps take: here, images alone. A model that needs
        labels or pairs says so by overriding this."""
        return dataset

    def network_to_export(self):
        """The Keras model that `export` writes; by default the whole model, as Keras calls it. (No property: Keras
        saves the networks that an object's attributes hold, each under the first name that it finds.)"""
        return self

    def sample_grid(self, examples, seed=0):
        """One picture of what the model is for.

        Args:
            examples: a batch of at least 16 images, as `prepare_dataset` gives it.
            seed: int. Defaults to `0`.

        Returns:
            `(images, columns)`: float32 (N, H, W, C) in [-1, 1], and how many stand in a row.
        """
        raise NotImplementedError
