"""A browser without a window: Chromium, as Debian packages it, driven by selenium."""

import shutil

import pytest


@pytest.fixture
def browser():
    """A browser of each test's own: nothing is in its log or its storage of what another did."""
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
    yield driver
    driver.quit()
