"""How well models draw CIFAR-10 in equal time: ganedu's by class beside two tutorials, and an independent classifier.

    GANEDU_DATA=... python tests/benchmarks/colour.py [--seconds 600] [--guidance 2] [--steps 16] [--seed 0]

Each trains for the same seconds from the end of its first step, one after the other: `flow_matching` with classes, as
wide as pays in ten minutes; PyTorch's DCGAN tutorial and keras.io's DDIM, brought to 32x32 and given the same images.
The Fréchet distance is that of 2,000 samples to the test images in the features of `ganedu.metrics.features`. Whether
a sample shows its class is told by a residual network that is trained here on the training images and scores nothing
else: its share of right classes among samples is compared with that among test images. Prints a table in Markdown;
the picture goes to `docs/pictures/cifar10.png`, a column for each class.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from ganedu import runtime

PICTURE = Path(__file__).parents[2] / "docs" / "pictures" / "cifar10.png"
RIVALS = "PyTorch", "keras.io-ddim"
COUNT = 2000
MODEL = "flow_matching"
RECIPE = {"batch_size": 32, "model": {"width": 24, "units": 96, "ema_momentum": 0.9995}}


def train_classifier(seed, epochs=24):
    """Trains a residual network on the training images; returns a function of images (N, 32, 32, 3) to classes (N,)."""
    import torch
    from torch import nn
    from torch.nn import functional

    from ganedu import data

    torch.manual_seed(seed)
    train = data.load("cifar10")
    x = torch.from_numpy(train.array()).permute(0, 3, 1, 2).contiguous()
    y = torch.from_numpy(np.asarray(train.labels)).long()

    class Block(nn.Module):
        def __init__(self, width, out, stride):
            super().__init__()
            self.a = nn.Conv2d(width, out, 3, stride, 1, bias=False)
            self.b = nn.Conv2d(out, out, 3, 1, 1, bias=False)
            self.normal_a, self.normal_b = nn.BatchNorm2d(out), nn.BatchNorm2d(out)
            self.short = nn.Conv2d(width, out, 1, stride, bias=False)

        def forward(self, x):
            h = self.normal_b(self.b(functional.relu(self.normal_a(self.a(x)))))
            return functional.relu(h + self.short(x))

    network = nn.Sequential(
        *(nn.Conv2d(3, 24, 3, 1, 1, bias=False), nn.BatchNorm2d(24), nn.ReLU()),
        *(Block(24, 32, 2), Block(32, 64, 2), Block(64, 128, 2)),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10)),
    )
    size, generator = 64, torch.Generator().manual_seed(seed)
    steps = epochs * (len(x) // size)
    optimizer = torch.optim.SGD(network.parameters(), 0.1, 0.9, weight_decay=5e-4, nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, steps)
    for _ in range(epochs):
        for picked in torch.randperm(len(x), generator=generator)[: steps // epochs * size].split(
            size
        ):
            images = functional.pad(x[picked], (4, 4, 4, 4), mode="reflect")
            top, left = torch.randint(0, 9, (2,), generator=generator).tolist()
            images = images[:, :, top : top + 32, left : left + 32]
            flipped = torch.rand(size, generator=generator) < 0.5
            images = torch.where(flipped[:, None, None, None], images.flip(3), images)
            loss = functional.cross_entropy(network(images), y[picked], label_smoothing=0.1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    network.eval()

    @torch.no_grad()
    def classes(images):
        images = torch.from_numpy(images).permute(0, 3, 1, 2)
        return torch.cat([network(part) for part in images.split(500)]).argmax(dim=1).numpy()

    return classes


def ours(seconds, seed, guidance, steps, file):
    """Trains the flow in this process; 2,000 samples, the labels in turn, go to the file."""
    from ganedu.runs.speedrun import timed_training

    run = timed_training(MODEL, "cifar10", seconds, seed, RECIPE, by_class=True)
    labels = np.arange(COUNT) % 10
    samples = run.model.generate(
        COUNT, labels=labels, seed=seed + 1, guidance=guidance, steps=steps
    )
    np.savez(file, samples=samples, images=run.images)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--guidance", type=float, default=2.0)
    parser.add_argument("--steps", type=int, default=16, help="of Heun's method")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--play", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.play:
        ours(options.seconds, options.seed, options.guidance, options.steps, options.play)
        return
    runtime.setup(options.seed)
    from time_to_quality import compete, number, rows

    from ganedu import data, figures
    from ganedu.metrics import features
    from ganedu.metrics.frechet import frechet_distance

    test = data.load("cifar10", "test")
    network, classes = features.load("cifar10"), train_classifier(options.seed)
    right = float(np.mean(classes(test.array()) == test.labels))
    real = network.features(test.array())

    def distance(images):
        return frechet_distance(network.features(images), real)

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "ours.npz")
        asked = [
            f"--{key}={getattr(options, key)}" for key in ("seconds", "seed", "guidance", "steps")
        ]
        subprocess.run([sys.executable, __file__, *asked, "--play", str(file)], check=True)
        with np.load(file) as made:
            samples, images = made["samples"], int(made["images"])
    told = float(np.mean(classes(samples) == np.arange(COUNT) % 10))
    row = f"{images:,}", number(distance(samples)), f"{told:.1%}", f"{told / right:.0%}"
    body = [[MODEL, *row]]
    for name in RIVALS:
        (rival,) = compete(
            [name],
            {name: options.seconds},
            options.seed,
            (),
            lambda file: distance(data.to_float(np.load(file))),
            data="cifar10",
        )
        turn = rival.turns[-1]
        body.append([name, f"{turn['images']:,}", number(turn["score"]), "", ""])
    head = [
        "model",
        "images seen",
        "distance",
        "class seen by the classifier",
        "as a share of its accuracy",
    ]
    print(
        f"The classifier is right on {right:.1%} of the test images.\n\n{rows(head, body)}",
        flush=True,
    )
    with open(PICTURE, "wb") as file:
        figures.save_png(samples[:100], file, columns=10)


if __name__ == "__main__":
    main()
