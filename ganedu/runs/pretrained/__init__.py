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
    "editor": "changes of captioned digits of MNIST",
    "text_flow": "captioned digits of MNIST",
}


def load(name, **arguments):
    """A trained model, compiled with a new optimizer.

    Args:
        name: str, one of `NAMES`.
        **arguments: those of the model file's `build`, of the optimizer and of training; the network's
            own sizes are those that it was trained with.

    Returns:
        The model: its network and its averaged one have the stored weights. In the profile `smoke`, which
        asks whether code runs and not how well, a small network that has learned nothing.

    Raises:
        UsageError: for a name that has none, and arguments that make another network.
    """
    if name not in NAMES:
        raise UsageError(f"There are trained models of {', '.join(NAMES)}. Received: {name!r}")
    if runtime.profile() == "smoke":
        return models.build(name, IMAGE_SHAPE, **{**arguments, **recipes.smoke(name).model})
    file = resources.files("ganedu.runs.pretrained") / "weights" / f"{name}.npz"
    weights, _ = stored.load(file)
    model = models.build(name, IMAGE_SHAPE, **arguments)
    if [w.shape for w in weights] != [tuple(w.shape) for w in model.network.weights]:
        raise UsageError(f"The trained {name} has another network. Received: {arguments}")
    model.network.set_weights(weights)
    model.ema_network.set_weights(weights)
    return model
