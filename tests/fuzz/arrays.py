"""Arrays and labels, given to the methods of small models."""

import functools

import numpy as np
from rows import IMAGE_SHAPE, ROWS

from fuzz.runner import NonsenseError
from ganedu import models

NAMES = ("gan", "cgan", "autoencoder", "vae", "cvae", "vqvae", "wgan", "flow_matching", "pix2pix")


@functools.cache
def built(name):
    model = models.build(name, IMAGE_SHAPE, **ROWS[name].build)
    model.compile(run_eagerly=True, **{p: getattr(model, p) for p in model.players})
    return model


def good(rng, count=16):
    return rng.uniform(-1, 1, (count, *IMAGE_SHAPE)).astype("float32")


# What may be done to images, and whether they may then be taken.
CHANGES = {
    "as they should be": (lambda rng, x: x, True),
    "float64": (lambda rng, x: x.astype("float64"), True),
    "float16": (lambda rng, x: x.astype("float16"), True),
    "a list": (lambda rng, x: x.tolist(), None),
    "uint8": (lambda rng, x: np.rint((x + 1) * 127.5).astype("uint8"), False),
    "0 to 255": (lambda rng, x: (x + 1) * 127.5, False),
    "0 to 1": (lambda rng, x: (x + 1) / 2, False),
    "int64": (lambda rng, x: np.rint((x + 1) * 127.5).astype("int64"), False),
    "bool": (lambda rng, x: x > 0, False),
    "objects": (lambda rng, x: x.astype(object), False),
    "texts": (lambda rng, x: x.astype(str), False),
    "complex": (lambda rng, x: x.astype(complex), False),
    "NaN": (lambda rng, x: np.where(rng.random(x.shape) < 0.01, np.nan, x), None),
    "one NaN": (lambda rng, x: _one(x, np.nan), False),
    "infinity": (lambda rng, x: _one(x, np.inf), False),
    "a little over 1": (lambda rng, x: _one(x, 1.2), False),
    "one image": (lambda rng, x: x[0], False),
    "no channel": (lambda rng, x: x[..., 0], False),
    "three channels": (lambda rng, x: np.repeat(x, 3, axis=-1), False),
    "another size": (lambda rng, x: np.repeat(x, 2, axis=1), False),
    "channels first": (lambda rng, x: np.moveaxis(x, -1, 1), False),
    "no image": (lambda rng, x: x[:0], False),
    "a number": (lambda rng, x: 3.0, False),
    "None": (lambda rng, x: None, False),
    "a word": (lambda rng, x: "digits", False),
}


def _one(x, value):
    x = x.copy()
    x[-1, -1, -1, -1] = value
    return x


def images(rng, path):
    """Images, to every method that takes them."""
    name = str(rng.choice(NAMES))
    model, change = built(name), str(rng.choice(list(CHANGES)))
    verbs = {"fit": _fit, "evaluate": _evaluate}
    if "reconstruct" in model.tasks:
        verbs |= {"encode": _called("encode"), "reconstruct": _called("reconstruct")}
    if "translate" in model.tasks:
        verbs["translate"] = _called("translate")
    verb = str(rng.choice(list(verbs)))
    make, allowed = CHANGES[change]
    x = make(rng, good(rng))

    def action():
        before = [np.array(w) for w in model.get_weights()]
        try:
            found = verbs[verb](model, name, x)
        finally:
            if not all(np.isfinite(w).all() for w in model.get_weights()):
                model.set_weights(before)
                raise NonsenseError("weights that are not finite")
        _check(found, verb)
        if allowed is False:
            raise NonsenseError("it was taken")

    return f"{name}.{verb} of {change}", action


def _targets(name, count=16):
    if ROWS[name].feed == "labels":
        return [np.arange(count) % ROWS[name].build["num_classes"]]
    return [good(np.random.default_rng(1), count)] if ROWS[name].feed == "pairs" else []


def _fit(model, name, x):
    return model.fit(x, *_targets(name), batch_size=16, verbose=0).history


def _evaluate(model, name, x):
    return model.evaluate(x, *_targets(name), verbose=0, return_dict=True)


def _called(verb):
    def call(model, name, x):
        labels = _targets(name) if ROWS[name].feed == "labels" else []
        return getattr(model, verb)(x, *labels)

    return call


def _check(found, verb):
    values = (
        np.concatenate([np.ravel(v) for v in found.values()]) if isinstance(found, dict) else found
    )
    if not np.isfinite(np.asarray(values, "float64")).all():
        raise NonsenseError("it gave NaN or infinity")
    if (
        verb in ("reconstruct", "translate", "generate", "decode")
        and np.abs(values).max() > 1.00001
    ):
        raise NonsenseError("it gave values outside of [-1, 1]")


LABELS = {
    "as they should be": (lambda y: y, True),
    "(N, 1)": (lambda y: y[:, None], True),
    "floats": (lambda y: y.astype("float32"), None),
    "one-hot": (lambda y: np.eye(3, dtype="float32")[y], True),
    "one-hot of 4": (lambda y: np.eye(4)[y], False),
    "soft": (lambda y: np.full((len(y), 3), 1 / 3), False),
    "a class too many": (lambda y: y + 1, False),
    "under 0": (lambda y: y - 1, False),
    "halves": (lambda y: y + 0.5, False),
    "NaN": (lambda y: np.where(y == 1, np.nan, y), False),
    "texts": (lambda y: y.astype(str), False),
    "objects": (lambda y: y.astype(object), False),
    "too few": (lambda y: y[:-1], False),
    "none": (lambda y: None, None),  # of `decode`: all classes in turn
    "a number": (lambda y: 2, None),
    "a number too large": (lambda y: 3, False),
    "a list": (lambda y: y.tolist(), None),
    "huge": (lambda y: y.astype("int64") + 2**40, False),
    "a word": (lambda y: "cat", False),
}


def labels(rng, path):
    """Labels, to the conditional models."""
    name, change = str(rng.choice(["cgan", "cvae", "acgan"])), str(rng.choice(list(LABELS)))
    model, verb = built(name), str(rng.choice(["fit", "evaluate", "generate", "decode"]))
    make, allowed = LABELS[change]
    x, y = good(rng, 9), make(np.arange(9) % 3)

    def action():
        if verb == "fit":
            found = model.fit(x, y, batch_size=9, verbose=0).history
        elif verb == "evaluate":
            found = model.evaluate(x, y, verbose=0, return_dict=True)
        elif verb == "generate":
            found = model.generate(9, labels=y)
        else:
            found = model.decode(model.latents(9), y)
        _check(found, verb)
        if allowed is False:
            raise NonsenseError("they were taken")

    return f"{name}.{verb} with labels {change}", action


DRAWS = (1, 3, 0, -1, 2.5, "3", None, True, np.int64(2), 2**40, float("nan"), [2], "")


def draws(rng, path):
    """Latents, counts and seeds, to the models that sample."""
    name = str(rng.choice([n for n in NAMES if "translate" not in built(n).tasks]))
    model, change = built(name), str(rng.choice(list(CHANGES)))
    if rng.random() < 0.5 and hasattr(model, "latents"):
        z = model.latents(5).reshape(
            5, -1, 1, 1
        )  # as images are, so that it can be changed as they are
        make, _ = CHANGES[change]
        given = make(rng, z)
        given = given.reshape(len(given), -1) if change in ("NaN", "infinity", "float16") else given
        given = z[..., 0, 0] if change == "as they should be" else given
        return f"{name}.decode of {change}", lambda: _check(model.decode(given), "decode")
    count, seed = (DRAWS[rng.integers(len(DRAWS))] for _ in range(2))
    count = 3 if count == 2**40 else count

    def action():
        made = model.generate(count, seed=seed)
        _check(made, "generate")
        if len(made) != count:
            raise NonsenseError(f"{len(made)} images")

    return f"{name}.generate({count!r}, seed={seed!r})", action


KINDS = [images, labels, draws]
