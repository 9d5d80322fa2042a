"""The lessons' controls, in JupyterLab, under a hand. `GANEDU_BROWSER=1` takes a notebook with a control of each kind
and the first lesson, as `.ci/run` does; `GANEDU_BROWSER=all` takes every lesson that has controls, some minutes."""

import os
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest

from ganedu.course import copies, lessons

pytestmark = pytest.mark.skipif(
    not os.environ.get("GANEDU_BROWSER"), reason="GANEDU_BROWSER=1 drives a browser"
)
PATIENCE = 180  # s, for a lesson in the profile `smoke`


def with_sliders():
    wanted = lessons.names() if os.environ.get("GANEDU_BROWSER") == "all" else lessons.names()[:1]
    return [n for n in wanted if "sliders(" in lessons.path(n).read_text(encoding="utf-8")]


def all_controls():
    """A notebook with a control of each kind."""
    source = [
        "from ganedu import runtime\nbackend = runtime.setup(seed=0)",
        "import numpy as np\nfrom ganedu import figures\nfrom ganedu.course.sliders import sliders\n"
        "def picture(level, steps, which, text):\n"
        "    image = np.full((steps, 8, 8, 1), level)\n"
        "    return figures.grid(image, title=which + text)",
        "sliders(picture, level=(-1.0, 1.0, 0.0), steps=(1, 6, 3), which=['a', 'b'], text='c')",
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [nbformat.v4.new_code_cell(s) for s in source]
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a JupyterLab that has the lessons, whose kernels train in the profile `smoke`."""
    folder = tmp_path_factory.mktemp("lab")
    copies.copy(folder / "lessons", solved=True)
    for name in with_sliders():  # as a student gets it: nothing is stored
        file = folder / "lessons" / f"{name}.ipynb"
        notebook = nbformat.read(file, as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        nbformat.write(notebook, file)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    nbformat.write(all_controls(), folder / "lessons" / "controls.ipynb")
    settings = folder / "settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    # Else cells that are out of sight are not there.
    (settings / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}')
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [
        f"--port={port}",
        "--IdentityProvider.token=",
        f"--ServerApp.root_dir={folder / 'lessons'}",
    ]
    server = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={
            **os.environ,
            "GANEDU_PROFILE": "smoke",
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        },
    )
    address = f"http://127.0.0.1:{port}"
    try:
        until(lambda: _answers(address), 60)
        yield address
    finally:
        server.terminate()
        server.wait(20)


def _answers(address):
    try:
        return urllib.request.urlopen(f"{address}/api/status", timeout=5).status == 200
    except OSError:
        return False


def until(holds, patience):
    """Waits until something holds, and returns it.

    Raises:
        AssertionError: if it does not within so many seconds.
    """
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if found := holds():
            return found
        time.sleep(0.5)
    raise AssertionError(f"not within {patience} s")


PICTURES = "return [...document.querySelectorAll('.jupyter-widgets img')].map(i => i.src)"
CONTROLS = (
    ".jupyter-widgets .noUi-handle, .jupyter-widgets select, .jupyter-widgets input[type=text]"
)


def opened_and_run(browser, address, name):
    """Opens a notebook, runs all its cells by the menu, and waits for its pictures."""
    from selenium.webdriver.common.by import By

    browser.get(f"{address}/lab/workspaces/{name}/tree/{name}.ipynb?reset")

    def shown(selector, text=""):
        found = browser.find_elements(By.CSS_SELECTOR, selector)
        return next((e for e in found if text in e.text), None)

    until(lambda: shown("#jp-main-statusbar", "Idle"), 60)
    until(lambda: shown(".lm-MenuBar-itemLabel", "Run"), 60).click()
    until(lambda: shown("[data-command='runmenu:run-all']"), 20).click()
    until(lambda: browser.execute_script(PICTURES), PATIENCE)
    until(lambda: shown("#jp-main-statusbar", "Idle"), PATIENCE)


def moved(browser, control):
    """Moves a control by the keyboard, and says whether a picture changed."""
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.select import Select

    before = browser.execute_script(PICTURES)
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", control)
    if control.tag_name == "input":
        control.send_keys(" seven" + Keys.ENTER)
    elif control.tag_name == "select":
        Select(control).select_by_index(1)
    else:
        control.send_keys(Keys.ARROW_LEFT * 2 + Keys.ARROW_RIGHT * 5)
    return until(lambda: browser.execute_script(PICTURES) != before, 30)


@pytest.mark.parametrize("name", ["controls", *with_sliders()])
def test_each_control_changes_its_picture(name, lab, browser, tmp_path):
    from selenium.webdriver.common.by import By

    try:
        opened_and_run(browser, lab, name)
        controls = browser.find_elements(By.CSS_SELECTOR, CONTROLS)
        assert len(controls) >= (4 if name == "controls" else 1)
        for control in controls:
            assert moved(browser, control)
    finally:
        browser.save_screenshot(str(tmp_path / f"{name}.png"))
