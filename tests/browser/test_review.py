"""A teacher's page of written answers, from a file, with the keyboard. `GANEDU_BROWSER=1`, as for the lessons."""

import os
import time
import urllib.parse

import nbformat
import pytest

from ganedu.course import copies, lessons

pytestmark = [
    pytest.mark.skipif(
        not os.environ.get("GANEDU_BROWSER"), reason="GANEDU_BROWSER=1 drives a browser"
    ),
    pytest.mark.filterwarnings("ignore"),  # nbgrader and its database warn of themselves
]


@pytest.fixture
def page(tmp_path):
    pytest.importorskip("nbgrader", reason="needs ganedu[classroom]")
    from ganedu.course.classroom import collecting, folder, pages

    roster = tmp_path / "students.csv"
    roster.write_text("id,first_name,last_name,email\nada,A,B,c\nbo,D,E,f\n")
    course = folder.create(tmp_path / "course", ["00"], roster)
    for student in course.students:
        notebook = copies.unsolved(nbformat.read(lessons.path("00"), as_version=4))
        for cell in notebook.cells:
            if cell.metadata.get("nbgrader", {}).get("grade_id") == "predict":
                cell.source = f"<b onclick='document.title=1'>{student}</b> says <script>document.title = 2</script>"
        file = tmp_path / "in" / student / "00_start.ipynb"
        file.parent.mkdir(parents=True)
        file.write_text(nbformat.writes(notebook), encoding="utf-8")
    collecting.collect(course, "00", tmp_path / "in")
    return next(f for f in pages.review(course, "00") if f.stem == "predict")


def test_marks_are_given_with_the_keyboard_and_saved(browser, page):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    browser.get(page.as_uri())
    body = browser.find_element(By.TAG_NAME, "body")
    assert "0 of 2 marked" in body.text
    assert "<script>document.title = 2</script>" in body.text  # as text
    for key in ("j", "1", "j", "2"):
        browser.switch_to.active_element.send_keys(key)
    values = [e.get_attribute("value") for e in browser.find_elements(By.TAG_NAME, "input")]
    assert values == ["0.5", "1"]
    assert "2 of 2 marked" in body.text
    browser.switch_to.active_element.send_keys("c")
    browser.switch_to.active_element.send_keys('k, "why"?' + Keys.ENTER + "Say 1" + Keys.ESCAPE)
    assert browser.switch_to.active_element.tag_name == "article"
    browser.execute_script(
        "HTMLAnchorElement.prototype.click = function () { window.saved = this.href; };"
    )
    browser.find_element(By.ID, "save").click()
    saved = urllib.parse.unquote(browser.execute_script("return window.saved").partition(",")[2])
    assert saved == (
        'student,question,points,comment\nada,predict,0.5,\nbo,predict,1,"k, ""why""?\nSay 1"\n'
    )
    assert browser.title.endswith("00_start, predict")
    for _ in range(20):  # a browser stores in its own time
        time.sleep(0.2)
        browser.refresh()  # marks that were not saved yet are there again
        values = [e.get_attribute("value") for e in browser.find_elements(By.TAG_NAME, "input")]
        if all(values):
            break
    assert values == ["0.5", "1"]
    comments = [e.get_attribute("value") for e in browser.find_elements(By.TAG_NAME, "textarea")]
    assert comments == ["", 'k, "why"?\nSay 1']
    assert [e for e in browser.get_log("browser") if e["level"] == "SEVERE"] == []
