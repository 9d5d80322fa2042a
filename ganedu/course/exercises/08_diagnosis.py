"""Lesson 08: a doctor for GANs that sees nothing but five numbers."""

import numpy as np

from ganedu.course.checking import Check, variant

FUNCTION = "my_diagnosis"
FORBIDDEN = ("ganedu.diagnostics.diagnose",)
NAMES = (
    "healthy",
    "mode collapse",
    "vanishing gradient",
    "discriminator too weak",
    "saturation",
    "underfitting",
)
SIGNALS = "precision", "recall", "discriminator_auc", "generator_gradient", "midtone_ratio"
# The lowest and the highest value of each signal among patients of each kind.
PATIENTS = {
    "healthy": ((0.45, 0.9), (0.5, 0.9), (0.6, 0.99), (0.2, 0.8), (0.8, 1.2)),
    "mode collapse": ((0.5, 0.95), (0.0, 0.15), (0.6, 0.99), (0.2, 0.8), (0.8, 1.2)),
    "vanishing gradient": ((0.0, 0.1), (0.0, 0.9), (0.9, 1.0), (0.0005, 0.01), (0.1, 0.3)),
    "discriminator too weak": ((0.0, 0.1), (0.0, 0.9), (0.0, 0.1), (0.2, 0.8), (0.1, 0.3)),
    "saturation": ((0.45, 0.9), (0.5, 0.9), (0.6, 0.99), (0.2, 0.8), (0.05, 0.3)),
    "underfitting": ((0.02, 0.12), (0.5, 0.9), (0.6, 0.99), (0.2, 0.8), (0.8, 1.2)),
}


def inputs(rng):
    """Eight patients of each kind: `(kinds, 8, signals)`."""
    ranges = np.array([PATIENTS[name] for name in NAMES])  # (kinds, signals, 2)
    low, high = ranges[:, None, :, 0], ranges[:, None, :, 1]
    return {"patients": rng.uniform(low, high, (len(NAMES), 8, len(SIGNALS)))}


def probe(solution, inputs):
    found = {}
    for name, patients in zip(NAMES, inputs["patients"], strict=True):
        told = [solution(dict(zip(SIGNALS, map(float, p), strict=True))) for p in patients]
        found[name] = np.array([NAMES.index(t) if t in NAMES else -1 for t in told])
    return found


def reference(inputs):
    return {name: np.full(8, i) for i, name in enumerate(NAMES)}


CHECKS = (
    Check(
        "healthy",
        "A healthy GAN was called ill, or by a name that is none of the six.",
    ),
    Check(
        "mode collapse",
        "One of these passes for real (precision is fair) and is always the same (recall is low).",
    ),
    Check(
        "vanishing gradient",
        "G hears nothing. Its samples are bad as well, and other numbers may be: those are consequences. Which "
        "of the numbers says why?",
    ),
    Check(
        "discriminator too weak",
        "D puts samples over real images. That the samples are bad and have no grey follows from it.",
    ),
    Check(
        "saturation",
        "The game is fair, the samples are good and varied, and the grey is missing.",
    ),
    Check(
        "underfitting",
        "The game is fair, the samples are varied, and few are good: nothing else says why.",
    ),
)

RIGHT = {
    "as written": """
def my_diagnosis(signals):
    if signals["generator_gradient"] < 0.05:
        return "vanishing gradient"
    if signals["discriminator_auc"] < 0.25:
        return "discriminator too weak"
    if signals["precision"] < 0.3:
        return "underfitting"
    if signals["recall"] < 0.35:
        return "mode collapse"
    return "saturation" if signals["midtone_ratio"] < 0.5 else "healthy"
""",
    "a table": """
def my_diagnosis(signals):
    causes = [
        ("generator_gradient", 0.03, "vanishing gradient"),
        ("discriminator_auc", 0.3, "discriminator too weak"),
        ("precision", 0.25, "underfitting"),
        ("recall", 0.3, "mode collapse"),
        ("midtone_ratio", 0.6, "saturation"),
    ]
    return next((name for signal, limit, name in causes if signals[signal] < limit), "healthy")
""",
}


def _slip(*changes):
    return variant(RIGHT["as written"], *changes)


def _rule(signal, limit, name):
    return f'    if signals["{signal}"] < {limit}:\n        return "{name}"\n'


GRADIENT = _rule("generator_gradient", 0.05, "vanishing gradient")
WEAK = _rule("discriminator_auc", 0.25, "discriminator too weak")
UNDERFITTING = _rule("precision", 0.3, "underfitting")
COLLAPSE = _rule("recall", 0.35, "mode collapse")
GREY = _rule("midtone_ratio", 0.5, "saturation")
WRONG = {
    "consequences first": _slip((GRADIENT, f"{GREY}{COLLAPSE}{GRADIENT}")),
    "bad and alike, so D is weak": _slip(
        (WEAK, ""),
        (
            'return "underfitting"',
            'return "discriminator too weak" if signals["recall"] < 0.35 else "underfitting"',
        ),
    ),
    "recall alone": _slip(
        (GRADIENT, ""), (WEAK, ""), (COLLAPSE, ""), (UNDERFITTING, f"{COLLAPSE}{UNDERFITTING}")
    ),
    "the discriminator is never weak": _slip((WEAK, "")),
    "everyone is ill": _slip(("0.35", "0.95")),
    "a strong discriminator is the cause": _slip(
        ('signals["generator_gradient"] < 0.05', 'signals["discriminator_auc"] > 0.8')
    ),
}
