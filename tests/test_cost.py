"""The cost of a run on paper, as docs/scaling.md has it, beside what docs/performance.md measured."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
BASE = {"side": 32, "channels": 1, "width": 32, "batch": 32, "images": 10_000}


def step_flop(batch, g, d):
    """FLOP of a step of `dcgan`, whose networks have g and d multiply-adds an image."""
    return 2 * batch * (4 * g + 8 * d)


def memory(point, parameters):
    """MiB of a process, above what it holds before it has images and a model."""
    images = point["images"] * point["channels"] * point["side"] ** 2
    activations = 0.425 * point["batch"] * (point["side"] / 32) ** 2 * point["width"] / 32
    return 78 + (28 * parameters + images) / 2**20 + activations


def measured():
    """Of each row of the table: the point, ms, MiB, multiply-adds of G and of D, parameters."""
    page = (DOCS / "performance.md").read_text()
    for line in page[page.index("| all as it is |") :].split("\n\n")[0].splitlines():
        name, ms, _, mib, forward, parameters = (c.strip() for c in line.strip("|").split("|"))
        changed = re.fullmatch(r"(\w+) ([\d,]+)", name)
        point = {**BASE, **({changed[1]: number(changed[2])} if changed else {})}
        g, d = (1e6 * float(f) for f in re.findall(r"([\d.]+) M", forward))
        yield point, float(ms), number(mib.split()[0]), g, d, number(parameters)


def number(text):
    return int(text.replace(",", ""))


ROWS = list(measured())


def test_the_table_is_read_whole():
    assert len(ROWS) == 13


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(map(str, row[0].values())))
def test_memory_is_what_was_measured(row):
    point, _, mib, *_, parameters = row
    assert memory(point, parameters) == pytest.approx(mib, rel=0.17)


@pytest.mark.parametrize(
    "row",
    [row for row in ROWS if step_flop(row[0]["batch"], *row[3:5]) > 1e10],
    ids=lambda row: "-".join(map(str, row[0].values())),
)
def test_the_time_of_a_large_step_is_what_was_measured(row):
    point, ms, _, g, d, _ = row
    assert 1e3 * step_flop(point["batch"], g, d) / 260e9 == pytest.approx(ms, rel=0.25)


def test_the_page_has_this_formula():
    page = (DOCS / "scaling.md").read_text()
    assert "= 2 B (4 F_G + 8 F_D)" in page
    assert "= 78 + (28 P + N c s^2) / 2^20 + 0.425 B (s / 32)^2 (w / 32)" in page
