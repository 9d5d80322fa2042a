"""Each model on images of many shapes: it trains and shows what it makes, or refuses them in one line."""

import numpy as np
import pytest
from keras import ops
from rows import ROWS, steps_are_eager, tokens

from ganedu import models
from ganedu.runtime import UsageError

# Sides that are no powers of two, unequal ones, and what cannot be halved, or not twice.
SHAPES = [(10, 12, 1), (30, 24, 3), (9, 9, 1)]
# What the sides of images must be multiples of, where that is not 2.
DIVISORS = {
    **dict.fromkeys(["captioner", "clip", "gan", "pixelcnn"], 1),
    **dict.fromkeys(["diffusion", "flow_matching", "latent_diffusion", "realnvp"], 4),
    **dict.fromkeys(["reflow", "vqvae"], 4),
    **dict.fromkeys(["text_flow", "editor"], 8),
}


def batch(shape, count, seed):
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, (count, *shape)).astype("float32")


def feed(name, shape, count):
    """A batch as the model `name` takes it, of images of this shape."""
    images, row = batch(shape, count, 0), ROWS[name]
    if row.feed == "labels":
        return images, np.arange(count) % row.build["num_classes"]
    if row.feed in ("texts", "edits"):
        twice = np.concatenate([images, images], axis=-1)
        images = twice if row.feed == "edits" else images
        return images, tokens(count, row.build["length"], 0)
    return images


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: "x".join(map(str, s)))
@pytest.mark.parametrize("name", sorted(ROWS))
def test_every_shape_is_trained_on_or_refused(name, shape, monkeypatch):
    steps_are_eager(monkeypatch)
    if any(side % DIVISORS.get(name, 2) for side in shape[:2]):
        with pytest.raises(UsageError, match=r"Both sides .* `image_size`"):
            models.build(name, shape, **ROWS[name].build)
        return
    model = models.build(name, shape, **ROWS[name].build)
    given = feed(name, shape, 16)
    if ROWS[name].feed == "pairs":  # as its own data set makes them
        sides = model.translation_network
        given = [batch(s[1:], 16, i) for i, s in enumerate((sides.input_shape, sides.output_shape))]
    logs = (
        model.train_on_batch(*given)
        if isinstance(given, (tuple, list))
        else model.train_on_batch(given)
    )
    assert np.isfinite(ops.convert_to_numpy(ops.stack(np.ravel(logs).tolist()))).all()
    images, _ = model.sample_grid(given)
    assert images.shape[1:3] == shape[:2]
    assert np.isfinite(images).all()
    assert np.abs(images).max() <= 1 + 1e-5
