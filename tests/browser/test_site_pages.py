"""The site in a browser, from files: it searches, shows its mathematics, fits a telephone, and says nothing on the
console. `GANEDU_SITE=1`, as `.ci/run` has it."""

import os
import time

import pytest
from looks import colour_scheme, pale, until

pytestmark = pytest.mark.skipif(
    not os.environ.get("GANEDU_SITE"), reason="GANEDU_SITE=1 builds the site and opens it"
)
SCHEMES = {360: "dark", 1280: "light"}  # at each width
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


@pytest.fixture
def browser(reused_browser):
    return reused_browser


@pytest.fixture(params=SCHEMES)
def screen(browser, request):
    """The browser with a window so wide, as a telephone or a laptop has it."""
    size = {"width": request.param, "height": 900, "deviceScaleFactor": 1}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {**size, "mobile": False})
    colour_scheme(browser, SCHEMES[request.param])
    return browser


def opened(browser, address):
    browser.get_log("browser")
    browser.get(address)


def complaints(browser):
    """What the console says that is worse than a remark."""
    return [x["message"] for x in browser.get_log("browser") if x["level"] == "SEVERE"]


# Names within sentences that pass the window's edge, which is what a page that hides its overflow does to long ones.
CUT_CODE = """return [...document.querySelectorAll(".bd-article :is(p, li, dd) code")]
  .filter((e) => e.checkVisibility() && !e.closest("table, pre") && e.getBoundingClientRect().right > innerWidth)
  .map((e) => e.textContent)"""
LOADED = "return performance.getEntriesByType('resource').map(r => r.name)"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_from_a_file(page, site, screen):
    opened(screen, (site / page).as_uri())
    until(screen, "return document.readyState === 'complete'")
    assert complaints(screen) == []
    assert [x for x in screen.execute_script(LOADED) if not x.startswith("file:")] == []
    wide = screen.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1], "the page is wider than the window"
    assert screen.execute_script(CUT_CODE) == []
    broken = (
        "return [...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
    )
    assert screen.execute_script(broken) == []
    assert pale(screen) == []


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


def test_a_lesson_is_saved_and_not_shown_where_the_site_is_a_folder(site, browser, tmp_path):
    """The student's copy, and the solved one."""
    page = site / "lessons" / "00_start.html"
    opened(browser, page.as_uri())
    for i, folder in enumerate(("notebooks", "notebooks/solved")):
        where = {"behavior": "allow", "downloadPath": str(tmp_path / folder)}
        browser.execute_cdp_cmd("Browser.setDownloadBehavior", where)
        browser.find_elements("css selector", ".lesson-bar a[download]")[i].click()
        saved, end = tmp_path / folder / "00_start.ipynb", time.monotonic() + 30
        while not saved.exists() and time.monotonic() < end:
            time.sleep(0.2)
        assert saved.read_bytes() == (site / folder / "00_start.ipynb").read_bytes()
    assert browser.current_url == page.as_uri()
    assert complaints(browser) == []


def test_a_solution_is_folded_until_it_is_asked_for(site, browser):
    opened(browser, (site / "lessons" / "07_dcgan.html").as_uri())
    shown = "const d = document.querySelector('.cell details'); {}return d.open"
    assert browser.execute_script(shown.format("")) is False
    assert browser.execute_script(shown.format("d.querySelector('summary').click(); ")) is True


@pytest.mark.parametrize("lesson", ["01_distributions", "07_dcgan", "19_text_to_image"])
def test_the_longest_equations_are_whole_on_a_laptop(lesson, site, browser):
    size = {"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    opened(browser, (site / "lessons" / f"{lesson}.html").as_uri())
    count = "document.querySelectorAll('div.math{}').length"
    until(browser, f"return {count.format('')} > 0")
    until(browser, f"return {count.format(' mjx-container')} === {count.format('')}")
    cut = (
        "return [...document.querySelectorAll('div.math mjx-container')]"
        ".filter((e) => e.scrollWidth > e.clientWidth).length"
    )
    assert browser.execute_script(cut) == 0


@pytest.mark.parametrize("page", ["index.html", "lessons/index.html", "zh/lessons.html"])
def test_the_list_of_lessons_is_read_on_a_telephone(page, site, browser):
    """No claim is a column of single words, and nothing is moved out of sight."""
    size = {"width": 360, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    opened(browser, (site / page).as_uri())
    cells = "[...document.querySelectorAll('.lesson-table td:nth-child(3)')]"
    widths = browser.execute_script(f"return {cells}.map((e) => e.clientWidth)")
    assert len(widths) == 27
    assert min(widths) > 200
    moved = "const e = document.querySelector('.lesson-table table'); return e.scrollWidth - e.clientWidth"
    assert browser.execute_script(moved) <= 0


PICTURE = """const c = document.querySelector("canvas"); let sum = 7;
for (const v of c.getContext("2d").getImageData(0, 0, c.width, c.height).data) sum = (sum * 31 + v) >>> 0;
return sum"""


def another(browser, seen):
    """The picture, once it is another than `seen` and no longer changes."""
    end, last = time.monotonic() + 30, seen
    while time.monotonic() < end:
        now = browser.execute_script(PICTURE)
        if now == last != seen:
            return now
        last = now
        time.sleep(0.3)
    raise AssertionError("the picture stays as it was")


@pytest.mark.parametrize(
    ("page", "width", "scheme"), [("index.html", 1280, "light"), ("zh/index.html", 360, "dark")]
)
def test_the_first_page_s_network_draws_what_one_writes(page, width, scheme, site, browser):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    colour_scheme(browser, scheme)
    opened(browser, (site / page).as_uri())
    loaded = browser.execute_script(LOADED)
    assert not any("live/" in x for x in loaded)  # before it is asked for
    button = browser.find_element("css selector", ".live a.button")
    ActionChains(browser).move_to_element(button).perform()
    assert browser.execute_script("return arguments[0].matches(':hover')", button)
    assert pale(browser) == []
    button.click()
    frame = browser.find_element("css selector", ".live iframe")
    browser.switch_to.frame(frame)
    until(browser, "return window.ganedu?.ready")
    assert ("中文" in browser.page_source or "文本" in browser.page_source) == ("zh/" in page)
    seen = another(browser, None)
    text = browser.find_element("css selector", "input[type=text]")
    text.clear()
    text.send_keys("a thin blue zero" + Keys.ENTER)
    seen = another(browser, seen)
    assert browser.find_element("tag name", "figcaption").text.count("thin") == 1
    slider = browser.find_element("css selector", "input[type=range]")
    slider.send_keys(Keys.ARROW_LEFT)
    another(browser, seen)
    wide = browser.execute_script(
        "const e = document.documentElement; return [e.scrollWidth - innerWidth, e.scrollHeight - innerHeight]"
    )
    assert max(wide) <= 0  # the frame is as high as what is in it
    paper = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") == (scheme == "light")
    browser.switch_to.default_content()
    other = "dark" if scheme == "light" else "light"
    switch = "document.querySelector(`.theme-change-button[data-mode=${arguments[0]}]`).click()"
    browser.execute_script(switch, other)
    browser.switch_to.frame(frame)
    until(browser, f"return getComputedStyle(document.body).backgroundColor !== '{paper}'")
    browser.switch_to.default_content()
    browser.execute_script(switch, "auto")
    browser.switch_to.frame(frame)
    asked = [x for x in browser.execute_script(LOADED) if not x.startswith(("data:", "blob:"))]
    assert asked == []
    browser.switch_to.default_content()
    assert [x for x in browser.execute_script(LOADED) if not x.startswith("file:")] == []
    assert complaints(browser) == []
