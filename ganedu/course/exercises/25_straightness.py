"""Lesson 25: how straight the paths of a flow are (Liu 2023, the S of its section on straightness)."""

import numpy as np

from ganedu.course.checking import Check, Variant, variant

FUNCTION = "my_straightness"
FORBIDDEN = ()
NUM_STEPS = (2, 5)


def inputs(rng):
    return {
        "x": rng.normal(size=(4, 3)),
        "w": rng.normal(size=(3, 3)),
        "way": rng.uniform(1.0, 2.0, 3),
    }


def _velocities(inputs):
    w, way = inputs["w"], inputs["way"]
    return {
        "constant": lambda x, t: np.zeros_like(x) + way,
        "pace": lambda x, t: (t >= 0.5) * 2 * way + np.zeros_like(x),
        "bent": lambda x, t: 2 * np.tanh(x @ w) + 3 * t * x,
    }


def probe(solution, inputs):
    x, (constant, pace, bent) = inputs["x"], _velocities(inputs).values()
    given = x.copy()
    solution(constant, given, 2)
    found = {
        "untouched": float(np.array_equal(given, x)),
        "constant": solution(constant, x.copy(), 4),
        "one": solution(bent, x.copy(), 1),
        "pace": solution(pace, x.copy(), 2),
        "alone": solution(bent, x[:1].copy(), 2),
    }
    for steps in NUM_STEPS:
        found[f"{steps} steps"] = solution(bent, x.copy(), steps)
    return found


def _straightness(velocity, x, steps):
    start, seen = x, []
    for i in range(steps):
        seen.append(velocity(x, i / steps))
        x = x + seen[-1] / steps
    return np.mean(np.sum((x - start - np.stack(seen)) ** 2, axis=-1))


def reference(inputs):
    x, bent = inputs["x"], _velocities(inputs)["bent"]
    found = {
        "untouched": 1.0,
        "shape": 0.0,
        "sum": 0.0,
        "length": 0.0,
        "relative": 0.0,
        "time": 0.0,
        "constant": np.array(0.0),
        "one": np.array(0.0),
        "pace": np.sum(inputs["way"] ** 2),
        "alone": _straightness(bent, x[:1], 2),
    }
    for steps in NUM_STEPS:
        found[f"{steps} steps"] = _straightness(bent, x, steps)
    return found


def compared(outputs, inputs):
    """Beside the numbers themselves, errors by their names: no single number, a sum over steps, lengths without a
    square or of another unit, and times that are each one step late."""
    pace, good = np.asarray(outputs["pace"], float), np.sum(inputs["way"] ** 2)
    return outputs | {
        "sum": float(pace.shape == () and np.isclose(pace, 2 * good)),
        "length": float(pace.shape == () and np.isclose(pace, np.sqrt(good))),
        "relative": float(pace.shape == () and np.isclose(pace, 1.0)),
        "shape": float(np.ndim(outputs["one"])),
        "time": float(pace.shape == () and np.isclose(pace, 0)),
    }


CHECKS = (
    Check(
        "untouched",
        "The array x that came in has changed: `x += ...` writes into it, and the path's start is lost. Make a new "
        "array for each place.",
        points=0,
    ),
    Check(
        "shape",
        "S is one number: the mean over all points and steps.",
        points=0,
    ),
    Check(
        "constant",
        "One velocity everywhere and at all times: every path is as straight as can be, S = 0, in 4 steps as in one. "
        "Is each velocity compared with the whole way, from the start to the end that you know when the walk is over? "
        "And is it a velocity, not the way of one step?",
        points=0,  # it comes out by itself
    ),
    Check(
        "one",
        "A path of one step is straight whatever the velocity is: S = 0. Is each point compared with its own way, and "
        "is the velocity the one that moved it?",
        points=0,  # it comes out by itself
    ),
    Check(
        "sum",
        "With two steps S is twice what it should be. Is it a mean over steps? Is each velocity compared with the "
        "whole way, and not with another velocity?",
        points=0,
    ),
    Check(
        "length",
        "S is made of squared lengths.",
        points=0,
    ),
    Check(
        "relative",
        "You divide by the squared length of the whole way. S is the mean of the squared lengths as they are.",
        points=0,
    ),
    Check(
        "time",
        "Points that rest for the first half and move in the second: S is not 0. The first step starts at t = 0, and "
        "asks for the velocity there; the last starts one step before the end. And is each velocity compared with the "
        "whole way?",
        points=0,
    ),
    Check(
        "pace",
        "All points rest for the first half and move at 2w in the second, along a line. No bend, and yet one long step "
        "would miss the end. S is the squared length of w here: compare velocities, and sum over the coordinates.",
    ),
    Check(
        "alone",
        "Right on a line, wrong where the path bends (one point, two steps). Where, and when, is the second velocity "
        "asked for? Compare each with the way from the path's start to its own end.",
    ),
    Check(
        "2 steps",
        "Right for one point, wrong for four. Each point has a way of its own; S is the mean over points and steps.",
    ),
    Check(
        "5 steps",
        "Right for two steps, wrong for five.",
    ),
)

RIGHT = {
    "as written": """
def my_straightness(velocity, x, steps):
    start, velocities = x, []
    for i in range(steps):
        v = velocity(x, i / steps)
        velocities.append(v)
        x = x + v / steps
    apart = np.stack(velocities) - (x - start)
    return np.mean(np.sum(apart**2, axis=-1))
""",
    "from the path": """
def my_straightness(velocity, x, steps):
    path = [x]
    for t in np.arange(steps) / steps:
        path.append(path[-1] + velocity(path[-1], t) / steps)
    path = np.array(path)
    apart = np.diff(path, axis=0) * steps - (path[-1] - path[0])
    return (np.linalg.norm(apart, axis=-1) ** 2).mean()
""",
}
_RIGHT = RIGHT["as written"]
WRONG = {
    "compared with the first velocity": variant(_RIGHT, ("(x - start)", "velocities[0]")),
    "steps in the place of velocities": variant(
        _RIGHT, ("velocities.append(v)", "velocities.append(v / steps)")
    ),
    "not squared": variant(_RIGHT, ("np.sum(apart**2, axis=-1)", "np.linalg.norm(apart, axis=-1)")),
    "the mean over coordinates": variant(
        _RIGHT, ("np.mean(np.sum(apart**2, axis=-1))", "np.mean(apart**2)")
    ),
    "the length of the path over that of the way": """
def my_straightness(velocity, x, steps):
    path = [x]
    for i in range(steps):
        path.append(path[-1] + velocity(path[-1], i / steps) / steps)
    length = np.linalg.norm(np.diff(np.array(path), axis=0), axis=-1).sum(axis=0)
    return np.mean(length / np.linalg.norm(path[-1] - path[0], axis=-1)) - 1
""",
    "relative to the way": variant(
        _RIGHT,
        (
            "np.mean(np.sum(apart**2, axis=-1))",
            "np.mean(np.sum(apart**2, axis=-1) / np.sum((x - start) ** 2, axis=-1))",
        ),
    ),
    "on the straight line, not on the path": """
def my_straightness(velocity, x, steps):
    end = x
    for i in range(steps):
        end = end + velocity(end, i / steps) / steps
    total = 0.0
    for i in range(steps):
        v = velocity(x + i / steps * (end - x), i / steps)
        total = total + np.mean(np.sum((v - (end - x)) ** 2, axis=-1)) / steps
    return total
""",
    "the clock one step late": variant(
        _RIGHT, ("velocity(x, i / steps)", "velocity(x, (i + 1) / steps)")
    ),
    "a number for each point": variant(
        _RIGHT,
        ("np.mean(np.sum(apart**2, axis=-1))", "np.mean(np.sum(apart**2, axis=-1), axis=0)"),
    ),
    "the clock stands still": variant(_RIGHT, ("velocity(x, i / steps)", "velocity(x, 0.0)")),
    "the walk stands still": variant(
        _RIGHT, ("velocity(x, i / steps)", "velocity(start, i / steps)")
    ),
    "all points go the mean way": variant(_RIGHT, ("(x - start)", "(x - start).mean(axis=0)")),
    "the sum over steps": variant(
        _RIGHT,
        (
            "np.mean(np.sum(apart**2, axis=-1))",
            "np.sum(np.mean(np.sum(apart**2, axis=-1), axis=-1))",
        ),
    ),
    "the start overwritten": """
def my_straightness(velocity, x, steps):
    start, velocities = x, []
    for i in range(steps):
        v = velocity(x, i / steps)
        velocities.append(v)
        x += v / steps
    apart = np.stack(velocities) - (x - start)
    return np.mean(np.sum(apart**2, axis=-1))
""",
    "the way so far": """
def my_straightness(velocity, x, steps):
    start, total = x, 0.0
    for i in range(steps):
        v = velocity(x, i / steps)
        x = x + v / steps
        total = total + np.mean(np.sum((v - (x - start)) ** 2, axis=-1)) / steps
    return total
""",
}
VARIANTS = (
    Variant(
        "Take lengths, not their squares: S is the mean distance of the velocities from the whole "
        "way.",
        variant(
            RIGHT["as written"],
            ("np.mean(np.sum(apart**2, axis=-1))", "np.mean(np.sqrt(np.sum(apart**2, axis=-1)))"),
        ),
    ),
    Variant(
        "Take the mean over the coordinates, too, in the place of their sum.",
        variant(RIGHT["as written"], ("np.mean(np.sum(apart**2, axis=-1))", "np.mean(apart**2)")),
    ),
    Variant(
        "Of the steps take the worst, not the mean: for each point the largest squared distance, "
        "then the mean over points.",
        variant(
            RIGHT["as written"],
            (
                "np.mean(np.sum(apart**2, axis=-1))",
                "np.mean(np.max(np.sum(apart**2, axis=-1), axis=0))",
            ),
        ),
    ),
)
