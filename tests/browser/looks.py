"""What can be measured of how a page looks: the contrast of its texts, and choices that are cut off."""

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
