"""What every model reaches on MNIST in equal time, as the table and the pictures of `docs/models.md`.

    GANEDU_DATA=... python tests/benchmarks/models.py [MODEL ...] [--seconds 120] [--seeds 1]

Each trains in a process of its own with its quick recipe, for the same seconds from the end of the first
(compiling) step. Figures go to `docs/pictures/models/results.json`, pictures beside them; the table is then made
anew from all that is there; with several seeds its numbers are medians. The scores: the Fréchet distance of 5,000
samples (of translators, their translations) to the test images, or targets, in the features of
`ganedu.metrics.features`; and for conditional models the share of 2,000 samples in which the feature network's
classifier sees the label that was asked for.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
PICTURES = DOCS / "pictures" / "models"
RESULTS = PICTURES / "results.json"
BEGIN, END = "<!-- made by tests/benchmarks/models.py -->", "<!-- end -->"


def measure(name, seconds, seed):
    """Trains a model, draws its picture where the seed is 0, and returns its row."""
    from ganedu.runs.speedrun import timed_training

    run = timed_training(name, "mnist", seconds, seed)
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
    row = {"parameters": run.parameters, "images/s": round(run.images_per_second)}
    real = test.array(5000)
    if "translate" in model.tasks:
        sources, real = model.prepare_dataset(test).get_batch(slice(5000))
        generated = model.translate(sources)
    else:
        generated = model.generate(5000, seed=seed + 1)
    if real.shape[1:] == network.image_shape:
        row["frechet_distance"] = frechet_distance(
            network.features(generated), network.features(real)
        )
    if "generate by class" in model.tasks:
        labels = np.arange(2000) % 10
        generated = model.generate(2000, labels=labels, seed=seed + 2)
        found = network.probabilities(generated).argmax(axis=1)
        row["agreement"] = float(np.mean(found == labels))
    return row


def median(rows):
    """One row of several seeds: of each number the median, and how many they were."""
    row = {key: statistics.median(r[key] for r in rows) for key in rows[0]}
    for key, digits in (("frechet_distance", 1), ("agreement", 3)):
        if key in row:
            row[key] = round(row[key], digits)
    return {**row, "images/s": round(row["images/s"]), "seeds": len(rows)}


def table(results, seconds):
    """The rows of `docs/models.md`, one for each model."""
    from ganedu import models

    lines = [
        f"| model | paper | idea | trained weights | images/s | distance | labels right | after {seconds:.0f} s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in filter(results.get, models.names()):
        documentation = models.module(name).__doc__
        idea = documentation.splitlines()[0].partition(": ")[2].rpartition(" (")[0]
        reference = " ".join(documentation.partition("Reference:")[2].split())
        row = results[name]
        agreement = row.get("agreement")
        seeds = f" ({row['seeds']} seeds)" if row.get("seeds", 1) > 1 else ""
        lines.append(
            f"| [`{name}`](../ganedu/models/{name}.py) | {paper(reference)} | {idea} | "
            f"{row['parameters']:,} | {row['images/s']:,} | {row.get('frechet_distance', '')}{seeds} | "
            f"{'' if agreement is None else f'{agreement:.1%}'} | ![{name}](pictures/models/{name}.png) |"
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
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)  # this seed, in this process
    options = parser.parse_args()
    if options.one is not None:
        print(json.dumps(measure(*options.models, options.seconds, options.one)))
        return
    from ganedu import models

    PICTURES.mkdir(parents=True, exist_ok=True)
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in options.models or [n for n in models.names() if not models.is_text_conditional(n)]:
        rows = []
        for seed in range(options.seeds):
            command = [sys.executable, __file__, name, "--one", str(seed)]
            command += ["--seconds", str(options.seconds)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(done.stderr)
            rows.append(json.loads(done.stdout.splitlines()[-1]))
        results[name] = median(rows)
        print(name, results[name], flush=True)
        RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    page = DOCS / "models.md"
    text = page.read_text()
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    made = table(results, options.seconds)
    page.write_text(f"{before}{BEGIN}\n\n{made}\n\n{END}{after}")


if __name__ == "__main__":
    main()
