"""What every model reaches on MNIST in equal time, as the table and the pictures of `docs/models.md`.

    GANEDU_DATA=... python tests/benchmarks/models.py [MODEL ...] [--seconds 240] [--seeds 0 1 2]

Each trains in a process of its own with its quick recipe, for the same processor-seconds (user and system, of all
threads) from the end of the first (compiling) step: 240 are two minutes of two cores. So other work on the machine
costs a model no images. Each seed's figures go to `docs/pictures/models/results.json`, the pictures of seed 0 beside
them; the table is then made anew from all that is there: medians over the seeds, and their range. The scores: the
Fréchet distance of 10,000 samples (of translators, their translations) to all test images, or targets, in the
features of `ganedu.metrics.features`; and for conditional models the share of 2,000 samples in which the feature
network's classifier sees the label that was asked for.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
PICTURES = DOCS / "pictures" / "models"
RESULTS = PICTURES / "results.json"
SAMPLES = 10_000
SLOW = {"pixelcnn": 2000}  # samples of a model that makes one pixel after the other
BEGIN, END = "<!-- made by tests/benchmarks/models.py -->", "<!-- end -->"


def measure(name, seconds, seed):
    """Trains a model, draws its picture where the seed is 0, and returns its row."""
    from ganedu.runs.speedrun import timed_training

    run = timed_training(name, "mnist", seconds, seed, clock=time.process_time)
    import numpy as np

    from ganedu import figures
    from ganedu.metrics import features
    from ganedu.metrics.frechet import frechet_distance

    model, test = run.model, run.test
    if seed == 0:
        images, columns = model.sample_grid(model.prepare_dataset(test).get_batch(slice(16)))
        with open(PICTURES / f"{name}.png", "wb") as file:
            figures.save_png(images, file, columns=columns)
    network = features.load("mnist")
    row = {"parameters": run.parameters, "images": run.images}
    count = SLOW.get(name, SAMPLES)
    real = test.array(SAMPLES)
    if "translate" in model.tasks:
        sources, real = model.prepare_dataset(test).get_batch(slice(SAMPLES))
        generated = model.translate(sources)
    else:
        generated = model.generate(count, seed=seed + 1)
    if real.shape[1:] == network.image_shape:
        row["frechet_distance"] = frechet_distance(
            network.features(generated), network.features(real)
        )
    if "generate by class" in model.tasks:
        labels = np.arange(2000) % 10
        generated = model.generate(2000, labels=labels, seed=seed + 2)
        told = network.probabilities(generated).argmax(axis=1)
        row["agreement"] = float(np.mean(told == labels))
    return row


def spread(values, digits):
    """The median of some values, and behind it the range of three or more."""
    middle = f"{statistics.median(values):.{digits}f}"
    return middle + (
        f" ({min(values):.{digits}f} to {max(values):.{digits}f})" if len(values) > 2 else ""
    )


def table(results, seconds):
    """The rows of `docs/models.md`, one for each model."""
    from ganedu import models

    lines = [
        f"| model | after {seconds:.0f} processor-seconds | distance | labels right | images seen | trained weights | "
        "paper | idea |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in filter(results.get, models.names()):
        documentation = models.module(name).__doc__
        idea = documentation.splitlines()[0].partition(": ")[2].rpartition(" (")[0]
        reference = " ".join(documentation.partition("Reference:")[2].split())
        rows = list(results[name].values())
        distances = [r["frechet_distance"] for r in rows if "frechet_distance" in r]
        agreement = [100 * r["agreement"] for r in rows if "agreement" in r]
        lines.append(
            f"| [`{name}`](../ganedu/models/{name}.py) | ![{name}](pictures/models/{name}.png) | "
            f"{spread(distances, 1) if distances else ''} | "
            f"{spread(agreement, 1) + '%' if agreement else ''} | "
            f"{round(statistics.median(r['images'] for r in rows), -3):,.0f} | "
            f"{rows[0]['parameters']:,} | {paper(reference)} | {idea} |"
        )
    return "\n".join(lines)


def paper(reference):
    """`Goodfellow 2014`, of a reference that begins with names and a year."""
    import re

    names, year = re.match(r"(.*?) (\d{4})", reference).groups()
    people = re.split(r", | and ", names)
    who = people[0] if len(people) == 1 else f"{people[0]} et al."
    return f"{who.removesuffix(' et al. et al.')} {year}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*")
    parser.add_argument("--seconds", type=float, default=240.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)  # this seed, in this process
    options = parser.parse_args()
    if options.one is not None:
        print(json.dumps(measure(*options.models, options.seconds, options.one)))
        return
    from ganedu import models

    PICTURES.mkdir(parents=True, exist_ok=True)
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    names = options.models or [n for n in models.names() if not models.is_text_conditional(n)]
    for seed in options.seeds:
        for name in names:
            command = [sys.executable, __file__, name, "--one", str(seed)]
            command += ["--seconds", str(options.seconds)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(done.stderr)
            row = json.loads(done.stdout.splitlines()[-1])
            print(name, seed, row, flush=True)
            results.setdefault(name, {})[str(seed)] = row
            RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    page = DOCS / "models.md"
    text = page.read_text()
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    made = table(results, options.seconds)
    page.write_text(f"{before}{BEGIN}\n\n{made}\n\n{END}{after}")


if __name__ == "__main__":
    main()
