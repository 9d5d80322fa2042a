"""Augmentation that gradients pass through: what D sees of real and of generated images alike.

Augmenting the real images alone would teach G to generate augmented images. Here both are changed right
before D, and G's gradient comes back through the change.
"""

import keras
from keras import layers, ops

from ganedu.devices import replicas

POLICIES = ("colour", "translation", "cutout")


@keras.saving.register_keras_serializable("ganedu")
class DiffAugment(layers.Layer):
    """Random changes of each image, differentiable in the image.

    - `"colour"`: brightness + U(-0.5, 0.5); contrast and saturation (the distance from the image's
      and from the pixel's mean) times U(0.5, 1.5) and U(0, 2).
    - `"translation"`: by up to an eighth of each side; what comes in is 0.
    - `"cutout"`: a square of half a side at a random place becomes 0.

    Args:
        policy: tuple of the names above, applied in this order. Defaults to all three.
        seed: int. Defaults to `0`.

    Call arguments:
        x: images (B, H, W, C) in [-1, 1].
        training: bool; without it nothing changes. Defaults to `True`.

    Returns:
        Images (B, H, W, C), in about [-3, 3].

    Raises:
        ValueError: for a name that is none of the three.

    Reference:
        Zhao, Liu, Lin, Zhu and Han 2020, "Differentiable augmentation for data-efficient GAN
        training", section 3.2, arXiv:2006.10738.
    """

    def __init__(self, policy=POLICIES, seed=0, **kwargs):
        super().__init__(**kwargs)
        self.policy, self.seed = tuple(policy), seed
        unknown = sorted(set(self.policy) - set(POLICIES))
        if unknown:
            raise ValueError(
                f"`policy` must name some of {', '.join(POLICIES)}. Received: {', '.join(unknown)}"
            )
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, x, training=True):
        for name in self.policy if training else ():
            for change in CHANGES[name]:
                x = self.apply_to(x, change)
        return x

    def apply_to(self, x, change):
        """One change, of every image."""
        return change(x, self.uniform)

    def uniform(self, shape):
        """U[0, 1) of a shape that begins with the batch's size."""
        return replicas.uniform(shape, seed=self.seed_generator)

    def get_config(self):
        return {**super().get_config(), "policy": self.policy, "seed": self.seed}


@keras.saving.register_keras_serializable("ganedu")
class AdaptiveAugment(DiffAugment):
    """Each change is made with a probability p, which follows how far D has learnt its real images
    by heart.

    r = E[sign(D(x))] over real images is 0 for a D that cannot tell and 1 for one that knows them
    all. p rises while r is over `target`, and falls while it is under it.

    Args:
        target: float, the wished-for r. Defaults to `0.6`, as in the paper.
        images: int, how many real images it takes p from 0 to 1. Defaults to `50_000`; the paper's
            long runs take 500,000.
        policy, seed: as for `DiffAugment`.

    Reference:
        Karras, Aittala, Hellsten, Laine, Lehtinen and Aila 2020, "Training generative adversarial
        networks with limited data", section 3, equation 1, arXiv:2006.06676; its pipeline has more changes.
    """

    def __init__(self, target=0.6, images=50_000, policy=POLICIES, seed=0, **kwargs):
        super().__init__(policy, seed, **kwargs)
        self.target, self.images = target, images
        self.probability = self.add_weight((), "zeros", trainable=False, name="probability")

    def apply_to(self, x, change):
        chosen = self.uniform((ops.shape(x)[0], 1, 1, 1)) < self.probability
        return ops.where(chosen, change(x, self.uniform), x)

    def update_probability(self, real):
        """Moves p after a step in which D gave the outputs `real` (B, 1) to real images, 0 where it
        cannot tell."""
        r = replicas.mean(ops.mean(ops.sign(ops.cast(real, "float32"))))
        count = ops.shape(real)[0] * replicas.count()
        step = ops.cast(count, "float32") / self.images
        moved = self.probability + ops.sign(r - self.target) * step
        self.probability.assign(ops.clip(moved, 0.0, 1.0))

    def get_config(self):
        return {**super().get_config(), "target": self.target, "images": self.images}


def brightness(x, uniform):
    return x + uniform((ops.shape(x)[0], 1, 1, 1)) - 0.5


def saturation(x, uniform):
    mean = ops.mean(x, axis=-1, keepdims=True)
    return mean + (x - mean) * 2.0 * uniform((ops.shape(x)[0], 1, 1, 1))


def contrast(x, uniform):
    mean = ops.mean(x, axis=(1, 2, 3), keepdims=True)
    return mean + (x - mean) * (0.5 + uniform((ops.shape(x)[0], 1, 1, 1)))


def translation(x, uniform):
    for axis in (1, 2):
        most = x.shape[axis] // 8
        shift = ops.floor(uniform((ops.shape(x)[0], 1, 1, 1)) * (2 * most + 1)) - most
        x = _shifted(x, ops.cast(shift, "int32"), axis)
    return x


def cutout(x, uniform):
    inside = 1.0
    for axis in (1, 2):
        side = x.shape[axis]
        place = ops.arange(side, dtype="float32")
        place = ops.reshape(place, [-1 if i == axis else 1 for i in range(4)])
        centre = ops.floor(uniform((ops.shape(x)[0], 1, 1, 1)) * (side + 1))
        inside = inside * ops.cast(
            ops.logical_and(place >= centre - side // 4, place < centre - side // 4 + side // 2),
            x.dtype,
        )
    return x * (1.0 - inside)


def _shifted(x, shift, axis):
    """Each image moved by its own number of pixels (B, 1, 1, 1), int32; 0 comes in."""
    side = x.shape[axis]
    place = ops.reshape(ops.arange(side, dtype="int32"), [-1 if i == axis else 1 for i in range(4)])
    source = place - shift  # (B, H, 1, 1) or (B, 1, W, 1)
    # Which pixel comes to which place, as a matrix of ones and zeros for each image: (B, to, from).
    at = ops.reshape(source, (-1, side, 1)) == ops.reshape(place, (1, 1, side))
    equation = {1: "bij,bjwc->biwc", 2: "bij,bhjc->bhic"}[axis]
    return ops.einsum(equation, ops.cast(at, x.dtype), x)


CHANGES = {
    "colour": (brightness, saturation, contrast),
    "translation": (translation,),
    "cutout": (cutout,),
}
