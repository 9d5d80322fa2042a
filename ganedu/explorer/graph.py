"""A Keras network as a list of nodes for a page to walk, and its weights in float16.

A node is `{"type", "config", "args", "kwargs", "weights"}`: a layer or an operation of Keras by its class, those
entries of its configuration that its arithmetic needs, what it is called with, and its weights by name. An
argument that another node gives is `{"ref": [node, output]}`. Networks within a network are laid out in place.
"""

import base64

import keras
import numpy as np

from ganedu.runtime import UsageError

# Of each layer that the page knows, the entries of its configuration that it reads.
CONV = ("strides", "padding", "dilation_rate", "activation")
LAYERS = {
    "Activation": ("activation",),
    "BatchNormalization": ("epsilon",),
    "Concatenate": ("axis",),
    "Conv1D": CONV,
    "Conv2D": CONV,
    "Conv2DTranspose": CONV,
    "Cropping1D": ("cropping",),
    "Cropping2D": ("cropping",),
    "Dense": ("activation",),
    "Dropout": (),
    "Embedding": (),
    "Flatten": (),
    "GroupNormalization": ("groups", "epsilon"),
    "LayerNormalization": ("epsilon",),
    "LeakyReLU": ("negative_slope",),
    "MultiHeadAttention": ("key_dim",),
    "Permute": ("dims",),
    "RMSNormalization": ("epsilon",),
    "ReLU": ("negative_slope",),
    "Reshape": ("target_shape",),
    "UpSampling2D": ("size", "interpolation"),
    "ZeroPadding1D": ("padding",),
    "ZeroPadding2D": ("padding",),
}
OWN_LAYERS = {
    "AffineCoupling": ("mask", "parity"),
    "ConstantInput": (),
    "DRAWWrite": ("height", "width"),
    "EqualizedDense": ("multiplier",),
    "MaskedConv2D": (*CONV, "mask"),
    "ModulatedConv2D": ("demodulate",),
    "NoiseInjection": (),
    "PositionEmbedding": (),
    "SinusoidalEmbedding": ("dim", "highest"),
}
# Layers that are those of Keras once their kernel is divided by its spectral norm.
SPECTRAL = {"SpectralConv2D": "Conv2D", "SpectralDense": "Dense"}
# Operations, all of whose configuration is arguments.
OPERATIONS = (
    *("Add", "Cast", "Clip", "Concatenate", "Exp", "ExpandDims", "GetItem", "Log", "Max", "Maximum", "Mean"),
    *("Minimum", "Multiply", "NotEqual", "OnesLike", "Repeat", "Reshape", "Rsqrt", "Sigmoid", "Split", "Sqrt"),
    *("Square", "Subtract", "Sum", "Tanh", "Transpose", "TrueDivide", "Where"),
)  # fmt: skip
ACTIVATIONS = (
    "linear",
    "relu",
    "tanh",
    "sigmoid",
    "silu",
    "gelu",
    "softplus",
    "exponential",
    "elu",
)
# What a configuration may say besides, if it says it: the only values that the page computes with.
ONLY = {
    "axis": (-1, [-1]),
    "groups": (1,),
    "data_format": ("channels_last",),
    "output_padding": (None,),
    "max_value": (None,),
    "threshold": (0, 0.0),
    "rms_scaling": (False,),
    "use_gate": (False,),
    "sliding_window": (None,),
    "attention_axes": (None, [1]),
    "mask_zero": (False,),
}
KEYWORDS = {
    "attention_mask": "MultiHeadAttention",
    "use_causal_mask": "MultiHeadAttention",
    "return_attention_scores": "MultiHeadAttention",
    "inverse": "AffineCoupling",
}


class UnknownLayer(UsageError):
    """A network has a layer, or a use of one, that the page cannot compute."""


class Weights:
    """Arrays in float16, each kept once however often it is used."""

    def __init__(self):
        self.arrays, self._places = [], {}

    def add(self, variable, owner=None):
        """The number of a Keras variable's array, int; of a tensor that was computed, known by its `owner`, a layer.

        Raises:
            UnknownLayer: for values that float16 does not have.
        """
        owner = variable if owner is None else owner
        if id(owner) not in self._places:
            with np.errstate(over="ignore"):
                values = keras.ops.convert_to_numpy(variable).astype("float16")
            if not np.isfinite(values).all():
                raise UnknownLayer(f"The weight {owner.path} is not finite in float16")
            self._places[id(owner)] = len(self.arrays), owner  # which keeps its identity
            self.arrays.append(values)
        return self._places[id(owner)][0]

    def to_dict(self):
        """`{"shapes", "data"}`: the arrays' shapes, and all their numbers in little-endian float16, as base64."""
        numbers = b"".join(a.astype("<f2").tobytes() for a in self.arrays)
        shapes = [list(a.shape) for a in self.arrays]
        return {"shapes": shapes, "data": base64.b64encode(numbers).decode()}


def export(network, weights):
    """A network as the page walks it.

    Args:
        network: functional Keras model.
        weights: `Weights`, which the network's are added to.

    Returns:
        Dict for JSON: `nodes`, each after those that it needs; `outputs`, references to them.

    Raises:
        UnknownLayer: for a layer, an operation or a use of one that the page cannot compute; the message names it.
    """
    nodes = [{"type": "Input", "config": {"index": i}} for i in range(len(network.inputs))]
    inputs = [{"ref": [i, 0]} for i in range(len(nodes))]
    outputs = _inline(network, inputs, nodes, weights)
    return {"nodes": nodes, "outputs": [o["ref"] for o in outputs]}


def _inline(network, inputs, nodes, weights):
    """Adds the nodes of a network that is called with `inputs`, and returns references to its outputs."""
    if isinstance(network, keras.Sequential):
        for layer in network.layers:
            inputs = _call(layer, _described(layer), [*inputs], {}, nodes, weights)
        return inputs
    if not _is_functional(network):
        raise UnknownLayer(f"{network.name}, a {type(network).__name__}, is no functional network")
    config = network.get_config()
    described = {c["name"]: c for c in config["layers"]}
    known = {}  # from (name, call) to references
    for (name, *_), value in zip(_histories(config["input_layers"]), inputs, strict=True):
        known[name, 0] = [value]
    layers = {operation.name: operation for operation in network.operations}
    waiting = [
        (name, i, call)
        for name, c in described.items()
        for i, call in enumerate(c["inbound_nodes"])
        if (name, i) not in known
    ]
    while waiting:
        later = []
        for name, i, call in waiting:
            try:
                args, kwargs = (_resolved(call[part], known) for part in ("args", "kwargs"))
            except KeyError:  # of a tensor that is not there yet
                later.append((name, i, call))
                continue
            known[name, i] = _call(layers[name], described[name], args, kwargs, nodes, weights)
        if len(later) == len(waiting):
            raise UnknownLayer(f"The network {network.name} has no order of its layers")
        waiting = later
    # Here alone Keras counts the calls of a functional network from 1: number 0 is its own.
    outputs = _histories(config["output_layers"])
    calls = [max(i - _is_functional(layers[name]), 0) for name, i, _ in outputs]
    return [known[name, i][t] for (name, _, t), i in zip(outputs, calls, strict=True)]


def _call(layer, described, args, kwargs, nodes, weights):
    """Adds a node, or those of a network, and returns references to what it gives."""
    if kwargs.get("training"):
        raise UnknownLayer(
            f"{described['name']} is called as in training, which the page does not do"
        )
    kwargs = {k: v for k, v in kwargs.items() if k != "training" and v is not None}
    if isinstance(layer, keras.Model):
        return _inline(layer, _refs(args), nodes, weights)
    kind, kept = _kind(described)
    config = described["config"]
    for name, value in config.items():
        value = list(value) if isinstance(value, tuple) else value
        if (
            name in ONLY
            and name not in kept
            and value not in ONLY[name]
            and kind in (LAYERS | OWN_LAYERS)
        ):
            raise UnknownLayer(
                f"{described['name']}, a {kind} with {name}={value!r}, is not known to the page"
            )
    if config.get("activation", "linear") not in ACTIVATIONS:
        raise UnknownLayer(
            f"{described['name']}, a {kind}, has an activation that the page does not know"
        )
    for name in kwargs:
        if KEYWORDS.get(name) != kind:
            raise UnknownLayer(
                f"{described['name']}, a {kind}, is called with {name}, which the page does not know"
            )
    node = {"type": kind, "config": {k: config[k] for k in kept if k in config}, "args": args}
    node |= {"kwargs": kwargs} if kwargs else {}
    found = {name: weights.add(v) for name, v in _weights(layer, kind).items()}
    if described["class_name"] in SPECTRAL:
        found["kernel"] = weights.add(layer.normalized(training=False), owner=layer)
    nodes.append(node | ({"weights": found} if found else {}))
    return _Outputs(len(nodes) - 1)


class _Outputs:
    """References to the outputs of a node, of which it is not known how many there are."""

    def __init__(self, node):
        self.node = node

    def __getitem__(self, output):
        return {"ref": [self.node, output]}

    def __iter__(self):
        return iter([self[0]])


def _kind(described):
    """The type of a node, and the entries of its configuration that are kept."""
    name, module = described["class_name"], described["module"] or ""
    registered = described.get("registered_name") or name
    if module == "keras.layers" and name in LAYERS:
        return name, LAYERS[name]
    if registered == f"ganedu>{name}" and name in OWN_LAYERS:
        return name, OWN_LAYERS[name]
    if registered == f"ganedu>{name}" and name in SPECTRAL:
        return SPECTRAL[name], LAYERS[SPECTRAL[name]]
    if module.startswith("keras.src.ops.") and name in OPERATIONS:
        return f"ops.{name}", tuple(k for k in described["config"] if k != "name")
    raise UnknownLayer(f"{described['name']}, a {registered}, is not known to the page")


def _described(layer):
    """What the configuration of a functional network would say of a layer of a `Sequential` one."""
    return {**keras.saving.serialize_keras_object(layer), "name": layer.name}


def _is_functional(layer):
    return isinstance(layer, keras.Model) and hasattr(layer, "operations")


def _weights(layer, kind):
    """The variables of a layer by name; those of layers within it as `layer/name`."""
    within = {
        "MultiHeadAttention": lambda: {
            "query": layer.query_dense,
            "key": layer.key_dense,
            "value": layer.value_dense,
            "output": layer.output_dense,
        },
        "AffineCoupling": lambda: {str(i): conv for i, conv in enumerate(layer.hidden)},
        "ModulatedConv2D": lambda: {"affine": layer.affine},
    }
    if type(layer).__name__ in SPECTRAL:
        return {"bias": layer.bias} if layer.use_bias else {}  # and the kernel, which is computed
    found, inner = {}, within.get(kind, dict)()
    for name, part in inner.items():
        found |= {f"{name}/{v.name}": v for v in part.weights}
    taken = {id(v) for v in found.values()}
    if isinstance(layer, keras.layers.Layer):
        found |= {v.name: v for v in layer.weights if id(v) not in taken}
    return found


def _histories(structure):
    """`(name, call, output)` of each tensor in a structure of them."""
    if isinstance(structure, (list, tuple)) and structure and isinstance(structure[0], str):
        return [tuple(structure)]
    values = structure.values() if isinstance(structure, dict) else structure
    return [h for part in values for h in _histories(part)]


def _resolved(value, known):
    """An argument as the page reads it; a `KeyError` where a tensor is not known yet."""
    if isinstance(value, dict):
        kind = value.get("class_name")
        if kind == "__keras_tensor__":
            name, call, output = value["config"]["keras_history"]
            return known[name, call][output]
        if kind == "__slice__":
            return {"slice": [value["config"][k] for k in ("start", "stop", "step")]}
        if kind == "__ellipsis__":
            return {"ellipsis": True}
        if kind is not None:
            raise UnknownLayer(f"An argument of the kind {kind} is not known to the page")
        return {k: _resolved(v, known) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_resolved(v, known) for v in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise UnknownLayer(f"An argument of the kind {type(value).__name__} is not known to the page")


def _refs(value):
    """The references in a structure, in their order."""
    if isinstance(value, dict):
        return [value] if "ref" in value else [r for v in value.values() for r in _refs(v)]
    return [r for v in value for r in _refs(v)] if isinstance(value, (list, tuple)) else []
