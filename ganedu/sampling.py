"""What is done with a trained model: draw, walk, score."""

import math

import numpy as np

from ganedu import data, figures, latent
from ganedu.runs import written
from ganedu.runtime import UsageError

WALKS = 5


def sample(model, facts, out, *, count=64, seed=0, label=None):
    """Draws images into a `.png` (a sheet) or an `.npz` (`images`, uint8 (N, H, W, C)). A translator
    maps the first `count` test images.

    Raises:
        UsageError: for a label where the model knows none, or more sources than there are.
    """
    _check_label(model, label)
    if hasattr(model, "translate"):
        served = model.served(_test_images(facts))
        sources, _ = served.take(slice(count))
        if len(sources) < count:
            raise UsageError(
                f"There are {len(sources)} test images to translate. Received: {count}"
            )
        images = model.translate(sources)
    else:
        labels = {} if label is None else {"labels": label}
        images = model.generate(count, seed=seed, **labels)
    with written(out) as file:
        if out.suffix == ".npz":
            np.savez_compressed(file, images=data.to_uint8(images))
        else:
            figures.save_png(images, file)


def interpolate(model, out, *, method="slerp", steps=10, seed=0, label=None):
    """Walks between draws from the prior: a `.png` with five walks from left to right, or a `.gif`
    of one closed walk. A conditional model keeps one class on a walk: `label`, or for the `.gif` 0
    and for the `.png` the first five.

    Raises:
        UsageError: if the model has no latent space, or for a label where it knows none.
    """
    if not hasattr(model, "latents"):
        raise UsageError(f"A walk needs a latent space. Received: a {type(model).__name__}")
    _check_label(model, label)
    move = {"lerp": latent.lerp, "slerp": latent.slerp}[method]
    points = model.latents(2 * WALKS, seed=seed)

    def drawn(z, classes):
        if not hasattr(model, "num_classes"):
            return model.decode(z)
        return model.decode(z, classes % model.num_classes if label is None else label)

    if out.suffix == ".gif":
        path = latent.walk(points[:WALKS], steps, move, closed=True)
        frames = [data.to_uint8(image) for image in drawn(path, np.zeros(len(path), int))]
        with written(out) as file:
            figures.save_gif(frames, file, seconds=max(2.0, len(frames) / 12), hold=0.0)
        return
    t = np.linspace(0, 1, steps)
    walks = np.concatenate(
        [move(a, b, t) for a, b in zip(points[:WALKS], points[WALKS:], strict=True)]
    )
    with written(out) as file:
        figures.save_png(drawn(walks, np.arange(WALKS).repeat(steps)), file, columns=steps)


def evaluate(model, facts):
    """The test losses of a run.

    Args:
        model: compiled `GenerativeModel`.
        facts: dict, the run's `run.json`.

    Returns:
        Dict of `model`, `data`, `count` (of test images) and `scores` (name to float, `None` where
        not finite).
    """
    dataset = _test_images(facts)
    batches = model.served(dataset).test_batches()
    scores = model.evaluate(batches, verbose=0, return_dict=True)
    scores = {
        name: float(value) if math.isfinite(value) else None for name, value in scores.items()
    }
    return {"model": facts["model"], "data": facts["data"], "count": len(dataset), "scores": scores}


def _check_label(model, label):
    if label is not None and not hasattr(model, "num_classes"):
        raise UsageError(f"--label needs a conditional model. Received: a {type(model).__name__}")


def _test_images(facts):
    return data.load(facts["data"], "test", image_size=facts["image_size"])
