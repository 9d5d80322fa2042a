"""How good a trained model is: samples beside real images, scores, a diagnosis."""

import math

import numpy as np

from ganedu import data, figures
from ganedu.data.captions.grammar import DIGITS
from ganedu.diagnostics import diagnose, measure
from ganedu.disk import cached, written
from ganedu.metrics import features
from ganedu.metrics.attributes import attribute_accuracy, detect
from ganedu.metrics.frechet import frechet_distance, gaussian
from ganedu.metrics.likelihood import binarized, bits_per_dimension, dequantized
from ganedu.metrics.pairs import WINDOW, psnr, ssim
from ganedu.metrics.summary import feature_scores
from ganedu.runtime import UsageError

MIN_IMAGES = 50  # images of which a score says something
MAX_CAPTIONS = 500  # captions of which it is looked what came of them
MAX_LIKELIHOOD_IMAGES = 500  # images whose likelihood `evaluate` estimates


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


# The samples of a task, and what they should be like: `(generated, real, labels)`.


def _generated(model, dataset, seed):
    return model.generate(len(dataset), seed=seed), dataset.array(), None


def _of_classes(model, dataset, seed):
    labels = np.arange(len(dataset)) % model.num_classes
    return model.generate(len(dataset), labels=labels, seed=seed), dataset.array(), labels


def _of_texts(model, dataset, seed):
    return model.generate(dataset.captions, seed=seed), dataset.array(), None


def _edited(model, dataset, seed):
    texts, after, _ = dataset.edit_targets(seed)
    return model.edit(dataset.array(), texts, seed=seed), after.array(), None


def _translated(model, dataset, seed):
    sources, targets = model.prepare_dataset(dataset).get_batch(slice(None))
    return model.translate(sources), targets, None


# Which of a model's tasks its samples are of: the first of these.
SAMPLERS = {
    "generate": _generated,
    "generate by class": _of_classes,
    "edit": _edited,
    "generate by text": _of_texts,
    "translate": _translated,
}


def evaluation_samples(model, dataset, seed=1):
    """As many samples as there are images, and what they should be like.

    Returns:
        `(generated, real, labels)`: float32 images (N, H, W, C) each, of a translator its translations and
        the true targets, and the classes that were asked for, int (N,) or `None`.

    Raises:
        UsageError: for a model that makes no images.
    """
    for task, sampler in SAMPLERS.items():
        if task in model.tasks:
            return sampler(model, dataset, seed)
    raise UsageError(f"A {type(model).__name__} generates nothing")


def evaluate(model, run_info, count=None, network=None):
    """The losses of a run on test images, and the scores of as many samples.

    Losses are of the networks that are trained, samples of the averaged ones where the model has them.

    Args:
        model: compiled `GenerativeModel`.
        run_info: dict, the run's `run.json`.
        count: int, how many test images are used. Defaults to all.
        network: str, a name for `ganedu.metrics.features.load`: of whose features scores are taken. Defaults to
            the data set's own, or those of its images' shape.

    Returns:
        Dict of `model`, `data`, `count` (of test images), `scores` and `left_out`. Scores are the losses, then, where
        there are at least 50 images, those of `ganedu.metrics.summary.feature_scores`, `label_accuracy` of a
        conditional model, `bits_per_dimension_binary` or `bits_per_dimension_8bit` of a model with a likelihood
        (`model_bits_per_dim`, of at most 500 images; the name says of what they are), and `psnr` (decibels) and
        `ssim` of what a model reconstructs. Floats, `None` where not finite. `left_out` says of each that is
        missing why: a dict of str.

    Raises:
        UsageError: if there are fewer test images than asked for, or fewer than 50 for the features that
            were asked for; and as `ganedu.metrics.features.load`.
    """
    chosen = None if network is None else features.load(network)  # before anything slow
    dataset = test_images(run_info)
    if count is not None and count > len(dataset):
        raise UsageError(f"There are {len(dataset)} test images. Received: count={count}")
    dataset = dataset.spread_n(count)
    batches = model.prepare_dataset(dataset).test_batches()
    scores = model.evaluate(batches, verbose=0, return_dict=True)
    more, left_out = _scores(model, dataset, chosen)
    scores = {
        name: float(value) if math.isfinite(value) else None
        for name, value in (scores | more).items()
    }
    return {
        "model": run_info["model"],
        "data": run_info["data"],
        "count": len(dataset),
        "scores": scores,
        "left_out": left_out,
    }


def _scores(model, dataset, network):
    """Scores by name, and why others are left out, by theirs."""
    if model.tasks & set(TEXT_SCORES):
        if network is not None:
            raise UsageError(
                "A model that reads texts is scored by what its words say, not by features"
            )
        found = text_accuracy(model, dataset)
        return {f"{name}_accuracy": value for name, value in found.items()}, {}
    if len(dataset) < MIN_IMAGES:
        few = f"Scores of features need {MIN_IMAGES} images. Received: {len(dataset)}"
        if network is not None:
            raise UsageError(few)
        return {}, {"all but the losses": few}
    generated, real, labels = evaluation_samples(model, dataset)
    scores, left_out = {}, {}
    own = features.fitting(dataset.name, real.shape[1:])
    network = network or own
    if network is not None:
        scores |= feature_scores(real_features(network, real), network.features(generated))
    else:
        left_out["scores of features"] = (
            f"{features.no_features(real.shape[1:])}; --features inception_v3 takes those of ImageNet"
        )
    if labels is not None and own is not None and own.name == dataset.name:
        found = own.probabilities(generated).argmax(axis=1)
        scores["label_accuracy"] = np.mean(found == labels)
    elif labels is not None:
        left_out["label_accuracy"] = f"No network here knows the classes of {dataset.name}"
    if "likelihood" in model.tasks:
        name = f"bits_per_dimension_{likelihood_axis(model)}"
        if real.shape[-1] == 1 or likelihood_axis(model) != "binary":
            bits = model_bits_per_dim(model, dataset.spread_n(MAX_LIKELIHOOD_IMAGES))
            scores |= {name: bits.value, f"{name}_error": bits.error}
        else:
            left_out[name] = "Only grey images are made binary"
    if "reconstruct" in model.tasks:
        reconstructions = model.reconstruct(real, *_told(model, dataset))
        scores["psnr"] = np.mean(psnr(real, reconstructions))
        if min(real.shape[1:3]) >= WINDOW:
            scores["ssim"] = np.mean(ssim(real, reconstructions))
        else:
            left_out["ssim"] = f"Its window is {WINDOW} pixels wide"
    return scores, left_out


def _told(model, dataset):
    """The labels, for a model that is told them beside its images, in a list."""
    return [dataset.labels] if "generate by class" in model.tasks else []


# What is right of a task of texts: a dict of float.


def _captions_accuracy(model, dataset, seed):
    captions = model.caption(dataset.array())
    return attribute_accuracy(dataset.pictures, [_parsed(text) for text in captions])


def _retrieval_accuracy(model, dataset, seed):
    """How often the right one of 100 captions fits an image best."""
    x, texts, first = dataset.array(), dataset.captions, []
    for i in range(0, len(dataset), 100):
        fit = model.similarity(x[i : i + 100], texts[i : i + 100])
        first.extend(fit.argmax(axis=1) == np.arange(len(fit)))
    return {"all": float(np.mean(first))}


def _edit_accuracy(model, dataset, seed):
    _, after, _ = dataset.edit_targets(seed)
    return _images_accuracy(model, dataset, seed, after.pictures)


def _images_accuracy(model, dataset, seed, pictures=None):
    pictures = dataset.pictures if pictures is None else pictures
    kind = "digits" if pictures[0].entities[0].kind in DIGITS else "shapes"
    return attribute_accuracy(pictures, detect(evaluation_samples(model, dataset, seed)[0], kind))


TEXT_SCORES = {
    "caption": _captions_accuracy,
    "compare": _retrieval_accuracy,
    "edit": _edit_accuracy,
    "generate by text": _images_accuracy,
}


def text_accuracy(model, dataset, seed=1, most=MAX_CAPTIONS):
    """What a model of texts gets right.

    Args:
        model: `TextModel`.
        dataset: `CaptionedImages`.
        seed: int, of the samples. Defaults to `1`.
        most: int, how many images are looked at, or `None`. Defaults to `500`.

    Returns:
        Dict of float: of a model that generates, edits or captions,
        `ganedu.metrics.attributes.attribute_accuracy`; of one that compares, `all`, how often the right
        one of 100 captions fits an image best.

    Raises:
        UsageError: for a model without texts.
    """
    for task, score in TEXT_SCORES.items():
        if task in model.tasks:
            return score(model, dataset.spread_n(most), seed)
    raise UsageError(f"A {type(model).__name__} has no texts")


def _parsed(text):
    try:
        return data.parse(text)
    except UsageError:
        return None  # no sentence of the grammar


# The images that a kind of likelihood is of, `(x, bin_width)`.


def _binary(dataset, seed):
    return binarized(dataset.array(), seed), None


def _whole_grey_values(dataset, seed):
    return dataset.array(), None


def _real_numbers(dataset, seed):
    return dequantized(dataset.images, seed)


# By `model.likelihood_of`: the axis on which its bits lie, and its images.
LIKELIHOOD_IMAGES = {
    "binary": ("binary", _binary),
    "8-bit": ("8bit", _whole_grey_values),
    "density": ("8bit", _real_numbers),
}


def likelihood_axis(model):
    """Of what a model's bits per dimension are: `"binary"`, of binary images, or `"8bit"`, of whole grey values. Bits
    of one say nothing beside bits of the other.

    Raises:
        UsageError: for a model that does not say how likely an image is.
    """
    if "likelihood" not in model.tasks:
        raise UsageError(
            "Bits per dimension need a model that says how likely an image is, as vae and pixelcnn do. "
            f"Received: a {type(model).__name__}"
        )
    return LIKELIHOOD_IMAGES[model.likelihood_of][0]


def model_bits_per_dim(model, dataset, samples=64, seed=0):
    """`ganedu.metrics.likelihood.bits_per_dimension` of a model, on the axis that `likelihood_axis` names.

    A likelihood of binary images is asked for binarized ones, where a grey value is the probability of a 1; one of
    8-bit images for the images as they are; a density for dequantized ones, and its bits are an upper bound of those
    of 8-bit images. Those of a VAE are an upper bound, too, which falls with `samples`.

    Args:
        model: one with the task "likelihood".
        dataset: `ImageDataset`; a conditional model is told the labels.
        samples: int, draws of the code for each image, where the likelihood is not exact. Defaults to `64`.
        seed: int, of all that is drawn. Defaults to `0`.

    Returns:
        `Estimate`.

    Raises:
        UsageError: for a model that does not say how likely an image is.
    """
    likelihood_axis(model)
    x, bin_width = LIKELIHOOD_IMAGES[model.likelihood_of][1](dataset, seed)
    draws = {} if model.exact_likelihood else {"samples": samples, "seed": seed}
    log_p = model.log_likelihood(x, *_told(model, dataset), **draws)
    return bits_per_dimension(log_p, dataset.image_shape, bin_width)


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
    if model.tasks & set(TEXT_SCORES):
        return lambda model: 1.0 - text_accuracy(model, dataset)["all"]
    shape = dataset.image_shape
    if "translate" in model.tasks:
        shape = model.translation_network.output_shape[1:]
    network = features.for_shape(dataset.name, shape)

    def score(model):
        generated, real, _ = evaluation_samples(model, dataset)
        return frechet_distance(real_gaussian(network, real), gaussian(network.features(generated)))

    return score


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
