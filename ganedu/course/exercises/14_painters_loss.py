"""Lesson 14: the loss of pix2pix's generator (Isola 2017, equations 1 to 4, with -log D)."""

import numpy as np

from ganedu.course.checking import Check, variant

FUNCTION = "painters_loss"
PRELUDE = "from keras import ops"
FORBIDDEN = ()


def inputs(rng):
    return {
        "x": rng.uniform(-1, 1, (4, 4, 4, 3)),
        "y": rng.uniform(-1, 1, (4, 4, 4, 3)),
        "generated": rng.uniform(-1, 1, (4, 4, 4, 3)),
        "bias": rng.normal(size=(1, 2, 2, 1)),
    }


def _judge(pair, bias):
    """Logits of four patches; each channel counts for more than the one before."""
    pair = np.asarray(pair)
    weights = np.arange(1, pair.shape[-1] + 1.0)
    return np.sum(pair[:, ::2, ::2] * weights, axis=-1, keepdims=True) / 3 + bias


def probe(solution, inputs):
    x, y, generated = (inputs[name] for name in ("x", "y", "generated"))
    off = 0.25 * np.sign(generated)
    judge = lambda pair: _judge(pair, inputs["bias"])  # noqa: E731
    return {
        "unsure": solution(lambda pair: np.zeros((4, 2, 2, 1)), x, y, generated, 0.0),
        "sure": solution(lambda pair: np.full((4, 2, 2, 1), -9.0), x, y, generated, 0.0),
        "weighed": solution(lambda pair: np.zeros((4, 2, 2, 1)), x, generated, generated, 2.0),
        "fooled": solution(lambda pair: np.full((4, 2, 2, 1), 2.0), x, y, generated, 0.0),
        "far": solution(lambda pair: np.zeros((4, 2, 2, 1)), x, generated + off, generated, 10.0),
        "pair": solution(judge, x, y, generated, 0.0),
        "loss": solution(judge, x, y, generated, 3.0),
    }


def compared(outputs, inputs):
    sure, weighed = (np.sum(outputs[name]) for name in ("sure", "weighed"))
    return outputs | {"silent": -0.01 < sure <= 0, "weighed": np.isclose(weighed, 2 * np.log(2))}


def reference(inputs):
    x, y, generated = (inputs[name] for name in ("x", "y", "generated"))
    verdicts = _judge(np.concatenate([x, generated], axis=-1), inputs["bias"])
    fooled = np.mean(np.log1p(np.exp(-verdicts)))
    return {
        "silent": False,
        "weighed": False,
        "unsure": np.log(2),
        "fooled": np.log1p(np.exp(-2)),
        "far": np.log(2) + 2.5,
        "pair": fooled,
        "loss": fooled + 3 * np.mean(np.abs(y - generated)),
    }


CHECKS = (
    Check(
        "silent",
        "Where D is sure that a patch is false (logit -9), your loss is 0: this is log(1 - D), which has nothing to "
        "tell there. G is trained on -log D, which is large there, and falls as D comes to believe.",
        points=0,
    ),
    Check(
        "weighed",
        "Here all paintings are right, and lambda is 2: your loss is twice what D's logits of 0 give. The weight "
        "belongs to the distance, not to what D says.",
        points=0,
    ),
    Check(
        "unsure",
        "Here lambda is 0, and D gives the logit 0 everywhere: it takes each patch for real with the probability 1/2. "
        "So the loss is -log(1/2) = 0.69, a mean over all patches, whatever was painted.",
    ),
    Check(
        "fooled",
        "Here lambda is 0, and D gives the logit 2: it is deceived, and G's loss small, -log of sigma(2), which is "
        "0.13. Is D's verdict a logit in your loss, and is it -log D that falls?",
    ),
    Check(
        "far",
        "Here D is unsure, 0.69; lambda is 10, and each value is off by 0.25, up or down. So the loss is 0.69 + 2.5: "
        "the mean of what over all values, and which of the two terms has the weight?",
    ),
    Check(
        "pair",
        "The two terms are right where D always says the same. Here it looks: at x and what was *generated*, in this "
        "order, in one array. Of each verdict comes -log D first, and then the mean of them.",
    ),
    Check(
        "loss",
        "Each of the two terms is right alone, and not both together.",
        points=0,  # it comes out by itself
    ),
)

RIGHT = {
    "as written": """
def painters_loss(D, x, y, generated, weight):
    verdicts = D(ops.concatenate([x, generated], axis=-1))  # (B, H / 4, W / 4, 1)
    fooled = ops.mean(ops.softplus(-verdicts))  # -log sigma
    return fooled + weight * ops.mean(ops.abs(y - generated))
""",
    "the logarithm": """
def painters_loss(judge, x, y, painted, lam):
    real = ops.sigmoid(judge(ops.concatenate((x, painted), axis=3)))
    return lam * ops.mean(ops.abs(painted - y)) - ops.mean(ops.log(real))
""",
}
_RIGHT = RIGHT["as written"]
WRONG = {
    "the loss that falls silent": variant(
        _RIGHT, ("ops.mean(ops.softplus(-verdicts))", "-ops.mean(ops.softplus(verdicts))")
    ),
    "D's own loss": variant(_RIGHT, ("softplus(-verdicts)", "softplus(verdicts)")),
    "logits as they are": variant(_RIGHT, ("ops.softplus(-verdicts)", "-verdicts")),
    "D judges the target": variant(_RIGHT, ("[x, generated]", "[x, y]")),
    "in the other order": variant(_RIGHT, ("[x, generated]", "[generated, x]")),
    "the painting alone": variant(
        _RIGHT, ("ops.concatenate([x, generated], axis=-1)", "generated")
    ),
    "squares": variant(_RIGHT, ("ops.abs(y - generated)", "ops.square(y - generated)")),
    "no absolute values": variant(_RIGHT, ("ops.abs(y - generated)", "y - generated")),
    "sums": variant(_RIGHT, ("ops.mean(ops.abs(", "ops.sum(ops.abs(")),
    "the sum of all verdicts": variant(_RIGHT, ("ops.mean(ops.softplus", "ops.sum(ops.softplus")),
    "far from the source": variant(_RIGHT, ("ops.abs(y - generated)", "ops.abs(x - generated)")),
    "the weight on D": variant(_RIGHT, ("fooled + weight * ", "weight * fooled + ")),
    "the mean verdict": variant(
        _RIGHT, ("ops.mean(ops.softplus(-verdicts))", "ops.softplus(-ops.mean(verdicts))")
    ),
}
