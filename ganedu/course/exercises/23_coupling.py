"""Lesson 23: an affine coupling, its inverse and its log-determinant (Dinh 2017, equations 4 to 9)."""

import numpy as np

from ganedu.course.checking import Check, Variant, variant

FUNCTION = "my_coupling"
FORBIDDEN = ()


def inputs(rng):
    """Two of five numbers are kept; what comes out of the networks depends on each number that goes in."""
    return {
        "x": rng.normal(size=(4, 5)),
        "coupled": rng.normal(size=(4, 5)),
        "mask": np.array([0.0, 1.0, 0.0, 0.0, 1.0]),
        "a": rng.normal(size=(5, 5)),
        "b": rng.normal(size=(5, 5)),
        "bias": rng.uniform(0.3, 0.6, 5),
    }


def _networks(inputs):
    a, b, bias = (inputs[name] for name in ("a", "b", "bias"))
    return lambda x: 0.5 * np.tanh(x @ a) + bias, lambda x: np.sin(x @ b) + bias


def probe(solution, inputs):
    x, mask, (s, t) = inputs["x"], inputs["mask"], _networks(inputs)
    y, log_det = solution(x.copy(), mask.copy(), s, t)
    other, _ = solution(x.copy(), 1 - mask, s, t)
    back, log_det_back = solution(inputs["coupled"].copy(), mask.copy(), s, t, inverse=True)
    shape = np.array(np.shape(y))
    y = np.asarray(y).reshape(x.shape)
    return {
        "shape": shape,
        "kept": y[:, mask == 1],
        "moved": y[:, mask == 0],
        "other": other,
        "log_det": log_det,
        "back": back,
        "log_det_back": log_det_back,
    }


def _coupling(x, mask, s, t, inverse=False):
    kept, moves = mask * x, 1 - mask
    log_scale = moves * s(kept)
    if inverse:
        return kept + moves * (x - t(kept)) * np.exp(-log_scale), -log_scale.sum(axis=1)
    return kept + moves * (x * np.exp(log_scale) + t(kept)), log_scale.sum(axis=1)


MISTAKES = {
    "sees all": lambda x, kept, s, t: x * np.exp(s(x)) + t(x),
    "shifted first": lambda x, kept, s, t: (x + t(kept)) * np.exp(s(kept)),
    "no exp": lambda x, kept, s, t: x * s(kept) + t(kept),
}


def _log_dets(inputs):
    """What three mistakes have for the log-determinant."""
    x, mask, (s, t) = inputs["x"], inputs["mask"], _networks(inputs)
    right = _coupling(x, mask, s, t)[1]
    return {
        "mean": right / x.shape[1],
        "determinant": np.exp(right),
        "kept count": s(mask * x).sum(axis=1),
    }


def compared(outputs, inputs):
    """Beside the arrays themselves, mistakes by their names: what moves, or the log-determinant, as they have it."""
    x, mask, (s, t) = inputs["x"], inputs["mask"], _networks(inputs)
    moved, found = np.asarray(outputs["moved"], float), {}
    for name, mistake in MISTAKES.items():
        wrong = mistake(x, mask * x, s, t)[:, mask == 0]
        found[name] = float(moved.shape == wrong.shape and np.allclose(moved, wrong))
    log_det = np.asarray(outputs["log_det"], float)
    for name, wrong in _log_dets(inputs).items():
        found[name] = float(log_det.shape == wrong.shape and np.allclose(log_det, wrong))
    return outputs | found


def reference(inputs):
    x, mask, (s, t) = inputs["x"], inputs["mask"], _networks(inputs)
    y, log_det = _coupling(x, mask, s, t)
    back, log_det_back = _coupling(inputs["coupled"], mask, s, t, inverse=True)
    return {
        "shape": np.array(x.shape),
        "kept": x[:, mask == 1],
        **dict.fromkeys((*MISTAKES, *_log_dets(inputs)), 0.0),
        "moved": y[:, mask == 0],
        "other": _coupling(x, 1 - mask, s, t)[0],
        "log_det": log_det,
        "back": back,
        "log_det_back": log_det_back,
    }


CHECKS = (
    Check(
        "shape",
        "What comes out first has the shape of x.",
    ),
    Check(
        "kept",
        "Where the mask is 1, x must come out as it went in.",
    ),
    Check(
        "sees all",
        "s and t look at all of x. Going back, what moved is not there yet: let them see only what stays, and zeros "
        "for the rest.",
        points=0,
    ),
    Check(
        "shifted first",
        "x was shifted and then scaled. First it is scaled.",
        points=0,
    ),
    Check(
        "no exp",
        "x was multiplied by s itself. s tells the logarithm of the scale, and the scale is never negative.",
        points=0,
    ),
    Check(
        "moved",
        "Where the mask is 0, x is first scaled and then shifted, as s and t tell, which look at x with zeros where "
        "the mask is 0.",
    ),
    Check(
        "other",
        "Right for one mask, wrong for its opposite.",
    ),
    Check(
        "mean",
        "y is right. The log-determinant is a mean over the numbers of a row. The logarithm of a product is a sum.",
        points=0,
    ),
    Check(
        "determinant",
        "y is right. That is the determinant itself: return its logarithm.",
        points=0,
    ),
    Check(
        "kept count",
        "y is right. In the log-determinant numbers count that stay. By what are those scaled?",
        points=0,
    ),
    Check(
        "log_det",
        "y is right. Its Jacobian is triangular: the determinant is the product of what each number is scaled by, 1 "
        "for those that are kept. One logarithm for each row of x.",
    ),
    Check(
        "back",
        "Forwards it is right. The inverse must give x back from y: what was done last is undone first, and s and t "
        "must look at the same numbers as on the way there.",
    ),
    Check(
        "log_det_back",
        "The inverse gives x back. By what does it scale a number that was made three times as large?",
    ),
)

RIGHT = {
    "as written": """
def my_coupling(x, mask, s, t, inverse=False):
    kept, moves = mask * x, 1 - mask
    log_scale, shift = moves * s(kept), moves * t(kept)
    if inverse:
        y = kept + moves * (x - shift) * np.exp(-log_scale)
        return y, -log_scale.sum(axis=1)
    return kept + moves * x * np.exp(log_scale) + shift, log_scale.sum(axis=1)
""",
    "by choosing": """
def my_coupling(x, mask, s, t, inverse=False):
    stays = mask == 1
    scale, shift = np.exp(s(np.where(stays, x, 0))), t(np.where(stays, x, 0))
    changed = (x - shift) / scale if inverse else x * scale + shift
    log_det = np.log(np.prod(np.where(stays, 1.0, scale), axis=1))
    return np.where(stays, x, changed), -log_det if inverse else log_det
""",
}
_RIGHT = RIGHT["as written"]
WRONG = {
    "s and t see all of x": variant(
        _RIGHT, ("moves * s(kept), moves * t(kept)", "moves * s(x), moves * t(x)")
    ),
    "s and t see what moves": variant(
        _RIGHT, ("moves * s(kept), moves * t(kept)", "moves * s(moves * x), moves * t(moves * x)")
    ),
    "the mask the wrong way round": variant(_RIGHT, ("mask * x, 1 - mask", "(1 - mask) * x, mask")),
    "a scale in the place of its logarithm": variant(
        _RIGHT, ("x * np.exp(log_scale)", "x * log_scale")
    ),
    "shifted before it is scaled": variant(
        _RIGHT,
        (
            "kept + moves * x * np.exp(log_scale) + shift",
            "kept + moves * (x + shift) * np.exp(log_scale)",
        ),
    ),
    "the sum over all, kept ones too": variant(
        _RIGHT, ("+ shift, log_scale.sum(axis=1)", "+ shift, s(kept).sum(axis=1)")
    ),
    "one number for the batch": variant(
        _RIGHT, ("+ shift, log_scale.sum(axis=1)", "+ shift, log_scale.sum()")
    ),
    "the mean": variant(
        _RIGHT, ("+ shift, log_scale.sum(axis=1)", "+ shift, log_scale.mean(axis=1)")
    ),
    "the determinant, not its logarithm": variant(
        _RIGHT, ("+ shift, log_scale.sum(axis=1)", "+ shift, np.exp(log_scale.sum(axis=1))")
    ),
    "undone in the wrong order": variant(
        _RIGHT,
        ("moves * (x - shift) * np.exp(-log_scale)", "moves * x * np.exp(-log_scale) - shift"),
    ),
    "the inverse has the same log-determinant": variant(
        _RIGHT, ("return y, -log_scale", "return y, log_scale")
    ),
}
VARIANTS = (
    Variant(
        "s divides in the place of multiplying: forwards x is divided by exp(s), then shifted by t.",
        variant(
            RIGHT["as written"],
            (
                "log_scale, shift = moves * s(kept), moves * t(kept)",
                "log_scale, shift = -moves * s(kept), moves * t(kept)",
            ),
        ),
    ),
    Variant(
        "Forwards x is shifted first, and then what came out is scaled.",
        variant(
            RIGHT["as written"],
            (
                "y = kept + moves * (x - shift) * np.exp(-log_scale)",
                "y = kept + moves * (x * np.exp(-log_scale) - shift)",
            ),
            (
                "kept + moves * x * np.exp(log_scale) + shift",
                "kept + moves * (x + shift) * np.exp(log_scale)",
            ),
        ),
    ),
    Variant(
        "t is taken away, not added: forwards x is scaled by exp(s), then t is subtracted.",
        variant(
            RIGHT["as written"],
            ("moves * s(kept), moves * t(kept)", "moves * s(kept), -moves * t(kept)"),
        ),
    ),
)
