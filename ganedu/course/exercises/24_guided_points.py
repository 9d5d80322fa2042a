"""Lesson 24: a flow followed with classifier-free guidance (Ho and Salimans 2022, algorithm 2, by Euler's method)."""

import numpy as np

from ganedu.course.checking import Check, WrongSolution, variant

FUNCTION = "my_guided_points"
FORBIDDEN = ("ganedu.engine.denoising_model.classifier_free_guidance",)


def inputs(rng):
    """Five points of noise, a scale, and what the two velocities are made of."""
    return {
        "x": rng.normal(size=(5, 2)),
        "scale": rng.uniform(1.5, 3.0),
        "ends": rng.normal(size=(3, 2)),
        "spin": rng.normal(size=(2, 2)),
    }


def _velocities(inputs):
    """Of three classes, each in its own direction; without one, along a field that turns. Both know the time."""

    def velocities(x, t, y):
        conditional = (1 + t) * inputs["ends"][y] - 0.3 * x
        return conditional, x @ inputs["spin"] + t - 0.5 * x

    return velocities


def _guided(inputs, scale, steps, y=2):
    velocities, x = _velocities(inputs), inputs["x"]
    for k in range(steps):
        conditional, unconditional = velocities(x, k / steps, y)
        x = x + (unconditional + scale * (conditional - unconditional)) / steps
    return x


def probe(solution, inputs):
    exact, asked = _velocities(inputs), []

    def velocities(x, t, y):
        if np.shape(x) != inputs["x"].shape:
            raise WrongSolution(
                f"`velocities` is asked about all points at once, (N, 2). Received: {np.shape(x)}"
            )
        if np.ndim(t):
            raise WrongSolution(
                "`t` is one number, the same for all points: each step begins at its own."
            )
        asked.append((float(t), np.array(x, float)))
        return exact(np.asarray(x, float), float(t), y)

    def run(scale, steps):
        asked.clear()
        return solution(velocities, inputs["x"], 2, scale, steps)

    found = {"scale 0": run(0.0, 1), "scale 1": run(1.0, 1), "past it": run(inputs["scale"], 1)}
    found["four steps"] = run(inputs["scale"], 4)
    found["t"] = np.unique(np.round([t for t, _ in asked], 6)) if asked else np.zeros(1)
    found["places"] = asked[-1][1] if asked else np.zeros(2)
    return found


def _slips(inputs):
    """Where one step would lead after a known slip."""
    x, s = inputs["x"], inputs["scale"]
    conditional, unconditional = _velocities(inputs)(x, 0.0, 2)
    late = _velocities(inputs)(x, 1.0, 2)
    return {
        "from the class": x + conditional + s * (conditional - unconditional),
        "swapped": x + conditional + s * (unconditional - conditional),
        "backwards": x + unconditional + s * (unconditional - conditional),
        "louder": x + s * conditional,
        "no step": unconditional + s * (conditional - unconditional),
        "a step late": x + late[1] + s * (late[0] - late[1]),
    }


def compared(probed, inputs):
    """What was found, and whether one step is what a known slip gives."""
    given = np.asarray(probed["past it"])

    def near(value):
        plain = given.shape == inputs["x"].shape and given.dtype.kind in "biuf"
        return bool(plain and np.allclose(given, value))

    return {**probed, **{name: near(value) for name, value in _slips(inputs).items()}}


def reference(inputs):
    s = inputs["scale"]
    velocities, x = _velocities(inputs), inputs["x"]
    for k in range(3):  # of four: where the last velocities are asked for
        conditional, unconditional = velocities(x, k / 4, 2)
        x = x + (unconditional + s * (conditional - unconditional)) / 4
    return {
        **dict.fromkeys(_slips(inputs), False),
        "scale 0": _guided(inputs, 0.0, 1),
        "scale 1": _guided(inputs, 1.0, 1),
        "past it": _guided(inputs, s, 1),
        "t": np.arange(4) / 4,
        "places": x,
        "four steps": _guided(inputs, s, 4),
    }


CHECKS = (
    Check(
        "from the class",
        "You count from the conditional velocity, so a scale of 1 is past it already. (The paper's w is s - 1.) Count "
        "from the unconditional one: 0 stays there, 1 arrives at the conditional.",
        points=0,
    ),
    Check(
        "swapped",
        "The two velocities have changed places: with a scale of 1 the conditional one must come out.",
        points=0,
    ),
    Check(
        "backwards",
        "The direction is turned round: it leads away from the conditional velocity.",
        points=0,
    ),
    Check(
        "louder",
        "That is the conditional velocity made longer. Where is the unconditional one, from which one goes?",
        points=0,
    ),
    Check(
        "no step",
        "That is a velocity. A step adds it to the points, times the step's length.",
        points=0,
    ),
    Check(
        "a step late",
        "You ask for the velocities at the time where a step ends. Each asks at its beginning, the first at t = 0.",
        points=0,
    ),
    Check(
        "scale 1",
        "One step begins at t = 0, and with a scale of 1 it follows the conditional velocity, the first of the two "
        "that `velocities` returns. Nothing is cut off.",
    ),
    Check(
        "scale 0",
        "Right for a scale of 1. With 0 the label is not heard: one step follows the unconditional velocity.",
    ),
    Check(
        "past it",
        "Right for the scales 0 and 1. With a larger one go on in the same direction: as far again for each further "
        "1.",
    ),
    Check(
        "t",
        "One step is right. At which times do four steps ask for velocities? Each at its beginning: the first at t = "
        "0, the last a step's length before 1.",
    ),
    Check(
        "places",
        "The times are right. Each step begins where the one before has ended, and is 1 / steps long.",
    ),
    Check(
        "four steps",
        "The last step begins at the right place. Is it taken, and are the points returned?",
        points=2,
    ),
)

RIGHT = {
    "as written": """
def my_guided_points(velocities, x, y, scale, steps):
    for t in np.arange(steps) / steps:
        conditional, unconditional = velocities(x, t, y)
        x = x + (unconditional + scale * (conditional - unconditional)) / steps
    return x
""",
    "a mean with weights": """
def my_guided_points(velocities, x, y, scale, steps):
    h = 1 / steps
    for k in range(steps):
        told = velocities(x, k * h, y)
        x = x + h * np.tensordot([scale, 1 - scale], np.stack(told), axes=1)
    return x
""",
    "asked twice": """
def my_guided_points(velocities, x, y, scale, steps):
    def velocity(x, t):
        plain = velocities(x, t, y)[1]
        return plain + scale * (velocities(x, t, y)[0] - plain)

    for k in range(steps):
        x = x + velocity(x, k / steps) / steps
    return x
""",
}
_WRITTEN = RIGHT["as written"]
_STEP = "unconditional + scale * (conditional - unconditional)"
WRONG = {
    "counted from the conditional one": variant(
        _WRITTEN, (_STEP, "conditional + scale * (conditional - unconditional)")
    ),
    "the paper's w in the place of s": variant(
        _WRITTEN, (_STEP, "(1 + scale) * conditional - scale * unconditional")
    ),
    "swapped": variant(_WRITTEN, (_STEP, "conditional + scale * (unconditional - conditional)")),
    "unpacked the wrong way round": variant(
        _WRITTEN, ("conditional, unconditional = vel", "unconditional, conditional = vel")
    ),
    "the other direction": variant(
        _WRITTEN, (_STEP, "unconditional + scale * (unconditional - conditional)")
    ),
    "louder, not further": variant(_WRITTEN, (_STEP, "scale * conditional")),
    "the class alone": variant(_WRITTEN, (_STEP, "conditional")),
    "never past the class": variant(_WRITTEN, (_STEP, _STEP.replace("scale", "min(scale, 1)"))),
    "the velocity returned": variant(_WRITTEN, ("x = x + (", "x = (")),
    "steps of length 1": variant(_WRITTEN, (") / steps\n    return", ")\n    return")),
    "always from the noise": """
def my_guided_points(velocities, x, y, scale, steps):
    noise = x
    for t in np.arange(steps) / steps:
        conditional, unconditional = velocities(noise, t, y)
        x = x + (unconditional + scale * (conditional - unconditional)) / steps
    return x
""",
    "times up to 1": variant(_WRITTEN, ("np.arange(steps) / steps", "np.linspace(0, 1, steps)")),
    "each step's end": variant(
        _WRITTEN, ("np.arange(steps) / steps", "(np.arange(steps) + 1) / steps")
    ),
    "always at t = 0": variant(_WRITTEN, ("velocities(x, t, y)", "velocities(x, 0.0, y)")),
    "the last step left out": variant(
        _WRITTEN, ("np.arange(steps) / steps", "np.arange(max(steps - 1, 1)) / steps")
    ),
    "two paths, blended at the end": """
def my_guided_points(velocities, x, y, scale, steps):
    told = plain = x
    for t in np.arange(steps) / steps:
        told = told + velocities(told, t, y)[0] / steps
        plain = plain + velocities(plain, t, y)[1] / steps
    return plain + scale * (told - plain)
""",
    "cut to [-1, 1]": variant(_WRITTEN, ("return x", "return np.clip(x, -1, 1)")),
}
