"""What each `quick` recipe reaches: seconds of training, images a second, peak memory, losses on the test images.

    python tests/benchmarks/recipes.py [MODEL:DATA ...]

Each runs in a process of its own. With `GANEDU_DATA` MNIST and CIFAR-10 are measured too. Pictures go to `runs/bench`.
"""

import argparse
import json
import subprocess
import sys

ALL = [f"{m}:{d}" for d in ("digits", "photos") for m in ("autoencoder", "vae", "gan", "dcgan")]


def measure(pair):
    import resource
    import time
    from pathlib import Path

    from ganedu import runtime

    runtime.setup(0)
    from ganedu import data, figures, models, recipes
    from ganedu.callbacks import Clock

    name, source = pair.split(":")
    images = data.load(source)
    recipe, found = recipes.find(name, source, images.image_shape, "quick")
    model = models.build(name, images.image_shape, **recipe.model)
    clock, rounds = Clock(), recipe.rounds(len(images))
    start = time.monotonic()
    model.fit(
        images.batches(recipe.batch_size),
        steps_per_epoch=recipe.steps_per_round,
        epochs=rounds,
        verbose=0,
        callbacks=[clock],
    )
    seconds = clock.seconds
    scores = model.evaluate(data.load(source, "test").test_batches(), verbose=0, return_dict=True)
    folder = Path("runs", "bench")
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / f"{name}-{source}.png", "wb") as file:
        figures.save_png(model.generate(64), file)
    return {
        "recipe": found,
        "seconds": round(seconds, 1),
        "with compiling": round(time.monotonic() - start, 1),
        "images/s": round(rounds * recipe.steps_per_round * recipe.batch_size / seconds),
        "parameters": model.count_params(),
        "peak MiB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "test": {k: round(float(v), 4) for k, v in scores.items()},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pairs", nargs="*", default=ALL)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one)))
        return
    for pair in options.pairs:
        done = subprocess.run(
            [sys.executable, __file__, "--one", pair], capture_output=True, text=True, check=False
        )
        print(done.stdout.splitlines()[-1] if done.returncode == 0 else done.stderr, flush=True)


if __name__ == "__main__":
    main()
