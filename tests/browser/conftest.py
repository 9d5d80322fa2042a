"""A browser without a window: Chromium, as Debian packages it, driven by selenium."""

import contextlib
import shutil

import pytest


@contextlib.contextmanager
def started():
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in (
        "headless=new",
        "no-sandbox",
        "disable-dev-shm-usage",
        "window-size=1280,1600",
    ):
        options.add_argument(f"--{argument}")
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture
def browser():
    """A browser of each test's own: nothing is in its log or its storage of what another did."""
    with started() as driver:
        yield driver


@pytest.fixture(scope="module")
def shared_browser():
    """A browser for what a file's tests compute once and share."""
    with started() as driver:
        yield driver


@pytest.fixture
def reused_browser(shared_browser):
    """One browser for the file, since starting one takes a second: each test opens its page anew, and what an earlier
    one asked for or logged is gone."""
    shared_browser.get("about:blank")
    shared_browser.get_log("browser")
    yield shared_browser
    shared_browser.switch_to.default_content()
    shared_browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    shared_browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
