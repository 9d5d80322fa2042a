"""Claims: what is printed, what is noted of other trainings, and that the lessons show it."""

import configparser
import json
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from ganedu.course import claims, lessons


@pytest.fixture
def noted(tmp_path, monkeypatch):
    """A record of its own, and how to write it: `noted({claim: {name: [numbers of each training]}})`."""
    monkeypatch.setattr(claims, "RECORD", tmp_path / "claims.json")

    def write(of_lesson):
        claims.RECORD.write_text(json.dumps({"any": of_lesson}))
        claims._recorded.cache_clear()

    write({})
    yield write
    claims._recorded.cache_clear()


def stored(name):
    """What each cell of a lesson prints, as it is stored."""
    cells = nbformat.read(lessons.path(name), as_version=4).cells
    outputs = [o for c in cells for o in c.get("outputs", [])]
    return [o.text for o in outputs if o.output_type == "stream"]


def nbval_sees(printed):
    config = configparser.RawConfigParser()
    config.read(Path(__file__).with_name("nbval.cfg"))
    return re.sub(config["numbers"]["regex"], config["numbers"]["replace"], printed)


def test_a_claim_shows_its_numbers_and_nbval_does_not_compare_them(capsys, noted):
    told = []
    for after in ([1, 0.25], np.array([3.0, 71_234.5])):
        claims.claim("the distance fell", True, before=2.4123, after=after, the_best=1)
        told.append(capsys.readouterr().out)
    assert told[0] == "the distance fell: True\n    (before 2.41, after 1 / 0.25, the best 1)\n"
    assert "after 3 / 71,234, " in told[1]
    assert nbval_sees(told[0]) == nbval_sees(told[1]) == "the distance fell: True\n(numbers)\n"
    claims.claim("the distance fell", False)
    assert capsys.readouterr().out == "the distance fell: False\n"


def test_it_tells_between_which_numbers_other_trainings_ended(capsys, noted):
    told = {
        "before": ["2.4", "2.9", "-0.5"],
        "after": ["1 / 9 / 1e-05", "3 / 9 / 0.2", "2 / 9 / 0.1"],
        "bits": ["71,234", "999", "inf"],
        "ideal": ["1", "1", "1"],
    }
    noted({"the distance fell": told, "all the same": {"after": ["1", "1"]}})
    claims.claim("the distance fell", True, before=2)
    assert capsys.readouterr().out.splitlines()[2] == (
        "    (3 other trainings on built-in data: before -0.5 to 2.9, after 1 to 3 / 9 / 1e-05 to 0.2, bits 999 to inf)"
    )
    claims.claim("all the same", True, after=1)
    claims.claim("nobody noted this one", True, after=1)
    claims.claim("the distance fell", True)
    assert "other trainings" not in capsys.readouterr().out


def test_what_a_lesson_printed_is_read_and_noted(noted):
    printed = [
        f"epoch 1\nit fell: True\n    (at 2 1.5, D (of G) {after:,} / -1e-05)\nno number: False\n"
        for after in (3.25, 1234, np.nan)
    ]
    assert claims.told(printed[0]) == {
        "it fell": (True, {"at 2": "1.5", "D (of G)": "3.25 / -1e-05"}),
        "no number": (False, {}),
    }
    noted({"gone": {"x": ["1"]}})
    claims.record("other", [claims.told(p) for p in printed])
    claims.record("any", [claims.told(p) for p in printed[:2]])
    numbers = {"at 2": ["1.5"] * 2, "D (of G)": ["3.25 / -1e-05", "1,234 / -1e-05"]}
    record = json.loads(claims.RECORD.read_text())
    assert record["any"] == {"it fell": numbers}
    assert record["other"]["it fell"]["D (of G)"][2] == "nan / -1e-05"


def test_lines_on_other_trainings_come_into_what_was_printed_and_go(noted):
    noted({"the distance fell": {"after": ["1 / 2", "2 / 2"]}})
    printed = "a line\nthe distance fell: True\n    (before 2, after 1 / 0.25)\n    (a note)\nno number: True\n"
    full = claims.with_others(printed)
    line = "    (2 other trainings on built-in data: after 1 to 2 / 2)"
    assert full.splitlines() == [*printed.splitlines()[:3], line, *printed.splitlines()[3:]]
    assert claims.with_others(full) == full
    assert claims.compared(full) == claims.compared(printed)
    noted({})
    assert claims.with_others(full) == printed


def test_of_a_claim_that_turns_out_otherwise_one_sees_the_numbers():
    stored = "first: True\n    (before 1, after 2)\nsecond: True\n    (share 0.9)\nthird: True\n"
    got = "first: True\n    (before 2, after 3)\nsecond: False\n    (share 0.4)\nthird: False\n"
    assert lessons._differences(stored, stored.replace("after 2", "after 5")) == []
    assert lessons._differences(stored, got) == ["second: False (share 0.4)", "third: False"]
    (line,) = lessons._differences("a: True\n", "a: False\nb: True\n")
    assert "in the place of" in line


LESSON = """
from ganedu import data, runtime
from ganedu.course import claim
runtime.setup(seed=0)
"""


def test_other_trainings_are_run_on_built_in_data_and_noted(tmp_path, monkeypatch, noted):
    monkeypatch.setenv("GANEDU_DATA", str(tmp_path))
    monkeypatch.setenv("GANEDU_PROFILE", "full")
    black, labels = np.zeros((3, 28, 28), "uint8"), np.zeros(3, "uint8")
    images = {"x_train": black, "y_train": labels, "x_test": black, "y_test": labels}
    np.savez(tmp_path / "mnist.npz", **images)
    says = (
        "images = data.load('mnist', fallback='digits')\n"
        "from ganedu import latent\n"
        "number = latent.sample_prior(1, 1)[0, 0]\n"
        "claim('it ran', images.name == 'digits' and runtime.profile() == 'quick', number=number)"
    )
    output = new_output("stream", text="it ran: True\n    (number 7)\n")
    cells = [new_code_cell(LESSON), new_code_cell(says, outputs=[output])]
    monkeypatch.setattr(lessons, "path", lambda name: tmp_path / "lesson.ipynb")
    nbformat.write(new_notebook(cells=cells), tmp_path / "lesson.ipynb")
    assert lessons.check("any", seeds=2, record=True) == []
    numbers = json.loads(claims.RECORD.read_text())["lesson"]["it ran"]["number"]
    assert len(set(numbers)) == 2
    shown = nbformat.read(tmp_path / "lesson.ipynb", as_version=4).cells[1].outputs[0].text
    assert shown.startswith(
        "it ran: True\n    (number 7)\n    (2 other trainings on built-in data: "
    )


def test_nothing_is_noted_of_a_lesson_whose_claims_come_out_otherwise(tmp_path, monkeypatch, noted):
    ran = new_notebook(cells=[new_code_cell("", outputs=[new_output("stream", text="a: False\n")])])
    stored = new_notebook(
        cells=[new_code_cell("", outputs=[new_output("stream", text="a: True\n")])]
    )
    monkeypatch.setattr(lessons, "path", lambda name: tmp_path / "lesson.ipynb")
    monkeypatch.setattr(lessons, "execute", lambda name, setup, save: ran)
    nbformat.write(stored, tmp_path / "lesson.ipynb")
    before = claims.RECORD.read_text(), (tmp_path / "lesson.ipynb").read_text()
    assert lessons.check("any", seeds=1, record=True) == ["seed 1: a: False"]
    assert before == (claims.RECORD.read_text(), (tmp_path / "lesson.ipynb").read_text())


@pytest.mark.parametrize("name", lessons.names())
def test_a_lesson_shows_what_is_noted_of_its_claims(name):
    """If not: `ganedu lessons check NAME --seeds 4 --record`."""
    printed = stored(name)
    record = json.loads(claims.RECORD.read_text(encoding="utf-8"))[name]
    made = {text: numbers for text, (_, numbers) in claims.told("".join(printed)).items()}
    assert {text: list(numbers) for text, numbers in record.items()} == {
        text: list(numbers) for text, numbers in made.items() if numbers
    }
    assert {len(shown) for numbers in record.values() for shown in numbers.values()} == {4}
    assert [claims.with_others(p) for p in printed] == printed


def test_no_two_claims_are_worded_alike():
    """For what is noted of other trainings goes by a claim's words."""
    printed = "".join(text for name in lessons.names() for text in stored(name))
    made = sorted(line for line in printed.splitlines() if line.endswith(claims.HOLDS))
    assert sorted(set(made)) == made
