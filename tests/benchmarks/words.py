"""How well the models of words do what is said, as the table of `docs/models.md`.

    GANEDU_DATA=... python tests/benchmarks/words.py [MODEL ...] [--images 200000] [--objects 1,2] [--new]

Each trains in a process of its own on captioned digits of MNIST, one in a picture, or two, without the held-out
combinations of kind and colour, until it has seen that many images. It is then asked 1,000 times each:
combinations that it has seen and held-out ones, written by hands that it has not seen. What is to be seen
is read by `ganedu.metrics.attributes`. Figures go to `docs/pictures/words/results.json`, pictures beside them; after
each row the table is made anew from all that is there. The models that draw take an hour each: with `--new` rows that
are there for as many images are kept, so that what was interrupted goes on with the next row.
"""

import argparse
import itertools
import json
import subprocess
import sys
import time
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
PICTURES = DOCS / "pictures" / "words"
RESULTS = PICTURES / "results.json"
BEGIN, END = "<!-- made by tests/benchmarks/words.py -->", "<!-- end of words -->"
MODELS = ("text_flow", "text_gan", "editor", "captioner", "clip")
COLUMNS = ("kind", "colour", "size", "thickness", "slant", "place", "relation", "all")
ASKED = 1000


def measure(name, images, count):
    """Trains a model on pictures of `count` objects, draws its picture, and returns its rows."""
    import numpy as np

    from ganedu.runs.pretrained.train import fitted

    start = time.monotonic()
    model = fitted(name, images, count)
    seconds = time.monotonic() - start
    from ganedu import data, figures

    others = data.load("mnist", "test")
    found = {
        "trained weights": sum(int(np.prod(w.shape)) for w in model.trainable_weights),
        "images": images,
        "seconds": round(seconds),
        "accuracies": {},
    }
    for combos in ("seen", "held_out"):
        asked = data.captioned_digits(others, ASKED, seed=1, objects=(count,), combos=combos)
        found["accuracies"][combos] = accuracies(model, asked)
    examples = data.captioned_digits(others, 16, seed=2, objects=(count,), combos="seen")
    sheet, columns = model.sample_grid(model.prepare_dataset(examples).get_batch(slice(16)))
    with open(PICTURES / f"{name}_{count}.png", "wb") as file:
        figures.save_png(sheet, file, columns=columns)
    return found


def accuracies(model, asked):
    """The share that is right, by attribute; of an editor, by what was asked and what was to stay."""
    from ganedu.runs import evaluation

    if "edit" not in model.tasks:
        return evaluation.text_accuracy(model, asked, most=None)
    from ganedu.metrics.attributes import compare, detect

    texts, after, what = asked.edit_targets(1)
    shown = detect(model.edit(asked.array(), texts, seed=1), "digits")
    told = {}
    for before, wanted, name, seen in zip(asked.pictures, after.pictures, what, shown, strict=True):
        right = compare(wanted, seen)
        changed = [a != b for a, b in zip(before.entities, wanted.entities, strict=True)]
        done = right[name][changed.index(True)]
        kept = [
            v
            for n, vs in right.items()
            for v, c in zip(vs, [*changed, False], strict=False)
            if n != name or not c
        ]
        told.setdefault(name, []).append(done)
        told.setdefault("changed", []).append(done)
        told.setdefault("kept", []).append(all(kept))
        told.setdefault("all", []).append(done and all(kept))
    return {name: sum(v) / len(v) for name, v in told.items()}


def table(results):
    """The rows of `docs/models.md`."""
    columns = [*COLUMNS[:-1], "changed", "kept", "all"]
    lines = [
        f"| model | objects | combinations | {' | '.join(columns)} | images | seconds |",
        "|" + "---|" * (len(columns) + 5),
    ]
    for name, count in ((n, c) for n in MODELS for c in "12" if f"{n} {c}" in results):
        row = results[f"{name} {count}"]
        for combos in ("seen", "held_out"):
            found = row["accuracies"][combos]
            cells = (f"{found[c]:.1%}" if c in found else "" for c in columns)
            lines.append(
                f"| `{name}` | {count} | {combos.replace('_', ' ')} | {' | '.join(cells)} | "
                f"{row['images']:,} | {row['seconds']} |"
            )
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", choices=[*MODELS, []])
    parser.add_argument("--images", type=int, default=200_000)
    parser.add_argument("--objects", default="1,2")
    parser.add_argument("--new", action="store_true", help="keep the rows that are there")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.images, int(options.objects))))
        return
    PICTURES.mkdir(parents=True, exist_ok=True)
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name, count in itertools.product(options.models or MODELS, options.objects.split(",")):
        if options.new and results.get(f"{name} {count}", {}).get("images") == options.images:
            continue
        command = [sys.executable, __file__, "--one", name, "--images", str(options.images)]
        command += ["--objects", count]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr)
        results[f"{name} {count}"] = json.loads(done.stdout.splitlines()[-1])
        print(name, count, results[f"{name} {count}"], flush=True)
        RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
        write_table(results)
    write_table(results)


def write_table(results):
    page = DOCS / "models.md"
    text = page.read_text()
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    page.write_text(f"{before}{BEGIN}\n\n{table(results)}\n\n{END}{after}")


if __name__ == "__main__":
    main()
