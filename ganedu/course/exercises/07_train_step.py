"""Lesson 07: a train step of k steps of D and one of G (Goodfellow 2014, algorithm 1)."""

import numpy as np

from ganedu.course.checking import Check, variant

FUNCTION = "my_train_step"
FORBIDDEN = ()
PRELUDE = "from keras import ops"


def inputs(rng):
    return {"x": rng.normal(size=(5, 2, 2, 1)), "steps": int(rng.integers(2, 4))}


LONGEST = 12  # moves that are compared, so that a move too many is no other shape


class _Batch(np.ndarray):
    """Images whose number a compiled step does not know: writes down that `len` was asked."""

    measured = False

    def __len__(self):
        self.measured = True
        return self.shape[0]


class _Network(str):
    """A network's name. Calling it says what to call."""

    def __call__(self, *args, **kwargs):
        raise TypeError(
            "Here the losses are methods: `players.d_losses(x, z)` and `players.g_losses(z)`."
        )


class _Players:
    """Writes down who moved, by which loss of which latents. A loss is computed when `minimize` asks for it."""

    generator, discriminator, ema_generator = map(
        _Network, ("generator", "discriminator", "ema_generator")
    )
    g_optimizer, d_optimizer, ema_momentum = "g_optimizer", "d_optimizer", 0.97

    def __init__(self):
        self.moves, self.draws, self.averaged, self.counts, self.minimizing = [], 0, [], [], False
        self.fitting = []

    def sample_prior(self, count):
        self.draws += 1
        self.counts.append(int(count))
        return self.draws

    def minimize(self, loss_fn, network, optimizer):
        self.minimizing = True
        told = loss_fn() if callable(loss_fn) else {"number": loss_fn}
        self.minimizing = False
        kind, latents, images = told.pop("kind", (0, 0, 0))
        whose = {"discriminator": 1, "generator": 2}.get(network, 0)
        matching = optimizer == {1: "d_optimizer", 2: "g_optimizer"}.get(whose)
        self.moves.append((whose, kind, latents, images, matching))
        return {name: value for name, value in told.items() if name != "number"}

    def d_losses(self, x, z):
        weighted = float(np.sum(np.asarray(x) * np.arange(np.size(x)).reshape(np.shape(x))))
        number = 10.0 * (len(self.moves) + 1)
        return {"d_loss": number, "kind": (1, z, weighted) if self.minimizing else (0, 0, 0)}

    def g_losses(self, z):
        number = 100.0 * (len(self.moves) + 1)
        return {"g_loss": number, "kind": (2, z, 0) if self.minimizing else (0, 0, 0)}

    def log(self, logs):
        return logs

    def update_ema(self, network, averaged, momentum):
        self.averaged.append(len(self.moves))
        self.fitting.append((network, averaged, momentum) == ("generator", "ema_generator", 0.97))


def _padded(values):
    return np.pad(np.asarray(values, float)[:LONGEST], (0, max(0, LONGEST - len(values))))


def _play(solution, x, steps):
    players, batch = _Players(), x.view(_Batch)
    told = solution(players, batch, steps)
    logs = told if isinstance(told, dict) else {}
    moves = np.array(players.moves or [(0,) * 5], float)
    return {
        "who": _padded(moves[:, 0]),
        "loss": moves[:, 1],
        "optimizer": moves[:, 4],
        "latents": np.array([len(set(moves[:, 2])), len(moves)]),
        "counts": np.array(sorted(set(players.counts)) or [0]),
        "length": np.array([batch.measured]),
        "images": moves[:, 3],
        "averaged": _padded(players.averaged or [-1]),
        "arguments": np.array([all(players.fitting)]),
        "dict": np.array([isinstance(told, dict)]),
        "logs": np.array([logs.get("d_loss", -1.0), logs.get("g_loss", -1.0)], float),
    }


def probe(solution, inputs):
    found = {}
    for k in (1, inputs["steps"]):
        played = _play(solution, inputs["x"], k)
        found |= {f"{key}, {min(k, 2)}": value for key, value in played.items()}
    return found


def reference(inputs):
    found, x = {}, inputs["x"]
    image_sum = float(np.sum(x * np.arange(x.size).reshape(x.shape)))
    for k in (1, inputs["steps"]):
        whose = np.array([1] * k + [2])
        played = {
            "who": _padded(whose),
            "loss": whose,
            "optimizer": np.ones(k + 1),
            "latents": np.array([k + 1, k + 1]),
            "counts": np.array([len(x)]),
            "length": np.array([False]),
            "images": np.array([image_sum] * k + [0.0]),
            "averaged": _padded([k + 1]),
            "arguments": np.array([True]),
            "dict": np.array([True]),
            "logs": np.array([10.0 * k, 100.0 * (k + 1)]),
        }
        found |= {f"{key}, {min(k, 2)}": value for key, value in played.items()}
    return found


CHECKS = (
    Check(
        "who, 1",
        "With k = 1 D moves once, then G once. Who has moved in yours, and in which order?",
    ),
    Check(
        "loss, 1",
        "`minimize` takes a function that computes the loss when it is called. Did you give it a number, or the other "
        "player's loss?",
    ),
    Check(
        "optimizer, 1",
        "Each player has an optimizer of its own.",
    ),
    Check(
        "latents, 1",
        "Each move has latents of its own. Do D and G share theirs?",
    ),
    Check(
        "counts, 1",
        "As many latents as there are images in the batch.",
    ),
    Check(
        "length, 1",
        "A compiled step does not know how long its batch will be: `ops.shape(x)[0]` in the place of `len(x)`.",
    ),
    Check(
        "images, 1",
        "D should see all images of the batch.",
    ),
    Check(
        "averaged, 1",
        "G's averaged weights take in the new ones once, after G has moved.",
    ),
    Check(
        "arguments, 1",
        "`update_ema` wants the trained network first, then the averaged one, then the momentum.",
        points=0,
    ),
    Check(
        "dict, 1",
        "One dict should come back, which holds what both `minimize` returned.",
        points=0,
    ),
    Check(
        "logs, 1",
        "What `minimize` returns for each player is what the step logs.",
    ),
    Check(
        "who, 2",
        "Right for k = 1. With more, D moves k times, then G once.",
    ),
    Check(
        "latents, 2",
        "Right for k = 1. With more, each of D's moves has fresh latents, and G's too.",
    ),
    Check(
        "loss, 2",
        "Right for k = 1, not for more.",
    ),
    Check(
        "optimizer, 2",
        "Right for k = 1, not for more.",
    ),
    Check(
        "counts, 2",
        "As many latents for each move as there are images in the batch.",
    ),
    Check(
        "images, 2",
        "D should see all images of the batch each time.",
    ),
    Check(
        "averaged, 2",
        "The averaged weights take in G's new ones once in a step, after G has moved.",
    ),
    Check(
        "logs, 2",
        "Log D's last move.",
    ),
)

RIGHT = {
    "as written": """
def my_train_step(players, x, k):
    for _ in range(k):
        z = players.sample_prior(ops.shape(x)[0])
        d = players.minimize(
            lambda z=z: players.d_losses(x, z), players.discriminator, players.d_optimizer
        )
    z = players.sample_prior(ops.shape(x)[0])
    g = players.minimize(lambda: players.g_losses(z), players.generator, players.g_optimizer)
    players.update_ema(players.generator, players.ema_generator, players.ema_momentum)
    return d | g
""",
    "logs as the class does": """
def my_train_step(players, x, k):
    for _ in range(k):
        z = players.sample_prior(ops.shape(x)[0])
        d = players.minimize(
            lambda z=z: players.d_losses(x, z), players.discriminator, players.d_optimizer
        )
    z = players.sample_prior(ops.shape(x)[0])
    g = players.minimize(lambda: players.g_losses(z), players.generator, players.g_optimizer)
    players.update_ema(players.generator, players.ema_generator, players.ema_momentum)
    return players.log(d | g)
""",
    "latents inside the loss": """
def my_train_step(players, x, k):
    logs = {}
    for _ in range(k):
        logs.update(players.minimize(
            lambda: players.d_losses(x, players.sample_prior(ops.shape(x)[0])),
            players.discriminator,
            players.d_optimizer,
        ))
    logs.update(players.minimize(
        lambda: players.g_losses(players.sample_prior(ops.shape(x)[0])), players.generator, players.g_optimizer
    ))
    players.update_ema(players.generator, players.ema_generator, players.ema_momentum)
    return logs
""",
}


def _slip(*changes):
    return variant(RIGHT["as written"], *changes)


LOOP = """    for _ in range(k):
        z = players.sample_prior(ops.shape(x)[0])
"""
G = """    z = players.sample_prior(ops.shape(x)[0])
    g = players.minimize(lambda: players.g_losses(z), players.generator, players.g_optimizer)
"""
AVERAGE = "    players.update_ema(players.generator, players.ema_generator, players.ema_momentum)\n"
WRONG = {
    "the same latents for all": _slip(
        (LOOP, "    z = players.sample_prior(ops.shape(x)[0])\n    for _ in range(k):\n"),
        (G, G.split("\n", 1)[1]),
    ),
    "the batch's len": RIGHT["as written"].replace("ops.shape(x)[0]", "len(x)"),
    "G first": _slip((G, ""), (LOOP, f"{G}{LOOP}")),
    "the loss, not a function of it": _slip(("lambda z=z: players.d_losses", "players.d_losses")),
    "ignores k": _slip(("range(k)", "range(1)")),
    "G moves k times too": _slip((G, "".join(f"    {line}\n" for line in G.splitlines()))),
    "one optimizer for both": _slip(("players.g_optimizer", "players.d_optimizer")),
    "no averaged weights": _slip((AVERAGE, "")),
    "the average first": _slip(
        (
            "update_ema(players.generator, players.ema_generator,",
            "update_ema(players.ema_generator, players.generator,",
        )
    ),
    "two dicts": _slip(("return d | g", "return d, g")),
    "one draw for all of D's moves": _slip(
        (LOOP, "    z = players.sample_prior(ops.shape(x)[0])\n    for _ in range(k):\n")
    ),
}
