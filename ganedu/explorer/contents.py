"""What a page tells of a run besides the model itself: how it was trained, and how good it is. Arrays and records in,
dicts for JSON out."""

import base64
import io
import math
import time
import zlib

import numpy as np
from PIL import Image

from ganedu import catalogue, data
from ganedu.explorer import findings
from ganedu.metrics import features
from ganedu.metrics.memorisation import nearest_neighbour_distance
from ganedu.metrics.summary import feature_scores
from ganedu.runs import evaluation
from ganedu.runtime import UsageError, one_line

MAX_FRAMES = 40
MAX_ROWS = 400
MAX_FRAME_SIDE = 2048
MAX_SAMPLES = 512
MAX_TRAIN = 5000  # images among which the nearest are looked for
MAX_REAL_BYTES = 300_000  # of the training images in the page, among which it looks for the nearest
EXAMPLES = 16
SAMPLING_SECONDS = 30.0
MAX_DIAGNOSIS_SECONDS = 120.0


def packed(images):
    """Images in [-1, 1] or uint8 (N, H, W, C) as `{"shape", "data"}`: their grey values, deflated, as base64."""
    images = np.asarray(images)
    images = images if images.dtype == np.uint8 else data.to_uint8(images)
    deflated = zlib.compress(np.ascontiguousarray(images).tobytes(), 9)
    return {"shape": list(images.shape), "data": base64.b64encode(deflated).decode()}


def packed_to_fit(images, most=MAX_REAL_BYTES, labels=None):
    """As many of the images, in an order drawn by a fixed seed, as fit into `most` characters, as `packed`; with their
    classes, if these are given, as `"labels"`."""
    order = np.random.default_rng(0).permutation(len(images))
    images = images[order]
    count = min(len(images), 200)
    each = len(packed(images[:count])["data"]) / count
    count = max(min(len(images), int(most / each)), 1)
    told = packed(images[:count])
    while len(told["data"]) > most and count > 1:
        count = int(0.95 * count)
        told = packed(images[:count])
    return told if labels is None else told | {"labels": labels[order[:count]].tolist()}


def finite(value):
    """A number for JSON, `None` where it is not finite."""
    return float(value) if math.isfinite(value) else None


def details(run_info, model):
    """What was asked for and with what: a list of `[name of a string, value]`."""
    recipe = run_info.get("recipe", {})
    length = f"{run_info['seconds']:g} s" if run_info["seconds"] else None
    length = length or (f"{run_info['epochs']:g} epochs" if run_info["epochs"] else None)
    height, width, channels = run_info["images"][1:]
    found = [
        ["model", run_info["model"]],
        ["data", run_info["data"]],
        ["images", f"{run_info['images'][0]}, {height} x {width} x {channels}"],
        ["length", length],
        ["batch_size", recipe.get("batch_size")],
        ["arguments", ", ".join(f"{k}={v}" for k, v in recipe.get("model", {}).items())],
        ["augmentation", ", ".join(recipe.get("augment", []))],
        ["parameters", f"{sum(math.prod(w.shape) for w in model.trainable_weights):,}"],
        ["seed", run_info["seed"]],
        ["backend", run_info.get("backend")],
        ["started", run_info.get("started")],
        ["status", run_info.get("status")],
        ["versions", _versions(run_info.get("versions"))],
    ]
    return [[name, str(value)[:500]] for name, value in found if value not in (None, "")]


def _versions(versions):
    versions = versions if isinstance(versions, dict) else {}
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def summary(name):
    """The one line that `ganedu models` says of a model, or nothing for a name that it does not know."""
    return catalogue.summary(name)[1] if name in catalogue.names() else ""


def curves(history):
    """`{"steps", "seconds", "columns"}` of a history, at most `MAX_ROWS` rows of it."""
    if len(history) > MAX_ROWS:
        chosen = np.linspace(0, len(history) - 1, MAX_ROWS).round().astype(int)
        history = [history[i] for i in chosen]
    names = dict.fromkeys(name for row in history for name in row)
    columns = {
        name: [finite(row.get(name, math.nan)) for row in history]
        for name in names
        if name not in ("round", "step", "seconds", "epoch")
    }
    steps = [row.get("step", i + 1) for i, row in enumerate(history)]
    return {
        "steps": steps,
        "seconds": [finite(row.get("seconds", math.nan)) for row in history],
        "columns": columns,
    }


def film(files):
    """Frames, `[{"step", "image"}]`, at most `MAX_FRAMES` of them, as PNG in a `data:` address. Damaged ones are left
    out, and so is what is no PNG: for other kinds Pillow may start a program."""
    if len(files) > MAX_FRAMES:
        files = [files[i] for i in np.linspace(0, len(files) - 1, MAX_FRAMES).round().astype(int)]
    found = []
    for file in files:
        try:
            with Image.open(file, formats=["PNG"]) as picture:
                if max(picture.size) > MAX_FRAME_SIDE:
                    continue
                picture = picture.convert("L" if picture.mode == "L" else "RGB")
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            continue
        text = io.BytesIO()
        picture.save(text, format="PNG", optimize=True)
        address = f"data:image/png;base64,{base64.b64encode(text.getvalue()).decode()}"
        size = {"width": picture.width, "height": picture.height}
        found.append({"step": int(file.stem), "image": address, **size})
    return found


def diagnosis(model, run_info, history, seconds=0.0, language="en"):
    """What `ganedu diagnose` says, in a language: `{"text"}`, or `{"missing"}`, why it says nothing, or `{"name"}`, the
    name of a text of the page, perhaps with the `"value"` in it. It needs as many samples as there are test images;
    where these would take long, `seconds`, it is left to the command."""
    if not model.tasks & {"generate", "generate by class"}:
        return {"name": "not_diagnosed"}
    if seconds > MAX_DIAGNOSIS_SECONDS:
        return {"name": "diagnosis_slow", "value": f"{seconds:.0f}"}
    try:
        return {"text": findings.told(evaluation.diagnosis(model, run_info, history), language)}
    except (UsageError, ValueError) as e:
        return {"missing": one_line(e, 300)}


def test_images(run_info):
    """The test images of a run, or `None` and why there are none."""
    try:
        return evaluation.test_images(run_info), None
    except UsageError as e:
        return None, one_line(e, 300)


def samples(model, dataset):
    """Samples, what they should be like and their classes, as `evaluation.evaluation_samples`; as many as can be had in
    some seconds, at most `MAX_SAMPLES`. After them the seconds that one took."""
    count = min(16, len(dataset))
    started = time.perf_counter()
    found = evaluation.evaluation_samples(model, dataset.spread_n(count))
    each = max(time.perf_counter() - started, 1e-3) / count
    more = int(min(SAMPLING_SECONDS / each, MAX_SAMPLES, len(dataset)))
    if more > count:
        started = time.perf_counter()
        found = evaluation.evaluation_samples(model, dataset.spread_n(more))
        each = (time.perf_counter() - started) / more
    return *found, each


def quality(model, run_info, dataset):
    """How good a model is.

    Returns:
        `{"count", "each", "scores", "real", "neighbours", "left_out"}`: how many samples, the seconds that one took,
        `scores` as rows `[name, of samples, of real images]`, `real` the training images among which a page looks for
        the nearest, `neighbours` what `_neighbours` finds; what is missing, and why, is in `left_out`, a list of str.
        A model that is told classes has the nearest of each sample's class, and `of_classes` is true. A model that
        edits or translates has `pairs` in the place of `neighbours`; one that makes no images has
        `left_out` alone.
    """
    if not model.tasks & set(evaluation.SAMPLERS):
        return {"left_out": ["no_images"]}
    try:
        generated, real, labels, each = samples(model, dataset)
    except UsageError as e:
        return {"left_out": [one_line(e, 300)]}
    found = {"count": len(generated), "each": each, "scores": [], "left_out": []}
    network = features.fitting(dataset.name, real.shape[1:])
    enough = len(generated) >= evaluation.MIN_IMAGES
    generates = model.tasks & {"generate", "generate by class"}
    train = data.load(run_info["data"], image_size=run_info["image_size"]).spread_n(MAX_TRAIN)
    found["of_classes"] = labels is not None
    if network is not None and enough and generates:
        others = train.spread_n(len(real)).array()
        if len(others) == len(real):
            seen = [network.features(images) for images in (real, generated, others)]
            ours, ideal = (feature_scores(seen[0], other) for other in seen[1:])
            found["scores"] = [
                [name, finite(value), finite(ideal[name])]
                for name, value in ours.items()
                if not name.endswith("_error")
            ]
    elif generates:
        found["left_out"].append("few" if not enough else "no_features")
    found["real"] = packed_to_fit(
        _wanted(model, train), labels=None if labels is None else train.labels
    )
    if generates:
        classes = None if labels is None else (labels, train.labels)
        found["neighbours"] = _neighbours(generated, train.array(), network, classes)
    else:
        made_of = "images" if model.tasks & {"edit", "translate"} else "texts"
        found["pairs"] = {"made": packed(generated[:EXAMPLES]), "wanted": packed(real[:EXAMPLES])}
        found["pairs"]["made_of"] = made_of
    return found


def _wanted(model, train):
    """What a model is to make: the training images, of a translator their targets."""
    if "translate" in model.tasks:
        return data.to_uint8(model.prepare_dataset(train).get_batch(slice(None))[1])
    return train.images


def _neighbours(generated, train, network, classes=None):
    """The 16 samples nearest to real images and the 16 furthest from them, each with its nearest real image and the
    distance, in features where a network knows such images, else in pixels. With `classes`, those of the samples and
    of the real images, the nearest is one of the sample's class."""
    spaces = (generated, train)
    if network is not None:
        spaces = tuple(network.features(images) for images in spaces)
    flat = [a.reshape(len(a), -1).astype("float64") for a in spaces]
    distances, nearest = np.full(len(generated), np.inf), np.zeros(len(generated), int)
    classes = [np.zeros(len(a), int) for a in spaces] if classes is None else classes
    for label in np.intersect1d(*classes):
        ours, others = (np.flatnonzero(c == label) for c in classes)
        distances[ours], found = nearest_neighbour_distance(flat[0][ours], flat[1][others])
        nearest[ours] = others[found]
    order = np.argsort(distances, kind="stable")
    order = order[np.isfinite(distances[order])]  # not those of a class that no real image here has
    count = min(EXAMPLES, len(order) // 2)
    told = {"features": network is not None}
    for name, chosen in (("best", order[:count]), ("worst", order[::-1][:count])):
        told[name] = {
            "samples": packed(generated[chosen]),
            "nearest": packed(train[nearest[chosen]]),
            "distances": [round(float(d), 3) for d in distances[chosen]],
        }
    return told
