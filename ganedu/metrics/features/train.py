"""Trains the networks whose weights are part of the package.

python -m ganedu.metrics.features.train mnist [digits cifar10]
"""

import dataclasses
import sys
from pathlib import Path

from ganedu import runtime

EPOCHS = {"digits": 40, "mnist": 4, "cifar10": 14}


def train(name):
    """Trains the network of a data set and stores its weights as float16.

    Returns:
        Its accuracy on the test images, with the weights as stored.
    """
    runtime.setup(0)
    import keras
    import numpy as np

    from ganedu import data
    from ganedu.metrics import features
    from ganedu.metrics.features.network import classifier
    from ganedu.networks import weights as stored

    sets = [data.load(name, split) for split in ("train", "test")]
    known, unknown = (dataclasses.replace(s, return_labels=True) for s in sets)
    network = classifier(known.image_shape, int(known.labels.max()) + 1)
    trained = keras.Model(network.input, network.outputs[1])
    batch_size, epochs = 64, EPOCHS[name]
    steps = len(known) // batch_size
    rate = keras.optimizers.schedules.CosineDecay(3e-3, epochs * steps)
    trained.compile(
        keras.optimizers.Adam(rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    presets = ["crop", "horizontal_flip"] if name == "cifar10" else ["crop"]
    trained.fit(
        known.batches(batch_size, augment=data.Augmentation(*presets)),
        steps_per_epoch=steps,
        epochs=epochs,
        shuffle=False,
        verbose=2,
    )
    weights = [w.astype("float16") for w in network.get_weights()]
    network.set_weights([w.astype("float32") for w in weights])
    found = trained.predict(unknown.array(), verbose=0, batch_size=512).argmax(axis=1)
    accuracy = float(np.mean(found == unknown.labels))
    folder = Path(features.__file__).with_name("weights")
    folder.mkdir(exist_ok=True)
    metadata = {"accuracy": accuracy, "image_shape": known.image_shape}
    stored.save(folder / f"{name}.npz", weights, **metadata)
    return accuracy


if __name__ == "__main__":
    for asked in sys.argv[1:]:
        print(f"{asked}: {train(asked):.4f} of the test images are told rightly")
