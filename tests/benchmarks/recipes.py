"""What each `quick` recipe reaches, and in what time, as `MEASURED` in the files of `ganedu/recipes`.

    python tests/benchmarks/recipes.py [MODEL:DATA ...] [--new]

Each is a run like a user's, in a process of its own, with seed 0: the seconds are those of training, from the end of
the first (compiling) step; the score is what `evaluate` says of it on the test images, of the first 2,000 where there
are more; of `clip`, captions right are those that were the best of 100. With `--new` only those are measured of which
nothing is known. Data sets that are not here are left out.
"""

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
RECIPES = ROOT / "ganedu" / "recipes"
MAX_IMAGES = 2000
# How a score is told: the first that a model has, then those that may follow it.
FIRST = {
    "all_accuracy": "{:.0%} of the captions right",
    "frechet_distance": "Fréchet distance {:.3g}",
    "psnr": "{:.1f} dB PSNR",
    "loss": "loss {:.3g}",
}
THEN = {"label_accuracy": "{:.0%} of the labels right", "psnr": "{:.1f} dB PSNR"}


def known():
    """Every pair of a model and a data set that has a quick recipe, as `(MODEL:DATA, whether measured)`."""
    from ganedu import catalogue, recipes

    for model in catalogue.names():
        for name in recipes.known(model, "quick"):
            yield f"{model}:{name}", bool(recipes.measured(model, name))


def measure(pair):
    """Trains as the recipe says, and tells what was reached."""
    from ganedu import runs

    model_name, name = pair.split(":")
    with tempfile.TemporaryDirectory() as folder:
        run = runs.begin(Path(folder, "run"), model=model_name, data=name, profile="quick")
        from ganedu.runs import evaluation, training

        training.train(run)
        model, run_info = run.load_model(), run.run_info()
        available = len(evaluation.test_images(run_info))
        scores = evaluation.evaluate(model, run_info, min(available, MAX_IMAGES))["scores"]
    seconds = run_info["training_seconds"]
    return {
        "measured": told(seconds, scores),
        "images/s": round(run_info["steps"] * run_info["recipe"]["batch_size"] / seconds),
        "parameters": model.count_params(),
        "peak MiB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "scores": scores,
    }


def told(seconds, scores):
    """The seconds of a run, to two digits, and its score, in words."""
    digits = 10 if seconds >= 100 else 1
    first = next(n for n in FIRST if scores.get(n) is not None)
    parts = [FIRST[first].format(scores[first])]
    parts += [f.format(scores[n]) for n, f in THEN.items() if n in scores and n != first]
    return f"{digits * round(seconds / digits)} s; {', '.join(parts)}"


def write(model_name, name, text):
    """Puts one line into `MEASURED` of a model's file, in the order of its recipes."""
    import importlib

    module = importlib.import_module(f"ganedu.recipes.{model_name}")
    module.MEASURED[name] = text
    lines = "".join(
        f'    "{n}": "{module.MEASURED[n]}",\n' for n in module.QUICK if n in module.MEASURED
    )
    path = RECIPES / f"{model_name}.py"
    source = re.sub(
        r"^MEASURED = \{.*?\}$", f"MEASURED = {{\n{lines}}}", path.read_text(), flags=re.M | re.S
    )
    path.write_text(source)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pairs", nargs="*", metavar="MODEL:DATA")
    parser.add_argument("--new", action="store_true", help="only where nothing is known")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one)))
        return
    pairs = dict(known())
    if unknown := set(options.pairs) - set(pairs):
        parser.error(f"no quick recipe: {', '.join(sorted(unknown))}")
    for pair, has in pairs.items():
        if (options.pairs and pair not in options.pairs) or (options.new and has):
            continue
        done = subprocess.run(
            [sys.executable, __file__, "--one", pair],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            print(pair, (done.stderr.strip().splitlines() or ["?"])[-1], flush=True)
            continue
        found = json.loads(done.stdout.splitlines()[-1])
        write(*pair.split(":"), found["measured"])
        print(pair, json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
