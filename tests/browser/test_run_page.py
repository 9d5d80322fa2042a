"""A run's page under a hand, from a file: each control changes a picture, and the picture is Keras's; nothing leaves
the page, and nothing in the run gets into it. `GANEDU_BROWSER=1`, as for the lessons."""

import http.server
import os
import threading
import time

import numpy as np
import pytest
from looks import colour_scheme, cut, open_page, pale, until

pytestmark = pytest.mark.skipif(
    not os.environ.get("GANEDU_BROWSER"), reason="GANEDU_BROWSER=1 drives a browser"
)
# A model of each kind that the page knows, and what its arguments are beside those of its row.
KINDS = {
    "vae": {"latent_dim": 2},
    "cvae": {},
    "stylegan": {},
    "guided_flow_matching": {},
    "diffusion": {},
    "latent_diffusion": {},
    "text_flow": {},
    "text_gan": {},
    "editor": {},
    "pix2pix": {},
    "vqvae": {},
    "pixelcnn": {},
    "captioner": {},
    "infogan": {},
}
SIZES = {
    "editor": 0.1,
    "latent_diffusion": 0.15,
}  # of what disturbs weights: with more, these are all black or white
TEXTS = ("text_flow", "text_gan", "editor", "captioner")
# The pixels of all canvases of the first section, as one text.
SEEN = """return [...document.querySelectorAll("section")][0].querySelectorAll("canvas").length + ":" +
  [...document.querySelectorAll("section")[0].querySelectorAll("canvas")].map((c) => {
    let sum = 7;
    for (const v of c.getContext("2d").getImageData(0, 0, c.width, c.height).data) sum = (sum * 31 + v) >>> 0;
    return sum;
  }).join()"""
MOVE = """const input = arguments[0];
  input.value = input.value === input.max ? input.min : input.max;
  input.dispatchEvent(new Event("input", { bubbles: true }));"""
REAL = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 1)).astype("uint8")
CLASSES = np.arange(12) % 3  # of these
HOSTILE = "a</script><img src=x onerror='window.hit=1'><b>"


@pytest.fixture(scope="module")
def make_page(tmp_path_factory):
    """A function of a model's name that makes its page: the path, and the model."""
    from explorer_models import tiny

    from ganedu import figures
    from ganedu.explorer import contents, page

    folder, patch = tmp_path_factory.mktemp("pages"), pytest.MonkeyPatch()
    patch.setattr(contents, "diagnosis", lambda *a: {"text": HOSTILE})
    near = contents._neighbours(REAL[:4] / 127.5 - 1, REAL / 127.5 - 1, None)
    scores = [["the_name_of_a_score_that_is_wider_than_a_telephone", 0.5, 0.25]]
    told = {"left_out": [], "neighbours": near, "count": 4, "scores": scores}
    told["real"] = contents.packed_to_fit(REAL, labels=CLASSES)
    patch.setattr(contents, "quality", lambda *a: told)
    frames = [folder / f"{i:09d}.png" for i in (10, 20, 30)]
    for i, frame in enumerate(frames):
        figures.save_png(np.full((4, 8, 8, 1), i / 2 - 0.5, "float32"), frame, min_side=0)

    def make(
        name,
        data="digits",
        classes=("0", "1", "2"),
        language="en",
        history=None,
        frames=frames,
        **more,
    ):
        model = tiny(name, (8, 8, 1), size=SIZES.get(name, 0.25), **KINDS[name] | more)
        info = {"model": name.removeprefix("guided_"), "data": data, "image_size": 8, "seed": 0}
        info |= {"images": [9, 8, 8, 1], "epochs": None, "seconds": 3.0, "classes": list(classes)}
        loss = f"loss{HOSTILE}"
        history = history or [{"step": 10 * i, "seconds": i, loss: 1 / i} for i in (1, 2, 3)]
        file = folder / f"{name}-{len(data)}-{language}-{len(history)}-{len(more)}.html"
        page.explain(model, info, history, frames, file, language=language)
        return file, model

    yield make
    patch.undo()


@pytest.fixture
def browser(reused_browser):
    return reused_browser


def opened(browser, file, width=1280):
    open_page(browser, file, width)
    settled(browser)


def settled(browser, before=None, patience=15):
    """What is seen, once it no longer changes, and is another than `before`."""
    end, seen = time.monotonic() + patience, None
    while time.monotonic() < end:
        now = browser.execute_script(SEEN)
        if now == seen and now != before:
            return now
        seen = now
        time.sleep(0.15)
    return seen


def quiet(browser):
    """No error in the console."""
    return [e["message"] for e in browser.get_log("browser") if e["level"] == "SEVERE"] == []


@pytest.mark.parametrize("name", KINDS)
def test_each_control_changes_a_picture(name, browser, make_page):
    from selenium.webdriver.common.by import By

    file, _ = make_page(name, **({"data": "/nowhere"} if name in TEXTS else {}))
    opened(browser, file)
    first = browser.find_element(By.TAG_NAME, "section")
    seen = settled(browser)
    if name == "captioner":  # a white picture in the place of a black one
        board = first.find_element(By.CSS_SELECTOR, "canvas.board")
        board.click()
        assert settled(browser, seen) != seen
        words = first.find_elements(By.CSS_SELECTOR, "button.word")
        assert words
        seen = settled(browser)
        browser.execute_script("arguments[0].focus()", words[0])
        assert settled(browser, seen) != seen
    controls = first.find_elements(By.CSS_SELECTOR, "input[type=range]")
    assert controls or name in ("pixelcnn", "captioner", "pix2pix", "text_gan")
    for control in controls:
        browser.execute_script(MOVE, control)
        now = settled(browser, seen)
        assert now != seen, control.find_element(By.XPATH, "..").text
        seen = now
    for choice in first.find_elements(By.TAG_NAME, "select"):
        choice.find_elements(By.TAG_NAME, "option")[-1].click()
        now = settled(browser, seen)
        assert now != seen
        seen = now
    for button in ("another", "other_noise", "keep_a", "keep_b", "generate"):
        for found in first.find_elements(By.NAME, button)[:1]:
            found.click()
            again = button == "generate"  # as many texts ask for the same images again
            now = settled(browser, seen, patience=2 if again else 15)
            assert (now == seen) == again
            seen = now
    assert quiet(browser)
    assert browser.execute_script("return window.hit") is None


@pytest.mark.parametrize("name", ["vae", "stylegan", "guided_flow_matching", "editor"])
@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_all_of_a_page_fits_the_screen_and_can_be_read(name, width, scheme, browser, make_page):
    colour_scheme(browser, scheme)
    file, _ = make_page(name, language="zh", **({"data": "/nowhere"} if name in TEXTS else {}))
    opened(browser, file, width)
    wide = browser.execute_script("return document.documentElement.scrollWidth")
    assert wide <= width
    assert cut(browser) == []
    assert pale(browser) == []
    assert quiet(browser)


def test_the_picture_under_the_sliders_is_what_keras_makes(browser, make_page):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    file, model = make_page("vae")
    opened(browser, file)
    slider = browser.find_element(By.CSS_SELECTOR, "section input[type=range]")
    seen = settled(browser)
    slider.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)  # with the keyboard
    assert settled(browser, seen) != seen
    z, shown = browser.execute_script(
        "const c = document.querySelector('section canvas');"
        "return [[...window.ganedu.latent()], [...c.getContext('2d').getImageData(0, 0, 8, 8).data]]"
    )
    right = np.rint((model.decode(np.array([z], "float32"))[0] + 1) * 127.5)
    assert right.std() > 1
    assert np.abs(np.reshape(shown, (8, 8, 4))[..., :1] - right).max() <= 2
    assert min(browser.execute_script("return window.ganedu.milliseconds")) < 50


def test_the_nearest_real_images_stand_beside_a_sample(browser, make_page):
    file, _ = make_page("vae")
    opened(browser, file)
    sample, tiles, told = browser.execute_script(
        CANVAS + "const [all] = document.querySelectorAll('section');"
        "const figures = [...all.querySelector('.tiles').children];"
        "return [seen(all.querySelector('canvas')), figures.map((f) => seen(f.firstChild)),"
        "figures.map((f) => Number(f.textContent))]"
    )
    away = np.linalg.norm(REAL.reshape(12, 64) / 127.5 - np.array(sample) / 127.5, axis=1)
    order = np.argsort(away)[:4]
    np.testing.assert_array_equal(tiles, REAL[order].reshape(4, 64))
    np.testing.assert_allclose(told, away[order], rtol=0.01)
    text = browser.find_element("tag name", "section").text
    assert "Images searched: 12. Median distance of a real test image from its nearest" in text


CANVAS = "const seen = (c) => [...c.getContext('2d').getImageData(0, 0, 8, 8).data].filter((_, i) => i % 4 === 0);"


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("vae", ".part:has([name=keep_a])"),
        ("vae", ".part:has(canvas.map)"),
        ("guided_flow_matching", ".part:has([name=keep_a])"),
        ("pix2pix", ".part"),
    ],
)
def test_they_stand_beside_a_path_a_map_and_a_translation(name, place, browser, make_page):
    """Under each picture that is made there, its nearest of the real images by its pixels as they are shown."""
    file, _ = make_page(name)
    opened(browser, file)
    sample, tile, told = browser.execute_script(
        f"{CANVAS} const at = document.querySelector({place!r});"
        "const [near] = at.querySelectorAll('.tiles figure');"
        "const made = at.querySelector('canvas.large:not(.board)');"
        "return [seen(made), seen(near.firstChild), Number(near.textContent)]"
    )
    away = np.linalg.norm(REAL.reshape(12, 64) / 127.5 - np.array(sample) / 127.5, axis=1)
    np.testing.assert_array_equal(tile, REAL[away.argmin()].ravel())
    np.testing.assert_allclose(told, away.min(), rtol=0.01)


@pytest.mark.parametrize("name", ["cvae", "guided_flow_matching"])
def test_of_a_class_the_nearest_are_of_that_class(name, browser, make_page):
    """Beside a sample and beside a path; and it is said how many were looked at."""
    file, _ = make_page(name)
    opened(browser, file)
    before = settled(browser)
    browser.find_elements("css selector", "section select option")[2].click()
    settled(browser, before)
    of_class = REAL[CLASSES == 2].reshape(4, 64)
    for place in (
        "document.querySelector('section')",
        "document.querySelector('.part:has([name=keep_a])')",
    ):
        tiles, told = browser.execute_script(
            f"{CANVAS} const near = [...{place}.querySelectorAll('.tiles figure')].slice(0, 4);"
            "return [near.map((f) => seen(f.firstChild)), near.map((f) => Number(f.textContent))]"
        )
        assert sorted(tiles) == sorted(of_class.tolist())
        assert told == sorted(told)
    text = browser.find_element("tag name", "section").text
    assert "Nearest real training images of the class" in text
    assert (
        "Images searched: 4. Median distance of a real test image from the nearest of its class"
        in text
    )


def test_a_page_is_light_or_dark_as_the_page_around_it_says(browser, make_page, tmp_path):
    """Where it is opened, and when it changes; another frame is not heard."""
    file, _ = make_page("pix2pix")
    host = tmp_path / "host.html"
    host.write_text(f'<iframe src="{file.as_uri()}#dark"></iframe>', encoding="utf-8")
    colour_scheme(browser, "light")
    browser.get(host.as_uri())
    browser.switch_to.frame(0)
    until(browser, "return window.ganedu?.ready")
    paper = "return getComputedStyle(document.body).backgroundColor"
    assert browser.execute_script(paper) != "rgb(255, 255, 255)"
    browser.switch_to.default_content()
    tell = "frames[0].postMessage({ ganedu: 'theme', theme: arguments[0] }, '*')"
    browser.execute_script(tell, "light")
    browser.switch_to.frame(0)
    until(browser, f"{paper} === 'rgb(255, 255, 255)'")
    browser.execute_script("postMessage({ ganedu: 'theme', theme: 'dark' }, '*')")
    time.sleep(0.2)
    assert browser.execute_script(paper) == "rgb(255, 255, 255)"
    browser.switch_to.default_content()


def test_time_moves_the_film_and_the_curves(browser, make_page):
    from selenium.webdriver.common.by import By

    file, _ = make_page("vae")
    opened(browser, file)
    section = browser.find_elements(By.TAG_NAME, "section")[1]
    film, mark = (section.find_element(By.CSS_SELECTOR, s) for s in ("img.film", "line.mark"))
    before = film.get_attribute("src"), mark.get_attribute("x1")
    assert "step 30" in section.text
    browser.execute_script(MOVE, section.find_element(By.CSS_SELECTOR, "input[type=range]"))
    assert "step 10" in section.text
    after = film.get_attribute("src"), mark.get_attribute("x1")
    assert before[0] != after[0]
    assert before[1] != after[1]


def test_names_with_html_in_them_are_text(browser, make_page):
    from selenium.webdriver.common.by import By

    file, _ = make_page("cvae", data=f"/nowhere/{HOSTILE}", classes=(HOSTILE, "1", "2"))
    opened(browser, file)
    body = browser.find_element(By.TAG_NAME, "body")
    assert body.text.count(HOSTILE) >= 3
    assert browser.execute_script("return window.hit") is None
    assert not body.find_elements(By.CSS_SELECTOR, "b, img:not(.film)")
    assert quiet(browser)


def test_nothing_leaves_the_page(browser, make_page):
    """Nothing is asked for, and nothing could be: a server beside the page hears of no attempt."""
    heard = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            heard.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *a):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        file, _ = make_page("vae")
        opened(browser, file)
        asked = browser.execute_script(
            "return performance.getEntriesByType('resource').map((e) => e.name)"
        )
        assert all(name.startswith(("data:", "blob:")) for name in asked)
        address = f"http://127.0.0.1:{server.server_port}"
        refused = browser.execute_async_script(
            "const [address, done] = arguments;"
            "new Image().src = `${address}/image`;"
            "document.body.append(Object.assign(document.createElement('script'), { src: `${address}/script` }));"
            "fetch(`${address}/fetch`, { mode: 'no-cors' }).then(() => done(false), () => done(true));",
            address,
        )
        time.sleep(0.5)
        assert refused
        assert heard == []
    finally:
        server.shutdown()
        server.server_close()
    browser.get_log("browser")  # the attempts that were refused


@pytest.mark.parametrize(
    ("rows", "points"),
    [
        ([{"step": 10, "loss": 0.5}], 1),
        (
            [
                {"step": 10 * i, "loss": 0.5} | ({"score": i} if i % 3 == 0 else {})
                for i in range(1, 8)
            ],
            2,
        ),
    ],
)
def test_a_value_without_neighbours_is_a_point(rows, points, browser, make_page):
    """A run of one round, and a score that was taken every third round; and nothing is said of a film that is none."""
    file, _ = make_page("vae", history=rows, frames=[])
    opened(browser, file)
    circles = browser.find_elements("css selector", ".curve circle")
    boxes = [browser.execute_script("return arguments[0].getBBox()", c) for c in circles]
    assert len(circles) == points
    assert all(b["x"] >= -3 and b["y"] >= 0 and b["y"] + b["height"] <= 90 for b in boxes)
    section = browser.find_elements("tag name", "section")[1]
    assert "The line in the curves is this time." in section.text
    assert "Pictures over time" not in section.text
    sliders = section.find_elements("css selector", "input[type=range]")
    assert len(sliders) == (len(rows) > 1)  # one place is no slider
    assert f"step {rows[-1]['step']}" in section.text


def test_the_last_value_of_a_score_that_is_taken_seldom_is_told_with_its_step(browser, make_page):
    rows = [
        {"step": 10 * i, "loss": 0.5} | ({"score": i} if i in (3, 6) else {}) for i in range(1, 8)
    ]
    file, _ = make_page("vae", history=rows, frames=[])
    opened(browser, file)
    section = browser.find_elements("tag name", "section")[1]
    slider = section.find_element("css selector", "input[type=range]")
    told = section.find_elements("css selector", ".curve output")[1]
    for place, text in (
        (6, "6.000 (step 60)"),
        (5, "6.000"),
        (4, "3.000 (step 30)"),
        (0, "– (no value yet)"),
    ):
        set_to(browser, slider, place)
        assert told.text == text


def test_a_diagnosis_is_read_line_by_line(browser, make_page, monkeypatch):
    from ganedu.explorer import contents

    said = "one thing (1)\n  Why.\n  Try: `beta`, or `<b>`.\nanother (2), which follows from: one thing"
    monkeypatch.setattr(contents, "diagnosis", lambda *a: {"text": said})
    file, _ = make_page("vae")
    opened(browser, file)
    (part,) = (p for p in browser.find_elements("css selector", ".part") if "Diagnosis" in p.text)
    lines = part.find_elements("css selector", "p")
    assert [p.text for p in lines] == [x.strip().replace("`", "") for x in said.split("\n")]
    assert [p.get_attribute("class") for p in lines] == ["finding", "note", "note", "finding"]
    assert [c.text for c in part.find_elements("tag name", "code")] == ["beta", "<b>"]


def set_to(browser, slider, value):
    move = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input', { bubbles: true }))"
    browser.execute_script(move, slider, value)


def test_of_one_sampling_step_none_is_chosen(browser, make_page):
    file, _ = make_page("guided_flow_matching")
    opened(browser, file)
    steps, _, at = browser.find_elements("css selector", "section input[type=range]")[:3]
    assert at.is_displayed()
    seen = settled(browser)
    set_to(browser, steps, 1)
    settled(browser, seen)
    assert not at.is_displayed()
    set_to(browser, steps, 2)
    assert at.is_displayed()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_a_page_lacks_is_said_in_whole_sentences(language, browser, make_page, monkeypatch):
    """A reason that the package gives, in English, too; a Chinese page says that it is."""
    from ganedu.explorer import contents, page
    from ganedu.explorer.graph import UnknownLayer

    def unknown(model):
        raise UnknownLayer("A CLIP is not played in a page")

    monkeypatch.setattr(page, "program", unknown)
    left = {"left_out": ["There are too few", "few"]}
    monkeypatch.setattr(contents, "quality", lambda *a: left)
    monkeypatch.setattr(
        contents, "diagnosis", lambda *a: {"missing": "It takes 100 images. Received: 9"}
    )
    file, _ = make_page("vae", language=language)
    browser.get(file.as_uri())
    until(browser, "return window.ganedu?.drawn")
    text = browser.find_element("tag name", "main").text
    for why in (
        "A CLIP is not played in a page",
        "There are too few",
        "It takes 100 images. Received: 9",
    ):
        assert f"原因（英文）：{why}." in text if language == "zh" else f"{why}." in text
    assert ("原因" in text) == (language == "zh")
    monkeypatch.undo()
    file, _ = make_page("vae", data="/nowhere", language=language)
    opened(browser, file)
    trouble = browser.find_element("css selector", ".trouble").text
    assert trouble.endswith(".")
    assert "/nowhere" in trouble


LAST_SEEN = f"""{CANVAS} const all = arguments[0].querySelectorAll('canvas.large');
return seen(all[all.length - 1])"""


def test_a_reconstruction_is_of_the_chosen_class(browser, make_page):
    file, model = make_page("cvae")
    opened(browser, file)
    part = browser.find_element("css selector", ".part:has(canvas.board)")
    assert "as an image of the class chosen above" in part.text
    before = browser.execute_script(LAST_SEEN, part)
    browser.find_elements("css selector", "section select option")[2].click()
    until(
        browser,
        f"return {before} + '' !== (() => {{ {LAST_SEEN.replace('arguments[0]', 'document')} }})() + ''",
    )
    drawn = browser.execute_script(
        f"{CANVAS} return seen(arguments[0].querySelector('canvas.board'))", part
    )
    x = np.array(drawn, "float32").reshape(1, 8, 8, 1) / 127.5 - 1
    z = browser.execute_script(
        "return [...window.ganedu.model.encode(Float32Array.from(arguments[0]), 2).data]",
        x.ravel().tolist(),
    )
    right = (model.decode(np.array([z], "float32"), labels=2)[0] + 1) * 127.5
    seen = np.reshape(browser.execute_script(LAST_SEEN, part), (8, 8, 1))
    assert np.abs(seen - right).max() <= 2


def test_the_codes_of_an_infogan_are_moved(browser, make_page):
    """The category stays one-hot, and the noise stays."""
    file, model = make_page("infogan")
    opened(browser, file)
    latent = "return [...window.ganedu.latent()]"
    before = np.array(browser.execute_script(latent))
    first, count = model.noise_dim, model.num_categories
    select = browser.find_element("css selector", "section select")
    assert int(select.get_attribute("value")) == before[first : first + count].argmax()
    for i in range(count):
        select.find_elements("tag name", "option")[i].click()
        now = np.array(browser.execute_script(latent))
        np.testing.assert_array_equal(now[first : first + count], np.eye(count)[i])
        np.testing.assert_array_equal(now[:first], before[:first])
    code = browser.find_elements("css selector", "section input[type=range]")[0]
    browser.execute_script(MOVE, code)
    now = np.array(browser.execute_script(latent))
    assert now[first + count] == float(code.get_attribute("value"))
    browser.find_element("name", "another").click()
    now = np.array(browser.execute_script(latent))
    assert int(select.get_attribute("value")) == now[first : first + count].argmax()
    assert (
        abs(now[first + count] - float(code.get_attribute("value"))) <= 0.026
    )  # a step of the slider


def test_another_image_to_change_is_changed(browser, make_page):
    file, _ = make_page("editor")
    opened(browser, file)
    changed = "return (() => { {} return [...document.querySelectorAll('canvas.medium')].map(seen).join() })()"
    changed = changed.replace("{}", CANVAS)
    before = browser.execute_script(changed)
    browser.find_elements("css selector", "section select option")[1].click()
    until(browser, f"{changed} !== '{before}'")


@pytest.mark.parametrize(("text", "count"), [("a thick red three", 4), ("a", 0)])
def test_captions_are_completed_where_it_is_said(text, count, browser, make_page):
    """With a note where a picture has a caption of its own, and without one where none has."""
    file, _ = make_page("text_flow", length=20)
    opened(browser, file)
    field = browser.find_element("css selector", "input[type=text]")
    field.clear()
    field.send_keys(text + "\n")
    captions = "return [...document.querySelectorAll('.told > figcaption')].filter((c) => c.textContent).length"
    assert browser.execute_script(captions) == count
    assert ("leaves open" in browser.find_element("tag name", "section").text) == (count > 0)


def test_attention_says_of_which_word_it_is(browser, make_page):
    file, _ = make_page("captioner")
    opened(browser, file)
    assert "point at a word" in browser.find_element("css selector", "section .pair").text
    word = browser.find_elements("css selector", "button.word")[0]
    browser.execute_script("arguments[0].focus()", word)
    assert f"Attention: {word.text}" in browser.find_element("css selector", "section .pair").text
