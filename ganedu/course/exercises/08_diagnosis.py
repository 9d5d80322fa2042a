"""Lesson 08: a doctor for GANs that sees nothing but five numbers."""

import numpy as np

from ganedu.course.checking import Check, variant

FUNCTION = "my_diagnosis"
FORBIDDEN = ("ganedu.diagnostics.diagnose",)
NAMES = (
    "healthy",
    "mode collapse",
    "vanishing gradient",
    "discriminator too strong",
    "discriminator too weak",
    "saturation",
    "underfitting",
)
SIGNALS = "precision", "recall", "discriminator_auc", "generator_gradient", "midtone_ratio"
# The lowest and the highest value of each signal among patients of each kind, near to what the lesson's have: a row for
# each way in which consequences and side effects differ.
PATIENTS = {
    "healthy": (
        ((0.45, 0.95), (0.5, 0.95), (0.4, 0.6), (0.2, 0.8), (0.8, 1.2)),
        ((0.45, 0.95), (0.5, 0.95), (0.6, 0.95), (0.2, 0.8), (0.8, 1.2)),
    ),
    "mode collapse": (
        ((0.5, 0.98), (0.0, 0.15), (0.4, 0.95), (0.2, 0.8), (0.8, 1.9)),
        ((0.5, 0.98), (0.0, 0.15), (0.0, 0.2), (0.2, 0.8), (0.8, 1.9)),
        ((0.5, 0.98), (0.0, 0.15), (0.4, 0.95), (0.2, 0.8), (0.1, 0.4)),
    ),
    "vanishing gradient": (
        ((0.0, 0.1), (0.0, 0.9), (0.996, 1.0), (0.0001, 0.01), (3.0, 10.0)),
        ((0.0, 0.1), (0.0, 0.9), (0.996, 1.0), (0.0001, 0.01), (0.1, 0.3)),
    ),
    "discriminator too strong": (
        ((0.0, 0.1), (0.0, 0.9), (0.996, 1.0), (0.6, 1.0), (3.0, 10.0)),
        ((0.0, 0.1), (0.0, 0.9), (0.996, 1.0), (0.6, 1.0), (0.1, 0.3)),
    ),
    "discriminator too weak": (
        ((0.0, 0.1), (0.15, 0.9), (0.0, 0.1), (0.2, 0.8), (3.0, 10.0)),
        ((0.0, 0.1), (0.15, 0.9), (0.0, 0.1), (0.001, 0.02), (0.1, 0.3)),
        ((0.0, 0.1), (0.0, 0.02), (0.0, 0.1), (0.2, 0.8), (0.8, 1.9)),
    ),
    "saturation": (
        ((0.45, 0.95), (0.5, 0.95), (0.4, 0.95), (0.2, 0.8), (0.1, 0.5)),
        ((0.45, 0.95), (0.5, 0.95), (0.0, 0.2), (0.2, 0.8), (0.1, 0.5)),
    ),
    "underfitting": (
        ((0.02, 0.15), (0.5, 0.9), (0.4, 0.6), (0.2, 0.8), (0.8, 1.2)),
        ((0.02, 0.15), (0.5, 0.9), (0.6, 0.95), (0.2, 0.8), (0.8, 1.2)),
        ((0.0, 0.1), (0.0, 0.1), (0.4, 0.95), (0.2, 0.8), (0.8, 9.0)),
    ),
}
EACH = 4  # patients drawn of each row


def inputs(rng):
    """The patients of each kind, `(patients, signals)`."""
    drawn = {}
    for name, rows in PATIENTS.items():
        low, high = np.repeat(np.array(rows), EACH, axis=0).transpose(2, 0, 1)
        drawn[name] = rng.uniform(low, high)
    return drawn


def probe(solution, inputs):
    found = {}
    for name in NAMES:
        told = [solution(dict(zip(SIGNALS, map(float, p), strict=True))) for p in inputs[name]]
        found[name] = np.array([_number(t) for t in told])
    names = np.array([np.mean(found[name] < 0) for name in NAMES])
    return _split(found) | {"names": names}


def _split(kinds):
    """Patients whose few samples lack grey as well stand apart: another hint is theirs."""
    few = kinds["mode collapse"]
    return kinds | {"mode collapse": few[: 2 * EACH], "few and grey": few[2 * EACH :]}


def compared(outputs, inputs):
    """What was found, and which names were given to patients whose samples are bad for another reason."""
    unfair = ("vanishing gradient", "discriminator too strong", "discriminator too weak")
    bad = np.concatenate([outputs[name] for name in unfair])
    any_bad = np.concatenate([bad, outputs["underfitting"]])
    return outputs | {
        "grey": np.any(bad == NAMES.index("saturation")),
        "variety": np.any(any_bad == NAMES.index("mode collapse")),
        "bad samples": np.any(bad == NAMES.index("underfitting")),
        "flat": np.any(outputs["discriminator too weak"] == NAMES.index("vanishing gradient")),
    }


def _number(told):
    return NAMES.index(told) if isinstance(told, str) and told in NAMES else -1


def reference(inputs):
    kinds = {name: np.full(len(inputs[name]), i) for i, name in enumerate(NAMES)}
    unfair = dict.fromkeys(("grey", "variety", "bad samples", "flat"), False)
    return _split(kinds) | unfair | {"names": np.zeros(len(NAMES))}


CHECKS = (
    Check(
        "names",
        "For some patient you return none of the seven names. Return one of them as a string, spelled as in the "
        "question.",
        points=0,
    ),
    Check(
        "healthy",
        "A healthy GAN was called ill: all five of its numbers lie within the limits.",
    ),
    Check(
        "variety",
        "Somebody whose samples are bad was told to have a mode collapse. That is the name of samples that are good "
        "and too few. That bad samples reach few real images is no wonder.",
        points=0,
    ),
    Check(
        "grey",
        "Somebody whose samples are bad was called saturated. Too little grey says something of its own only where "
        "samples are good. Too much grey has none of the seven names.",
        points=0,
    ),
    Check(
        "bad samples",
        "Somebody was told to underfit whose D is always right, or always wrong. Bad samples are what follows from "
        "such a game; underfitting is the name where the game is fair.",
        points=0,
    ),
    Check(
        "flat",
        "Somebody was told to have a vanishing gradient whose D puts samples over real images. G's loss is flat there, "
        "too, since G has won. Whose gradient vanishes must first have lost the game.",
        points=0,
    ),
    Check(
        "vanishing gradient",
        "D is sure of every pair, and G's loss is flat: G hears nothing. Its samples are bad as well, and other "
        "numbers may be: those are consequences. Which of the numbers says why?",
    ),
    Check(
        "discriminator too strong",
        "D is sure of every pair, and G's loss is steep: G hears D and cannot follow. That the samples are bad follows "
        "from it.",
    ),
    Check(
        "discriminator too weak",
        "D puts samples over real images, and they are bad. Whatever else is wrong with "
        "their numbers follows from it.",
    ),
    Check(
        "mode collapse",
        "These pass for real (precision is fair) and are of few kinds (recall is low). Such a D may be late, and "
        "put samples over real images: its AUC is then low though G has learned something. Which number must be low as "
        "well before D is called too weak?",
    ),
    Check(
        "few and grey",
        "Some whose samples are of few kinds (recall is low) lack grey as well: a few images have few greys. Which "
        "of the two do you ask first?",
    ),
    Check(
        "saturation",
        "The samples are good and varied, and the grey is missing. A D that was fed such images may call real ones "
        "false: its AUC is then low, and D is not the cause.",
    ),
    Check(
        "underfitting",
        "Nobody has won this game, and few samples are good, varied or not: nothing else says why.",
    ),
)

RIGHT = {
    "as written": """
def my_diagnosis(signals):
    auc, gradient = signals["discriminator_auc"], signals["generator_gradient"]
    if signals["precision"] < 0.3:
        if auc > 0.99:
            return "vanishing gradient" if gradient < 0.05 else "discriminator too strong"
        return "discriminator too weak" if auc < 0.25 else "underfitting"
    if signals["recall"] < 0.35:
        return "mode collapse"
    return "saturation" if signals["midtone_ratio"] < 0.7 else "healthy"
""",
    "one condition after another": """
def my_diagnosis(signals):
    p, r, auc, gradient, grey = signals.values()
    if gradient < 0.03 and auc > 0.9:
        return "vanishing gradient"
    if auc > 0.98:
        return "discriminator too strong"
    if auc < 0.3 and p < 0.3:
        return "discriminator too weak"
    if p < 0.3:
        return "underfitting"
    if r < 0.3:
        return "mode collapse"
    return "saturation" if grey < 0.6 else "healthy"
""",
}


def _slip(*changes):
    return variant(RIGHT["as written"], *changes)


def _rules(*names):
    """A doctor who asks one number after the other, each alone."""
    limits = {
        "vanishing gradient": '"generator_gradient"] < 0.05',
        "discriminator too strong": '"discriminator_auc"] > 0.99',
        "discriminator too weak": '"discriminator_auc"] < 0.25',
        "underfitting": '"precision"] < 0.3',
        "mode collapse": '"recall"] < 0.35',
        "saturation": '"midtone_ratio"] < 0.7',
    }
    rules = [f"    if signals[{limits[n]}:\n        return {n!r}\n" for n in names]
    return "def my_diagnosis(signals):\n" + "".join(rules) + '    return "healthy"\n'


WEAK = ' if auc < 0.25 else "underfitting"'
WRONG = {
    "a late discriminator is called too weak": variant(
        RIGHT["one condition after another"], ("auc < 0.3 and p < 0.3", "auc < 0.3")
    ),
    "a late discriminator whose few samples are bad has a mode collapse": _slip(
        (
            '    if signals["precision"]',
            '    if signals["recall"] < 0.1 and auc < 0.25:\n        return "mode collapse"\n'
            '    if signals["precision"]',
        )
    ),
    "one number after the other": _rules(
        "vanishing gradient",
        "discriminator too strong",
        "discriminator too weak",
        "underfitting",
        "mode collapse",
        "saturation",
    ),
    "the samples before the game": _rules(
        "mode collapse",
        "saturation",
        "vanishing gradient",
        "discriminator too strong",
        "discriminator too weak",
        "underfitting",
    ),
    "consequences first": _rules(
        "saturation",
        "mode collapse",
        "underfitting",
        "vanishing gradient",
        "discriminator too strong",
        "discriminator too weak",
    ),
    "flat because G has won": _slip(
        (
            '    if signals["precision"]',
            '    if gradient < 0.05:\n        return "vanishing gradient"\n    if signals["precision"]',
        )
    ),
    "the gradient is not asked": _slip(
        (
            '"vanishing gradient" if gradient < 0.05 else "discriminator too strong"',
            '"discriminator too strong"',
        )
    ),
    "a sure discriminator has vanished": _slip(
        (
            '"vanishing gradient" if gradient < 0.05 else "discriminator too strong"',
            '"vanishing gradient"',
        )
    ),
    "a flat loss and a steep one changed places": _slip(("gradient < 0.05", "gradient > 0.05")),
    "bad and alike, so D is weak": _slip(
        (WEAK, ' if signals["recall"] < 0.35 else "underfitting"')
    ),
    "the discriminator is never weak": _slip((f'"discriminator too weak"{WEAK}', '"underfitting"')),
    "grey before variety": _slip(
        (
            '    if signals["recall"]',
            '    if signals["midtone_ratio"] < 0.7:\n        return "saturation"\n    if signals["recall"]',
        )
    ),
    "too much grey is a sickness": _slip(
        (
            '    if signals["precision"]',
            '    if not 0.7 < signals["midtone_ratio"] < 2:\n        return "saturation"\n    if signals["precision"]',
        )
    ),
    "variety before quality": _slip(
        (
            '    if signals["precision"]',
            '    if signals["recall"] < 0.35:\n        return "mode collapse"\n    if signals["precision"]',
        )
    ),
    "few bad samples in a fair game have a mode collapse": _slip(
        (
            WEAK,
            ' if auc < 0.25 else "mode collapse" if signals["recall"] < 0.35 else "underfitting"',
        )
    ),
    "bad samples underfit": _slip(
        (
            '    if signals["precision"]',
            '    if signals["precision"] < 0.3:\n        return "underfitting"\n    if signals["precision"]',
        )
    ),
    "everyone is ill": _slip(("0.35", "0.96")),
    "names of its own": _slip(('"mode collapse"', '"Mode Collapse"')),
    "a list of names": _slip(('return "mode collapse"', 'return ["mode collapse"]')),
}
