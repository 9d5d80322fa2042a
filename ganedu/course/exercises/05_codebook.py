"""Lesson 05: a step of the codebook as exponential moving averages (van den Oord 2017, appendix A.1)."""

import numpy as np

from ganedu.course.checking import Check, Variant, variant

FUNCTION = "my_codebook"
FORBIDDEN = ()
MOMENTUM = 0.8
LATER = ("still", "new counts", "new sums", "counts", "sums", "codebook", "twice")


def inputs(rng):
    indices = np.array([0, 0, 0, 1, 2, 2, 2, 2, 2, 1])  # one code of four is chosen by none
    return {
        "counts": rng.uniform(0.5, 2.0, 4),
        "sums": rng.normal(size=(4, 3)),
        "z": rng.normal(size=(10, 3)) + 1.0,
        "indices": rng.permutation(indices),
    }


def probe(solution, inputs):
    counts, sums, z, indices = (inputs[name] for name in ("counts", "sums", "z", "indices"))
    first = [np.asarray(a) for a in solution(counts.copy(), sums.copy(), z, indices, MOMENTUM)]
    shapes = [a.shape for a in first]
    if shapes != [counts.shape, sums.shape, sums.shape]:
        return {**dict.fromkeys(LATER, 0.0), "shapes": False}
    still = solution(counts.copy(), sums.copy(), z, indices, 1.0)
    new = solution(np.ones(4), np.zeros((4, 3)), z, indices, 0.0)
    twice = solution(first[0].copy(), first[1].copy(), z, indices, MOMENTUM)
    return {
        "shapes": True,
        "still": np.concatenate([still[0] - counts, np.ravel(still[1] - sums)]),
        "new counts": new[0],
        "new sums": new[1],
        "counts": first[0],
        "sums": first[1],
        "codebook": first[2],
        "twice": twice[2],
    }


def _slips(inputs):
    """What known slips would give in the place of the new sums."""
    z, indices = inputs["z"], inputs["indices"]
    return {"unit of sums": np.eye(4)[indices].T @ z}


def compared(probed, inputs):
    """What was found, and whether the new sums are what a known slip gives."""
    given = np.asarray(probed["new sums"])
    slips = {
        name: bool(
            given.shape == (4, 3) and given.dtype.kind in "biuf" and np.allclose(given, value)
        )
        for name, value in _slips(inputs).items()
    }
    return {**probed, **slips}


def _step(counts, sums, z, indices, momentum):
    chosen = np.eye(len(counts))[indices] * len(counts) / len(z)
    counts = momentum * counts + (1 - momentum) * chosen.sum(axis=0)
    sums = momentum * sums + (1 - momentum) * chosen.T @ z
    with np.errstate(divide="ignore", invalid="ignore"):
        return counts, sums, sums / counts[:, None]


def reference(inputs):
    counts, sums, z, indices = (inputs[name] for name in ("counts", "sums", "z", "indices"))
    new = _step(np.ones(4), np.zeros((4, 3)), z, indices, 0.0)
    counts_1, sums_1, codebook = _step(counts, sums, z, indices, MOMENTUM)
    return {
        **dict.fromkeys(_slips(inputs), False),
        "shapes": True,
        "still": np.zeros(16),
        "new counts": new[0],
        "new sums": new[1],
        "counts": counts_1,
        "sums": sums_1,
        "codebook": codebook,
        "twice": _step(counts_1, sums_1, z, indices, MOMENTUM)[2],
    }


CHECKS = (
    Check(
        "shapes",
        "Three arrays come back, in this order: the counts (K,), the sums (K, d) and the codebook (K, d).",
        points=0,
    ),
    Check(
        "still",
        "With a momentum of 1 nothing new is heard: counts and sums stay as they were.",
    ),
    Check(
        "new counts",
        "With a momentum of 0 only this batch counts. Where all codes are chosen equally often each count is 1, "
        "whatever the batch's size and the codebook's; a code that none chose has 0.",
    ),
    Check(
        "unit of sums",
        "The counts are in units of an even share, the sums are not: both are divided by N / K.",
        points=0,
    ),
    Check(
        "new sums",
        "With a momentum of 0: the sum of the vectors that chose a code, in the counts' own unit.",
    ),
    Check(
        "counts",
        "Old counts and new ones are mixed by the momentum: which of the two has the larger share?",
    ),
    Check(
        "sums",
        "The old sums have a share in the new ones, as the old counts have.",
    ),
    Check(
        "codebook",
        "A code is its sum over its count, both as they are after the step.",
    ),
    Check(
        "twice",
        "One step is right, the second is not: is something kept from the first?",
    ),
)

RIGHT = {
    "as written": """
def my_codebook(counts, sums, z, indices, momentum):
    chosen = np.eye(len(counts))[indices] * len(counts) / len(z)
    counts = momentum * counts + (1 - momentum) * chosen.sum(axis=0)
    sums = momentum * sums + (1 - momentum) * chosen.T @ z
    return counts, sums, sums / counts[:, None]
""",
    "code by code": """
def my_codebook(counts, sums, z, indices, momentum):
    counts, sums = counts.copy(), sums.copy()
    share = len(z) / len(counts)
    for k in range(len(counts)):
        mine = z[indices == k]
        counts[k] = momentum * counts[k] + (1 - momentum) * len(mine) / share
        sums[k] = momentum * sums[k] + (1 - momentum) * mine.sum(axis=0) / share
    return counts, sums, sums / counts[:, None]
""",
}
WRONG = {
    "forgets the old sums": """
def my_codebook(counts, sums, z, indices, momentum):
    chosen = np.eye(len(counts))[indices] * len(counts) / len(z)
    counts = momentum * counts + (1 - momentum) * chosen.sum(axis=0)
    sums = (1 - momentum) * chosen.T @ z
    return counts, sums, sums / counts[:, None]
""",
    "returns sums of nothing": """
def my_codebook(counts, sums, z, indices, momentum):
    chosen = np.eye(len(counts))[indices] * len(counts) / len(z)
    counts = momentum * counts + (1 - momentum) * chosen.sum(axis=0)
    sums = momentum * sums + (1 - momentum) * chosen.T @ z
    return counts, np.zeros_like(sums), sums / counts[:, None]
""",
    "does not divide": """
def my_codebook(counts, sums, z, indices, momentum):
    chosen = np.eye(len(counts))[indices] * len(counts) / len(z)
    counts = momentum * counts + (1 - momentum) * chosen.sum(axis=0)
    sums = momentum * sums + (1 - momentum) * chosen.T @ z
    return counts, sums, sums
""",
    "the momentum on the wrong side": """
def my_codebook(counts, sums, z, indices, momentum):
    chosen = np.eye(len(counts))[indices] * len(counts) / len(z)
    counts = (1 - momentum) * counts + momentum * chosen.sum(axis=0)
    sums = (1 - momentum) * sums + momentum * chosen.T @ z
    return counts, sums, sums / counts[:, None]
""",
    "bare counts": """
def my_codebook(counts, sums, z, indices, momentum):
    chosen = np.eye(len(counts))[indices]
    counts = momentum * counts + (1 - momentum) * chosen.sum(axis=0)
    sums = momentum * sums + (1 - momentum) * chosen.T @ z
    return counts, sums, sums / counts[:, None]
""",
    "the mean of the vectors for their sum": """
def my_codebook(counts, sums, z, indices, momentum):
    chosen = np.eye(len(counts))[indices] * len(counts) / len(z)
    means = chosen.T @ z / np.maximum(chosen.sum(axis=0), 1e-9)[:, None]
    counts = momentum * counts + (1 - momentum) * chosen.sum(axis=0)
    sums = momentum * sums + (1 - momentum) * means
    return counts, sums, sums / counts[:, None]
""",
    "divides by the old counts": """
def my_codebook(counts, sums, z, indices, momentum):
    chosen = np.eye(len(counts))[indices] * len(counts) / len(z)
    new = momentum * counts + (1 - momentum) * chosen.sum(axis=0)
    sums = momentum * sums + (1 - momentum) * chosen.T @ z
    return new, sums, sums / counts[:, None]
""",
    "another order": """
def my_codebook(counts, sums, z, indices, momentum):
    chosen = np.eye(len(counts))[indices] * len(counts) / len(z)
    counts = momentum * counts + (1 - momentum) * chosen.sum(axis=0)
    sums = momentum * sums + (1 - momentum) * chosen.T @ z
    return sums / counts[:, None], counts, sums
""",
    "the counts alone in units of a share": """
def my_codebook(counts, sums, z, indices, momentum):
    chosen = np.eye(len(counts))[indices]
    counts = momentum * counts + (1 - momentum) * chosen.sum(axis=0) * len(counts) / len(z)
    sums = momentum * sums + (1 - momentum) * chosen.T @ z
    return counts, sums, sums / counts[:, None]
""",
}
VARIANTS = (
    Variant(
        "The decay's share is that of the new counts and sums: 1 keeps nothing of the old ones.",
        variant(
            RIGHT["as written"],
            (
                "counts = momentum * counts + (1 - momentum) *",
                "counts = (1 - momentum) * counts + momentum *",
            ),
            (
                "sums = momentum * sums + (1 - momentum) *",
                "sums = (1 - momentum) * sums + momentum *",
            ),
        ),
    ),
    Variant(
        "Counts and sums are bare: a vector that chose a code counts 1, however large the batch and "
        "the codebook are.",
        variant(
            RIGHT["as written"],
            ("np.eye(len(counts))[indices] * len(counts) / len(z)", "np.eye(len(counts))[indices]"),
        ),
    ),
    Variant(
        "Each count gets 0.5 added where sums are divided by counts, and only there, so that no code "
        "is divided by 0.",
        variant(RIGHT["as written"], ("sums / counts[:, None]", "sums / (counts[:, None] + 0.5)")),
    ),
)
