"""Claims about what training did: how they are printed, and how they came out in other trainings."""

import functools
import json
import re
from pathlib import Path

NUMBERS = "    ("  # how a line of a claim's numbers begins, which nbval does not compare: `tests/nbval.cfg`
HOLDS = ": True", ": False"  # how a claim ends
OTHERS = " other trainings on built-in data: "

# By lesson, claim and name of a number, what was printed in each of the other trainings, on the data that come with
# the package: `ganedu lessons check --record`.
RECORD = Path(__file__).with_name("claims.json")


def claim(text, holds, **values):
    """Prints a claim about what training did, as `text: True` or `text: False`, and beneath it the numbers that it
    rests on. Of a lesson's claim a third line tells between which numbers trainings from other seeds ended.

    What nbval compares must be true on every machine. The lines with the numbers it does not compare.

    Args:
        text: str.
        holds: bool.
        **values: numbers, or arrays of a few, by what they are: `before=2.41, after=1.44, ideal=1`.
    """
    print(f"{text}: {bool(holds)}")
    if values:
        shown = [f"{name.replace('_', ' ')} {_short(value)}" for name, value in values.items()]
        print(f"{NUMBERS}{', '.join(shown)})")
        if others := _others(text):
            print(others)


def _short(value):
    """A number, or several, with three digits; more before the point, where it has them."""
    if hasattr(value, "__len__"):
        return " / ".join(_short(v) for v in value)
    value = float(value)
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e9 else f"{value:.3g}"


@functools.cache
def _recorded():
    """The record, by claim alone."""
    lessons = json.loads(RECORD.read_text(encoding="utf-8"))
    return {text: numbers for claims in lessons.values() for text, numbers in claims.items()}


def _others(text):
    """A claim's line on other trainings: the least and the greatest of each number, of several each by itself. A name
    whose numbers are always the same, as an ideal's are, is left out; so is the line, if nothing stays."""
    trainings, ranges = _recorded().get(text, {}), []
    for name, shown in trainings.items():
        columns = zip(*(numbers.split(" / ") for numbers in shown), strict=True)
        ends = [sorted({_number(n): n for n in column}.items()) for column in columns]
        if any(len(column) > 1 for column in ends):
            pairs = [dict.fromkeys([column[0][1], column[-1][1]]) for column in ends]
            ranges.append(f"{name} {' / '.join(' to '.join(pair) for pair in pairs)}")
    count = max(map(len, trainings.values()), default=0)
    return f"{NUMBERS}{count}{OTHERS}{', '.join(ranges)})" if ranges else ""


def _number(shown):
    return float(shown.replace(",", ""))


def told(printed):
    """The claims in what a cell printed.

    Args:
        printed: str.

    Returns:
        Dict: by a claim's text `(holds, numbers)`, a bool and a dict of str (as `"0.3 / 0.5"`) by name.
    """
    found, lines = {}, printed.splitlines()
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if line.endswith(HOLDS):
            text, holds = line.rsplit(": ", 1)
            found[text] = holds == "True", _numbers(below)
    return found


def _numbers(line):
    """`    (before 2, after 0.3 / 0.5)` as a dict."""
    if not line.startswith(NUMBERS):
        return {}
    number = r"-?(?:[\d.,]+(?:e[+-]\d+)?|inf|nan)"
    parts = line[len(NUMBERS) : -1].split(", ")
    return dict(re.fullmatch(rf"(.+?) ({number}(?: / {number})*)", p).groups() for p in parts)


def record(lesson, trainings):
    """Notes how a lesson's claims came out in other trainings, in place of what was noted of it before.

    Args:
        lesson: str, its name.
        trainings: list, one item a training: a dict as `told` returns.
    """
    lessons = json.loads(RECORD.read_text(encoding="utf-8"))
    lessons[lesson] = {
        text: {name: [training[text][1][name] for training in trainings] for name in numbers}
        for text, (_, numbers) in trainings[0].items()
        if numbers
    }
    # A line a claim, so that one sees what changed.
    sections = []
    for name, claims in sorted(lessons.items()):
        lines = (f"  {json.dumps(text)}: {json.dumps(numbers)}" for text, numbers in claims.items())
        sections.append(f"{json.dumps(name)}: {{\n" + ",\n".join(lines) + "\n}")
    RECORD.write_text("{\n" + ",\n".join(sections) + "\n}\n", encoding="utf-8")
    _recorded.cache_clear()


def compared(printed):
    """What is printed but for the lines of claims' numbers."""
    return "".join(t for t in printed.splitlines(keepends=True) if not t.startswith(NUMBERS))


def with_others(printed):
    """What a cell printed, with the lines on other trainings as they are noted now.

    Args:
        printed: str.

    Returns:
        Str.
    """
    lines = []
    for line in printed.splitlines(keepends=True):
        if line.startswith(NUMBERS) and OTHERS in line:
            continue  # it is made anew
        claimed = lines and line.startswith(NUMBERS) and lines[-1].rstrip("\n").endswith(HOLDS)
        others = _others(lines[-1].rsplit(": ", 1)[0]) if claimed else ""
        lines += [line, f"{others}\n"] if others else [line]
    return "".join(lines)
