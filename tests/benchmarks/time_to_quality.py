"""How soon a model draws well: ganedu's `dcgan` beside what a user would pick instead, on MNIST, in equal times.

    GANEDU_DATA=... python tests/benchmarks/time_to_quality.py [CONTESTANT ...] [--until 120] [--ours 300] [--vae 60]

Each contestant of `contestants.py` has a process of its own, and they take turns: one trains for some seconds while
the others stand still, so that what disturbs the machine disturbs all alike. Seconds are those of training: importing,
compiling (the first step), drawing and scoring are not among them. After each turn 10,000 samples are scored by the
Fréchet distance to the 10,000 test images in the features of `ganedu.metrics.features`; ganedu's sample from their
averaged weights. A model of ganedu may be given with what its recipe is to be changed to, as
dcgan:batch_size=64,g_width=24.
Then the VAEs: the ELBO in nats of the test images, binarised at half of full brightness. Prints tables in Markdown.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

TURNS = (3, 6, 9, 12, 15, 20, 30, 45, 60, 75, 90, 105, 120, 150, 180, 210, 240, 270, 300)
SHOWN = (15, 30, 60, 120, 300)
MODELS = ("dcgan", "keras.io", "TensorFlow", "PyTorch")
RIVALS = ("keras.io", "TensorFlow", "PyTorch")
VAES = ("vae-2", "keras.io-vae-2", "vae-16", "keras.io-vae-16")


class Contestant:
    """A process that trains for one turn when it is asked to."""

    def __init__(self, name, seed, file, data="mnist"):
        self.name, self.file, self.turns = name, file, []
        command = [sys.executable, __file__, "--play", name, "--seed", str(seed), "--data", data]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.details = self._answer()

    def _answer(self):
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        sys.exit(f"{self.name} ended with status {self.process.wait()}")

    def train(self, until):
        """Trains until the given second and returns what it says, which is also kept in `turns`."""
        self.process.stdin.write(f"{until} {self.file}\n")
        self.process.stdin.flush()
        self.turns.append(self._answer())
        return self.turns[-1]

    def end(self):
        self.process.stdin.close()
        self.process.wait()

    def reached(self, level):
        """The first scored second with at most this distance, or `None`."""
        return next((t["seconds"] for t in self.turns if t["score"] <= level), None)

    def score_at(self, second):
        """The score of the first turn that ended at this second or later, or `None`."""
        return next((t["score"] for t in self.turns if t["seconds"] >= second), None)


def distance():
    """A function of a file of samples: their distance to the test images."""
    from ganedu import runtime

    runtime.setup(0)
    from ganedu import data
    from ganedu.metrics import features
    from ganedu.metrics.frechet import frechet_distance, gaussian

    network = features.load("mnist")
    real = gaussian(network.features(data.load("mnist", "test").array()))

    def score(file):
        generated = data.to_float(np.load(file))
        return frechet_distance(real, gaussian(network.features(generated)))

    return score


def compete(names, ends, seed, turns, score=None, data="mnist"):
    """Lets contestants take turns.

    Args:
        names: list of str.
        ends: dict, the last second of each.
        seed: int.
        turns: list of float, when turns end.
        score: function of the file of samples. Defaults to `None`: they score themselves.

        data: str, what they train on. Defaults to `"mnist"`.

    Returns:
        List of `Contestant`.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "generated.npy")
        contestants = [Contestant(name, seed, file, data) for name in names]
        for until in sorted({*turns, *ends.values()}):
            for contestant in contestants:
                if until > ends[contestant.name]:
                    continue
                turn = contestant.train(until)
                if score is not None:
                    turn["score"] = score(file)
                print(
                    f"{contestant.name}: {turn['seconds']:.1f} s, {turn['images']} images, {turn['score']:.2f}",
                    file=sys.stderr,
                    flush=True,
                )
        for contestant in contestants:
            contestant.end()
    return contestants


def number(value, form=".1f"):
    return "" if value is None else format(value, form)


def rows(head, body):
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def table_of_scores(contestants, unit):
    shown = [s for s in SHOWN if any(c.score_at(s) is not None for c in contestants)]
    head = [
        *("contestant", "images/s", *(f"{unit} at {s} s" for s in shown)),
        *("peak memory", "parameters", "multiply-adds of a step, an image"),
    ]
    body = [
        [
            c.name,
            f"{c.turns[-1]['images'] / c.turns[-1]['seconds']:,.0f}",
            *(number(c.score_at(s)) for s in shown),
            f"{c.turns[0]['memory']:,.0f} MiB",
            f"{c.details['parameters']:,}",
            f"{c.details['step'] / 1e6:.1f} M" if "step" in c.details else "",
        ]
        for c in contestants
    ]
    return rows(head, body)


def table_of_times(contestants, until):
    """When each reached the level that each rival has at `until` seconds, and how much sooner than the rival."""
    rivals = [c for c in contestants if c.name in RIVALS]
    head = ["to the level of", "distance", *(c.name for c in contestants)]
    body = []
    for rival in sorted(rivals, key=lambda r: -r.score_at(until)):
        level = rival.score_at(until)
        theirs, times = rival.reached(level), [c.reached(level) for c in contestants]
        cells = ["never" if t is None else f"{t:.0f} s ({theirs / t:.1f} x)" for t in times]
        body.append([f"{rival.name} at {until:.0f} s", f"{level:.1f}", *cells])
    return rows(head, body)


def goals(contestants, until):
    """The three figures that the recipe was tuned for."""
    by_name = {c.name: c for c in contestants}
    ours, rivals = by_name["dcgan"], [by_name[r] for r in RIVALS if r in by_name]
    best = min(rivals, key=lambda r: r.score_at(until))
    level = best.score_at(until)
    took = ours.reached(level)
    times = "never there" if took is None else f"{best.reached(level) / took:.1f} times"
    lines = [
        f"Sooner than {best.name} to its level at {until:.0f} s, {level:.1f}: {times} (goal 10)"
    ]
    if "keras.io" in by_name:
        theirs = by_name["keras.io"].score_at(until)
        for second, goal in ((60, 10), (300, 18)):
            mine = ours.score_at(second)
            if mine is not None:
                what = f"keras.io's distance at {until:.0f} s over dcgan's at {second} s"
                lines.append(f"{what}: {theirs / mine:.1f} (goal {goal})")
    return "\n".join(f"- {line}" for line in lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("contestants", nargs="*", default=MODELS)
    parser.add_argument("--until", type=float, default=120, help="seconds of each")
    parser.add_argument("--ours", type=float, default=300, help="seconds of dcgan")
    parser.add_argument("--vae", type=float, default=60, help="seconds of each VAE; 0 for none")
    parser.add_argument("--turns", type=float, nargs="+", default=TURNS, help="when turns end")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--play", help=argparse.SUPPRESS)
    parser.add_argument("--data", default="mnist", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.play:
        import contestants

        contestants.play(options.play, options.seed, options.data)
        return
    if options.until:
        ends = dict.fromkeys(options.contestants, options.until)
        if "dcgan" in ends:
            ends["dcgan"] = max(options.ours, options.until)
        raced = compete(options.contestants, ends, options.seed, options.turns, distance())
        print(table_of_scores(raced, "distance"), flush=True)
        if any(c.name in RIVALS for c in raced):
            print(f"\n{table_of_times(raced, options.until)}")
            if "dcgan" in ends:
                print(f"\n{goals(raced, options.until)}", flush=True)
    if options.vae:
        ends = dict.fromkeys(VAES, options.vae)
        raced = compete(VAES, ends, options.seed, options.turns)
        print(f"\n{table_of_scores(raced, 'ELBO (nats)')}")


if __name__ == "__main__":
    main()
