"""Lesson 02: the linear autoencoder's loss and its gradients by hand, where z = x W and x' = z V."""

import numpy as np

from ganedu.course.checking import Check, variant

FUNCTION = "my_gradients"
FORBIDDEN = ()


def inputs(rng):
    found = {}
    for name, (count, pixels, k) in (("", (5, 7, 3)), (" of others", (8, 4, 2))):
        x = rng.normal(size=(count, pixels)) * np.linspace(0.6, 1.8, pixels)
        found[f"x{name}"] = x - x.mean(axis=0)
        found[f"W{name}"] = 0.6 * rng.normal(size=(pixels, k))
        found[f"V{name}"] = 0.6 * rng.normal(size=(k, pixels))
    return found


def probe(solution, inputs):
    found = {}
    for name in ("", " of others"):
        arrays = (inputs[f"{letter}{name}"] for letter in ("x", "W", "V"))
        loss, dw, dv = solution(*arrays)
        found |= {f"loss{name}": loss, f"dW{name}": dw, f"dV{name}": dv}
    return found


def _right(inputs, name=""):
    x, w, v = (inputs[f"{letter}{name}"] for letter in ("x", "W", "V"))
    off = x @ w @ v - x
    return np.mean(off**2), 2 * x.T @ off @ v.T / x.size, 2 * w.T @ x.T @ off / x.size


def _scale(given, right):
    """The number c with given = c right, and 0 where there is none."""
    given = np.asarray(given)
    if given.shape != right.shape or given.dtype.kind not in "biuf":
        return 0.0
    c = np.sum(given * right) / np.sum(right * right)
    return float(c) if np.allclose(given, c * right, rtol=1e-3, atol=1e-6) else 0.0


def _slips(told, inputs):
    """Whether what was found is what a known slip gives."""
    x, w, v = inputs["x"], inputs["W"], inputs["V"]
    z, copy = x @ w, x @ w @ v
    off = copy - x
    loss, dw, dv = _right(inputs)
    scales = [_scale(told["dW"], dw), _scale(told["dV"], dv)]
    lengths = [c * share for c in map(abs, scales) for share in (1, 2)]

    def near(*wanted):
        return any(np.isclose(c, n, rtol=1e-3) for c in lengths for n in wanted)

    def along(key, *others):
        return any(_scale(told[key], other) for other in others)

    losses = [] if told["loss"].shape else [np.isclose(told["loss"], loss * n) for n in _sizes(x)]
    return {
        "loss summed": any(losses),
        "loss halved": bool(told["loss"].shape == () and np.isclose(told["loss"], loss / 2)),
        "order": bool(_scale(told["dW"], dv) and _scale(told["dV"], dw)),
        "turned": bool(_scale(told["dW"], dw.T) or _scale(told["dV"], dv.T)),
        "still": bool(told["dW"].dtype.kind in "biuf" and not np.any(told["dW"])),
        "sign": min(scales) < 0,
        "summed": near(*_sizes(x)),
        "half": any(np.isclose(abs(c), 0.5, rtol=1e-3) for c in scales),
        "length": any(c and not np.isclose(c, 1, rtol=1e-3) for c in scales),
        "W for V": along("dW", x.T @ off @ w),
        "V for W": along("dV", v @ x.T @ off),
        "copy for x": along("dW", copy.T @ off @ v.T),
        "no error": along("dW", x.T @ x @ v.T, x.T @ copy @ v.T)
        or along("dV", z.T @ x, z.T @ copy),
    }


def _sizes(x):
    return (len(x), x.shape[1], x.size)


def compared(outputs, inputs):
    """What was found, and of the first images whether it is a known slip."""
    told = {name: np.asarray(array) for name, array in outputs.items()}
    return {**told, **_slips(told, inputs)}


def reference(inputs):
    found = dict.fromkeys((c.key for c in CHECKS), False)
    for name in ("", " of others"):
        told = zip(("loss", "dW", "dV"), _right(inputs, name), strict=True)
        found |= {f"{key}{name}": value for key, value in told}
    return found


CHECKS = (
    Check(
        "loss summed",
        "The loss is a mean over all B P values: over the images and over the pixels. Here something is only summed.",
        points=0,
    ),
    Check(
        "loss halved",
        "The loss comes out half as large as it should: it is the mean of the squares, with no 1/2 before it.",
        points=0,
    ),
    Check(
        "loss",
        "The loss is wrong: one number, the mean of all squares (x - x')^2, where x' is decoded from the codes z.",
    ),
    Check(
        "order",
        "The two gradients have changed places: return the loss, then the gradient in W, then the one in V.",
        points=0,
    ),
    Check(
        "turned",
        "The numbers are right and lie the wrong way round: a gradient has the shape of its matrix, (P, k) for W and "
        "(k, P) for V.",
        points=0,
    ),
    Check(
        "still",
        "In W you say that nothing changes. But when W moves, the codes move, and with them the reconstructions: z is "
        "not fixed.",
        points=0,
    ),
    Check(
        "sign",
        "A sign is turned: a step against the gradient must lessen the loss. Does (x' - x)^2 grow or fall when x' "
        "grows?",
        points=0,
    ),
    Check(
        "summed",
        "The loss is right, and a gradient points the right way and is many times too long. Is it divided by all that "
        "the loss is a mean over, the B images and the P pixels?",
        points=0,
    ),
    Check(
        "half",
        "The loss is right, and a gradient is half as long as it should be. What is the derivative of a square?",
        points=0,
    ),
    Check(
        "length",
        "A gradient points the right way and has the wrong length. Add a millionth to one entry of V: by how many "
        "millionths does your loss change?",
        points=0,
    ),
    Check(
        "W for V",
        "In the gradient in W you go from the pixels back to the codes by W. Which matrix made pixels of the codes?",
        points=0,
    ),
    Check(
        "V for W",
        "In the gradient in V the images are encoded by V. Which matrix made the codes that V decodes?",
        points=0,
    ),
    Check(
        "copy for x",
        "In the gradient in W stands the reconstruction where the image should stand. What is W multiplied with when "
        "it makes the codes?",
        points=0,
    ),
    Check(
        "no error",
        "A gradient is made of the images or of their reconstructions where it should be made of how far these two "
        "are apart. What is the derivative of (x' - x)^2 in x'?",
        points=0,
    ),
    Check(
        "dV",
        "The loss is right, the gradient in V is not. When V[a, i] grows a little, by how much does pixel i of each "
        "reconstruction grow?",
    ),
    Check(
        "dW",
        "Loss and gradient in V are right, the gradient in W is not. It goes through the codes: how does the loss "
        "change with each of them, and how do they change with W?",
    ),
    Check(
        "loss of others",
        "Right for five images of seven pixels, not for eight of four: is there a number in it that the arrays should "
        "give?",
        points=0,
    ),
    Check(
        "dV of others",
        "In V it is right for five images of seven pixels, not for eight of four: is there a number in it that the "
        "arrays should give?",
        points=0,
    ),
    Check(
        "dW of others",
        "In W it is right for five images of seven pixels, not for eight of four: is there a number in it that the "
        "arrays should give?",
    ),
)

RIGHT = {
    "as written": '''
def my_gradients(x, W, V):
    """x: (B, P), W: (P, k), V: (k, P). Returns the loss and its gradients in W and in V."""
    z = x @ W  # (B, k)
    off = z @ V - x  # (B, P)
    slope = 2 * off / x.size  # of the loss, in each value of x'
    return np.mean(off**2), x.T @ (slope @ V.T), z.T @ slope
''',
    "by einsum": """
def my_gradients(x, W, V):
    z = np.einsum("np,pk->nk", x, W)
    off = x - np.einsum("nk,kp->np", z, V)
    loss = (off**2).mean(axis=1).mean()
    dW = -2 * np.einsum("np,nq,kq->pk", x, off, V) / (len(x) * x.shape[1])
    dV = -2 * np.einsum("nk,np->kp", z, off) / (len(x) * x.shape[1])
    return loss, dW, dV
""",
    "image by image": """
def my_gradients(x, W, V):
    loss, dW, dV = 0.0, np.zeros(W.shape), np.zeros(V.shape)
    for image in x:
        z = image @ W
        off = z @ V - image
        loss += np.sum(off**2) / x.size
        dV += 2 * np.outer(z, off) / x.size
        dW += 2 * np.outer(image, V @ off) / x.size
    return loss, dW, dV
""",
    "by nudging": """
def my_gradients(x, W, V):
    def loss(W, V):
        return np.mean((x @ W @ V - x) ** 2)

    h, dW, dV = 1e-5, np.zeros(W.shape), np.zeros(V.shape)
    for i in range(W.shape[0]):
        for a in range(W.shape[1]):
            e = np.zeros(W.shape)
            e[i, a] = h
            dW[i, a] = (loss(W + e, V) - loss(W - e, V)) / (2 * h)
            dV[a, i] = (loss(W, V + e.T) - loss(W, V - e.T)) / (2 * h)
    return loss(W, V), dW, dV
""",
    "through the two Gram matrices": """
def my_gradients(x, W, V):
    S, n = x.T @ x, x.size
    loss = np.trace((W @ V - np.eye(len(W))).T @ S @ (W @ V - np.eye(len(W)))) / n
    return loss, 2 * (S @ W @ V @ V.T - S @ V.T) / n, 2 * (W.T @ S @ W @ V - W.T @ S) / n
""",
}


def _slip(*changes):
    return variant(RIGHT["as written"], *changes)


WRONG = {
    "z held fixed for W": _slip(("x.T @ (slope @ V.T)", "np.zeros(W.shape)")),
    "sums": _slip((" / x.size", "")),
    "a mean over images alone": _slip(("/ x.size", "/ len(x)")),
    "a mean over pixels alone": _slip(("/ x.size", "/ x.shape[1]")),
    "sums without the 2": _slip(("2 * off / x.size", "off")),
    "only V's gradient is a mean": _slip(("x.T @ (slope @ V.T)", "x.T @ (2 * off @ V.T)")),
    "no 2": _slip(("2 * off", "off")),
    "uphill": _slip(("2 * off", "-2 * off")),
    "uphill and halved": _slip(("2 * off", "-off")),
    "W uphill": _slip(("x.T @ (slope", "-x.T @ (slope")),
    "divided twice": _slip(("/ x.size", "/ x.size / len(x)")),
    "a mean over the codes": _slip(("/ x.size", "/ z.size")),
    "the loss a sum": _slip(("np.mean(off**2)", "np.sum(off**2)")),
    "the loss a sum over pixels": _slip(("np.mean(off**2)", "np.mean(np.sum(off**2, axis=1))")),
    "the loss halved": _slip(("np.mean(off**2)", "np.mean(off**2) / 2")),
    "the loss a root": _slip(("np.mean(off**2)", "np.sqrt(np.mean(off**2))")),
    "the loss of absolute values": _slip(("np.mean(off**2)", "np.mean(np.abs(off))")),
    "a loss for each image": _slip(("np.mean(off**2)", "np.mean(off**2, axis=1)")),
    "changed places": _slip(
        ("x.T @ (slope @ V.T), z.T @ slope", "z.T @ slope, x.T @ (slope @ V.T)")
    ),
    "lying the wrong way round": _slip(
        ("x.T @ (slope @ V.T), z.T @ slope", "(x.T @ (slope @ V.T)).T, (z.T @ slope).T")
    ),
    "W's the wrong way round": _slip(("x.T @ (slope @ V.T)", "V @ slope.T @ x")),
    "W in the place of V turned": _slip(("slope @ V.T", "slope @ W")),
    "V in the place of W turned": _slip(("z.T @ slope", "V @ x.T @ slope")),
    "the reconstruction in the place of the image": _slip(("x.T @ (slope", "(z @ V).T @ (slope")),
    "the image in the place of the error": _slip(("z.T @ slope", "z.T @ (2 * x / x.size)")),
    "the reconstruction in the place of the error": _slip(
        ("2 * off / x.size", "2 * z @ V / x.size")
    ),
    "W's without V": _slip(("x.T @ (slope @ V.T)", "x.T @ (2 * z / x.size)")),
    "W's from what V's is made of": _slip(("x.T @ (slope @ V.T)", "(z.T @ slope).T")),
    "of absolute values": _slip(("2 * off / x.size", "np.sign(off) / x.size")),
    "of the first image": _slip(("z.T @ slope", "z[:1].T @ slope[:1]")),
    "through W once more": _slip(("z.T @ slope", "(z @ V @ W).T @ slope")),
    "35 in the place of x.size": _slip(("/ x.size", "/ 35")),
}
