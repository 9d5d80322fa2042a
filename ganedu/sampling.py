"""What is done with a trained model: draw, walk, score."""

import math

import numpy as np

from ganedu import data, features, figures, latent
from ganedu.metrics.frechet import frechet_distance
from ganedu.metrics.pairs import WINDOW, psnr, ssim
from ganedu.metrics.summary import feature_scores
from ganedu.runs import cached, written
from ganedu.runtime import UsageError

WALKS = 5
LEAST = 50  # images of which a score says something


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


def evaluate(model, facts, count=None):
    """The losses of a run on test images, and the scores of as many drawings.

    Args:
        model: compiled `GenerativeModel`.
        facts: dict, the run's `run.json`.
        count: int, how many test images are used. Defaults to all.

    Returns:
        Dict of `model`, `data`, `count` (of test images) and `scores`: the losses, then, where there are
        at least 50 images of a shape that `ganedu.features` knows, those of
        `ganedu.metrics.summary.feature_scores`, `labels_right` of a conditional model, and `psnr`
        (decibels) and, from 11 pixels a side, `ssim` of what a model reconstructs. Floats, `None` where not finite.

    Raises:
        UsageError: if there are fewer test images than asked for.
    """
    dataset = _test_images(facts)
    if count is not None and count > len(dataset):
        raise UsageError(f"There are {len(dataset)} test images. Received: count={count}")
    dataset = dataset.first(count)
    batches = model.served(dataset).test_batches()
    scores = model.evaluate(batches, verbose=0, return_dict=True)
    scores |= _scores_of_drawings(model, dataset)
    scores = {
        name: float(value) if math.isfinite(value) else None for name, value in scores.items()
    }
    return {"model": facts["model"], "data": facts["data"], "count": len(dataset), "scores": scores}


def _scores_of_drawings(model, dataset):
    if len(dataset) < LEAST:
        return {}
    drawn, real, labels = drawings(model, dataset)
    scores, network = {}, features.fitting(dataset.name, real.shape[1:])
    if network is not None:
        scores |= feature_scores(real_features(network, real), network.features(drawn))
        if labels is not None and network.name == dataset.name:
            found = network.probabilities(drawn).argmax(axis=1)
            scores["labels_right"] = np.mean(found == labels)
    if hasattr(model, "reconstruct"):
        labels = [dataset.labels] if hasattr(model, "num_classes") else []
        copies = model.reconstruct(real, *labels)
        scores["psnr"] = np.mean(psnr(real, copies))
        if min(real.shape[1:3]) >= WINDOW:
            scores["ssim"] = np.mean(ssim(real, copies))
    return scores


def drawings(model, dataset, seed=1):
    """As many drawings as there are images, and what they should be like.

    Returns:
        `(drawn, real, labels)`: float32 images (N, H, W, C) each, of a translator its translations and
        the true targets, and the classes that were asked for, int (N,) or `None`.
    """
    if hasattr(model, "translate"):
        sources, targets = model.served(dataset).take(slice(None))
        return model.translate(sources), targets, None
    count = len(dataset)
    if not hasattr(model, "num_classes"):
        return model.generate(count, seed=seed), dataset.array(), None
    labels = np.arange(count) % model.num_classes
    return model.generate(count, labels=labels, seed=seed), dataset.array(), labels


def real_features(network, images):
    """`network.features(images)`, kept on the disk between runs."""
    key = [images.tobytes(), *(w.tobytes() for w in network.network.get_weights())]
    return cached(key, lambda: network.features(images))


def distance_to(dataset):
    """A function of a model: the Fréchet distance of its drawings to as many images, lower is better.

    Args:
        dataset: `ImageDataset`, of images that the model does not train on.

    Raises:
        UsageError: if there are fewer than 50 images, or no features for their shape.
    """
    if len(dataset) < LEAST:
        raise UsageError(f"A score needs at least {LEAST} test images. Received: {len(dataset)}")

    def distance(model):
        drawn, real, _ = drawings(model, dataset)
        network = features.for_shape(dataset.name, real.shape[1:])
        return frechet_distance(real_features(network, real), network.features(drawn))

    return distance


def _check_label(model, label):
    if label is not None and not hasattr(model, "num_classes"):
        raise UsageError(f"--label needs a conditional model. Received: a {type(model).__name__}")


def _test_images(facts):
    return data.load(facts["data"], "test", image_size=facts["image_size"])
