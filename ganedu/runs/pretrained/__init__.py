"""Trained models, for lessons on what a minute does not teach: they begin from these, and train on.

>>> model = load("text_flow")
>>> images = model.generate(["a thick red three at the top"])  # (1, 32, 32, 3)

Their weights are part of the package; `python -m ganedu.runs.pretrained.train NAME` makes them anew.
"""

from importlib import resources

from ganedu import models, recipes, runtime
from ganedu.networks import weights as stored
from ganedu.runtime import UsageError

IMAGE_SHAPE = (32, 32, 3)
# model: what it was trained on
NAMES = {
    "captioner": "captioned digits of MNIST, its encoder alone: the decoder is new",
    "clip": "captioned digits of MNIST, in batches of pairs drawn at random",
    "editor": "changes of captioned digits of MNIST",
    "text_flow": "captioned digits of MNIST",
}
# What is smaller than the model file's own: a lesson trains on from it within a minute.
SIZES = {
    "captioner": {"width": 24, "text_width": 64, "length": 20},
    "clip": {"width": 16, "text_width": 48, "dim": 32, "length": 20},
}
# What is stored of it: pairs, each a trained network and its average, or the network itself where it has none.
NETWORKS = {
    "captioner": lambda model: [(model.encoder, model.ema_encoder)],
    "clip": lambda model: [
        (model.image_tower, model.ema_image_tower),
        (model.text_tower, model.ema_text_tower),
        (model.temperature, model.temperature),
    ],
    "editor": lambda model: [(model.network, model.ema_network)],
    "text_flow": lambda model: [(model.network, model.ema_network)],
}


def load(name, **arguments):
    """A trained model, compiled with a new optimizer.

    Args:
        name: str, one of `NAMES`.
        **arguments: those of the model file's `build`, of the optimizer and of training; the network's
            own sizes are those that it was trained with.

    Returns:
        The model: its networks in `NETWORKS` and their averages have the stored weights. In the profile `smoke`, which
        asks whether code runs and not how well, small networks that have learned nothing.

    Raises:
        UsageError: for a name that has none, and arguments that make another network.
    """
    if name not in NAMES:
        raise UsageError(f"There are trained models of {', '.join(NAMES)}. Received: {name!r}")
    arguments = {**SIZES.get(name, {}), **arguments}
    if runtime.profile() == "smoke":
        return models.build(name, IMAGE_SHAPE, **{**arguments, **recipes.smoke(name).model})
    file = resources.files("ganedu.runs.pretrained") / "weights" / f"{name}.npz"
    weights, _ = stored.load(file)
    model = models.build(name, IMAGE_SHAPE, **arguments)
    if [w.shape for w in weights] != [w.shape for w in averaged_weights(model, name)]:
        raise UsageError(f"The trained {name} has another network. Received: {arguments}")
    for trained, average in NETWORKS[name](model):
        own, weights = weights[: len(average.weights)], weights[len(average.weights) :]
        trained.set_weights(own)
        average.set_weights(own)
    return model


def averaged_weights(model, name):
    """The weights of all averages of `NETWORKS`, one after another."""
    return [w for _, average in NETWORKS[name](model) for w in average.get_weights()]
