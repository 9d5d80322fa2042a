"""The page of questions says what its benchmark measured."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "questions.md"
RESULTS = json.loads((ROOT / "docs/pictures/questions/results.json").read_text())


@pytest.fixture(scope="module")
def questions():
    found = importlib.util.spec_from_file_location(
        "questions", ROOT / "tests/benchmarks/questions.py"
    )
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_all_questions_are_answered(questions):
    assert list(questions.QUESTIONS) == list(RESULTS)
    headings = [line for line in PAGE.read_text().splitlines() if line.startswith("## How do I")]
    assert len(headings) == len(RESULTS) == 11


@pytest.mark.parametrize("name", RESULTS)
def test_an_answer_is_what_was_measured_and_holds_under_three_seeds(name, questions):
    assert questions.block(name, RESULTS[name]) in PAGE.read_text()
    assert set(RESULTS[name]) >= {"0", "1", "2"}
    assert all(questions.QUESTIONS[name].holds(*each["numbers"]) for each in RESULTS[name].values())
    file = ROOT / f"docs/pictures/questions/{name}.png"
    assert file.stat().st_size < 45_000
    assert Image.open(file).size == (2 * (2 * 173 + 12), 2 * 173)


def test_what_holds(questions):
    asked = questions.Question(None, "", "higher", "")
    assert asked.holds(1, 2)
    assert not asked.holds(2, 2)
    asked.wish = "lower"
    assert asked.holds(2, 1)
    assert not asked.holds(1, 2)
    asked.wish = 1.0  # to be near
    assert asked.holds(2, 0.5)
    assert not asked.holds(0.9, 1.5)


def test_the_most_different_are_kept(questions):
    # From 0 the farthest is 9; from both, 4 away, 5; then 2.
    line = np.array([[0.0], [1.0], [2.0], [5.0], [9.0]])
    np.testing.assert_array_equal(questions.farthest(line, 4), [0, 4, 3, 2])
    assert questions.spacing(line) == 1  # 1, 1, 1, 3, 4
