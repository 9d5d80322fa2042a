"""Trains the models whose weights are part of the package, as `tests/benchmarks/words.py` trains
them, `text_flow` and `editor` in about half an hour each on two busy CPU cores, a small `clip` and
a small `captioner` in some minutes.

GANEDU_DATA=... python -m ganedu.runs.pretrained.train text_flow [editor] [clip] [captioner]
"""

import sys
from pathlib import Path

from ganedu import runtime

IMAGES = 200_000
FEWER_IMAGES = {"clip": 100_000}  # so that the digit is left for lesson 22 to teach


def fitted(name, images=IMAGES, objects=1, **sizes):
    """A model of words trained on captioned digits of MNIST, without the held-out combinations of kind
    and colour.

    Args:
        name: str, a model file that takes captions.
        images: int, how many it sees. Defaults to `200_000`.
        objects: int, how many digits are in each picture: 1 or 2. Defaults to `1`.
        **sizes: of the networks, in the place of the model file's own.

    Returns:
        The model.
    """
    runtime.setup(0)
    from ganedu import data, models, recipes

    count = min(60_000, images)
    known = data.captioned_digits(data.load("mnist"), count, objects=(objects,), combos="seen")
    recipe, _ = recipes.find(name, "captioned_mnist", known.image_shape, "quick")
    steps = images // recipe.batch_size
    arguments = {**recipe.model, **sizes}
    if "decay_steps" in arguments:
        arguments["decay_steps"] = steps
    if (
        "pretrain_captions" in arguments
    ):  # of one object the samples themselves soon tell what is said
        arguments["pretrain_captions"] = (
            min(arguments["pretrain_captions"], images) if objects == 2 else 0
        )
    model = models.build(name, known.image_shape, **arguments)
    stream = model.prepare_dataset(known).batches(recipe.batch_size)
    model.fit(stream, steps_per_epoch=steps, verbose=0)
    return model


def train(name, images=None, folder=None):
    """Trains a model and stores the weights of its averaged networks as float16.

    Args:
        name: str, one of `pretrained.NAMES`.
        images: int, how many it sees. Defaults to `200_000`, of `clip` to `100_000`.
        folder: `Path`, where the file goes. Defaults to the package's own.

    Returns:
        The file, a `Path`.
    """
    from ganedu.networks import weights as stored
    from ganedu.runs import pretrained

    images = images or FEWER_IMAGES.get(name, IMAGES)
    model = fitted(name, images, **pretrained.SIZES.get(name, {}))
    folder = folder or Path(pretrained.__file__).with_name("weights")
    folder.mkdir(exist_ok=True)
    file = folder / f"{name}.npz"
    stored.save(file, pretrained.averaged_weights(model, name))
    return file


if __name__ == "__main__":
    for asked in sys.argv[1:]:
        print(train(asked))
