"""Lesson 12: from noise to colours in small steps towards what a network guesses (Lipman 2023, equation 22)."""

import numpy as np

from ganedu.course.checking import Check, variant

FUNCTION = "my_walk"
FORBIDDEN = ()
COUNT = 5


def inputs(rng):
    return {
        "noise": rng.normal(size=(2, 2, 3, 3)),
        "colours": rng.normal(size=(2, 2, 3, 3)) + 0.7,
        "matrix": 0.5 * rng.normal(size=(3, 3)),
    }


def _walked(walk, inputs, changing):
    """The end of a walk, and what was asked on it: the times (K,), and what was seen (K, ...)."""
    moments, places = [], []

    def answer_at(x, t):
        moments.append(float(t))
        places.append(np.array(x))
        if not changing:
            return inputs["colours"].copy()
        return inputs["colours"] + np.tanh(x @ inputs["matrix"]) * (1.5 - t)

    end = walk(answer_at, inputs["noise"].copy(), COUNT)
    return end, np.array(moments), np.array(places)


def probe(solution, inputs):
    end, moments, places = _walked(solution, inputs, changing=False)
    found, _, _ = _walked(solution, inputs, changing=True)
    return {"t": moments, "between": places, "end": end, "changing": found}


def _reference_walk(answer_at, noise, steps):
    x = noise
    for k in range(steps):
        t = k / steps
        x = x + (answer_at(x, t) - x) * (1 / steps) / (1 - t)
    return x


def reference(inputs):
    share = (np.arange(COUNT) / COUNT).reshape(COUNT, 1, 1, 1, 1)
    changed, _, _ = _walked(_reference_walk, inputs, changing=True)
    return {
        "t": np.arange(COUNT) / COUNT,
        "between": (1 - share) * inputs["noise"] + share * inputs["colours"],
        "end": inputs["colours"],
        "changing": changed,
    }


CHECKS = (
    Check(
        "t",
        "Five steps ask five times, and each asks at the time where it begins: 0, 0.2, 0.4, 0.6 and 0.8.",
    ),
    Check(
        "between",
        "Say that the answer is always the same. Then the walk is straight and even: asked for the first time you "
        "stand at the noise, and at each further step one fifth of the whole way nearer. What share of the way that "
        "is left is that, if five steps are left, and if two are?",
    ),
    Check(
        "end",
        "All steps but the last are right. It should arrive at the answer, which is what the function returns.",
        points=0,  # it comes out by itself
    ),
    Check(
        "changing",
        "It is right for an answer that stays the same. Where the answer changes, each step begins where the one "
        "before it ended, and not at the noise.",
    ),
)

_RIGHT = """
def my_walk(answer_at, noise, steps):
    seen = noise
    for k in range(steps):
        answer = answer_at(seen, k / steps)
        seen = seen + (answer - seen) / (steps - k)  # the last step goes all the way
    return seen
"""
RIGHT = {
    "as written": _RIGHT,
    "by its speed": """
def my_walk(answer_at, noise, steps):
    seen, dt = noise.copy(), 1 / steps
    for t in np.arange(steps) * dt:
        speed = (answer_at(seen, t) - seen) / (1 - t)
        seen += dt * speed
    return seen
""",
    "noise anew": """
def my_walk(answer_at, noise, steps):
    seen = noise
    for k in range(steps):
        t, then = k / steps, (k + 1) / steps
        answer = answer_at(seen, t)
        hidden = (seen - t * answer) / (1 - t)
        seen = (1 - then) * hidden + then * answer
    return seen
""",
}
_STEP = "seen + (answer - seen) / (steps - k)"
WRONG = {
    "all the way at each step": variant(_RIGHT, (_STEP, "answer")),
    "always the same share of what is left": variant(_RIGHT, ("(steps - k)", "steps")),
    "the share that is behind": variant(_RIGHT, (_STEP, "seen + k / steps * (answer - seen)")),
    "never arrives": variant(_RIGHT, ("(steps - k)", "(steps - k + 1)")),
    "the answer as a way": variant(_RIGHT, (_STEP, "seen + answer / steps")),
    "from the noise each time": variant(
        _RIGHT, (_STEP, "noise + (k + 1) / steps * (answer - noise)")
    ),
    "asks of the noise each time": variant(_RIGHT, ("answer_at(seen,", "answer_at(noise,")),
    "asks once": """
def my_walk(answer_at, noise, steps):
    seen, answer = noise, answer_at(noise, 0)
    for k in range(steps):
        seen = seen + (answer - seen) / (steps - k)
    return seen
""",
    "the time of the step's end": variant(_RIGHT, ("k / steps)", "(k + 1) / steps)")),
    "time runs backwards": variant(_RIGHT, ("k / steps)", "1 - k / steps)")),
    "counts steps for time": variant(_RIGHT, ("k / steps)", "k)")),
    "the last step left out": variant(_RIGHT, ("range(steps)", "range(steps - 1)")),
    "the last answer": variant(_RIGHT, ("return seen", "return answer_at(seen, 1.0)")),
}
