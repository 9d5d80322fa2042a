"""Words on the command line."""

import json

import numpy as np
from click.testing import CliRunner
from PIL import Image

from fuzz.runner import NonsenseError
from ganedu import cli
from ganedu.runtime import UsageError

NUMBERS = (
    "0",
    "1",
    "2",
    "-1",
    "3",
    "8",
    "1e3",
    "0.5",
    "1e-9",
    "1e300",
    "nan",
    "inf",
    "-inf",
    "x",
    "",
    "２",
)
WORDS = {
    "model": (
        "gan",
        "vae",
        "cgan",
        "GAN",
        "gna",
        "",
        "../gan",
        "__init__",
        "gan.py",
        "text_flow",
        "\0",
    ),
    "--data": (
        "digits",
        "digits",
        "photos",
        "Digits",
        "mnits",
        "",
        ".",
        "nowhere",
        "x.npz",
        "/etc",
        "x.png",
        "\0",
    ),
    "--profile": ("smoke", "smoke", "smoke", "quik", ""),
    "--epochs": NUMBERS,
    "--seconds": NUMBERS,
    "--seed": NUMBERS,
    "--batch-size": NUMBERS,
    "--image-size": (*NUMBERS, "9", "16", "28"),
    "--score-every": NUMBERS,
    "--patience": NUMBERS,
}


class CrashError(Exception):
    """A command ended in a traceback, or said nothing, or too much."""


def told(*words):
    """Runs `ganedu` with these words, in this process; returns what it printed.

    Raises:
        UsageError: with the line it said, if it refused.
        CrashError: for anything else than an end in peace or in one line.
    """
    result = CliRunner().invoke(cli.main, [str(w) for w in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    lines = [line for line in result.stderr.splitlines() if line]
    if result.exit_code == 0:
        return result.stdout
    if result.exit_code == 130:
        raise CrashError("it was interrupted")
    if not lines or not (lines[-1].startswith("ganedu: ") or lines[0].startswith("Usage: ")):
        raise CrashError(f"status {result.exit_code}, {result.stderr[-800:]!r}")
    raise UsageError(lines[-1])


def train(rng, path):
    """`ganedu train` with flags that may be wrong. Every length that is taken is short."""
    words, run = [str(rng.choice(WORDS["model"]))], path / "run"
    flags = {"--data": "digits", "--profile": "smoke"}
    for flag in rng.choice(list(WORDS)[1:], rng.integers(0, 4), replace=False):
        flags[str(flag)] = str(rng.choice(WORDS[str(flag)]))
    flags["--profile"] = "smoke" if flags["--profile"] not in ("quik", "") else flags["--profile"]
    if flags["--profile"] == "smoke":
        long = [f for f in ("--epochs", "--seconds") if _large(flags.get(f))]
        for flag in long:
            del flags[flag]
    words += [w for pair in flags.items() for w in pair]

    def action():
        try:
            told("train", *words, "--out", run)
        except UsageError:
            if run.exists():
                raise NonsenseError("it was refused, and left a folder") from None
            raise
        run_info = json.loads((run / "run.json").read_text())
        if run_info["status"] != "finished" or run_info["model"] != words[0]:
            raise NonsenseError(f"it ended as {run_info}")
        samples = np.asarray(Image.open(run / "samples.png"))
        if samples.min() == samples.max():
            raise NonsenseError("its samples are of one colour")

    return f"train {' '.join(map(repr, words))}", action


def _large(text):
    try:
        return 0.02 < float(text or 0) < 1e9
    except ValueError:
        return False


def others(rng, path):
    """The other commands on a whole run, with flags that may be wrong."""
    from fuzz.run_folders import trained

    command = str(
        rng.choice(["sample", "interpolate", "evaluate", "diagnose", "resume", "caption", "edit"])
    )
    flags = {
        "sample": ["--count", "--seed", "--class", "--text", "--out"],
        "interpolate": ["--steps", "--seed", "--class", "--method", "--out"],
        "evaluate": ["--count", "--features"],
        "diagnose": ["--out", "--json"],
    }.get(command, ["--seed"])
    words = []
    for flag in flags:
        if flag == "--out" and rng.random() < 0.9:
            name = str(
                rng.choice(["a.png", "a.png", "a.npz", "a.gif", "a", "nowhere/a.png", "", "a.PNG"])
            )
            words += [flag, str(path / name)]
        elif flag == "--json":
            words += [flag] if rng.random() < 0.5 else []
        elif rng.random() < 0.5:
            choices = (*NUMBERS, "10", "9", "cat", "slerp", "lerp", "mnist", "inception", "digits")
            words += [flag, str(rng.choice(choices))]
    folder = trained() if rng.random() < 0.9 else path
    more = {"caption": [str(path / "x.png")], "edit": [str(path / "x.png"), "make it red"]}.get(
        command, []
    )

    def action():
        out = told(command, folder, *more, *words)
        if command == "evaluate":
            json.loads(out)
        made = [p for p in path.iterdir() if p.is_file()]
        for file in made:
            _check(file, words)

    return f"{command} {' '.join(map(repr, words))}", action


def _check(file, words):
    if file.suffix == ".npz":
        images = np.load(file)["images"]
        count = int(words[words.index("--count") + 1]) if "--count" in words else 64
        if len(images) != count or images.dtype != "uint8":
            raise NonsenseError(f"{len(images)} images of {images.dtype}")
    elif not file.stat().st_size:
        raise NonsenseError(f"{file.name} is empty")


KINDS = [train, others]
