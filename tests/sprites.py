"""A folder of game sprites, drawn by code: what a student's own folder of images looks like.

    python tests/sprites.py FOLDER [--count 400]

Three classes of 32x32 pixel art on white: creatures (mirrored, with eyes), gems and swords.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

SIDE, SCALE = 16, 2
COLOURS = np.array(
    [[214, 64, 69], [58, 124, 165], [67, 146, 90], [236, 164, 58], [123, 80, 150]], "uint8"
)
WHITE, DARK = np.array([255, 255, 255], "uint8"), np.array([34, 32, 52], "uint8")


def shaded(mask, colour):
    """A mask (16, 16) in a colour, lighter above, with a dark outline: uint8 (16, 16, 3)."""
    light = np.linspace(1.25, 0.7, SIDE)[:, None, None]
    picture = np.where(mask[..., None], np.clip(colour * light, 0, 255), WHITE).astype("uint8")
    padded = np.pad(mask, 1)
    near = padded[:-2, 1:-1] | padded[2:, 1:-1] | padded[1:-1, :-2] | padded[1:-1, 2:]
    picture[near & ~mask] = DARK
    return picture


def creature(rng, colour):
    """Half a random body, grown around its middle and mirrored; two eyes."""
    y, x = np.mgrid[:SIDE, : SIDE // 2]
    distance = np.hypot((y - 8) / rng.uniform(4.5, 6), (7.5 - x) / rng.uniform(3.5, 6))
    half = distance + rng.normal(0, 0.22, distance.shape) < 1
    half[:2], half[-2:], half[:, :1] = False, False, False
    picture = shaded(np.concatenate([half, half[:, ::-1]], axis=1), colour)
    row, gap = int(rng.integers(5, 8)), int(rng.integers(1, 3))
    for column in (7 - gap, 8 + gap):
        picture[row : row + 2, column] = DARK
    return picture


def gem(rng, colour):
    """A rhombus with a cut top."""
    y, x = np.mgrid[:SIDE, :SIDE]
    width, height = rng.uniform(4, 6.5, 2)
    mask = np.abs(x - 7.5) / width + np.abs(y - 8) / height < 1
    mask[: 8 - int(height * rng.uniform(0.3, 0.7))] = False
    return shaded(mask, colour)


def sword(rng, colour):
    """A blade along the diagonal, a guard across it."""
    y, x = np.mgrid[:SIDE, :SIDE]
    along, across = (x + (15 - y)) / 2, x - (15 - y)
    grip, length = rng.uniform(4, 7), rng.uniform(10.5, 14)
    blade = (np.abs(across) <= rng.integers(1, 3)) & (along > 2) & (along < length)
    guard = (np.abs(along - grip) < 0.8) & (np.abs(across) < rng.uniform(3, 7))
    return shaded(blade | guard, colour)


KINDS = {"creature": creature, "gem": gem, "sword": sword}


def draw(kind, seed):
    """One sprite, uint8 (32, 32, 3), a function of its kind and seed."""
    rng = np.random.default_rng([seed, list(KINDS).index(kind)])
    picture = KINDS[kind](rng, COLOURS[rng.integers(len(COLOURS))])
    return picture.repeat(SCALE, axis=0).repeat(SCALE, axis=1)


def fill(folder, count):
    """`count` sprites of each kind, one folder a kind."""
    for kind in KINDS:
        place = Path(folder, kind)
        place.mkdir(parents=True, exist_ok=True)
        for i in range(count):
            Image.fromarray(draw(kind, i)).save(place / f"{i:04d}.png")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--count", type=int, default=400)
    options = parser.parse_args()
    fill(options.folder, options.count)


if __name__ == "__main__":
    main()
