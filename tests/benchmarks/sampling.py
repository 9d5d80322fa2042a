"""What sampling decides: guidance against precision and recall, steps against distance, as a table and a picture.

    GANEDU_DATA=... python tests/benchmarks/sampling.py [--seconds 60] [--count 1000]

Trains `flow_matching` and `diffusion` on MNIST with classes, each for the same seconds from the end of its first step,
seed 0, and samples from them in many ways. Scores: the Fréchet distance to the test images, precision, recall
(k = 5), and the share of labels that are right, in the features of `ganedu.metrics.features`. The tables go to
`docs/models.md`, the picture to `docs/pictures/sampling.png`.
"""

import argparse
from pathlib import Path

from ganedu.runs.speedrun import timed_training

DOCS = Path(__file__).parents[2] / "docs"
BEGIN, END = "<!-- made by tests/benchmarks/sampling.py -->", "<!-- end of sampling -->"
GUIDANCE = (0.0, 1.0, 1.5, 2.0, 3.0, 5.0)
STEP_COUNTS = (1, 2, 4, 8, 16)


def evaluations(sampler, steps):
    """How often the network is asked for a sample, without guidance."""
    return 2 * steps - 1 if sampler == "heun" else steps


def measure(name, seconds, count):
    """Trains a model; returns its rows by guidance, and by sampler and steps."""
    run = timed_training(name, "mnist", seconds, 0, by_class=True)
    import numpy as np

    from ganedu.metrics import features
    from ganedu.metrics.frechet import frechet_distance
    from ganedu.metrics.manifold import manifold_scores

    network = features.load("mnist")
    real, labels = network.features(run.test.array()), np.arange(count) % 10

    def scores(**options):
        images = run.model.generate(count, labels=labels, seed=1, **options)
        seen = network.features(images)
        found = manifold_scores(real[:count], seen)
        right = network.probabilities(images).argmax(axis=1) == labels
        return frechet_distance(seen, real), found.precision, found.recall, right.mean()

    guided = [(scale, *scores(guidance=scale)) for scale in GUIDANCE]
    stepped = [
        (sampler, steps, scores(guidance=1.0, sampler=sampler, steps=steps)[0])
        for sampler in run.model.samplers
        for steps in STEP_COUNTS
    ]
    return guided, stepped


def tables(found):
    """Both tables, as Markdown."""
    lines = [
        "| model | guidance | distance | precision | recall | labels right |",
        "|---|---|---|---|---|---|",
    ]
    for name, (guided, _) in found.items():
        for scale, distance, precision, recall, right in guided:
            lines.append(
                f"| `{name}` | {scale:g} | {distance:.1f} | {precision:.2f} | {recall:.2f} | {right:.1%} |"
            )
    head = " | ".join(f"{steps}" for steps in STEP_COUNTS)
    lines += ["", f"| model | sampler | {head} steps |", "|---|---|" + "---|" * len(STEP_COUNTS)]
    for name, (_, stepped) in found.items():
        for sampler in dict.fromkeys(s for s, *_ in stepped):
            cells = " | ".join(f"{d:.0f}" for s, _, d in stepped if s == sampler)
            lines.append(f"| `{name}` | `{sampler}` | {cells} |")
    return "\n".join(lines)


def draw(found, file):
    """Recall over precision by guidance, and distance over evaluations by sampler."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, (guided, stepped) in found.items():
        scales, _, precision, recall, _ = zip(*guided, strict=True)
        left.plot(recall, precision, "o-", label=name)
        for scale, x, y in zip(scales, recall, precision, strict=True):
            left.annotate(f"{scale:g}", (x, y), textcoords="offset points", xytext=(5, 4))
        for sampler in dict.fromkeys(s for s, *_ in stepped):
            points = [(evaluations(s, n), d) for s, n, d in stepped if s == sampler]
            right.loglog(*zip(*points, strict=True), "o-", label=f"{name}, {sampler}")
    left.set(xlabel="recall", ylabel="precision", title="guidance")
    right.set(xlabel="evaluations of the network", ylabel="Fréchet distance", title="samplers")
    for axes in (left, right):
        axes.legend(fontsize=8)
        axes.grid(alpha=0.3)
    figure.savefig(file, dpi=100)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--count", type=int, default=1000)
    options = parser.parse_args()
    found = {
        name: measure(name, options.seconds, options.count)
        for name in ("flow_matching", "diffusion")
    }
    draw(found, DOCS / "pictures" / "sampling.png")
    page = DOCS / "models.md"
    text = page.read_text()
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    page.write_text(f"{before}{BEGIN}\n\n{tables(found)}\n\n{END}{after}")


if __name__ == "__main__":
    main()
