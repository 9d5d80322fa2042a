"""Lesson 21: an edit: a guided flow that sees the picture before (Brooks 2023, section 3.2)."""

import itertools

import numpy as np

from ganedu.course.checking import Check, variant

FUNCTION = "my_edit"
PRELUDE = "import itertools"
FORBIDDEN = ("ganedu.engine.denoising_model.classifier_free_guidance",)


def inputs(rng):
    """Three pictures with noise for each, the tokens of three wishes and of none (0 is no word), and what words add."""
    return {
        "y": rng.uniform(-1, 1, (3, 4, 5, 3)),
        "noise": rng.normal(size=(3, 4, 5, 3)),
        "tokens": np.array([[5, 2, 7, 0], [3, 1, 0, 0], [4, 4, 2, 0]], "int32"),
        "null_tokens": np.array([[6, 0, 0, 0]] * 3, "int32"),
        "weights": rng.uniform(0.15, 0.3, 8),
        "timesteps": np.array([0.1, rng.uniform(0.2, 0.3), rng.uniform(0.45, 0.6), 0.9]),
    }


def _predict(pictures, t, tokens, weights):
    """The end of the path, of noisy picture, picture before, time and words: all four count."""
    noisy, before = np.split(pictures, 2, axis=-1)
    told = np.sum(weights[tokens] * (tokens > 0), axis=1)[:, None, None, None]
    return 0.2 * np.sin(3 * noisy) + 0.2 * before + 0.1 * t + told


def probe(solution, inputs):
    y, noise, tokens, null_tokens = (
        inputs[name] for name in ("y", "noise", "tokens", "null_tokens")
    )
    asked = []

    def predict(pictures, t, tokens):
        pictures, tokens = np.asarray(pictures), np.asarray(tokens)
        asked.append(pictures)
        if pictures.shape[-1] != 6:
            return np.zeros((*pictures.shape[:-1], 3))
        return _predict(
            pictures, t, tokens, 0.3 * inputs["weights"] if quiet else inputs["weights"]
        )

    def edited(timesteps, s, noise=noise):
        return np.asarray(solution(predict, y, noise, np.array(timesteps), tokens, null_tokens, s))

    quiet = True
    found = {"no words": edited([0.0, 1.0], 0.0)}
    seen = asked[0] if asked else np.zeros((3, 4, 5, 6))
    found["channels"] = np.array(seen.shape[-1:])
    found["noise first"] = np.array(
        seen.shape[-1] == 6 and np.allclose(seen[: len(y)], np.concatenate([noise, y], axis=-1))
    )
    found["always seen"] = np.array(
        all(
            p.shape[-1] == 6 and np.allclose(p[..., 3:], np.resize(y, p[..., 3:].shape))
            for p in asked
        )
    )
    found["wish"] = edited([0.0, 1.0], 1.0)
    found["further"] = edited([0.0, 1.0], 2.0)
    found["half"] = edited([0.2, 0.6], 1.0, 0.3 * noise)
    quiet = False
    found["range"] = edited([0.2, 0.6], 6.0)
    found["steps"] = edited(inputs["timesteps"], 1.5)
    return found


def _edit(inputs, timesteps, s, quiet=False, size=1.0):
    x, weights = size * inputs["noise"], (0.3 if quiet else 1.0) * inputs["weights"]
    for t, later in itertools.pairwise(timesteps):
        pictures = np.concatenate([x, inputs["y"]], axis=-1)
        told, plain = (
            _predict(pictures, t, inputs[name], weights) for name in ("tokens", "null_tokens")
        )
        end = np.clip(plain + s * (told - plain), -1, 1)
        x = x + (later - t) / (1 - t) * (end - x)
    return x


def reference(inputs):
    return {
        "channels": np.array([6]),
        "noise first": np.array(True),
        "always seen": np.array(True),
        "no words": _edit(inputs, [0.0, 1.0], 0.0, quiet=True),
        "wish": _edit(inputs, [0.0, 1.0], 1.0, quiet=True),
        "further": _edit(inputs, [0.0, 1.0], 2.0, quiet=True),
        "half": _edit(inputs, [0.2, 0.6], 1.0, quiet=True, size=0.3),
        "range": _edit(inputs, [0.2, 0.6], 6.0),
        "steps": _edit(inputs, inputs["timesteps"], 1.5),
    }


CHECKS = (
    Check(
        "channels",
        "`predict` looks at two pictures in one array: the noisy one and the one that is to be changed. Of three "
        "channels each, that makes six.",
        points=0,
    ),
    Check(
        "noise first",
        "At the first step the first three channels must be the noise, and the other three the picture before. What "
        "does x begin with, and in which order do the two stand?",
        points=0,
    ),
    Check(
        "always seen",
        "The picture before stands in both questions. What the second leaves out are the words alone.",
        points=0,
    ),
    Check(
        "no words",
        "One step from 0 to 1, with s = 0: nobody hears the wish, and the step ends where `predict` without words says "
        "that the path ends.",
    ),
    Check(
        "wish",
        "Right for s = 0. With s = 1 one step from 0 to 1 ends where `predict` with the wish says: no further, and not "
        "short of it. From which of the two predictions does s count?",
    ),
    Check(
        "further",
        "Right for s = 0 and s = 1. With s = 2 go on in the same direction: from the prediction without words to the "
        "one with them, and as far again.",
    ),
    Check(
        "half",
        "A step from 0.2 to 0.6 takes half of the time that is left until 1. So it goes half of the way to the end, "
        "from where x is by then.",
    ),
    Check(
        "range",
        "With a large s the guided prediction leaves [-1, 1], where no picture lies. It is that prediction which is "
        "cut, once it is guided, and not x, which begins as noise.",
    ),
    Check(
        "steps",
        "Right for one step, and not for three. Each begins where the one before ended, asks `predict` at its own "
        "time, and takes its own share of the way: the times are not equally far apart.",
    ),
)

RIGHT = {
    "as written": """
def my_edit(predict, y, noise, times, tokens, null_tokens, s):
    x = noise
    for t, later in itertools.pairwise(times):
        seen = np.concatenate([x, y], axis=-1)  # (N, H, W, 6)
        told, plain = predict(seen, t, tokens), predict(seen, t, null_tokens)
        end = np.clip(plain + s * (told - plain), -1, 1)  # where the path should lead
        x = x + (later - t) / (1 - t) * (end - x)
    return x
""",
    "both in one batch, and by the velocity": """
def my_edit(predict, y, noise, times, tokens, null_tokens, s):
    x, both = 1.0 * noise, np.concatenate([tokens, null_tokens])
    for i in range(len(times) - 1):
        pair = np.concatenate([x, y], axis=3)
        told, plain = np.split(predict(np.concatenate([pair, pair]), times[i], both), 2)
        end = np.minimum(np.maximum((1 - s) * plain + s * told, -1), 1)
        velocity = (end - x) / (1 - times[i])
        x += (times[i + 1] - times[i]) * velocity
    return x
""",
    "a mixture": """
def my_edit(predict, y, noise, times, tokens, null_tokens, s):
    x = noise
    for t, later in zip(times[:-1], times[1:]):
        told, plain = (predict(np.concatenate([x, y], -1), t, w) for w in (tokens, null_tokens))
        left = (1 - later) / (1 - t)
        x = left * x + (1 - left) * np.clip(plain + s * (told - plain), -1, 1)
    return x
""",
}


def _slip(*changes):
    return variant(RIGHT["as written"], *changes)


_STEP = "x = x + (later - t) / (1 - t) * (end - x)"
_GUIDED = "plain + s * (told - plain)"
WRONG = {
    "the picture before is not seen": _slip(("np.concatenate([x, y], axis=-1)", "x")),
    "the two in the other order": _slip(("[x, y]", "[y, x]")),
    "from the picture before, not from noise": _slip(("x = noise", "x = y")),
    "added": _slip(("np.concatenate([x, y], axis=-1)", "np.concatenate([x + y, y], axis=-1)")),
    "without words no picture before": _slip(
        (
            "predict(seen, t, null_tokens)",
            "predict(np.concatenate([x, 0 * y], axis=-1), t, null_tokens)",
        )
    ),
    "mixed anew from the noise": _slip((_STEP, "x = (1 - later) * noise + later * end")),
    "the wish alone": _slip((_GUIDED, "told")),
    "counted from the wish": _slip((_GUIDED, "told + s * (told - plain)")),
    "the other direction": _slip((_GUIDED, "plain + s * (plain - told)")),
    "never past the wish": _slip((_GUIDED, "plain + min(s, 1) * (told - plain)")),
    "the two swapped": _slip((_GUIDED, "told + s * (plain - told)")),
    "not cut": _slip((f"np.clip({_GUIDED}, -1, 1)", _GUIDED)),
    "cut before it is guided": _slip(
        (f"np.clip({_GUIDED}, -1, 1)", _GUIDED),
        ("predict(seen, t, tokens)", "np.clip(predict(seen, t, tokens), -1, 1)"),
        ("predict(seen, t, null_tokens)", "np.clip(predict(seen, t, null_tokens), -1, 1)"),
    ),
    "what is cut is x": _slip(
        (f"np.clip({_GUIDED}, -1, 1)", _GUIDED), (_STEP, f"{_STEP}\n        x = np.clip(x, -1, 1)")
    ),
    "the step without the time that is left": _slip((" / (1 - t)", "")),
    "the time that is left afterwards": _slip(("(1 - t)", "(1 - later + 1e-9)")),
    "all the way at once": _slip((_STEP, "x = end")),
    "the end taken for a velocity": _slip((_STEP, "x = x + (later - t) * end")),
    "equal steps": _slip(
        ("(later - t) / (1 - t)", "1 / (len(times) - 1)"), ("axis=-1)  #", "axis=-1) #")
    ),
    "always from the noise": _slip((_STEP, _STEP.replace("x + ", "noise + "))),
    "always asked at the first time": _slip(
        ("predict(seen, t, tokens)", "predict(seen, times[0], tokens)"),
        ("predict(seen, t, null_tokens)", "predict(seen, times[0], null_tokens)"),
    ),
    "one step of all": _slip((_STEP, f"{_STEP}\n        return x")),
}
