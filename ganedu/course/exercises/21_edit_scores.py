"""Lesson 21: judging an edit: what was asked for has changed, and nothing else has."""

import numpy as np

from ganedu.course.checking import Check

FUNCTION = "my_edit_scores"
FORBIDDEN = ()
SHARES = ("changed", "kept", "both")


def inputs(rng):
    """Attributes (kind, colour, size, place) of 12 images before the edit, after it, and as the wish has them: -1 where
    it says nothing. Two in three wishes ask for one attribute, the others for two."""
    before = rng.integers(0, 4, (12, 4))
    wish = np.full((12, 4), -1)
    for i in range(12):
        asked = rng.choice(4, 2 if i % 3 == 0 else 1, replace=False)
        wish[i, asked] = (before[i, asked] + rng.integers(1, 4, len(asked))) % 4
    wish[5] = np.where(wish[5] >= 0, before[5], -1)  # this one asks for what is there already
    after = np.where(wish >= 0, wish, before)
    wrong = np.zeros((12, 4), bool)
    wrong[0, :] = (wish[0] >= 0) & (np.cumsum(wish[0] >= 0) == 1)  # one of two wishes is missed
    wrong[1, :] = wish[1] >= 0  # the wish is missed
    wrong[2, :] = (wish[2] < 0) & (np.cumsum(wish[2] < 0) == 1)  # something else has changed
    wrong[3, :] = wish[3] < 0  # everything else has changed
    wrong[4, :] = True
    return {"before": before, "after": np.where(wrong, (after + 1) % 4, after), "wish": wish}


def probe(solution, inputs):
    before, after, wish = inputs["before"], inputs["after"], inputs["wish"]
    perfect = np.where(wish >= 0, wish, before)
    found = {}
    for name, came in (("perfect", perfect), ("lazy", before), ("", after)):
        three = np.array(solution(before, came, wish), float).ravel()
        for i, share in enumerate(SHARES):
            found[f"{name} {share}".strip()] = three[i : i + 1]
    found["order"] = found["lazy changed"] <= found["lazy kept"]
    return found


def _scores(before, after, wish):
    asked = wish >= 0
    right = after == np.where(asked, wish, before)
    return np.array([right[asked].mean(), right[~asked].mean(), right.all(axis=1).mean()])


def reference(inputs):
    before, after, wish = inputs["before"], inputs["after"], inputs["wish"]
    found = {"order": np.ones(1, bool)}
    perfect = np.where(wish >= 0, wish, before)
    for name, came in (("perfect", perfect), ("lazy", before), ("", after)):
        three = _scores(before, came, wish)
        for i, share in enumerate(SHARES):
            found[f"{name} {share}".strip()] = three[i : i + 1]
    return found


CHECKS = (
    Check(
        "perfect changed",
        "The first share should be 1 for an editor that does all that is asked and nothing else. It looks at what was "
        "asked for, at nothing else, and asks whether that is there now. (A wish may ask for what was there already.)",
        points=0,
    ),
    Check(
        "perfect kept",
        "The second share should be 1 for an editor that does all that is asked and nothing else. It leaves out what "
        "was asked for. Only -1 says that nothing is asked: value 0 is a wish like any other.",
        points=0,
    ),
    Check(
        "perfect both",
        "The third share should be 1 for an editor that does all that is asked and nothing else. What should stand "
        "there afterwards, attribute by attribute, where there is a wish and where there is none?",
        points=0,
    ),
    Check(
        "order",
        "An editor that returns each image as it was has kept more than it has done: your first share is larger than "
        "the second. The order is: as asked, kept, both.",
        points=0,
    ),
    Check(
        "lazy changed",
        "The first share is wrong for an editor that returns each image as it was. It has what was asked for only "
        "where that was there before, and such a wish counts like any other. Count among the wishes of all images "
        "together.",
    ),
    Check(
        "lazy kept",
        "The second share is wrong for an editor that returns each image as it was: it has kept all that was not asked "
        "for.",
        points=0,
    ),
    Check(
        "lazy both",
        "The third share is wrong for an editor that returns each image as it was. It is right of an image only if all "
        "that was asked for was there before: count such images; the third share does not follow from the other two.",
    ),
    Check(
        "changed",
        "The first share is wrong. It is a share of all attributes that were asked for, over all images: not a mean of "
        "each image's share.",
    ),
    Check(
        "kept",
        "The second share is wrong. It is a share of all attributes that were not asked for, over all images.",
    ),
    Check(
        "both",
        "The first two shares are right, the third is wrong. It is the share of the images in which every attribute is "
        "right: those asked for, each of them, and those not asked for.",
    ),
)

RIGHT = {
    "as written": """
def my_edit_scores(before, after, wish):
    asked = wish >= 0
    right = after == np.where(asked, wish, before)
    return right[asked].mean(), right[~asked].mean(), right.all(axis=1).mean()
""",
    "counted": """
def my_edit_scores(before, after, wish):
    changed, kept, both = [], [], 0
    for b, a, w in zip(before, after, wish):
        mine = [x == z for x, z in zip(a, w) if z >= 0]
        other = [x == y for x, y, z in zip(a, b, w) if z < 0]
        changed, kept = changed + mine, kept + other
        both += all(mine) and all(other)
    return sum(changed) / len(changed), sum(kept) / len(kept), both / len(before)
""",
}
WRONG = {
    "value 0 forgotten": """
def my_edit_scores(before, after, wish):
    asked = wish > 0
    right = after == np.where(asked, wish, before)
    return right[asked].mean(), right[~asked].mean(), right.all(axis=1).mean()
""",
    "the smaller of both": """
def my_edit_scores(before, after, wish):
    asked = wish >= 0
    right = after == np.where(asked, wish, before)
    return right[asked].mean(), right[~asked].mean(), min(right[asked].mean(), right[~asked].mean())
""",
    "two shares": """
def my_edit_scores(before, after, wish):
    asked = wish >= 0
    right = after == np.where(asked, wish, before)
    return right[asked].mean(), right[~asked].mean()
""",
    "any change counts": """
def my_edit_scores(before, after, wish):
    asked = wish >= 0
    right = after == np.where(asked, wish, before)
    return (after != before)[asked].mean(), right[~asked].mean(), right.all(axis=1).mean()
""",
    "only what had to change counts": """
def my_edit_scores(before, after, wish):
    target = np.where(wish >= 0, wish, before)
    asked = target != before
    right = after == target
    return right[asked].mean(), right[~asked].mean(), right.all(axis=1).mean()
""",
    "both is a product": """
def my_edit_scores(before, after, wish):
    asked = wish >= 0
    changed, kept = (after == wish)[asked].mean(), (after == before)[~asked].mean()
    return changed, kept, changed * kept
""",
    "another order": """
def my_edit_scores(before, after, wish):
    asked = wish >= 0
    right = after == np.where(asked, wish, before)
    return right[~asked].mean(), right[asked].mean(), right.all(axis=1).mean()
""",
    "means of each image's shares": """
def my_edit_scores(before, after, wish):
    asked = wish >= 0
    right = after == np.where(asked, wish, before)
    changed, kept = (np.mean([r[a].mean() for r, a in zip(right, m)]) for m in (asked, ~asked))
    return changed, kept, right.all(axis=1).mean()
""",
    "kept among all attributes": """
def my_edit_scores(before, after, wish):
    asked = wish >= 0
    right = after == np.where(asked, wish, before)
    return right[asked].mean(), (after == before).mean(), right.all(axis=1).mean()
""",
    "the wish alone": """
def my_edit_scores(before, after, wish):
    asked = wish >= 0
    right = after == wish
    return right[asked].mean(), 1.0, np.all(right | ~asked, axis=1).mean()
""",
    "the mean of each image's share": """
def my_edit_scores(before, after, wish):
    asked = wish >= 0
    right = after == np.where(asked, wish, before)
    changed = np.mean([r[a].mean() for r, a in zip(right, asked)])
    return changed, right[~asked].mean(), right.all(axis=1).mean()
""",
    "one wish fulfilled is enough": """
def my_edit_scores(before, after, wish):
    asked = wish >= 0
    right = after == np.where(asked, wish, before)
    both = ((right & asked).any(axis=1) & (right | asked).all(axis=1)).mean()
    return right[asked].mean(), right[~asked].mean(), both
""",
}
