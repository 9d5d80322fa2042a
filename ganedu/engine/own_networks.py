"""Networks that a user brings: of any kind that Keras has, and looked at before they are trained."""

import keras

# Activations of a last layer, by name, that do not fit.
NOT_LOGITS = {
    "sigmoid",
    "hard_sigmoid",
    "softmax",
    "tanh",
    "hard_tanh",
    "softsign",
    "relu",
    "softplus",
}
NOT_IMAGES = {"sigmoid", "hard_sigmoid", "softmax", "relu", "softplus", "exponential"}


def functional(forms, **networks):
    """Networks as Keras's functional models, whose inputs and outputs are known.

    Args:
        forms: dict from the name of an argument to what it reads and what it returns, as `"z, y -> images"`; a
            `z` is a vector. An argument that is not named there reads one thing and returns one.
        **networks: Keras models by the name of the argument that they were given for: functional, `Sequential`,
            or subclassed, built or called before. They share their layers with what is returned.

    Returns:
        One `keras.Model`, or a tuple of them in the order of the arguments.

    Raises:
        ValueError: for what is no Keras model, one that has not been built, so that its input is not known, and
            one that reads or returns something else.
    """
    found = tuple(_functional(network, name) for name, network in networks.items())
    for name, network in zip(networks, found, strict=True):
        _check_form(network, name, forms.get(name, "x -> y"))
    return found if len(found) > 1 else found[0]


def _functional(network, name):
    if not isinstance(network, keras.Model):
        raise ValueError(f"`{name}` must be a Keras model. Received: {_kind(network)}")
    if hasattr(network, "operations"):  # what only a functional one has
        return network
    shapes = list((network.get_build_config() or {}).values()) if network.built else []
    if isinstance(network, keras.Sequential) and network.built:
        shapes = [network.input_shape]
    if not shapes:
        raise ValueError(
            f"`{name}` must be built, so that its input is known. Received: {_kind(network)} that is not; "
            "begin it with keras.Input(shape), or call it on a batch once"
        )
    inputs = keras.tree.map_shape_structure(lambda s: keras.Input(tuple(s[1:])), shapes[0])
    if isinstance(network, keras.Sequential):
        x = inputs
        for layer in network.layers:
            x = layer(x)
    else:
        x = network(inputs)
    return keras.Model(inputs, x, name=network.name)


def _check_form(network, name, form):
    reads, returns = (side.split(", ") for side in form.split(" -> "))
    shapes = [
        [tuple(t.shape) for t in keras.tree.flatten(side)]
        for side in (network.inputs, network.outputs)
    ]
    counts = [len(side) for side in shapes]
    if counts != [len(reads), len(returns)]:
        received = f"{_count(counts[0], 'input')}, {_count(counts[1], 'output')}"
        raise ValueError(f"`{name}` must read and return {form}. Received: {received}")
    z = next(
        (shape for shape, what in zip(shapes[0], reads, strict=True) if what == "z"), (None, 0)
    )
    if len(z) != 2:
        raise ValueError(f"`{name}` must read z, vectors (B, latent_dim). Received: {z}")


def _count(number, what):
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _kind(network):
    owner = next(
        (c for c in (keras.Sequential, keras.Model, keras.layers.Layer) if isinstance(network, c)),
        None,
    )
    name = type(network).__name__
    return f"a {name}" if owner in (None, type(network)) else f"the {owner.__name__} {name}"


def check_logits(network, name):
    """Refuses a last layer whose outputs are bounded, where any real number is wanted.

    Raises:
        ValueError: names the activation.
    """
    _check(network, name, NOT_LOGITS, "logits, any real numbers", "leave the activation out")


def check_images(network, name):
    """Refuses a last layer whose outputs are not in [-1, 1].

    Raises:
        ValueError: names the activation.
    """
    _check(network, name, NOT_IMAGES, "images in [-1, 1]", "its last activation should be tanh")


def check_one_logit(network, name):
    """`check_logits` of the first output, which is (B, 1).

    Raises:
        ValueError: for another shape, as that of a patch discriminator, and a bounded output.
    """
    shape = keras.tree.flatten(network.outputs)[0].shape
    if tuple(shape[1:]) != (1,):
        raise ValueError(
            f"`{name}` must say one number of each image, (B, 1). Received: an output of {tuple(shape)}"
        )
    check_logits(network, name)


def check_same_shape(shapes):
    """Refuses networks that do not fit together.

    Args:
        shapes: dict of what must be one shape, by what it is the shape of.

    Raises:
        ValueError: names each with its shape.
    """
    if len(set(shapes.values())) > 1:
        received = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise ValueError(f"Networks must fit together, in one shape. Received: {received}")


def _check(network, name, refused, wanted, advice):
    activation = last_activation(network.outputs[0])
    if activation in refused:
        raise ValueError(
            f"`{name}` must end in {wanted}. Received: a {activation} at its end; {advice}"
        )


def last_activation(tensor):
    """The name of the activation that a network's output comes from, seen through layers that only change its form;
    `None` where no layer says."""
    operation, _, _ = tensor._keras_history
    if isinstance(operation, keras.Model) and getattr(operation, "outputs", None):
        return last_activation(operation.outputs[0])
    shaping = (keras.layers.Reshape, keras.layers.Flatten, keras.layers.Permute)
    activation = getattr(operation, "activation", None)
    plain = activation in (None, keras.activations.linear)
    if plain and isinstance(operation, (*shaping, keras.layers.Activation)):
        return last_activation(operation.input)
    if activation is None:
        name = type(operation).__name__.lower()  # a layer or an operation that is an activation
        return name if name in ("tanh", "sigmoid", "softmax", "relu") else None
    return getattr(activation, "__name__", None)
