"""Lesson 15: a modulated and demodulated convolution without a loop over images (Karras 2020, equations 1 and 3)."""

import numpy as np

from ganedu.course.checking import Check, Variant, WrongSolution, variant

FUNCTION = "my_modulated"
FORBIDDEN = ()
SIZE = 3  # as many images as columns, channels in and channels out, so that a wrong axis fits too


def inputs(rng):
    """Three images of three channels, a style for each, and a kernel whose channels differ in size."""
    return {
        "x": rng.normal(size=(SIZE, 4, SIZE, SIZE)) + 0.3,
        "s": rng.uniform(0.5, 2.0, (SIZE, SIZE)) * rng.choice([-1, 1], (SIZE, SIZE)),
        "kernel": rng.normal(size=(3, 3, SIZE, SIZE)) * np.array([0.5, 1.0, 2.0]),
    }


def _conv(x, kernel):
    """Maps (B, H, W, I) and a kernel (3, 3, I, J) to maps (B, H, W, J), as large as before."""
    wide = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    h, w = x.shape[1:3]
    return sum(wide[:, a : a + h, b : b + w] @ kernel[a, b] for a in range(3) for b in range(3))


def probe(solution, inputs):
    x, s, kernel = (inputs[name] for name in ("x", "s", "kernel"))
    calls = []

    def conv(x, kernel):
        x, kernel = np.asarray(x), np.asarray(kernel)
        if x.ndim != 4 or kernel.ndim != 4:
            raise WrongSolution(
                "`conv` takes maps (B, H, W, I) and one kernel (3, 3, I, J) for the whole batch. It was given "
                f"{x.shape} and {kernel.shape}."
            )
        calls.append(len(x))
        return _conv(x, kernel)

    maps = np.asarray(solution(x, s, kernel, conv))
    count = len(calls)
    return {
        "shape": np.array(maps.shape),
        "pattern": _pattern(maps),
        "ones": np.asarray(solution(x, np.ones_like(s), kernel, conv)),
        "louder x": np.asarray(solution(5 * x, np.ones_like(s), kernel, conv)),
        "maps": maps,
        "louder s": np.asarray(solution(x, 10 * s, kernel, conv)),
        "calls": np.array(count),
    }


def _pattern(maps):
    """Each map of each image but for its loudness."""
    return maps / np.sqrt(np.mean(maps**2, axis=(1, 2), keepdims=True))


def _modulated(x, s, kernel):
    """Image by image, as the equations have it."""
    maps = []
    for image, of_image in zip(x, s, strict=True):
        k = of_image[:, None] * kernel
        maps.append(_conv(image[None], k / np.sqrt(np.sum(k**2, axis=(0, 1, 2)) + 1e-8)))
    return np.concatenate(maps)


def reference(inputs):
    x, s, kernel = (inputs[name] for name in ("x", "s", "kernel"))
    maps, ones = _modulated(x, s, kernel), _modulated(x, np.ones_like(s), kernel)
    return {
        "shape": np.array(maps.shape),
        "pattern": _pattern(maps),
        "ones": ones,
        "louder x": 5 * ones,
        "maps": maps,
        "louder s": maps,
        "calls": np.array(1),
    }


CHECKS = (
    Check(
        "shape",
        "Maps (B, H, W, I) go in, maps (B, H, W, J) come out.",
        points=0,  # it comes out by itself
    ),
    Check(
        "pattern",
        "Modulation is not right yet (what divides is not looked at here). Image b listens to its channel i, one that "
        "goes in, as strongly as s[b, i] says.",
    ),
    Check(
        "ones",
        "Modulation is right. With s = 1 everywhere something else is not. Did you divide? The weights into each "
        "channel j that comes out should have the length 1. Over which axes of the kernel is that length taken? Is it "
        "a root of a sum of squares? It belongs to the weights, whatever the maps measure.",
    ),
    Check(
        "louder x",
        "Five times x, and the maps should be five times as large: demodulation does not measure the maps.",
        points=0,
    ),
    Check(
        "maps",
        "With s = 1 everywhere it is right. With another s the length is that of the weights *after* modulation, so it "
        "is another for each image.",
    ),
    Check(
        "louder s",
        "Ten times s, and the maps should be the same.",
        points=0,
    ),
    Check(
        "calls",
        "The maps are right. But the question asks for one call of `conv` for the whole batch, with one kernel.",
    ),
)

_RIGHT = """
def my_modulated(x, s, kernel, conv):
    maps = conv(x * s[:, None, None, :], kernel)
    squares = s**2 @ np.sum(kernel**2, axis=(0, 1))  # (B, J)
    return maps / np.sqrt(squares + 1e-8)[:, None, None, :]
"""
RIGHT = {
    "as written": _RIGHT,
    "all kernels": """
def my_modulated(x, s, kernel, conv):
    kernels = s[:, None, None, :, None] * kernel
    lengths = np.sqrt(np.sum(kernels**2, axis=(1, 2, 3)) + 1e-8)
    return conv(np.einsum("bhwi,bi->bhwi", x, s), kernel) / lengths[:, None, None]
""",
}
WRONG = {
    "image by image": """
def my_modulated(x, s, kernel, conv):
    maps = []
    for image, of_image in zip(x, s):
        k = of_image[:, None] * kernel
        maps.append(conv(image[None], k / np.sqrt(np.sum(k**2, axis=(0, 1, 2)) + 1e-8)))
    return np.concatenate(maps)
""",
    "no demodulation": """
def my_modulated(x, s, kernel, conv):
    return conv(x * s[:, None, None, :], kernel)
""",
    "axes forgotten": variant(_RIGHT, ("x * s[:, None, None, :]", "x * s")),
    "the first image's style": variant(_RIGHT, ("x * s[:, None, None, :]", "x * s[0]")),
    "s on what comes out": variant(
        _RIGHT, ("conv(x * s[:, None, None, :], kernel)", "conv(x, kernel) * s[:, None, None, :]")
    ),
    "the length before modulation": variant(
        _RIGHT, ("s**2 @ np.sum(kernel**2, axis=(0, 1))", "np.sum(kernel**2, axis=(0, 1, 2))[None]")
    ),
    "no squares of s": variant(_RIGHT, ("s**2 @", "np.abs(s) @")),
    "no root": variant(_RIGHT, ("np.sqrt(squares + 1e-8)", "(squares + 1e-8)")),
    "the wrong channel": variant(
        _RIGHT, ("np.sum(kernel**2, axis=(0, 1))", "np.sum(kernel**2, axis=(0, 1)).T")
    ),
    "one length for all channels": """
def my_modulated(x, s, kernel, conv):
    maps = conv(x * s[:, None, None, :], kernel)
    squares = s**2 @ np.sum(kernel**2, axis=(0, 1))
    return maps / np.sqrt(squares.sum(axis=1) + 1e-8)[:, None, None, None]
""",
    "the mean of the squares": variant(
        _RIGHT, ("np.sum(kernel**2, axis=(0, 1))", "np.mean(kernel**2, axis=(0, 1))")
    ),
    "what the maps measure": """
def my_modulated(x, s, kernel, conv):
    maps = conv(x * s[:, None, None, :], kernel)
    return maps / maps.std(axis=(1, 2), keepdims=True)
""",
}
VARIANTS = (
    Variant(
        "The style is what is added to 1: image b listens to channel i as strongly as 1 + s[b, i] says.",
        variant(
            _RIGHT,
            ("x * s[:, None, None, :]", "x * (1 + s)[:, None, None, :]"),
            ("s**2 @", "(1 + s)**2 @"),
        ),
    ),
    Variant(
        "The weights into each channel that comes out get the length 2, not 1.",
        variant(_RIGHT, ("return maps /", "return 2 * maps /")),
    ),
    Variant(
        "Demodulation divides by the sum of the absolute values of the weights, not by their length.",
        variant(
            _RIGHT,
            ("s**2 @ np.sum(kernel**2, axis=(0, 1))", "abs(s) @ np.sum(abs(kernel), axis=(0, 1))"),
            ("np.sqrt(squares + 1e-8)", "squares"),
        ),
    ),
)
