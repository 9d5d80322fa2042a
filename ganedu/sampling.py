"""What is done with a trained model: draw, walk, score."""

import math

import numpy as np

from ganedu import data, figures, latent
from ganedu.runs import written
from ganedu.runtime import UsageError

WALKS = 5


def sample(model, out, *, count=64, seed=0, label=None):
    """Draws images into a `.png` (a sheet) or an `.npz` (`images`, uint8 (N, H, W, C)).

    Raises:
        UsageError: for a label where the model knows none.
    """
    if label is not None:
        raise UsageError(f"--label needs a conditional model. Received: a {type(model).__name__}")
    images = model.generate(count, seed=seed)
    with written(out) as file:
        if out.suffix == ".npz":
            np.savez_compressed(file, images=data.to_uint8(images))
        else:
            figures.save_png(images, file)


def interpolate(model, out, *, method="slerp", steps=10, seed=0):
    """Walks between draws from the prior: a `.png` with five walks from left to right, or a `.gif`
    of one closed walk.

    Raises:
        UsageError: if the model has no latent space.
    """
    if not hasattr(model, "latents"):
        raise UsageError(f"A walk needs a latent space. Received: a {type(model).__name__}")
    move = {"lerp": latent.lerp, "slerp": latent.slerp}[method]
    points = model.latents(2 * WALKS, seed=seed)
    if out.suffix == ".gif":
        path = latent.walk(points[:WALKS], steps, move, closed=True)
        frames = [data.to_uint8(image) for image in model.decode(path)]
        with written(out) as file:
            figures.save_gif(frames, file, seconds=max(2.0, len(frames) / 12), hold=0.0)
        return
    t = np.linspace(0, 1, steps)
    walks = np.concatenate(
        [move(a, b, t) for a, b in zip(points[:WALKS], points[WALKS:], strict=True)]
    )
    with written(out) as file:
        figures.save_png(model.decode(walks), file, columns=steps)


def evaluate(model, facts):
    """The test losses of a run.

    Args:
        model: compiled `GenerativeModel`.
        facts: dict, the run's `run.json`.

    Returns:
        Dict of `model`, `data`, `count` (of test images) and `scores` (name to float, `None` where
        not finite).
    """
    dataset = data.load(facts["data"], "test", image_size=facts["image_size"])
    scores = model.evaluate(dataset.test_batches(), verbose=0, return_dict=True)
    scores = {
        name: float(value) if math.isfinite(value) else None for name, value in scores.items()
    }
    return {"model": facts["model"], "data": facts["data"], "count": len(dataset), "scores": scores}
