"""Lesson 17: the vector of an attribute from two groups that differ in nothing else (White 2016, section 3)."""

import numpy as np

from ganedu.course.checking import Check, Variant, variant

FUNCTION = "my_attribute_vector"
FORBIDDEN = ()
ONE = np.array([[0.0, 5, 1]] * 3 + [[1.0, 5, 0.5]] * 3)  # one class: the last three lean


def inputs(rng):
    """Codes of 70 images of 5 classes, with a gap between their numbers. Of class 0 all lean, of 1 most, of 2 few, of 5
    none."""
    labels = np.repeat([0, 1, 2, 4, 5], [10, 20, 20, 10, 10])
    some = [np.ones(10), np.arange(20) < 17, np.arange(20) < 3, np.arange(10) < 5, np.zeros(10)]
    leans = np.concatenate(some).astype(bool)
    centers = 3 * rng.normal(size=(6, 3))
    codes = centers[labels] + rng.normal(size=(70, 3)) + leans[:, None] * np.array([1.0, 0.0, -0.5])
    order = rng.permutation(70)
    return {"codes": codes[order], "labels": labels[order], "leans": leans[order]}


def _exact(inputs):
    """The same classes, each leaning by exactly (1, 0, -0.5)."""
    labels, leans = inputs["labels"], inputs["leans"]
    centers = np.array([[-7.0, 2, 1], [5, 0, 0], [0, 5, 0], [0, 0, 0], [0, 0, 5], [9, 9, 9]])
    return centers[labels] + leans[:, None] * np.array([1.0, 0.0, -0.5])


def probe(solution, inputs):
    codes, labels, leans = inputs["codes"], inputs["labels"], inputs["leans"]
    order = np.argsort(labels)
    halves = np.repeat([False, True], 3)
    two = np.concatenate([ONE, ONE + np.array([4.0, 0.0, 2.0])])
    shares = np.array(
        [True] * 5 + [False] * 2 + [True] + [False] * 6
    )  # many of one class, few of the other
    apart = np.repeat([[0.0, 5, 1], [8.0, -2, 4]], 7, axis=0) + shares[:, None] * [1.0, 0, -0.5]
    far = np.concatenate([ONE, np.full((3, 3), 20.0)])  # three more, of a class in which none leans
    return {
        "one class": solution(ONE, np.zeros(6, int), halves),
        "two classes": solution(two, np.repeat([3, 8], 6), np.tile(halves, 2)),
        "unequal": solution(apart, np.repeat([1, 6], 7), shares),
        "a class without": solution(far, np.repeat([2, 5], [6, 3]), np.append(halves, [False] * 3)),
        "exact": solution(_exact(inputs), labels, leans),
        "vector": solution(codes, labels, leans),
        "in order": solution(codes[order], labels[order], leans[order]),
    }


def _vector(codes, labels, leans):
    found = []
    for k in np.unique(labels):
        mine = labels == k
        if leans[mine].any() and not leans[mine].all():
            found.append(codes[mine & leans].mean(axis=0) - codes[mine & ~leans].mean(axis=0))
    return np.mean(found, axis=0)


def reference(inputs):
    vector = _vector(inputs["codes"], inputs["labels"], inputs["leans"])
    exact = np.array([1.0, 0.0, -0.5])
    found = dict.fromkeys(
        ("one class", "two classes", "unequal", "a class without", "exact"), exact
    )
    return {**found, "vector": vector, "in order": vector}


CHECKS = (
    Check(
        "one class",
        "Six images of one class: those that lean have the code (1, 5, 0.5), the others (0, 5, 1). The vector is "
        "(1, 0, -0.5), from the others to those that lean, as long as it is.",
        points=0,  # it comes out by itself
    ),
    Check(
        "two classes",
        "Two classes of six, and in each the three that lean have the code of the others plus (1, 0, -0.5). So that is "
        "the mean over both classes. A sum would be twice as long.",
        points=0,  # it comes out by itself
    ),
    Check(
        "unequal",
        "Two classes that are far apart; in each, leaning adds (1, 0, -0.5) and nothing else. But of the first most "
        "lean, and of the second few. What the classes differ in must not get into the vector: compare within each.",
        points=0,  # `exact` sees it too
    ),
    Check(
        "a class without",
        "Two classes; in the first leaning adds (1, 0, -0.5), in the second none leans. The second says nothing: its "
        "codes must not get into the vector, and it does not count where you take the mean over classes.",
        points=0,  # `exact` sees it too
    ),
    Check(
        "exact",
        "Each image that leans has the code of its class plus (1, 0, -0.5), and nothing else; but most that lean are "
        "of one class, and there is a class in which all lean, and one in which none does. Does a class get into your "
        "vector?",
    ),
    Check(
        "vector",
        "The vector is the mean over the classes of what leaning does in each. Does each class count once, with the "
        "mean of all its images?",
    ),
    Check(
        "in order",
        "The order of the images must not matter.",
    ),
)

RIGHT = {
    "as written": """
def my_attribute_vector(codes, labels, leans):
    differences = []
    for k in np.unique(labels):
        with_it, without = codes[(labels == k) & leans], codes[(labels == k) & ~leans]
        if len(with_it) and len(without):
            differences.append(with_it.mean(axis=0) - without.mean(axis=0))
    return np.mean(differences, axis=0)
""",
    "weights": """
def my_attribute_vector(codes, labels, leans):
    weights = np.zeros(len(codes))
    classes = [k for k in set(labels.tolist()) if 0 < leans[labels == k].sum() < (labels == k).sum()]
    for k in classes:
        for sign, group in ((1, (labels == k) & leans), (-1, (labels == k) & ~leans)):
            weights[group] = sign / group.sum() / len(classes)
    return weights @ codes
""",
}
WRONG = {
    "all that lean less all that do not": """
def my_attribute_vector(codes, labels, leans):
    return codes[leans].mean(axis=0) - codes[~leans].mean(axis=0)
""",
    "the other way round": """
def my_attribute_vector(codes, labels, leans):
    d = []
    for k in np.unique(labels):
        a, b = codes[(labels == k) & leans], codes[(labels == k) & ~leans]
        if len(a) and len(b):
            d.append(b.mean(axis=0) - a.mean(axis=0))
    return np.mean(d, axis=0)
""",
    "brought to length 1": """
def my_attribute_vector(codes, labels, leans):
    d = []
    for k in np.unique(labels):
        a, b = codes[(labels == k) & leans], codes[(labels == k) & ~leans]
        if len(a) and len(b):
            d.append(a.mean(axis=0) - b.mean(axis=0))
    d = np.mean(d, axis=0)
    return d / np.linalg.norm(d)
""",
    "large classes count more": """
def my_attribute_vector(codes, labels, leans):
    total, count = 0, 0
    for k in np.unique(labels):
        a, b = codes[(labels == k) & leans], codes[(labels == k) & ~leans]
        if len(a) and len(b):
            total, count = total + (len(a) + len(b)) * (a.mean(axis=0) - b.mean(axis=0)), count + len(a) + len(b)
    return total / count
""",
    "the sum over classes": """
def my_attribute_vector(codes, labels, leans):
    total = 0
    for k in np.unique(labels):
        a, b = codes[(labels == k) & leans], codes[(labels == k) & ~leans]
        if len(a) and len(b):
            total = total + a.mean(axis=0) - b.mean(axis=0)
    return total
""",
    "divided by all classes": """
def my_attribute_vector(codes, labels, leans):
    total = 0
    for k in np.unique(labels):
        a, b = codes[(labels == k) & leans], codes[(labels == k) & ~leans]
        if len(a) and len(b):
            total = total + a.mean(axis=0) - b.mean(axis=0)
    return total / len(np.unique(labels))
""",
    "less the class's mean": """
def my_attribute_vector(codes, labels, leans):
    d = []
    for k in np.unique(labels):
        mine = codes[labels == k]
        lean = codes[(labels == k) & leans]
        if len(lean):
            d.append(lean.mean(axis=0) - mine.mean(axis=0))
    return np.mean(d, axis=0)
""",
}
VARIANTS = (
    Variant(
        "The vector goes the other way: from images that lean to images that do not.",
        variant(
            RIGHT["as written"],
            (
                "with_it.mean(axis=0) - without.mean(axis=0)",
                "without.mean(axis=0) - with_it.mean(axis=0)",
            ),
        ),
    ),
    Variant(
        "The vector is brought to length 1.",
        variant(
            RIGHT["as written"],
            (
                "return np.mean(differences, axis=0)",
                "vector = np.mean(differences, axis=0)\n    return vector / np.linalg.norm(vector)",
            ),
        ),
    ),
    Variant(
        "Of each class the median of a code's numbers stands in the place of their mean; over the "
        "classes it is the mean as before.",
        variant(
            RIGHT["as written"],
            (
                "with_it.mean(axis=0) - without.mean(axis=0)",
                "np.median(with_it, axis=0) - np.median(without, axis=0)",
            ),
        ),
    ),
)
