"""The site in a browser, from files: it searches, shows its mathematics, fits a telephone, and says nothing on the
console. `GANEDU_SITE=1`, as `.ci/run` has it."""

import os
import time

import pytest

pytestmark = pytest.mark.skipif(
    not os.environ.get("GANEDU_SITE"), reason="GANEDU_SITE=1 builds the site and opens it"
)
WIDTHS = (360, 1280)
PAGES = (
    "index.html",
    "lessons/index.html",
    "lessons/00_start.html",
    "annotated/wgan_gp.html",
    "annotated/index.html",
    "gallery/index.html",
    "api/ganedu/models/wgan_gp/index.html",
    "models.html",
    "bibliography.html",
    "zh/index.html",
    "zh/lessons/00_start.html",
    "zh/glossary.html",
)


@pytest.fixture(params=WIDTHS)
def screen(browser, request):
    """The browser with a window so wide, as a telephone or a laptop has it."""
    size = {"width": request.param, "height": 900, "deviceScaleFactor": 1}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {**size, "mobile": False})
    yield browser
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def opened(browser, address):
    browser.get_log("browser")
    browser.get(address)


def complaints(browser):
    """What the console says that is worse than a remark."""
    return [x["message"] for x in browser.get_log("browser") if x["level"] == "SEVERE"]


def until(browser, script, patience=30):
    """Waits until a script returns something, and returns it."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if found := browser.execute_script(script):
            return found
        time.sleep(0.2)
    raise AssertionError(f"not within {patience} s: {script}")


LOADED = "return performance.getEntriesByType('resource').map(r => r.name)"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_from_a_file(page, site, screen):
    opened(screen, (site / page).as_uri())
    until(screen, "return document.readyState === 'complete'")
    assert complaints(screen) == []
    assert [x for x in screen.execute_script(LOADED) if not x.startswith("file:")] == []
    wide = screen.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1], "the page is wider than the window"
    broken = (
        "return [...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
    )
    assert screen.execute_script(broken) == []


def test_every_equation_of_every_model_is_typeset(site, browser):
    for file in sorted((site / "annotated").glob("*.html")):
        opened(browser, file.as_uri())
        count = browser.execute_script("return document.querySelectorAll('.math').length")
        assert count or file.stem in ("dcgan", "index")
        shown = "return document.querySelectorAll('.math mjx-container').length"
        until(browser, f"{shown} >= {count} || {count} === 0")
        assert browser.execute_script("return document.querySelectorAll('mjx-merror').length") == 0


@pytest.mark.parametrize(
    ("word", "page"),
    [
        ("reparametrization", "annotated/vae"),
        ("spectral", "annotated/sngan"),
        ("潜变量", "zh/glossary"),
    ],
)
def test_a_word_is_searched_and_found(word, page, site, screen):
    """By the field that one types into, as on a page."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    opened(screen, (site / "search.html").as_uri())
    field = next(
        e for e in screen.find_elements(By.CSS_SELECTOR, "input[name=q]") if e.is_displayed()
    )
    field.send_keys(word + Keys.ENTER)
    links = "return [...document.querySelectorAll('#search-results li a')].map(a => a.href)"
    until(screen, f"{links.replace('return ', 'return (')}).some(h => h.includes('{page}.html'))")
    assert complaints(screen) == []


def test_a_word_that_is_nowhere_is_not_found(site, browser):
    opened(browser, f"{(site / 'search.html').as_uri()}?q=xylophone")
    until(browser, "return document.querySelector('#search-results p, .search-summary')?.innerText")
    assert (
        browser.execute_script("return document.querySelectorAll('#search-results li').length") == 0
    )


def test_a_solution_is_folded_until_it_is_asked_for(site, browser):
    opened(browser, (site / "lessons" / "07_dcgan.html").as_uri())
    shown = "const d = document.querySelector('.cell details'); {}return d.open"
    assert browser.execute_script(shown.format("")) is False
    assert browser.execute_script(shown.format("d.querySelector('summary').click(); ")) is True
