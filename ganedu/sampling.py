"""What is done with a trained model: draw, walk, score."""

import math

import numpy as np

from ganedu import data, features, figures, latent
from ganedu.data import files
from ganedu.data.grammar import DIGITS
from ganedu.disk import cached, written
from ganedu.doctor import diagnose, examine
from ganedu.metrics.attributes import rates, read
from ganedu.metrics.frechet import frechet_distance, gaussian
from ganedu.metrics.likelihood import binarized, bits_per_dimension
from ganedu.metrics.pairs import WINDOW, psnr, ssim
from ganedu.metrics.summary import feature_scores
from ganedu.runtime import UsageError

WALKS = 5
LEAST = 50  # images of which a score says something
SAID = 500  # captions of which it is looked what came of them
LIKELY = 500  # images whose likelihood `evaluate` estimates


def sample(model, facts, out, *, count=64, seed=0, label=None):
    """Draws images into a `.png` (a sheet) or an `.npz` (`images`, uint8 (N, H, W, C)). A translator
    maps the first `count` test images.

    Raises:
        UsageError: for a label where the model knows none, or more sources than there are.
    """
    _check_label(model, label)
    if hasattr(model, "translate"):
        served = model.served(test_images(facts))
        sources, _ = served.take(slice(count))
        if len(sources) < count:
            raise UsageError(
                f"There are {len(sources)} test images to translate. Received: {count}"
            )
        images = model.translate(sources)
    elif hasattr(model, "read"):
        dataset = test_images(facts)
        if len(dataset) < count:
            raise UsageError(f"There are {len(dataset)} test captions. Received: {count}")
        images, *_ = drawings(model, dataset.first(count), seed)
    else:
        labels = {} if label is None else {"labels": label}
        images = model.generate(count, seed=seed, **labels)
    _write_images(images, out)


def interpolate(model, out, *, method="slerp", steps=10, seed=0, label=None):
    """Walks between draws from the prior: a `.png` with five walks from left to right, or a `.gif`
    of one closed walk. A conditional model keeps one class on a walk: `label`, or for the `.gif` 0
    and for the `.png` the first five.

    Raises:
        UsageError: if the model has no latent space, or for a label where it knows none.
    """
    if not hasattr(model, "latents") or hasattr(model, "read"):
        raise UsageError(
            f"A walk needs a latent space without words. Received: a {type(model).__name__}"
        )
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


def evaluate(model, facts, count=None, network=None):
    """The losses of a run on test images, and the scores of as many drawings.

    Losses are of the networks that are trained, drawings of the averaged ones where the model has them.

    Args:
        model: compiled `GenerativeModel`.
        facts: dict, the run's `run.json`.
        count: int, how many test images are used. Defaults to all.
        network: str, a name for `ganedu.features.load`: of whose features scores are taken. Defaults to
            the data set's own, or those of its images' shape.

    Returns:
        Dict of `model`, `data`, `count` (of test images) and `scores`: the losses, then, where there are
        at least 50 images of a shape that `ganedu.features` knows, those of
        `ganedu.metrics.summary.feature_scores`, `labels_right` of a conditional model, `bits_per_dimension` of a
        model that says how likely a grey image is (`model_bits`, of at most 500), and `psnr` (decibels) and, from
        11 pixels a side, `ssim` of what a model reconstructs. Floats, `None` where not finite.

    Raises:
        UsageError: if there are fewer test images than asked for, or fewer than 50 for the features that
            were asked for; and as `ganedu.features.load`.
    """
    seen = None if network is None else features.load(network)  # before anything slow
    dataset = test_images(facts)
    if count is not None and count > len(dataset):
        raise UsageError(f"There are {len(dataset)} test images. Received: count={count}")
    dataset = dataset.first(count)
    batches = model.served(dataset).test_batches()
    scores = model.evaluate(batches, verbose=0, return_dict=True)
    scores |= _scores_of_drawings(model, dataset, seen)
    scores = {
        name: float(value) if math.isfinite(value) else None for name, value in scores.items()
    }
    return {
        "model": facts["model"],
        "data": facts["data"],
        "count": len(dataset),
        "scores": scores,
    }


def words_right(model, dataset, seed=1, most=SAID):
    """What a model that reads texts gets right.

    Args:
        model: `TextModel`.
        dataset: `CaptionedImages`.
        seed: int, of what is drawn. Defaults to `1`.
        most: int, how many images are looked at, or `None`. Defaults to `500`.

    Returns:
        Dict of float: of a model that draws, changes or describes, `ganedu.metrics.attributes.rates`; of
        one that compares, `all`, how often the right one of 100 captions fits an image best.
    """
    dataset = dataset.first(most)
    if hasattr(model, "describe"):
        return rates(dataset.pictures, [_parsed(t) for t in model.describe(dataset.array())])
    if hasattr(model, "scores"):
        x, texts, first = dataset.array(), dataset.captions, []
        for i in range(0, len(dataset), 100):
            fit = model.scores(x[i : i + 100], texts[i : i + 100])
            first.extend(fit.argmax(axis=1) == np.arange(len(fit)))
        return {"all": float(np.mean(first))}
    pictures = dataset.pictures
    if hasattr(model, "edit"):
        _, after, _ = dataset.changed(seed)
        pictures = after.pictures
    kind = "digits" if pictures[0].entities[0].kind in DIGITS else "shapes"
    return rates(pictures, read(drawings(model, dataset, seed)[0], kind))


def _parsed(text):
    try:
        return data.parse(text)
    except UsageError:
        return None  # no sentence of the grammar


def _scores_of_drawings(model, dataset, network):
    if hasattr(model, "read"):
        if network is not None:
            raise UsageError(
                "A model that reads texts is scored by what its words say, not by features"
            )
        return {f"{name}_right": value for name, value in words_right(model, dataset).items()}
    if len(dataset) < LEAST:
        if network is not None:
            raise UsageError(f"Scores of features need {LEAST} images. Received: {len(dataset)}")
        return {}
    drawn, real, labels = drawings(model, dataset)
    scores = {}
    own = features.fitting(dataset.name, real.shape[1:])
    network = network or own
    if network is not None:
        scores |= feature_scores(real_features(network, real), network.features(drawn))
    if labels is not None and own is not None and own.name == dataset.name:
        found = own.probabilities(drawn).argmax(axis=1)
        scores["labels_right"] = np.mean(found == labels)
    if hasattr(model, "log_likelihood") and real.shape[-1] == 1:
        bits = model_bits(model, dataset.first(LIKELY))
        scores |= {"bits_per_dimension": bits.value, "bits_per_dimension_error": bits.error}
    if hasattr(model, "reconstruct"):
        labels = [dataset.labels] if hasattr(model, "num_classes") else []
        copies = model.reconstruct(real, *labels)
        scores["psnr"] = np.mean(psnr(real, copies))
        if min(real.shape[1:3]) >= WINDOW:
            scores["ssim"] = np.mean(ssim(real, copies))
    return scores


def diagnosis(model, facts, history):
    """What is wrong with the model of a run.

    Args:
        model: as for `ganedu.doctor.examine`.
        facts: dict, the run's `run.json`.
        history: list of dict of float, a row a round.

    Returns:
        `ganedu.doctor.Diagnosis`.

    Raises:
        UsageError: as `examine`.
    """
    train = data.load(facts["data"], image_size=facts["image_size"])
    return diagnose(examine(model, train, test_images(facts), history))


def save_signs(found, out):
    """The figure of a `Diagnosis` into a `.png`."""
    with written(out) as file:
        figures.signs(found).savefig(file, format="png", dpi=120, bbox_inches="tight")


def drawings(model, dataset, seed=1):
    """As many drawings as there are images, and what they should be like.

    Returns:
        `(drawn, real, labels)`: float32 images (N, H, W, C) each, of a translator its translations and
        the true targets, and the classes that were asked for, int (N,) or `None`.
    """
    if hasattr(model, "translate"):
        sources, targets = model.served(dataset).take(slice(None))
        return model.translate(sources), targets, None
    if hasattr(model, "edit"):
        texts, after, _ = dataset.changed(seed)
        return model.edit(dataset.array(), texts, seed=seed), after.array(), None
    if hasattr(model, "read"):
        if not hasattr(model, "generate"):
            raise UsageError(f"A {type(model).__name__} draws nothing")
        return model.generate(dataset.captions, seed=seed), dataset.array(), None
    count = len(dataset)
    if not hasattr(model, "num_classes"):
        return model.generate(count, seed=seed), dataset.array(), None
    labels = np.arange(count) % model.num_classes
    return model.generate(count, labels=labels, seed=seed), dataset.array(), labels


def model_bits(model, dataset, samples=64, seed=0):
    """`ganedu.metrics.likelihood.bits_per_dimension` of a model on binarized images, where a grey value is the
    probability of a 1. Of a VAE an upper bound, which falls with `samples`.

    Args:
        model: one with `log_likelihood`, as `vae` and `cvae`.
        dataset: `ImageDataset`; a conditional model is told the labels.
        samples: int, draws of the code for each image. Defaults to `64`.
        seed: int. Defaults to `0`.

    Returns:
        `Estimate`.

    Raises:
        UsageError: for a model that does not say how likely an image is.
    """
    if not hasattr(model, "log_likelihood"):
        raise UsageError(
            "Bits per dimension need a model that says how likely an image is, as vae and cvae do. "
            f"Received: a {type(model).__name__}"
        )
    labels = [dataset.labels] if hasattr(model, "num_classes") else []
    x = binarized(dataset.array(), seed)
    log_p = model.log_likelihood(x, *labels, samples=samples, seed=seed)
    return bits_per_dimension(log_p, dataset.image_shape)


def real_features(network, images):
    """`network.features(images)`, kept on the disk between runs."""
    return cached(_seen(network, images), lambda: network.features(images))


def real_gaussian(network, images):
    """`gaussian` of `network.features(images)`, kept on the disk between runs."""

    def make():
        mean, covariance = gaussian(network.features(images))
        return np.concatenate([mean[None], covariance])  # (1 + d, d)

    mean, *covariance = cached([b"gaussian", *_seen(network, images)], make)
    return mean, np.array(covariance)


def _seen(network, images):
    """All that decides the features of images: data, network, and how it looks at them."""
    weights = (w.tobytes() for w in network.network.get_weights())
    return [network.name.encode(), str(images.shape).encode(), images.tobytes(), *weights]


def distance_to(dataset, model):
    """A function of a model: the Fréchet distance of its drawings to as many images, or of a model that reads
    texts the share in which not everything is right; lower is better.

    Args:
        dataset: `ImageDataset`, of images that the model does not train on.
        model: a model of the kind that will be scored, trained or not.

    Raises:
        UsageError: if there are fewer than 50 images, or no features for their shape.
    """
    if len(dataset) < LEAST:
        raise UsageError(f"A score needs at least {LEAST} test images. Received: {len(dataset)}")
    if hasattr(model, "read"):
        return lambda model: 1.0 - words_right(model, dataset)["all"]
    translates = hasattr(model, "translate")
    shape = model.artist.output_shape[1:] if translates else dataset.image_shape
    network = features.for_shape(dataset.name, shape)

    def distance(model):
        drawn, real, _ = drawings(model, dataset)
        return frechet_distance(real_gaussian(network, real), gaussian(network.features(drawn)))

    return distance


def draw(model, text, out, *, count=1, seed=0):
    """Draws `count` images of what a text says, into a `.png` (a sheet) or an `.npz` (`images`).

    Raises:
        UsageError: if the model draws nothing from texts, and for a text that it cannot read.
    """
    if not (hasattr(model, "read") and hasattr(model, "generate")):
        raise UsageError(
            f"Drawing what is said needs a text_flow or a text_gan. Received: a {type(model).__name__}"
        )
    _write_images(model.generate([text] * count, seed=seed), out)


def describe(model, path, *, beams=1):
    """What an image shows.

    Returns:
        `(text, told)`: str, and how the image had to be changed to be read, a list of str.

    Raises:
        UsageError: if the model describes nothing, and for an image that cannot be read.
    """
    if not hasattr(model, "describe"):
        raise UsageError(f"Describing images needs a captioner. Received: a {type(model).__name__}")
    image, told = files.load_picture(path, model.image_shape)
    return model.describe(data.to_float(image[None]), beams)[0], told


def edit(model, path, text, out, *, seed=0):
    """Changes an image as a text asks, into a `.png` or an `.npz` (`images`).

    Returns:
        How the image had to be changed to be read, a list of str.

    Raises:
        UsageError: if the model changes no images, and for an image or a text that cannot be read.
    """
    if not hasattr(model, "edit"):
        raise UsageError(f"Changing images needs an editor. Received: a {type(model).__name__}")
    model.read([text])  # a wrong word is told before the image is looked for
    image, told = files.load_picture(path, model.image_shape)
    _write_images(model.edit(data.to_float(image[None]), [text], seed=seed), out)
    return told


def _write_images(images, out):
    with written(out) as file:
        if out.suffix == ".npz":
            np.savez_compressed(file, images=data.to_uint8(images))
        else:
            figures.save_png(images, file)


def _check_label(model, label):
    if label is not None and not hasattr(model, "num_classes"):
        raise UsageError(f"--label needs a conditional model. Received: a {type(model).__name__}")


def test_images(facts):
    """The test images of a run, an `ImageDataset`.

    Args:
        facts: dict, the run's `run.json`.

    Raises:
        UsageError: as `data.load`, and if their shape is not that of the images that were trained on.
    """
    dataset = data.load(facts["data"], "test", image_size=facts["image_size"])
    _, *trained = facts.get("images", [None, *dataset.image_shape])
    if [*dataset.image_shape] != trained:
        raise UsageError(
            f"The test images of {facts['data']} must have the shape of those that were trained on, {trained}. "
            f"Received: {[*dataset.image_shape]}"
        )
    return dataset
