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
import random
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
        found["accuracies"][combos] = accuracies(model, asked) | short_accuracies(model, asked)
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


def short_accuracies(model, asked):
    """How often all is right of what short captions say, as the grammar writes them and as a person might have; of
    models that generate from a text alone."""
    from ganedu.data.captions.grammar import drop_attributes, write
    from ganedu.metrics.attributes import attribute_accuracy, detect

    if "edit" in model.tasks or "generate by text" not in model.tasks:
        return {}
    rng = random.Random("short")
    pictures = [drop_attributes(p, 0.5, rng) for p in asked.pictures]
    texts = {
        "short": [write(p, rng) for p in pictures],
        "other words": [in_other_words(p, rng) for p in pictures],
    }
    return {
        name: attribute_accuracy(pictures, detect(model.generate(written, seed=1), "digits"))["all"]
        for name, written in texts.items()
    }


def in_other_words(picture, rng):
    """A caption that `grammar.parse` reads as this picture and `grammar.write` never writes: adjectives in any order,
    articles that come and go, capitals and full stops."""
    from ganedu.data.captions.grammar import ADJECTIVES, PHRASES, RELATION_PHRASES

    def phrase(entity):
        names = [n for n in ADJECTIVES if getattr(entity, n)]
        rng.shuffle(names)
        words = [rng.choice(PHRASES[n][getattr(entity, n)]) for n in (*names, "kind")]
        return " ".join([rng.choice(("", "the", "a")), *words]).strip()

    text = " and ".join(map(phrase, picture.entities))
    if picture.relation:
        relation = rng.choice(RELATION_PHRASES[picture.relation][0])
        text = text.replace(" and ", f" {relation} ")
    if picture.entities[0].place:
        text += " " + rng.choice(PHRASES["place"][picture.entities[0].place])
    return text.capitalize() + rng.choice(("", "."))


def table(results):
    """The rows of `docs/models.md`."""
    columns = [*COLUMNS[:-1], "changed", "kept", "all", "short", "other words"]
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
