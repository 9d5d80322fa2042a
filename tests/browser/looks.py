"""What tests of pages share: opening a file, waiting for it, and what can be measured of how it looks: the contrast of
its texts, and choices that are cut off."""

import time
from pathlib import Path

PALE = Path(__file__).with_name("pale.js").read_text(encoding="utf-8")


# Choices that are too narrow for one of their options.
CUT = """return [...document.querySelectorAll("select")].filter((e) => e.checkVisibility()).filter((e) => {
  const all = e.cloneNode(true);
  Object.assign(all.style, { width: "max-content", maxWidth: "none", minWidth: 0, position: "absolute" });
  e.parentElement.append(all);
  const wanted = all.offsetWidth;
  all.remove();
  return e.offsetWidth < wanted;
}).map((e) => e.textContent)"""


def until(browser, script, patience=30):
    """Waits until a script returns something, and returns it."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if found := browser.execute_script(script):
            return found
        time.sleep(0.2)
    raise AssertionError(f"not within {patience} s: {script}")


def open_page(browser, file, width=1280):
    """Opens a page that ganedu wrote, in a window or on a telephone, and waits until it says that it is ready."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(file.as_uri())
    until(browser, "return window.ganedu && window.ganedu.ready", patience=60)


def colour_scheme(browser, name):
    """Opens what follows as a system that is `"light"` or `"dark"` would."""
    media = {"features": [{"name": "prefers-color-scheme", "value": name}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)


def pale(browser):
    """Texts that have too little contrast: a list of `[contrast, text]`."""
    return browser.execute_script(PALE)


def cut(browser):
    """Choices that show less than their longest option: a list of str."""
    return browser.execute_script(CUT)
