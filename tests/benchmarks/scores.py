"""How long the scores of many images take: features, Fréchet distance, and the four manifold scores.

    GANEDU_DATA=... python tests/benchmarks/scores.py [--count 10000] [--most 20]

Of `count` training images of MNIST against `count` test images (without MNIST, of samples made of the embedded
digits by shifts: times do not depend on what is seen). Nothing is taken from the cache. Prints seconds and peak memory;
fails where all of it took longer than `--most` seconds.
"""

import argparse
import resource
import sys
import time

import numpy as np

from ganedu import runtime

runtime.setup(0)

from ganedu import data  # noqa: E402
from ganedu.metrics import features  # noqa: E402
from ganedu.metrics.frechet import frechet_distance  # noqa: E402
from ganedu.metrics.kernel import kernel_distance  # noqa: E402
from ganedu.metrics.manifold import manifold_scores  # noqa: E402


def images(count):
    """Two sets of float images (count, 28, 28, 1), and what they are called."""
    try:
        train, test = data.load("mnist"), data.load("mnist", "test")
        return train.array(count), test.array(count), "MNIST"
    except runtime.UsageError:
        digits = data.load("digits").array()
        rng = np.random.default_rng(0)
        chosen = digits[rng.integers(len(digits), size=2 * count)]
        shifts = rng.integers(-3, 4, size=(2 * count, 2))
        moved = [np.roll(x, s, axis=(0, 1)) for x, s in zip(chosen, shifts, strict=True)]
        return np.stack(moved[:count]), np.stack(moved[count:]), "the embedded digits, shifted"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--most", type=float, default=20.0, help="seconds")
    options = parser.parse_args()
    real, generated, name = images(options.count)
    network = features.load("mnist")
    print(f"{len(real):,} against {len(generated):,} images of {name}")
    seconds = {}

    def timed(what, function, *arguments):
        start = time.perf_counter()
        result = function(*arguments)
        seconds[what] = time.perf_counter() - start
        print(f"{what:18}{seconds[what]:6.2f} s", flush=True)
        return result

    x, y = timed("features", lambda: [network.features(s) for s in (real, generated)])
    timed("Fréchet distance", frechet_distance, x, y)
    timed("manifold scores", manifold_scores, x, y)
    whole = sum(seconds.values())
    timed("kernel distance", kernel_distance, x, y)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"without the kernel distance {whole:.2f} s of {options.most:g}; peak {peak:.2f} GiB")
    if whole > options.most:
        sys.exit(1)


if __name__ == "__main__":
    main()
