"""Lesson 18: all that a training step reads and moves, and in which list it belongs."""

import functools

import numpy as np

from ganedu.course.checking import Check, variant

FUNCTION = "parts"
FORBIDDEN = ()
LISTS = ("weights", "optimizers", "EMA", "seeds")


def inputs(rng):
    """Where the numbers of a model that is under way begin."""
    return {"start": rng.uniform(0.2, 0.8, 1)}


@functools.cache
def _models():
    """Two small GANs, of one kind; G has batch normalization."""
    import keras
    from keras import layers

    from ganedu.engine import FusedAdam
    from ganedu.models.gan import GAN

    def one():
        generator = [
            layers.Dense(4, use_bias=False),
            layers.BatchNormalization(),
            layers.Dense(4, activation="tanh"),
            layers.Reshape((2, 2, 1)),
        ]
        return GAN(
            keras.Sequential([keras.Input((2,)), *generator]),
            keras.Sequential([keras.Input((2, 2, 1)), layers.Flatten(), layers.Dense(1)]),
        ).compile_with(FusedAdam, 0.01, 0.01)

    return one(), one()


def _known(model):
    """The variables that a step reads and moves, by what they are; and the list in which each kind belongs."""
    g, d = model.g_optimizer, model.d_optimizer
    rest = ("iteration", "learning_rate")
    return {
        "G": ("weights", model.generator.trainable_variables),
        "D": ("weights", model.discriminator.variables),
        "statistics": ("weights", model.generator.non_trainable_variables),
        "Adam of G": ("optimizers", [v for v in g.variables if v.name not in rest]),
        "Adam of D": ("optimizers", [v for v in d.variables if v.name not in rest]),
        "steps": ("optimizers", [g.iterations, d.iterations]),
        "EMA of G": ("EMA", model.ema_generator.variables),
        "seed": ("seeds", [model.seed_generator.state]),
    }


def _fill(model, start):
    """Gives each variable numbers of its own: a model that is under way."""
    for i, (_, variables) in enumerate(_known(model).values()):
        for j, v in enumerate(variables):
            values = 100 * start + 10 * i + j + np.arange(np.prod(v.shape, dtype=int))
            v.assign(values.reshape(v.shape).astype(str(v.dtype)))


def _copied(old, new):
    """Whether each kind of a new model's variables is as in the old one, once each list of the old one's values is
    put back into the new one's."""
    from keras import ops

    for name in LISTS:
        values = [np.array(ops.convert_to_numpy(v)) for v in old[name]]
        for variable, value in zip(new[name], values, strict=True):
            variable.assign(value)


def probe(solution, inputs):
    import keras
    from keras import ops

    model, other = _models()
    _fill(model, float(inputs["start"][0]))
    _fill(other, 5.0)
    told = solution(model)
    named = isinstance(told, dict) and set(told) == set(LISTS)
    lists = named and all(isinstance(told[name], (list, tuple)) for name in LISTS)
    known = _known(model)
    found = dict.fromkeys(known, False)
    found |= {"names": named, "lists": lists, "variables": False, "places": False, "again": False}
    if not lists:
        return found
    every = [v for name in LISTS for v in told[name]]
    found["variables"] = all(isinstance(v, keras.Variable) for v in every)
    if not found["variables"]:
        return found
    times = {name: [id(v) for v in told[name]] for name in LISTS}
    all_times = [i for ids in times.values() for i in ids]
    for kind, (_, variables) in known.items():
        found[kind] = all(id(v) in all_times for v in variables)
    found["places"] = all(
        all_times.count(id(v)) == times[place].count(id(v)) == 1
        for place, variables in known.values()
        for v in variables
        if id(v) in all_times
    )
    try:
        _copied(told, solution(other))
    except ValueError:  # lists or arrays that do not fit
        return found
    pairs = zip(known.values(), _known(other).values(), strict=True)
    found["again"] = all(
        np.array_equal(ops.convert_to_numpy(a), ops.convert_to_numpy(b))
        for (_, old), (_, new) in pairs
        for a, b in zip(old, new, strict=True)
    )
    return found


def compared(outputs, inputs):
    return {name: np.array([bool(holds)]) for name, holds in outputs.items()}


def reference(inputs):
    return {item.key: np.array([True]) for item in CHECKS}


CHECKS = (
    Check(
        "names",
        'A dict comes back, with four names: "weights", "optimizers", "EMA" and "seeds".',
        points=0,
    ),
    Check(
        "lists",
        "Under each name stands a list, also where it holds one variable alone.",
        points=0,
    ),
    Check(
        "variables",
        "The lists hold `keras.Variable`s themselves, not their numbers and nothing round them: numbers can be put "
        "back into a variable only.",
    ),
    Check(
        "G",
        "A step moves G's weights. Where are they?",
    ),
    Check(
        "D",
        "A step moves D's weights. Where are they?",
    ),
    Check(
        "statistics",
        "Batch normalization keeps a moving mean and a moving variance of each channel. No gradient moves them, so "
        "`trainable_variables` leaves them out; but a step does move them, and pictures are made with them.",
    ),
    Check(
        "Adam of G",
        "G's optimizer keeps two running means for each weight (here joined to vectors), and its next step is made of "
        "them.",
    ),
    Check(
        "Adam of D",
        "D has an optimizer of its own, which keeps two running means for each of D's weights.",
    ),
    Check(
        "steps",
        "Each Adam counts its steps, because its means begin at 0 and are scaled up at first, more or less by the "
        "count. The count is a variable, too (`iterations`).",
    ),
    Check(
        "EMA of G",
        "A step moves the averaged copy of G, by which pictures are made. It is a network of its own.",
    ),
    Check(
        "seed",
        "The generator of random numbers moves on at each step. Its `state` is a variable; the model's `seed` is only "
        "the number at which it began.",
    ),
    Check(
        "places",
        "All is there, but some variable stands in a list that is not its own, or twice: each belongs to one list.",
    ),
    Check(
        "again",
        "For one model it is right. Asked of a second one of the same kind, the lists do not come in the same order, "
        "or are still the first one's, so numbers of one do not fit into the other.",
    ),
)

RIGHT = {
    "as written": """
def parts(model):
    return {
        "weights": model.generator.variables + model.discriminator.variables,
        "optimizers": model.g_optimizer.variables + model.d_optimizer.variables,
        "EMA": model.ema_generator.variables,
        "seeds": [model.seed_generator.state],
    }
""",
    "without the learning rates": """
def parts(model):
    adam = [v for o in (model.d_optimizer, model.g_optimizer) for v in o.variables]
    found = {"optimizers": [v for v in adam if v.name != "learning_rate"]}
    found["weights"] = model.discriminator.weights + model.generator.weights
    return found | {"seeds": [model.seed_generator.state], "EMA": model.ema_generator.weights}
""",
    "what Keras holds as one optimizer": """
def parts(model):
    networks = {"weights": (model.generator, model.discriminator), "EMA": (model.ema_generator,)}
    found = {name: [v for n in group for v in n.variables] for name, group in networks.items()}
    return {**found, "optimizers": model.optimizer.variables, "seeds": (model.seed_generator.state,)}
""",
}


def _slip(*changes):
    return variant(RIGHT["as written"], *changes)


WRONG = {
    "what gradients move": RIGHT["as written"].replace(
        "generator.variables", "generator.trainable_variables"
    ),
    "the weights of G alone": _slip((" + model.discriminator.variables", "")),
    "one of two optimizers": _slip((" + model.d_optimizer.variables", "")),
    "Adam's means without its count": _slip(
        (
            "model.g_optimizer.variables + model.d_optimizer.variables",
            "[v for o in (model.g_optimizer, model.d_optimizer) for v in o.variables"
            " if v.name in ('momentum', 'velocity')]",
        )
    ),
    "no averaged copy": _slip(("model.ema_generator.variables", "[]")),
    "G in the average's place": _slip(("model.ema_generator", "model.generator")),
    "a seed's number": _slip(("model.seed_generator.state", "model.seed")),
    "the seed generator itself": _slip(("model.seed_generator.state", "model.seed_generator")),
    "no seeds": _slip(("[model.seed_generator.state]", "[]")),
    "a variable, not a list": _slip(("[model.seed_generator.state]", "model.seed_generator.state")),
    "arrays": RIGHT["as written"]
    .replace("generator.variables", "generator.get_weights()")
    .replace("discriminator.variables", "discriminator.get_weights()"),
    "optimizers themselves": _slip(
        (
            "model.g_optimizer.variables + model.d_optimizer.variables",
            "[model.g_optimizer, model.d_optimizer]",
        )
    ),
    "all that the model has": _slip(
        ("model.generator.variables + model.discriminator.variables", "model.variables")
    ),
    "one long list": """
def parts(model):
    return [*model.variables, *model.g_optimizer.variables, *model.d_optimizer.variables]
""",
    "of the first model that it saw": """
def parts(model, first=[]):
    first.append(model)
    model = first[0]
    return {
        "weights": model.generator.variables + model.discriminator.variables,
        "optimizers": model.g_optimizer.variables + model.d_optimizer.variables,
        "EMA": model.ema_generator.variables,
        "seeds": [model.seed_generator.state],
    }
""",
}
