"""Which images are kept for the test, where a source does not say."""

import hashlib

import numpy as np

from ganedu.runtime import UsageError

SHARE = 10  # one image in so many is for the test


def split_of(contents, labels, split, source):
    """The indices of a split where none is given: about every tenth image is for the test.

    Which ones follows from each image alone, so one that is added or taken away changes nothing for the others,
    and two equal ones are on one side. Only a class in which nobody was chosen gives the one whose number is least,
    if it has two different ones.

    Args:
        contents: sequence of N bytes, what is in each image or its file.
        labels: int array (N,), the classes.
        split: `"train"` or `"test"`.
        source: where they come from, for the message.

    Returns:
        int array, in order.

    Raises:
        UsageError: if the split is empty.
    """
    numbers = np.array([_number(content) for content in contents], "uint64")
    test = numbers % SHARE == 0
    for k in np.unique(labels):
        members = np.flatnonzero(labels == k)
        if test[members].all():  # a class needs one to learn from
            test[members] = numbers[members] != numbers[members].max()
        if not test[members].any() and len(set(numbers[members])) > 1:
            test[members] = numbers[members] == numbers[members].min()
    chosen = np.flatnonzero(test if split == "test" else ~test)
    if not len(chosen):
        raise UsageError(
            f"{source} must hold two different images of one class to have a test split. "
            f"Received: {len(labels)} in all"
        )
    return chosen


def _number(content):
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")
