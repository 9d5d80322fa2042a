"""Lesson 22: recall at k, with equal scores (the pessimist's)."""

import numpy as np

from ganedu.course.checking import Check, Variant, variant

FUNCTION = "recall_at"
FORBIDDEN = ()


def inputs(rng):
    """Scores rounded so that a few are equal, of 30 questions."""
    return {"scores": np.round(rng.normal(size=(30, 30)) + 1.5 * np.eye(30), 1)}


def _cases(inputs):
    three = np.array([[0.9, 0.1, 0.2], [0.8, 0.5, 0.1], [0.3, 0.4, 0.2]])
    tie = np.array([[0.5, 0.5, 0.1], [0.0, 0.7, 0.2], [0.3, 0.1, 0.6]])
    uneven = np.array([[0.1, 0.9], [0.2, 0.3]])
    found = {f"three, k = {k}": (three, k) for k in (1, 2, 3)}
    found |= {"rows": (uneven, 1), "tie": (tie, 1), "tie, k = 2": (tie, 2)}
    found |= {"same, k = 4": (np.zeros((5, 5)), 4), "same, k = 5": (np.zeros((5, 5)), 5)}
    return found | {f"k = {k}": (inputs["scores"], k) for k in (1, 3, 10)}


def probe(solution, inputs):
    return {name: solution(np.array(scores), k) for name, (scores, k) in _cases(inputs).items()}


def reference(inputs):
    found = {}
    for name, (scores, k) in _cases(inputs).items():
        ranks = [
            1 + sum(row[j] >= row[i] for j in range(len(row)) if j != i)
            for i, row in enumerate(scores)
        ]
        found[name] = np.mean([rank <= k for rank in ranks])
    return found


CHECKS = (
    Check(
        "three, k = 1",
        "Of three questions, one a row, one has its own answer on top: 1/3. One number for all.",
    ),
    Check(
        "three, k = 2",
        "Question 1's answer is the second best of its row: with k = 2 it counts.",
    ),
    Check(
        "three, k = 3",
        "Among all three answers each finds its own.",
    ),
    Check(
        "rows",
        "Questions are rows, answers columns: is a question's answer compared with the others of its own row?",
    ),
    Check(
        "tie",
        "Question 0 gives its own answer the same score as another: with k = 1 that is not found.",
    ),
    Check(
        "tie, k = 2",
        "With one other that scores as high, an answer is found for k = 2.",
    ),
    Check(
        "same, k = 4",
        "A model that scores everything alike has found nothing, for any k below the number of answers.",
    ),
    Check(
        "same, k = 5",
        "With k the number of all answers everything is found.",
    ),
    *(
        Check(f"k = {k}", "Right for small tables, wrong for a large one with ties here and there.")
        for k in (1, 3, 10)
    ),
)

RIGHT = {
    "as written": """
def recall_at(scores, k):
    own = np.diag(scores)[:, None]
    others = (scores >= own).sum(axis=1) - 1
    return float(np.mean(others < k))
""",
    "sorted": """
def recall_at(scores, k):
    found = 0
    for i, row in enumerate(scores):
        others = np.sort(np.delete(row, i))[::-1]
        found += k > len(others) or others[k - 1] < row[i]
    return found / len(scores)
""",
}
WRONG = {
    "ties are found": """
def recall_at(scores, k):
    own = np.diag(scores)[:, None]
    return np.mean((scores > own).sum(axis=1) < k)
""",
    "the place after sorting": """
def recall_at(scores, k):
    order = np.argsort(-scores, axis=1, kind="stable")
    return np.mean([i in row[:k] for i, row in enumerate(order)])
""",
    "columns for rows": """
def recall_at(scores, k):
    own = np.diag(scores)[None]
    return np.mean((scores >= own).sum(axis=0) - 1 < k)
""",
    "counts itself": """
def recall_at(scores, k):
    own = np.diag(scores)[:, None]
    return np.mean((scores >= own).sum(axis=1) < k)
""",
    "only the best": """
def recall_at(scores, k):
    own = np.diag(scores)[:, None]
    return np.mean((scores >= own).sum(axis=1) - 1 < 1)
""",
    "a question alone": """
def recall_at(scores, k):
    own = np.diag(scores)[:, None]
    return (scores >= own).sum(axis=1) - 1 < k
""",
}
VARIANTS = (
    Variant(
        "Write the optimist's recall: another answer with the same score does not stand before the "
        "own one.",
        variant(
            RIGHT["as written"],
            ("others = (scores >= own).sum(axis=1) - 1", "others = (scores > own).sum(axis=1)"),
        ),
    ),
    Variant(
        "Questions are the columns, answers the rows.",
        variant(
            RIGHT["as written"],
            ("own = np.diag(scores)[:, None]", "own = np.diag(scores)[None]"),
            ("(scores >= own).sum(axis=1)", "(scores >= own).sum(axis=0)"),
        ),
    ),
    Variant(
        "Write the share that is missed: of the questions whose own answer is not among the best k.",
        variant(RIGHT["as written"], ("np.mean(others < k)", "np.mean(others >= k)")),
    ),
)
