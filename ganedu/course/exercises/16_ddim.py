"""Lesson 16: the walk of diffusion from noise to an image (Song 2021, equation 12 with sigma = 0)."""

import itertools

import numpy as np

from ganedu.course.checking import Check, Variant, WrongSolution, variant

FUNCTION = "my_ddim"
FORBIDDEN = ("ganedu.samplers.ddim", "ganedu.samplers.ddim_step")
WALKS = {"one step": (8, 3), "two steps": (8, 3, 0), "walk": (9, 7, 6, 2, 0)}


def inputs(rng):
    """Images, another noise for each, and a schedule of ten times that falls from 1, never evenly."""
    falling = np.sort(rng.uniform(0.05, 0.95, 9))[::-1]
    return {
        "image": rng.uniform(-1, 1, (4, 3)),
        "noise": rng.normal(size=(4, 3)),
        "w": rng.normal(size=(3, 3)),
        "alpha_bar": np.concatenate([[1.0], falling]),
    }


def _mixed(inputs, t):
    a = inputs["alpha_bar"][t]
    return np.sqrt(a) * inputs["image"] + np.sqrt(1 - a) * inputs["noise"]


def probe(solution, inputs):
    w, calls = inputs["w"], []

    def tells(x, t):
        if not isinstance(t, (int, np.integer)):
            raise WrongSolution(
                "`predict_noise` is asked at one of `timesteps` as it stands there, a whole number."
            )
        calls.append(int(t))
        return np.tanh(x @ w) + 0.1 * t

    def run(predict_noise, x, timesteps):
        start = x.copy()
        end = solution(predict_noise, start, inputs["alpha_bar"], np.array(timesteps))
        if end is None:
            raise WrongSolution("my_ddim returns nothing. Where does the walk end?")
        if not np.array_equal(start, x):
            raise WrongSolution(
                "my_ddim changes the noise that it is given, so the next walk from it would begin elsewhere. "
                "`x *= ...` changes an array in its place; `x = x * ...` makes a new one."
            )
        return end

    found = {"exact": run(lambda x, t: inputs["noise"], _mixed(inputs, 8), (8, 0))}
    for name, timesteps in WALKS.items():
        calls.clear()
        found[name] = run(tells, _mixed(inputs, timesteps[0]), timesteps)
    return {**found, "asked": np.array(calls)}


def reference(inputs):
    a, found = (
        inputs["alpha_bar"],
        {"exact": inputs["image"], "asked": np.array(WALKS["walk"][:-1])},
    )
    for name, timesteps in WALKS.items():
        x = _mixed(inputs, timesteps[0])
        for t, s in itertools.pairwise(timesteps):
            noise = np.tanh(x @ inputs["w"]) + 0.1 * t
            image = (x - np.sqrt(1 - a[t]) * noise) / np.sqrt(a[t])
            x = np.sqrt(a[s]) * image + np.sqrt(1 - a[s]) * noise
        found[name] = x
    return found


CHECKS = (
    Check(
        "exact",
        "Here the network tells the true noise, and the one step goes to t = 0, where no noise is left. So the image "
        "itself should come out. Turn the equation of x_t round, and mind the roots: which share has the image in x_t, "
        "and which the noise? And at t = 0 none of the noise may come back.",
    ),
    Check(
        "one step",
        "With the true noise a step to t = 0 is right. One that stops at an earlier time is not. There it should be a "
        "mixture again, of the image that you found and the noise that the network told, with that time's two shares. "
        "About which picture, at which time, was the network asked?",
    ),
    Check(
        "two steps",
        "Right for one step, wrong for two. The second begins with what came out of the first, at the second of "
        "`timesteps`. Does it ask the network anew?",
    ),
    Check(
        "walk",
        "Right for two steps, wrong for four: at which time does each begin, and at which does it end?",
    ),
    Check(
        "asked",
        "It ends where it should, but the network is asked too often or at another time: it is once a step, at the "
        "time at which the step begins.",
    ),
)

RIGHT = {
    "as written": """
def my_ddim(predict_noise, x, alpha_bar, timesteps):
    for t, s in itertools.pairwise(timesteps):
        epsilon = predict_noise(x, t)
        image = (x - np.sqrt(1 - alpha_bar[t]) * epsilon) / np.sqrt(alpha_bar[t])
        x = np.sqrt(alpha_bar[s]) * image + np.sqrt(1 - alpha_bar[s]) * epsilon
    return x
""",
    "shares first": """
def my_ddim(predict_noise, x, alpha_bar, timesteps):
    signal, rest = np.sqrt(alpha_bar), np.sqrt(1 - alpha_bar)
    for i in range(len(timesteps) - 1):
        told = predict_noise(x, timesteps[i])
        x = (x - rest[timesteps[i]] * told) * signal[timesteps[i + 1]] / signal[timesteps[i]]
        x = x + rest[timesteps[i + 1]] * told
    return x
""",
}
PRELUDE = "import itertools"
_RIGHT = RIGHT["as written"]
_NEW = "np.sqrt(alpha_bar[s]) * image + np.sqrt(1 - alpha_bar[s]) * epsilon"
WRONG = {
    "the shares without roots": """
def my_ddim(predict_noise, x, alpha_bar, timesteps):
    for t, s in itertools.pairwise(timesteps):
        epsilon = predict_noise(x, t)
        image = (x - (1 - alpha_bar[t]) * epsilon) / alpha_bar[t]
        x = alpha_bar[s] * image + (1 - alpha_bar[s]) * epsilon
    return x
""",
    "the noise without its share": variant(_RIGHT, ("x - np.sqrt(1 - alpha_bar[t]) * ", "x - ")),
    "not divided": variant(_RIGHT, (" / np.sqrt(alpha_bar[t])", "")),
    "the image, with no noise again": variant(_RIGHT, (_NEW, "image")),
    "the old shares": variant(_RIGHT, (_NEW, _NEW.replace("[s]", "[t]"))),
    "new noise": variant(
        _RIGHT, (f"{_NEW}", f"{_NEW.replace('epsilon', 'np.random.normal(size=x.shape)')}")
    ),
    "the first noise": variant(
        _RIGHT, ("    for t", "    start = x\n    for t"), (_NEW, _NEW.replace("epsilon", "start"))
    ),
    "some noise taken away": variant(
        _RIGHT, (_NEW, "x - (np.sqrt(1 - alpha_bar[t]) - np.sqrt(1 - alpha_bar[s])) * epsilon")
    ),
    "asked once for all steps": """
def my_ddim(predict_noise, x, alpha_bar, timesteps):
    epsilon = predict_noise(x, timesteps[0])
    for t, s in itertools.pairwise(timesteps):
        image = (x - np.sqrt(1 - alpha_bar[t]) * epsilon) / np.sqrt(alpha_bar[t])
        x = np.sqrt(alpha_bar[s]) * image + np.sqrt(1 - alpha_bar[s]) * epsilon
    return x
""",
    "each step from the start": """
def my_ddim(predict_noise, x, alpha_bar, timesteps):
    for t, s in itertools.pairwise(timesteps):
        epsilon = predict_noise(x, t)
        image = (x - np.sqrt(1 - alpha_bar[t]) * epsilon) / np.sqrt(alpha_bar[t])
        end = np.sqrt(alpha_bar[s]) * image + np.sqrt(1 - alpha_bar[s]) * epsilon
    return end
""",
    "return within the loop": variant(_RIGHT, ("    return x", "        return x")),
    "asked at the step's end": variant(_RIGHT, ("predict_noise(x, t)", "predict_noise(x, s)")),
    "asked twice": variant(
        _RIGHT, ("alpha_bar[s]) * epsilon", "alpha_bar[s]) * predict_noise(x, t)")
    ),
    "counts steps for times": variant(
        _RIGHT,
        (
            "for t, s in itertools.pairwise(timesteps):",
            "for t in range(len(timesteps) - 1, 0, -1):\n        s = t - 1",
        ),
    ),
}
VARIANTS = (
    Variant(
        "The network tells the image, not the noise: `predict_noise` is then its guess of the image. Work out the "
        "noise from it.",
        variant(
            _RIGHT,
            ("epsilon = predict_noise(x, t)", "image = predict_noise(x, t)"),
            (
                "image = (x - np.sqrt(1 - alpha_bar[t]) * epsilon) / np.sqrt(alpha_bar[t])",
                "epsilon = (x - np.sqrt(alpha_bar[t]) * image) / np.sqrt(1 - alpha_bar[t])",
            ),
        ),
    ),
    Variant(
        "Bring each guess of the image into [-1, 1] before you mix it with the noise that the network told.",
        variant(
            _RIGHT,
            (
                "image = (x - np.sqrt(1 - alpha_bar[t]) * epsilon) / np.sqrt(alpha_bar[t])",
                "image = np.clip((x - np.sqrt(1 - alpha_bar[t]) * epsilon) / np.sqrt(alpha_bar[t]), -1, 1)",
            ),
        ),
    ),
    Variant(
        "Bring each guess of the image into [-1, 1], and mix it with the noise that then remains in x.",
        variant(
            _RIGHT,
            (
                "image = (x - np.sqrt(1 - alpha_bar[t]) * epsilon) / np.sqrt(alpha_bar[t])",
                "image = (x - np.sqrt(1 - alpha_bar[t]) * epsilon) / np.sqrt(alpha_bar[t])\n"
                "        image = np.clip(image, -1, 1)\n"
                "        epsilon = (x - np.sqrt(alpha_bar[t]) * image) / np.sqrt(1 - alpha_bar[t])",
            ),
        ),
    ),
)
