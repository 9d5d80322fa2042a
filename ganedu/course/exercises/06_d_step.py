"""Lesson 06: a step of D by a tape, in TensorFlow (Goodfellow 2014, algorithm 1)."""

import numpy as np

from ganedu.course.checking import Check, WrongSolution, variant

FUNCTION = "d_step"
FORBIDDEN = ()
PRELUDE = "import tensorflow as tf"
RATE = 0.1
LATENTS = (
    "Draw latents once in a step, by `players.sample_prior`, as many as there are images in `x`."
)


def inputs(rng):
    """Two batches of three points in the plane, latents for both, and the weights of G(z) = z A and D(x) = x w + b."""
    return {
        "x": (rng.normal(size=(2, 3, 2)) + 1.0).astype("float32"),
        "z": rng.normal(size=(2, 3, 2)).astype("float32"),
        "a": rng.normal(size=(2, 2)).astype("float32"),
        "w": rng.normal(size=(2, 1)).astype("float32"),
        "b": rng.uniform(0.2, 0.6, (1,)).astype("float32"),
    }


class _Network:
    """A linear network that answers half as loudly where `training=True` is not said, as dropout would."""

    def __init__(self, *arrays):
        import tensorflow as tf

        self.weights = self.trainable_variables = self.trainable_weights = list(
            map(tf.Variable, arrays)
        )
        self.heard = []

    def __call__(self, x, training=False):
        self.heard.append(bool(training))
        kernel, *bias = self.weights
        x = x @ kernel
        for b in bias:
            x = x + b
        return x if training else 0.5 * x


class _Optimizer:
    """Takes a plain step, and counts how many it took."""

    def __init__(self):
        import tensorflow as tf

        self.steps = tf.Variable(0)

    def apply(self, grads, trainable_variables):
        self.steps.assign_add(1)
        for gradient, variable in zip(grads, trainable_variables, strict=True):
            variable.assign_sub(RATE * gradient)

    def apply_gradients(self, grads_and_vars):
        self.apply(*zip(*grads_and_vars, strict=True))


class _Players:
    def __init__(self, inputs):
        import tensorflow as tf

        self.generator = _Network(inputs["a"])
        self.discriminator = _Network(inputs["w"], inputs["b"])
        self.d_adam, self.g_adam = _Optimizer(), _Optimizer()
        self.latents, self.turn, self.asked = (
            tf.constant(inputs["z"]),
            tf.Variable(0),
            tf.Variable(0),
        )
        self.called = False  # while the step is recorded

    def sample_prior(self, count):
        self.called = True
        z = self.latents[self.turn % len(self.latents)]
        self.turn.assign_add(1)
        self.asked.assign(count)
        return z[:count]


def probe(solution, inputs):
    import tensorflow as tf

    players, found = _Players(inputs), {}
    # As the lesson compiles it, for batches of any size; what it logs may be anything that a graph can return.
    batch = tf.TensorSpec((None, 2), "float32")
    step = tf.function(
        lambda x: dict(solution(players, x)), autograph=False, input_signature=[batch]
    )
    for name, x in zip(("one step", "two steps"), inputs["x"], strict=True):
        try:
            logs = step(tf.constant(x))
        except TypeError as e:
            if "len is not well defined" not in str(e):
                raise
            raise WrongSolution(
                "A compiled step does not know how long its batch will be: `tf.shape(x)[0]` in the place of `len(x)`."
            ) from None
        except ValueError:  # a shape that does not fit, as of latents that are not the players'
            if players.called:
                raise
            raise WrongSolution(LATENTS) from None
        found[f"latents, {name}"] = np.array([np.asarray(players.asked), np.asarray(players.turn)])
        found["training"] = all(players.generator.heard + players.discriminator.heard)
        found[f"loss, {name}"] = np.asarray(logs["d_loss"])
        told = [np.asarray(logs.get(key, np.nan)) for key in ("D(x)", "D(G(z))")]
        found[f"logs, {name}"] = np.array(told) if told[0].shape == told[1].shape else np.zeros(1)
        w, b = (np.asarray(v).ravel() for v in players.discriminator.weights)
        found[f"D, {name}"] = np.concatenate([w, b])
        found[f"G, {name}"] = np.asarray(players.generator.weights[0])
        found[f"steps, {name}"] = np.array(
            [np.asarray(o.steps) for o in (players.d_adam, players.g_adam)]
        )
    return found


def _steps(inputs):
    """Each step by hand: its name, the logits of real and of generated points, D's weights after it, and where they
    would be if no gradient came from the generated ones."""
    w, b = inputs["w"].astype("float64"), inputs["b"].astype("float64")
    for name, x, z in zip(("one step", "two steps"), inputs["x"], inputs["z"], strict=True):
        fake = z @ inputs["a"]
        real_logits, fake_logits = x @ w + b, fake @ w + b
        doubt, belief = 1 / (1 + np.exp(real_logits)), 1 / (1 + np.exp(-fake_logits))
        half = w + RATE * (doubt.T @ x).T / len(x), b + RATE * doubt.mean(axis=0)
        w, b = half[0] - RATE * (belief.T @ fake).T / len(x), half[1] - RATE * belief.mean(axis=0)
        after, without = (
            np.concatenate([v.ravel() for v in weights]) for weights in ((w, b), half)
        )
        yield name, real_logits, fake_logits, after, without


def _losses(real, fake):
    """What D would pay, rightly and with a slip."""
    pay_real, pay_fake = np.logaddexp(0, -real), np.logaddexp(0, fake)
    right = np.mean(pay_real) + np.mean(pay_fake)
    return {
        "right": right,
        "halved": 0.5 * right,
        "summed": np.sum(pay_real) + np.sum(pay_fake),
        "fakes to be believed": np.mean(pay_real) + np.mean(np.logaddexp(0, -fake)),
        "reals to be doubted": np.mean(np.logaddexp(0, real)) + np.mean(pay_fake),
        "both signs": np.mean(np.logaddexp(0, real)) + np.mean(np.logaddexp(0, -fake)),
    }


SLIPS = ("halved", "summed", "fakes to be believed", "reals to be doubted", "both signs")


def compared(probed, inputs):
    """What was found, and of the first step whether its loss and its move are those of a known slip."""
    _, real, fake, _, without = next(_steps(inputs))
    loss, losses = probed["loss, one step"], _losses(real, fake)
    slips = {
        name: bool(np.shape(loss) == () and np.isclose(loss, losses[name], rtol=1e-4))
        for name in SLIPS
    }
    weights = probed["D, one step"]
    alone = bool(np.shape(weights) == without.shape and np.allclose(weights, without, atol=1e-4))
    return {**probed, **slips, "real alone": alone}


def reference(inputs):
    found = {"training": True, "real alone": False, **dict.fromkeys(SLIPS, False)}
    for count, (name, real, fake, after, _) in enumerate(_steps(inputs), 1):
        found[f"latents, {name}"] = np.array([3, count])
        found[f"steps, {name}"] = np.array([count, 0])
        found[f"loss, {name}"] = _losses(real, fake)["right"]
        found[f"logs, {name}"] = np.array([np.mean(1 / (1 + np.exp(-a))) for a in (real, fake)])
        found[f"D, {name}"] = after
        found[f"G, {name}"] = inputs["a"]
    return found


CHECKS = (
    Check(
        "latents, one step",
        LATENTS,
    ),
    Check(
        "training",
        "Some network was not told `training=True`, so its dropout would be off. Tell it to each of the three calls.",
    ),
    Check(
        "halved",
        "Your loss is half of L_D. One mean over all logits divides by both batches: take a mean over the real ones, a "
        "mean over the generated ones, and add the two.",
    ),
    Check(
        "summed",
        "Your loss is a sum over the batch. The expectations in L_D are means.",
    ),
    Check(
        "fakes to be believed",
        "Look at the generated images' part of the loss: its sign asks D to believe them.",
    ),
    Check(
        "reals to be doubted",
        "Look at the real images' part of the loss: its sign asks D to doubt them.",
    ),
    Check(
        "both signs",
        "Both signs are turned: your D pays for real images that it believes and for generated ones that it doubts.",
    ),
    Check(
        "loss, one step",
        "The loss is not L_D. D pays softplus(-D(x)) for real images and softplus(D(G(z))) for the images that G makes "
        "of the latents you drew.",
    ),
    Check(
        "G, one step",
        "G has moved. It is not its turn: in whose weights is your gradient?",
    ),
    Check(
        "steps, one step",
        "D moves by its own optimizer, and by one step of it. Whose did you call?",
    ),
    Check(
        "real alone",
        "The loss is right, but D moved as if no image were generated. Was the tape running when D saw them?",
    ),
    Check(
        "D, one step",
        "The loss is right and D is not where it should be. Was the loss computed under the tape? Does the optimizer "
        "get the gradient itself, in all of D's trainable variables?",
    ),
    Check(
        "logs, one step",
        "D moves as it should. Log two more numbers, `D(x)` and `D(G(z))`: the mean of sigma(D) over the real images "
        "and over the generated ones.",
    ),
    Check(
        "loss, two steps",
        "The first step is right. The second should start from where it ended, with latents of its own.",
    ),
    Check(
        "G, two steps",
        "G has moved in the second step.",
    ),
    Check(
        "steps, two steps",
        "Each call is one step of D's optimizer, and none of G's.",
    ),
    Check(
        "D, two steps",
        "The first step is right, the second is not.",
    ),
)

RIGHT = {
    "as written": """
def d_step(players, x):
    z = players.sample_prior(tf.shape(x)[0])  # (B, latent_dim)
    with tf.GradientTape() as tape:
        real = players.discriminator(x, training=True)  # (B, 1)
        fake = players.discriminator(players.generator(z, training=True), training=True)
        loss = tf.reduce_mean(tf.nn.softplus(-real)) + tf.reduce_mean(tf.nn.softplus(fake))
    variables = players.discriminator.trainable_variables
    players.d_adam.apply(tape.gradient(loss, variables), variables)
    p_real, p_fake = tf.reduce_mean(tf.sigmoid(real)), tf.reduce_mean(tf.sigmoid(fake))
    return {"d_loss": loss, "D(x)": p_real, "D(G(z))": p_fake}
""",
    "G outside the tape": """
def d_step(players, x):
    generated = players.generator(players.sample_prior(tf.shape(x)[0]), training=True)
    weights = players.discriminator.trainable_variables
    with tf.GradientTape() as tape:
        p = tf.sigmoid(players.discriminator(x, training=True))
        q = tf.sigmoid(players.discriminator(generated, training=True))
        loss = -tf.reduce_mean(tf.math.log(p)) - tf.reduce_mean(tf.math.log(1 - q))
    players.d_adam.apply_gradients(zip(tape.gradient(loss, weights), weights))
    return {"d_loss": loss, "D(x)": tf.reduce_mean(p), "D(G(z))": tf.reduce_mean(q)}
""",
    "generated images first, and one call": """
def d_step(players, x):
    count = tf.shape(x)[0]
    with tf.GradientTape() as tape:
        fakes = players.generator(players.sample_prior(count), training=True)
        logits = players.discriminator(tf.concat([fakes, x], axis=0), training=True)
        fake, real = logits[:count], logits[count:]
        loss = tf.reduce_mean(tf.nn.softplus(-real)) + tf.reduce_mean(tf.nn.softplus(fake))
    variables = players.discriminator.trainable_variables
    players.d_adam.apply(tape.gradient(loss, variables), variables)
    return {
        "d_loss": loss,
        "D(x)": tf.reduce_mean(tf.sigmoid(real)),
        "D(G(z))": tf.reduce_mean(tf.sigmoid(fake)),
    }
""",
}


def _slip(*changes):
    return variant(RIGHT["as written"], *changes)


LOSS = "tf.reduce_mean(tf.nn.softplus(-real)) + tf.reduce_mean(tf.nn.softplus(fake))"
VARIABLES = "variables = players.discriminator.trainable_variables"
WRONG = {
    "G's optimizer": _slip(("players.d_adam", "players.g_adam")),
    "always 64 latents": _slip(("tf.shape(x)[0]", "64")),
    "a sum for a mean in the log": _slip(
        ("tf.reduce_mean(tf.sigmoid(real))", "tf.reduce_sum(tf.sigmoid(real))")
    ),
    "uphill": _slip(
        ("tape.gradient(loss, variables)", "[-t for t in tape.gradient(loss, variables)]")
    ),
    "G moves too": _slip((VARIABLES, f"{VARIABLES} + players.generator.trainable_variables")),
    "G moves in D's place": _slip((VARIABLES, "variables = players.generator.trainable_variables")),
    "not in training": RIGHT["as written"].replace("training=True", "training=False"),
    "wants generated images to be believed": _slip(("softplus(fake)", "softplus(-fake)")),
    "real images alone": _slip((LOSS, "tf.reduce_mean(tf.nn.softplus(-real))")),
    "one mean over both": _slip(
        (LOSS, "tf.reduce_mean(tf.nn.softplus(tf.concat([-real, fake], axis=0)))")
    ),
    "a sum for a mean": RIGHT["as written"].replace("reduce_mean(tf.nn", "reduce_sum(tf.nn"),
    "believes and doubts the wrong ones": _slip(
        ("plus(-real)", "plus(real)"), ("plus(fake)", "plus(-fake)")
    ),
    "latents of its own": _slip(
        ("players.sample_prior(tf.shape(x)[0])", "tf.random.normal((tf.shape(x)[0], 2))")
    ),
    "32 latents of 64 numbers, of its own": _slip(
        ("players.sample_prior(tf.shape(x)[0])", "tf.random.normal((32, 64))")
    ),
    "fakes outside the tape": """
def d_step(players, x):
    z = players.sample_prior(tf.shape(x)[0])
    fake = players.discriminator(players.generator(z, training=True), training=True)
    with tf.GradientTape() as tape:
        real = players.discriminator(x, training=True)
        loss = tf.reduce_mean(tf.nn.softplus(-real)) + tf.reduce_mean(tf.nn.softplus(fake))
    variables = players.discriminator.trainable_variables
    players.d_adam.apply(tape.gradient(loss, variables), variables)
    return {"d_loss": loss}
""",
    "moves only the kernel": _slip((VARIABLES, f"{VARIABLES}[:1]")),
    "no step at all": """
def d_step(players, x):
    z = players.sample_prior(tf.shape(x)[0])
    real = players.discriminator(x, training=True)
    fake = players.discriminator(players.generator(z, training=True), training=True)
    return {"d_loss": tf.reduce_mean(tf.nn.softplus(-real)) + tf.reduce_mean(tf.nn.softplus(fake))}
""",
}
