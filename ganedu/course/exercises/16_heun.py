"""Lesson 16: a whole walk from noise to an image by Heun's method (Karras 2022, algorithm 1)."""

import numpy as np

from ganedu.course.checking import Check, Variant, WrongSolution, variant

FUNCTION = "my_heun"
FORBIDDEN = ("ganedu.samplers.heun", "ganedu.samplers.euler")


def inputs(rng):
    return {"x": rng.normal(size=(4, 3)), "w": rng.normal(size=(3, 3))}


def probe(solution, inputs):
    x, w, calls = inputs["x"], inputs["w"], []

    def velocity(x, t):
        calls.append(float(np.max(t)))
        return np.tanh(x @ w) + t * x

    def run(velocity, steps):
        start = x.copy()
        end = solution(velocity, start, steps)
        if end is None:
            raise WrongSolution("my_heun returns nothing. Where does the walk end?")
        if not np.array_equal(start, x):
            raise WrongSolution(
                "my_heun changes the noise that it is given, so the next walk from it would begin elsewhere. "
                "`x += ...` changes an array in its place; `x = x + ...` makes a new one."
            )
        return end

    found = {
        "straight": run(lambda x, t: np.ones_like(x), 4),
        "clock": run(lambda x, t: np.full_like(x, 2 * t), 1),
        "growth": run(lambda x, t: 1.0 * x, 1),
    }
    looks = []
    for steps in (1, 2, 5):
        calls.clear()
        found[f"{steps} steps"] = run(velocity, steps)
        looks.append(len(calls))
        found[f"times of {steps}"] = np.array(calls)
    return {**found, "looks": np.array(looks)}


def _heun(velocity, x, steps):
    h = 1 / steps
    for i in range(steps):
        v = velocity(x, i * h)
        x = x + h / 2 * (v + velocity(x + h * v, (i + 1) * h))
    return x


def reference(inputs):
    x, w = inputs["x"], inputs["w"]
    found = {"straight": x + 1, "clock": x + 1, "growth": 2.5 * x}
    for steps in (1, 2, 5):
        found[f"{steps} steps"] = _heun(lambda x, t: np.tanh(x @ w) + t * x, x, steps)
        found[f"times of {steps}"] = np.repeat(np.arange(steps + 1), 2)[1:-1] / steps
    return {**found, "looks": np.array([2, 4, 10])}


CHECKS = (
    Check(
        "straight",
        "With a velocity of 1 everywhere x goes from t = 0 to t = 1, so it moves by 1, in 4 steps as in one.",
    ),
    Check(
        "clock",
        "The velocity is 2t, one step. At the start it is 0, at the end 2: the mean takes x on by 1. At which times "
        "did you look, and is it the mean?",
    ),
    Check(
        "growth",
        "The velocity is x, one step. At the start it is x; Euler would end at 2x, where it is 2x. With the mean of "
        "both x ends at 2.5x. Where did you look the second time?",
    ),
    Check(
        "1 steps",
        "Right for simple roads, wrong for one that bends: is the second look at the place where Euler would end?",
    ),
    Check(
        "2 steps",
        "Right for one step, wrong for two: does the second step begin where, and when, the first ended?",
    ),
    Check(
        "5 steps",
        "Right for two steps, wrong for five.",
    ),
    Check(
        "looks",
        "It ends where it should, but asks for a velocity too often or too seldom: it is twice a step. Keep what the "
        "first look told.",
    ),
    Check(
        "times of 1",
        "It must look at the start of the step and at its end.",
    ),
    Check(
        "times of 2",
        "In each of the two steps it must look at the start and at the end.",
    ),
    Check(
        "times of 5",
        "In each of the five steps it must look at the start and at the end.",
    ),
)

RIGHT = {
    "as written": """
def my_heun(velocity, x, steps):
    h = 1 / steps
    for i in range(steps):
        v = velocity(x, i * h)
        x = x + h / 2 * (v + velocity(x + h * v, (i + 1) * h))
    return x
""",
    "named": """
def my_heun(velocity, x, steps):
    times = np.linspace(0, 1, steps + 1)
    for t, later in zip(times[:-1], times[1:]):
        first = velocity(x, t)
        euler = x + (later - t) * first
        second = velocity(euler, later)
        x = x + (later - t) * 0.5 * (first + second)
    return x
""",
}
WRONG = {
    "no loop": """
def my_heun(velocity, x, steps):
    v = velocity(x, 0.0)
    return x + (v + velocity(x + v, 1.0)) / 2
""",
    "the midpoint": """
def my_heun(velocity, x, steps):
    h = 1 / steps
    for i in range(steps):
        v = velocity(x, i * h)
        x = x + h * velocity(x + h / 2 * v, (i + 0.5) * h)
    return x
""",
    "Euler": """
def my_heun(velocity, x, steps):
    for i in range(steps):
        x = x + velocity(x, i / steps) / steps
    return x
""",
    "three looks a step": """
def my_heun(velocity, x, steps):
    h = 1 / steps
    for i in range(steps):
        x = x + h / 2 * (velocity(x, i * h) + velocity(x + h * velocity(x, i * h), (i + 1) * h))
    return x
""",
    "the clock stands still": """
def my_heun(velocity, x, steps):
    h = 1 / steps
    for i in range(steps):
        v = velocity(x, 0.0)
        x = x + h / 2 * (v + velocity(x + h * v, h))
    return x
""",
    "both looks at the start's time": """
def my_heun(velocity, x, steps):
    h = 1 / steps
    for i in range(steps):
        v = velocity(x, i * h)
        x = x + h / 2 * (v + velocity(x + h * v, i * h))
    return x
""",
    "whole steps of 1": """
def my_heun(velocity, x, steps):
    for i in range(steps):
        v = velocity(x, i / steps)
        x = x + (v + velocity(x + v, (i + 1) / steps)) / 2
    return x
""",
    "the second velocity alone": variant(
        RIGHT["as written"],
        ("h / 2 * (v + velocity(x + h * v, (i + 1) * h))", "h * velocity(x + h * v, (i + 1) * h)"),
    ),
}
VARIANTS = (
    Variant(
        "Write the midpoint method: look at the start of the step, go half a step with that "
        "velocity, look there, and take the whole step from its start with what you saw the second "
        "time.",
        variant(
            RIGHT["as written"],
            (
                "x = x + h / 2 * (v + velocity(x + h * v, (i + 1) * h))",
                "x = x + h * velocity(x + h / 2 * v, (i + 0.5) * h)",
            ),
        ),
    ),
    Variant(
        "Walk backwards, from an image to its noise: from t = 1 to t = 0.",
        variant(
            RIGHT["as written"],
            ("v = velocity(x, i * h)", "v = velocity(x, 1 - i * h)"),
            (
                "x = x + h / 2 * (v + velocity(x + h * v, (i + 1) * h))",
                "x = x - h / 2 * (v + velocity(x - h * v, 1 - (i + 1) * h))",
            ),
        ),
    ),
    Variant(
        "Write Ralston's method: the second look is at two thirds of the step, and has three "
        "quarters of the weight.",
        variant(
            RIGHT["as written"],
            (
                "x = x + h / 2 * (v + velocity(x + h * v, (i + 1) * h))",
                "x = x + h / 4 * (v + 3 * velocity(x + 2 / 3 * h * v, (i + 2 / 3) * h))",
            ),
        ),
    ),
)
