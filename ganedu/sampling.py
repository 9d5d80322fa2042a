"""What is done with a trained model: sample, interpolate, evaluate."""

import math

import numpy as np

from ganedu import data, features, figures, latent
from ganedu.data import files
from ganedu.data.grammar import DIGITS
from ganedu.diagnostics import diagnose, measure
from ganedu.disk import cached, written
from ganedu.metrics.attributes import attribute_accuracy, detect
from ganedu.metrics.frechet import frechet_distance, gaussian
from ganedu.metrics.likelihood import binarized, bits_per_dimension
from ganedu.metrics.pairs import WINDOW, psnr, ssim
from ganedu.metrics.summary import feature_scores
from ganedu.runtime import UsageError

PATHS = 5
MIN_IMAGES = 50  # images of which a score says something
MAX_CAPTIONS = 500  # captions of which it is looked what came of them
MAX_LIKELIHOOD_IMAGES = 500  # images whose likelihood `evaluate` estimates


def sample(model, run_info, out, *, count=64, seed=0, label=None, text=None):
    """Samples images into a `.png` (a grid) or an `.npz` (`images`, uint8 (N, H, W, C)). A translator
    maps the first `count` test images; a model of texts takes `text`, or the first test captions.

    Raises:
        UsageError: for a label or a text where the model takes none, a text that cannot be read, or
            more sources than there are.
    """
    _check_label(model, label)
    if text is not None:
        if not (hasattr(model, "tokenize") and hasattr(model, "generate")):
            raise UsageError(
                f"--text needs a text_flow or a text_gan. Received: a {type(model).__name__}"
            )
        model.tokenize([text])  # a wrong word is told once, and not for each image
        images = model.generate([text] * count, seed=seed)
    elif hasattr(model, "translate"):
        prepared = model.prepare_dataset(test_images(run_info))
        sources, _ = prepared.get_batch(slice(count))
        if len(sources) < count:
            raise UsageError(
                f"There are {len(sources)} test images to translate. Received: {count}"
            )
        images = model.translate(sources)
    elif hasattr(model, "tokenize"):
        dataset = test_images(run_info)
        if len(dataset) < count:
            raise UsageError(f"There are {len(dataset)} test captions. Received: {count}")
        images, *_ = evaluation_samples(model, dataset.first_n(count), seed)
    else:
        labels = {} if label is None else {"labels": label}
        images = model.generate(count, seed=seed, **labels)
    _write_images(images, out)


def interpolate(model, out, *, method="slerp", steps=10, seed=0, label=None):
    """Interpolates between samples of the prior: a `.png` with five paths from left to right, or a
    `.gif` of one closed path. A conditional model keeps one class on a path: `label`, or for the
    `.gif` 0 and for the `.png` the first five.

    Raises:
        UsageError: if the model has no latent space, or for a label where it knows none.
    """
    if not hasattr(model, "latents") or hasattr(model, "tokenize"):
        raise UsageError(
            f"Interpolation needs a latent space without texts. Received: a {type(model).__name__}"
        )
    _check_label(model, label)
    move = {"lerp": latent.lerp, "slerp": latent.slerp}[method]
    points = model.latents(2 * PATHS, seed=seed)

    def decoded(z, classes):
        if not hasattr(model, "num_classes"):
            return model.decode(z)
        return model.decode(z, classes % model.num_classes if label is None else label)

    if out.suffix == ".gif":
        path = latent.interpolation_path(points[:PATHS], steps, move, closed=True)
        frames = [data.to_uint8(image) for image in decoded(path, np.zeros(len(path), int))]
        with written(out) as file:
            figures.save_gif(frames, file, seconds=max(2.0, len(frames) / 12), hold=0.0)
        return
    t = np.linspace(0, 1, steps)
    paths = np.concatenate(
        [move(a, b, t) for a, b in zip(points[:PATHS], points[PATHS:], strict=True)]
    )
    with written(out) as file:
        figures.save_png(decoded(paths, np.arange(PATHS).repeat(steps)), file, columns=steps)


def evaluate(model, run_info, count=None, network=None):
    """The losses of a run on test images, and the scores of as many samples.

    Losses are of the networks that are trained, samples of the averaged ones where the model has them.

    Args:
        model: compiled `GenerativeModel`.
        run_info: dict, the run's `run.json`.
        count: int, how many test images are used. Defaults to all.
        network: str, a name for `ganedu.features.load`: of whose features scores are taken. Defaults to
            the data set's own, or those of its images' shape.

    Returns:
        Dict of `model`, `data`, `count` (of test images) and `scores`: the losses, then, where there are
        at least 50 images of a shape that `ganedu.features` knows, those of
        `ganedu.metrics.summary.feature_scores`, `label_accuracy` of a conditional model, `bits_per_dimension` of a
        model that says how likely a grey image is (`model_bits_per_dim`, of at most 500), and `psnr`
        (decibels) and, from 11 pixels a side, `ssim` of what a model reconstructs. Floats, `None` where not finite.

    Raises:
        UsageError: if there are fewer test images than asked for, or fewer than 50 for the features that
            were asked for; and as `ganedu.features.load`.
    """
    seen = None if network is None else features.load(network)  # before anything slow
    dataset = test_images(run_info)
    if count is not None and count > len(dataset):
        raise UsageError(f"There are {len(dataset)} test images. Received: count={count}")
    dataset = dataset.first_n(count)
    batches = model.prepare_dataset(dataset).test_batches()
    scores = model.evaluate(batches, verbose=0, return_dict=True)
    scores |= _scores_of_samples(model, dataset, seen)
    scores = {
        name: float(value) if math.isfinite(value) else None for name, value in scores.items()
    }
    return {
        "model": run_info["model"],
        "data": run_info["data"],
        "count": len(dataset),
        "scores": scores,
    }


def text_accuracy(model, dataset, seed=1, most=MAX_CAPTIONS):
    """What a model that reads texts gets right.

    Args:
        model: `TextModel`.
        dataset: `CaptionedImages`.
        seed: int, of the samples. Defaults to `1`.
        most: int, how many images are looked at, or `None`. Defaults to `500`.

    Returns:
        Dict of float: of a model that generates, changes or describes, `ganedu.metrics.attributes.rates`; of
        one that compares, `all`, how often the right one of 100 captions fits an image best.
    """
    dataset = dataset.first_n(most)
    if hasattr(model, "caption"):
        return attribute_accuracy(
            dataset.pictures, [_parsed(t) for t in model.caption(dataset.array())]
        )
    if hasattr(model, "similarity"):
        x, texts, first = dataset.array(), dataset.captions, []
        for i in range(0, len(dataset), 100):
            fit = model.similarity(x[i : i + 100], texts[i : i + 100])
            first.extend(fit.argmax(axis=1) == np.arange(len(fit)))
        return {"all": float(np.mean(first))}
    pictures = dataset.pictures
    if hasattr(model, "edit"):
        _, after, _ = dataset.edit_targets(seed)
        pictures = after.pictures
    kind = "digits" if pictures[0].entities[0].kind in DIGITS else "shapes"
    return attribute_accuracy(pictures, detect(evaluation_samples(model, dataset, seed)[0], kind))


def _parsed(text):
    try:
        return data.parse(text)
    except UsageError:
        return None  # no sentence of the grammar


def _scores_of_samples(model, dataset, network):
    if hasattr(model, "tokenize"):
        if network is not None:
            raise UsageError(
                "A model that reads texts is scored by what its words say, not by features"
            )
        return {f"{name}_accuracy": value for name, value in text_accuracy(model, dataset).items()}
    if len(dataset) < MIN_IMAGES:
        if network is not None:
            raise UsageError(
                f"Scores of features need {MIN_IMAGES} images. Received: {len(dataset)}"
            )
        return {}
    generated, real, labels = evaluation_samples(model, dataset)
    scores = {}
    own = features.fitting(dataset.name, real.shape[1:])
    network = network or own
    if network is not None:
        scores |= feature_scores(real_features(network, real), network.features(generated))
    if labels is not None and own is not None and own.name == dataset.name:
        found = own.probabilities(generated).argmax(axis=1)
        scores["label_accuracy"] = np.mean(found == labels)
    if hasattr(model, "log_likelihood") and real.shape[-1] == 1:
        bits = model_bits_per_dim(model, dataset.first_n(MAX_LIKELIHOOD_IMAGES))
        scores |= {"bits_per_dimension": bits.value, "bits_per_dimension_error": bits.error}
    if hasattr(model, "reconstruct"):
        labels = [dataset.labels] if hasattr(model, "num_classes") else []
        reconstructions = model.reconstruct(real, *labels)
        scores["psnr"] = np.mean(psnr(real, reconstructions))
        if min(real.shape[1:3]) >= WINDOW:
            scores["ssim"] = np.mean(ssim(real, reconstructions))
    return scores


def diagnosis(model, run_info, history):
    """What is wrong with the model of a run.

    Args:
        model: as for `ganedu.diagnostics.measure`.
        run_info: dict, the run's `run.json`.
        history: list of dict of float, a row a round.

    Returns:
        `ganedu.diagnostics.Diagnosis`.

    Raises:
        UsageError: as `measure`.
    """
    train = data.load(run_info["data"], image_size=run_info["image_size"])
    return diagnose(measure(model, train, test_images(run_info), history))


def save_signals(diagnosis, out):
    """The figure of a `Diagnosis` into a `.png`."""
    with written(out) as file:
        figures.signals(diagnosis).savefig(file, format="png", dpi=120, bbox_inches="tight")


def evaluation_samples(model, dataset, seed=1):
    """As many samples as there are images, and what they should be like.

    Returns:
        `(generated, real, labels)`: float32 images (N, H, W, C) each, of a translator its translations and
        the true targets, and the classes that were asked for, int (N,) or `None`.
    """
    if hasattr(model, "translate"):
        sources, targets = model.prepare_dataset(dataset).get_batch(slice(None))
        return model.translate(sources), targets, None
    if hasattr(model, "edit"):
        texts, after, _ = dataset.edit_targets(seed)
        return model.edit(dataset.array(), texts, seed=seed), after.array(), None
    if hasattr(model, "tokenize"):
        if not hasattr(model, "generate"):
            raise UsageError(f"A {type(model).__name__} generates nothing")
        return model.generate(dataset.captions, seed=seed), dataset.array(), None
    count = len(dataset)
    if not hasattr(model, "num_classes"):
        return model.generate(count, seed=seed), dataset.array(), None
    labels = np.arange(count) % model.num_classes
    return model.generate(count, labels=labels, seed=seed), dataset.array(), labels


def model_bits_per_dim(model, dataset, samples=64, seed=0):
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


def frechet_scorer(dataset, model):
    """A function of a model: the Fréchet distance of its samples to as many images, or of a model that reads
    texts the share in which not everything is right; lower is better.

    Args:
        dataset: `ImageDataset`, of images that the model does not train on.
        model: a model of the kind that will be scored, trained or not.

    Raises:
        UsageError: if there are fewer than 50 images, or no features for their shape.
    """
    if len(dataset) < MIN_IMAGES:
        raise UsageError(
            f"A score needs at least {MIN_IMAGES} test images. Received: {len(dataset)}"
        )
    if hasattr(model, "tokenize"):
        return lambda model: 1.0 - text_accuracy(model, dataset)["all"]
    translates = hasattr(model, "translate")
    shape = model.translation_network.output_shape[1:] if translates else dataset.image_shape
    network = features.for_shape(dataset.name, shape)

    def score(model):
        generated, real, _ = evaluation_samples(model, dataset)
        return frechet_distance(real_gaussian(network, real), gaussian(network.features(generated)))

    return score


def caption(model, path, *, beams=1):
    """What an image shows.

    Returns:
        `(text, told)`: str, and how the image had to be changed to be read, a list of str.

    Raises:
        UsageError: if the model describes nothing, and for an image that cannot be read.
    """
    if not hasattr(model, "caption"):
        raise UsageError(f"Describing images needs a captioner. Received: a {type(model).__name__}")
    image, told = files.load_picture(path, model.image_shape)
    return model.caption(data.to_float(image[None]), beams)[0], told


def edit(model, path, text, out, *, seed=0):
    """Changes an image as a text asks, into a `.png` or an `.npz` (`images`).

    Returns:
        How the image had to be changed to be read, a list of str.

    Raises:
        UsageError: if the model changes no images, and for an image or a text that cannot be read.
    """
    if not hasattr(model, "edit"):
        raise UsageError(f"Changing images needs an editor. Received: a {type(model).__name__}")
    model.tokenize([text])  # a wrong word is told before the image is looked for
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
        raise UsageError(f"--class needs a conditional model. Received: a {type(model).__name__}")


def test_images(run_info):
    """The test images of a run, an `ImageDataset`.

    Args:
        run_info: dict, the run's `run.json`.

    Raises:
        UsageError: as `data.load`, and if their shape is not that of the images that were trained on.
    """
    dataset = data.load(run_info["data"], "test", image_size=run_info["image_size"])
    _, *trained = run_info.get("images", [None, *dataset.image_shape])
    if [*dataset.image_shape] != trained:
        raise UsageError(
            f"The test images of {run_info['data']} must have the shape of those that were trained on, {trained}. "
            f"Received: {[*dataset.image_shape]}"
        )
    return dataset
