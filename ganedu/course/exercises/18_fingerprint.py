"""Lesson 18: a fingerprint of arrays, which changes with their last bit, their order, shapes and dtypes."""

import numpy as np

from ganedu.course.checking import Check

FUNCTION = "fingerprint"
FORBIDDEN = ()
PRELUDE = "import hashlib"


def inputs(rng):
    return {"a": rng.normal(size=6), "b": rng.normal(size=(2, 3)).astype("float32")}


def _others(a, b):
    """Lists of arrays that are not the same as `[a, b]`, by what differs."""
    nudged = a.copy()
    nudged[3] = np.nextafter(a[3], 9.0)
    swapped = a.copy()
    swapped[[1, 4]] = a[[4, 1]]
    return {
        "each": [a + 1, b],
        "bit": [nudged, b],
        "places": [swapped, b],
        "order": [b, a],
        "shape": [a.reshape(2, 3), b],
        "turned": [a, np.ascontiguousarray(b.reshape(3, 2))],
        "dtype": [a, b.view("int32")],
        "precision": [a.astype("float32").astype("float64"), b],
        "fewer": [a],
        "empty": [a, b, np.zeros(0)],
        "joined": [np.concatenate([a[:3], a[3:]])[:5], np.append(a[5:], 0.0), b],
    }


def _pairs():
    """Further lists that are not the same, by what differs."""
    cube, two = np.arange(24.0), np.array([0, 2**60])
    return {
        "three axes": ([cube.reshape(2, 3, 4)], [cube.reshape(2, 4, 3)]),
        "first dtype": ([cube, cube], [cube.view("int64"), cube]),
        "large": ([two], [two + np.array([0, 1])]),
        "between": ([np.arange(11.0).reshape(1, 11)], [np.arange(11.0).reshape(11, 1)]),
        "no numbers": ([np.zeros(0)], [np.zeros(0, "float32")]),
        "minus zero": ([np.zeros(3)], [-np.zeros(3)]),
    }


def probe(solution, inputs):
    a, b = inputs["a"], inputs["b"]
    long = np.arange(5000.0)
    other = np.where(long == 2500, 0, long)
    pairs = {"middle": ([long], [other]), **_pairs()}
    try:
        again = solution([a.copy(), np.asfortranarray(b)])
    except ValueError:  # `hashlib` takes an array as it is only if it lies row by row
        again = None
    return {
        "mine": solution([a, b]),
        "again": again,
        "others": {name: solution(other) for name, other in _others(a, b).items()},
        "pairs": {name: [solution(x), solution(y)] for name, (x, y) in pairs.items()},
    }


def compared(outputs, inputs):
    mine = outputs["mine"]
    digits = isinstance(mine, str) and len(mine) == 64 and set(mine) <= set("0123456789abcdef")
    told = {"digits": digits, "again": outputs["again"] == mine}
    told |= {name: other != mine for name, other in outputs["others"].items()}
    told |= {name: x != y for name, (x, y) in outputs["pairs"].items()}
    return {name: np.array([bool(holds)]) for name, holds in told.items()}


def reference(inputs):
    names = ("digits", "again", "middle", *_others(inputs["a"], inputs["b"]), *_pairs())
    return {name: np.array([True]) for name in names}


CHECKS = (
    Check(
        "digits",
        "It should be 64 hexadecimal digits, as `hexdigest()` gives them.",
    ),
    Check(
        "again",
        "Copies of the same arrays have the same fingerprint, however they lie in memory. `update` wants bytes: "
        "an array itself works only if it lies row by row. Is `tobytes()` there, with no argument, and "
        "nothing else that tells how the array lies, as its strides?",
    ),
    Check(
        "middle",
        "One of 5,000 numbers has changed, in the middle: printed arrays leave the middle out.",
    ),
    Check(
        "each",
        "All numbers of the first array have changed, those of the second have not. Does every array go into one and "
        "the same hash, or does only the last one count?",
    ),
    Check(
        "bit",
        "One number has changed in its last bit. Is something rounded, cast or printed on the way?",
    ),
    Check(
        "places",
        "Two numbers have changed places: a sum would not see it.",
    ),
    Check(
        "precision",
        "Numbers that were rounded to float32 are others. Are yours cast?",
    ),
    Check(
        "order",
        "The two arrays have changed places.",
    ),
    Check(
        "shape",
        "The same numbers, in two rows: `tobytes()` knows no shape.",
    ),
    Check(
        "turned",
        "The same numbers, 3x2 in the place of 2x3: the number of dimensions is not the shape.",
    ),
    Check(
        "dtype",
        "The same bytes, read as integers: `tobytes()` knows no dtype.",
    ),
    Check(
        "fewer",
        "The second array is missing.",
    ),
    Check(
        "empty",
        "There is a third array, an empty one: it has no bytes, but a shape.",
    ),
    Check(
        "joined",
        "The numbers are cut into arrays at another place.",
    ),
    Check(
        "three axes",
        "2x3x4 and 2x4x3: the whole shape counts, not its ends.",
    ),
    Check(
        "first dtype",
        "The first of two arrays has another dtype: each array's counts.",
    ),
    Check(
        "large",
        "2**60 and 2**60 + 1 are the same in float64. Are yours cast?",
    ),
    Check(
        "between",
        "1x11 and 11x1, written with nothing between, are both 111. Put something between the sizes.",
    ),
    Check(
        "no numbers",
        "Two empty arrays, one of float64, one of float32: the whole dtype counts, not its kind.",
    ),
    Check(
        "minus zero",
        "0.0 and -0.0 are equal, and yet differ in a bit. Is something computed with the numbers on the way?",
    ),
)

RIGHT = {
    "as written": """
def fingerprint(arrays):
    seen = hashlib.sha256()
    for array in arrays:
        seen.update(f"{array.dtype} {array.shape} ".encode())
        seen.update(array.tobytes())
    return seen.hexdigest()
""",
    "hashes of hashes": """
def fingerprint(arrays):
    parts = [f"{a.dtype.str}{a.shape}{hashlib.sha256(a.tobytes()).hexdigest()}" for a in arrays]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()
""",
}
WRONG = {
    "sums": """
def fingerprint(arrays):
    return hashlib.sha256(str([float(a.sum()) for a in arrays]).encode()).hexdigest()
""",
    "casts to float32": """
def fingerprint(arrays):
    h = hashlib.sha256()
    for a in arrays:
        h.update(f"{a.dtype} {a.shape}".encode() + a.astype("float32").tobytes())
    return h.hexdigest()
""",
    "prints": """
def fingerprint(arrays):
    return hashlib.sha256("".join(f"{a.dtype}{a.shape}{a}" for a in arrays).encode()).hexdigest()
""",
    "bytes alone": """
def fingerprint(arrays):
    h = hashlib.sha256()
    for a in arrays:
        h.update(a.tobytes())
    return h.hexdigest()
""",
    "only the last array": """
def fingerprint(arrays):
    for a in arrays:
        h = hashlib.sha256(f"{a.dtype} {a.shape} ".encode() + a.tobytes())
    return h.hexdigest()
""",
    "sizes with nothing between": """
def fingerprint(arrays):
    h = hashlib.sha256()
    for a in arrays:
        h.update(f"{a.dtype} {''.join(map(str, a.shape))} ".encode() + a.tobytes())
    return h.hexdigest()
""",
    "arrays as they are": """
def fingerprint(arrays):
    h = hashlib.sha256()
    for a in arrays:
        h.update(f"{a.dtype} {a.shape} ".encode())
        h.update(a)
    return h.hexdigest()
""",
    "shapes without dtypes": """
def fingerprint(arrays):
    h = hashlib.sha256()
    for a in arrays:
        h.update(f"{a.shape}".encode() + a.tobytes())
    return h.hexdigest()
""",
    "the dtype of the last array": """
def fingerprint(arrays):
    h = hashlib.sha256()
    for a in arrays:
        h.update(f"{a.shape}".encode() + a.tobytes())
    h.update(f"{arrays[-1].dtype if arrays else None}".encode())
    return h.hexdigest()
""",
    "any order": """
def fingerprint(arrays):
    parts = sorted(f"{a.dtype}{a.shape}{hashlib.sha256(a.tobytes()).hexdigest()}" for a in arrays)
    return hashlib.sha256("".join(parts).encode()).hexdigest()
""",
    "Python's own hash": """
def fingerprint(arrays):
    return hash(tuple((str(a.dtype), a.shape, a.tobytes()) for a in arrays))
""",
}
