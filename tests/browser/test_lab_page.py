"""The pages that train in the plane: their first steps are the package's; they train, collapse and are moved by hand.
`GANEDU_BROWSER=1`, as for the lessons."""

import json
import os
import time
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers, ops
from looks import colour_scheme, cut, open_page, pale, until

from ganedu import models, samplers
from ganedu.engine import FusedAdam
from ganedu.explorer import document, lab
from ganedu.layers.time import SinusoidalEmbedding
from ganedu.metrics import grid

pytestmark = pytest.mark.skipif(
    not os.environ.get("GANEDU_BROWSER"), reason="GANEDU_BROWSER=1 drives a browser"
)
GANS = {"gan": {}, "lsgan": {}, "wgan": {"clip": 0.1}, "wgan_gp": {"penalty_weight": 3.0}}
FLOWS = {"flow_matching": "velocity", "diffusion": "noise"}
SHAPE, BATCH, STEPS, WIDTH = (1, 2, 1), 16, 3, 8
RATE = 0.02  # so that a step moves the weights by more than is allowed to differ


def dense(inputs, outputs, activation, count=2):
    """The lab's network on an input that is flat already."""
    x = inputs
    for _ in range(count):
        x = layers.Activation(activation)(layers.Dense(WIDTH)(x))
    return layers.Dense(outputs)(x)


def players():
    z = keras.Input((2,))
    x = keras.Input(SHAPE)
    generator = keras.Model(z, layers.Reshape(SHAPE)(dense(z, 2, "leaky_relu")))
    return generator, keras.Model(x, dense(layers.Flatten()(x), 1, "leaky_relu"))


def denoiser():
    x, t = keras.Input(SHAPE), keras.Input(())
    joined = layers.Concatenate()([layers.Flatten()(x), SinusoidalEmbedding(16, 8.0)(t)])
    return keras.Model([x, t], layers.Reshape(SHAPE)(dense(joined, 2, "silu", 3)))


def disturbed(network, rng):
    network.set_weights([rng.normal(0, 0.5, w.shape) for w in network.get_weights()])
    return network


def weights(network):
    return [w.ravel().tolist() for w in network.get_weights()]


def points(images):
    return np.reshape(images, -1).tolist()


def gan_case(name, rng, monkeypatch):
    """What the page is given of a GAN, the players' weights after each step of the package's, and its first losses."""
    generator, discriminator = (disturbed(n, rng) for n in players())
    module = getattr(models, name)
    kind = {"gan": "GAN", "lsgan": "LSGAN", "wgan": "WGAN", "wgan_gp": "WGANGP"}[name]
    critic = {"critic_steps": 2} if "wgan" in name else {}
    model = getattr(module, kind)(generator, discriminator, **critic, **GANS[name])
    paper = models.build(name, (8, 8, 1), latent_dim=2, width=4).d_optimizer
    config = paper.get_config() | {"learning_rate": RATE}
    model.compile(
        d_optimizer=type(paper).from_config(config), g_optimizer=type(paper).from_config(config)
    )
    repeats = critic.get("critic_steps", 1)
    x = rng.normal(0, 1, (STEPS, repeats * BATCH, *SHAPE)).astype("float32")
    z = rng.normal(0, 1, (STEPS, repeats + 1, BATCH, 2)).astype("float32")
    epsilon = rng.uniform(0, 1, (STEPS, repeats, BATCH)).astype("float32")
    given = {"generator": weights(generator), "discriminator": weights(discriminator)}
    latents, shares = iter(z.reshape(-1, BATCH, 2)), iter(epsilon.reshape(-1, BATCH, 1, 1, 1))
    monkeypatch.setattr(
        model, "sample_prior", lambda count: ops.convert_to_tensor(next(latents)), raising=True
    )
    drawn = lambda shape, seed: ops.convert_to_tensor(next(shares))  # noqa: E731
    monkeypatch.setattr("ganedu.devices.replicas.uniform", drawn)
    after, losses = [], None  # the losses of the first step
    for batch in x:
        logs = model.train_step(ops.convert_to_tensor(batch))
        losses = losses or [float(logs["d_loss"]), float(logs["g_loss"])]
        after.append([*weights(generator), *weights(discriminator)])
    given |= {
        "kind": "gan",
        "name": name,
        "rate": RATE,
        "options": {"clip": 0.1, "penaltyWeight": 3.0},
        "units": [[2, WIDTH, WIDTH, 2], [2, WIDTH, WIDTH, 1]],
        "x": [[points(part) for part in np.split(batch, repeats)] for batch in x],
        "z": [[points(part) for part in step] for step in z],
        "epsilon": [[points(part) for part in step] for step in epsilon],
    }
    return given, after, losses


def flow_case(name, rng, monkeypatch):
    """What the page is given of a flow or of diffusion, its weights after each step of the package, the first loss,
    their moving average, and where ten sampling steps lead."""
    network = disturbed(denoiser(), rng)
    kind = {"flow_matching": "FlowMatching", "diffusion": "Diffusion"}[name]
    module = getattr(models, name)
    model = getattr(module, kind)(network, prediction=FLOWS[name], ema_momentum=0.99)
    model.compile_with(FusedAdam, RATE)
    x, noise = rng.normal(0, 1, (2, STEPS, BATCH, *SHAPE)).astype("float32")
    u = rng.uniform(0, 1, (STEPS, BATCH)).astype("float32")
    given = {"network": weights(network)}
    noises, times = iter(noise), iter(u)
    monkeypatch.setattr(model, "normal_like", lambda x: ops.convert_to_tensor(next(noises)))
    monkeypatch.setattr(model, "uniform_times", lambda x: ops.convert_to_tensor(next(times)))
    after, losses = [], None  # the losses of the first step
    for batch in x:
        logs = model.train_step(ops.convert_to_tensor(batch))
        losses = losses or [float(logs["loss"])]
        after.append(weights(network))
    start = noise[0]
    if name == "diffusion":
        end = model.sample_from(start, 10, "ddim")
    else:

        def velocity(x, t):
            return model.predict_output(x, t)

        end = samplers.euler(velocity, start.astype("float64"), 10)
    given |= {"kind": "flow", "name": name, "rate": RATE, "hidden": [WIDTH] * 3}
    given |= {"x": [points(b) for b in x], "noise": [points(b) for b in noise], "u": u.tolist()}
    return given, after, losses, weights(model.ema_network), np.reshape(end, -1)


# What the page makes of a case.
HARNESS = (Path(__file__).parent / "first_steps.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def cases():
    """Each case's data for the page, and what the package made of it."""
    rng, made = np.random.default_rng(0), {}
    for make, names in ((gan_case, GANS), (flow_case, FLOWS)):
        for name in names:
            with pytest.MonkeyPatch.context() as patch:
                made[name] = make(name, rng, patch)
    a, b = rng.normal(0, 1.5, (2, 500, 2)).astype("float32")
    made["grid"] = {"kind": "grid", "a": points(a), "b": points(b)}, grid.grid_divergence(a, b)
    return made


@pytest.fixture(scope="module")
def page_outputs(shared_browser, cases, tmp_path_factory):
    """What the page made of all cases."""
    scripts = ("dom", "random", "distributions", "learning", "flows")
    text = document.page("cases", "en", {"cases": {n: c[0] for n, c in cases.items()}}, scripts)
    before, end, after = text.rpartition("})();\n</script>")
    text = before + HARNESS + end + after
    file = tmp_path_factory.mktemp("page") / "cases.html"
    file.write_text(text, encoding="utf-8")
    shared_browser.get(file.as_uri())
    until(shared_browser, "return window.finished", 60)
    assert shared_browser.execute_script("return [window.backend, window.tensors]") == ["wasm", 0]
    return json.loads(shared_browser.execute_script("return JSON.stringify(window.done)"))


@pytest.mark.parametrize("step", [1, 3])
@pytest.mark.parametrize("name", [*GANS, *FLOWS])
def test_the_first_steps_are_the_packages(name, step, cases, page_outputs):
    given, after, losses, *_ = cases[name]
    assert "error" not in page_outputs[name], page_outputs[name]
    found = page_outputs[name]["after"]
    np.testing.assert_allclose(page_outputs[name]["losses"], losses, rtol=1e-4)
    before = given["network"] if name in FLOWS else given["generator"] + given["discriminator"]
    assert len(found[step - 1]) == len(after[step - 1])
    for ours, keras_weights, start in zip(found[step - 1], after[step - 1], before, strict=True):
        np.testing.assert_allclose(ours, keras_weights, rtol=1e-4, atol=1e-6)
        moved = np.abs(np.subtract(keras_weights, start))
        # All but the bias of D's output, on which the difference of its outputs does not depend.
        assert moved.max() > 1e-3 or ("wgan" in name and len(start) == 1)


@pytest.mark.parametrize("name", FLOWS)
def test_sampling_is_the_packages(name, cases, page_outputs):
    _, after, _, average, end = cases[name]
    for ours, keras_weights, last in zip(
        page_outputs[name]["average"], average, after[-1], strict=True
    ):
        np.testing.assert_allclose(ours, keras_weights, rtol=1e-4, atol=1e-6)
        assert np.abs(np.subtract(keras_weights, last)).max() > 1e-3
    np.testing.assert_allclose(page_outputs[name]["end"], end, rtol=1e-3, atol=1e-4)
    assert np.abs(end).max() > 0.5


def test_the_divergence_is_the_packages(cases, page_outputs):
    np.testing.assert_allclose(page_outputs["grid"]["divergence"], cases["grid"][1], rtol=1e-6)
    assert cases["grid"][1] > 0.1
    assert page_outputs["grid"]["found"] == 8


# The pages under a hand.


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder, made = tmp_path_factory.mktemp("labs"), {}
    for name in lab.LABS:
        for language in ("en", "zh"):
            made[name, language] = folder / f"{name}-{language}.html"
            lab.write_lab(name, made[name, language], language=language)
    return made


@pytest.fixture
def browser(reused_browser):
    return reused_browser


SEEN = """const c = document.querySelector("canvas.plane"); let sum = 7;
for (const v of c.getContext("2d").getImageData(0, 0, c.width, c.height).data) sum = (sum * 31 + v) >>> 0;
return sum;"""
SET = """const [label, value] = arguments;
const control = [...document.querySelectorAll(".control")].find((c) => c.textContent.startsWith(label));
const input = control.querySelector("input, select");
input.value = value;
input.dispatchEvent(new Event(input.tagName === "SELECT" ? "change" : "input", { bubbles: true }));"""
LAB = "const lab = window.ganedu.lab; "


def pressed(browser, *names):
    for name in names:
        browser.find_element("name", name).click()
    return browser.execute_script(SEEN)


def quiet(browser):
    """No error in the console, and nothing asked of a net."""
    asked = "return performance.getEntriesByType('resource').map(r => r.name)"
    severe = [e["message"] for e in browser.get_log("browser") if e["level"] == "SEVERE"]
    return not severe and all(x.startswith("data:") for x in browser.execute_script(asked))


def test_it_trains_to_eight_modes_of_eight(browser, files):
    open_page(browser, files["gan", "en"])
    assert browser.execute_script(LAB + "return [lab.found, lab.js > 0.5]") == [0, True]
    curve = browser.find_element("css selector", ".curve")
    assert "no value yet" in curve.text
    before = browser.execute_script(SEEN)
    pressed(browser, "run")
    until(browser, LAB + "return lab.found === 8 && lab.js < 0.5", 60)
    assert pressed(browser, "run") != before
    assert "no value yet" not in curve.text
    found = browser.execute_script(LAB + "return lab.found")  # some steps later, when it stands
    assert f"{found} / 8" in browser.find_element("tag name", "dl").text
    steps = browser.execute_script(LAB + "return lab.steps.g")
    time.sleep(0.3)
    assert browser.execute_script(LAB + "return lab.steps.g") == steps
    assert quiet(browser)


def test_it_collapses_where_the_rates_are_made_to(browser, files):
    open_page(browser, files["gan", "en"])
    browser.execute_script(SET, "Learning rate of G", "-2")
    browser.execute_script(SET, "Learning rate of D", "-3.5")
    pressed(browser, "run")
    until(browser, LAB + "return lab.steps.g > 120", 60)
    pressed(browser, "run")
    assert browser.execute_script(LAB + "lab.measure(); return lab.found") < 5


@pytest.mark.parametrize("name", lab.LABS)
@pytest.mark.parametrize("width", [360, 1280])
def test_each_control_changes_the_plane(name, width, browser, files):
    open_page(browser, files[name, "en"], width)
    # Not `innerWidth`, which on a telephone grows with what is too wide.
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert cut(browser) == []
    start = browser.execute_script(SEEN)
    seen = [start]
    steps = ("step_d", "step_g") if name == "gan" else ("step_once", "step_once")
    for step in steps:
        seen.append(pressed(browser, step))
    if name == "gan":
        changes = [("Loss", v) for v in "123"]
        assert browser.execute_script(LAB + "return [lab.steps.d, lab.steps.g]") == [1, 1]
    else:
        changes = [("Number of steps", "3"), ("Time", "0.4"), ("Particle", "9"), ("Model", "1")]
    for label, value in [*changes, *(("Real distribution", v) for v in "12345")]:
        browser.execute_script(SET, label, value)
        if label == "Loss":
            pressed(browser, "step_d", "step_g")
        seen.append(browser.execute_script(SEEN))
    assert len(set(seen)) == len(seen)
    assert quiet(browser)


def test_a_seed_gives_the_same_again(browser, files):
    open_page(browser, files["gan", "en"])
    steps = ("step_d", "step_g", "step_d", "step_g")
    first = pressed(browser, *steps)
    assert pressed(browser, "reset_lab", *steps) == first
    seed = browser.find_element("css selector", "input[type=number]")
    for text, shown in (("7", "7"), ("-3", "0"), ("1e9", "999999"), ("", "0")):
        browser.execute_script("arguments[0].value = arguments[1]", seed, text)
        browser.execute_script("arguments[0].dispatchEvent(new Event('change'))", seed)
        assert seed.get_property("value") == shown
        assert (pressed(browser, *steps) == first) == (shown == "0")


def test_rates_clipping_and_penalty_are_heard(browser, files):
    open_page(browser, files["gan", "en"])
    browser.execute_script(SET, "Loss", "2")
    browser.execute_script(SET, "Clipping", "0.02")
    browser.execute_script(SET, "D's steps", "4")
    pressed(browser, "step_d")
    largest = LAB + "return Math.max(...lab.gan.discriminator.weights.flatMap((w) => [...w]))"
    assert browser.execute_script(largest) == pytest.approx(0.02)
    browser.execute_script(LAB + "lab.reset(); for (let i = 0; i < 10; i += 1) lab.next()")
    assert browser.execute_script(LAB + "return lab.steps") == {"d": 8, "g": 2}
    browser.execute_script(SET, "Loss", "3")
    browser.execute_script(SET, "Penalty", "7")
    browser.execute_script(SET, "Learning rate of D", "-1")
    heard = browser.execute_script(LAB + "return [lab.gan.penaltyWeight, lab.settings.d]")
    assert heard == pytest.approx([7, 0.1])
    hidden = "return [...document.querySelectorAll('.control')].filter((c) => c.hidden).length"
    assert browser.execute_script(hidden) == 1


def test_slow_takes_one_players_step_after_the_other(browser, files):
    open_page(browser, files["gan", "en"])
    pressed(browser, "slow")
    slow = browser.find_element("name", "slow")
    assert (slow.text, slow.get_attribute("aria-pressed")) == ("Pause", "true")
    until(browser, LAB + "return lab.steps.g === 1")
    pressed(browser, "slow")
    assert browser.execute_script(LAB + "return lab.steps.d") <= 2
    assert (slow.text, slow.get_attribute("aria-pressed")) == ("Slow", "false")


def test_weights_that_are_no_numbers_stop_it(browser, files):
    open_page(browser, files["gan", "en"])
    pressed(browser, "run")
    browser.execute_script(LAB + "lab.gan.discriminator.weights[0][0] = NaN")
    until(browser, "return document.querySelector('.trouble').textContent")
    assert browser.execute_script(LAB + "return lab.pace.mode") is None
    pressed(browser, "reset_lab")
    assert browser.execute_script("return document.querySelector('.trouble').textContent") == ""
    assert quiet(browser)


@pytest.mark.parametrize("name", lab.LABS)
def test_one_draws_a_distribution_by_pointer_and_by_keys(name, browser, files):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    open_page(browser, files[name, "zh"])
    plane = browser.find_element("css selector", "canvas.plane")
    plane.click()  # without a choice, a touch draws nothing
    assert browser.execute_script(LAB + "return [lab.data, lab.drawn.places]") == ["ring", []]
    browser.execute_script(SET, "真实分布", "5")
    ActionChains(browser).move_to_element(plane).click_and_hold().move_by_offset(
        60, 0
    ).release().perform()
    drawn = browser.execute_script(LAB + "return lab.drawn.places")
    assert len(drawn) >= 2
    assert abs(drawn[0][0]) < 0.1
    assert drawn[-1][0] > 0.4
    before = browser.execute_script(SEEN)
    plane.send_keys(Keys.ARROW_LEFT * 3 + Keys.ARROW_UP * 2 + " ")
    last = browser.execute_script(LAB + "return lab.drawn.places.at(-1)")
    assert last == pytest.approx([-0.6, 0.4])
    assert browser.execute_script(SEEN) != before
    pressed(browser, "clear_drawing", "step_d" if name == "gan" else "step_once")
    assert browser.execute_script(LAB + "return lab.drawn.places") == []
    assert browser.execute_script("return document.title").startswith("平面上的")
    assert quiet(browser)


def test_a_flow_trains_and_its_film_plays_with_less_motion(browser, files):
    media = {"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    open_page(browser, files["flow", "en"])
    before = browser.execute_script(LAB + "return lab.js")
    pressed(browser, "run")
    until(browser, LAB + "return lab.js < 0.7 * arguments[0]".replace("arguments[0]", str(before)))
    pressed(browser, "run")
    shown = "return window.ganedu.milliseconds.length"
    frames, start = browser.execute_script(shown), time.monotonic()
    pressed(browser, "play_way")
    until(browser, LAB + "return lab.time.value() === 1 && lab.play.mode === null")
    assert browser.execute_script(shown) - frames <= 2 + time.monotonic() - start
    assert quiet(browser)


def test_all_can_be_reached_and_read(browser, files):
    """Each control has a name and takes the focus, and nothing is paler than 4.5 to 1."""
    named = """return [...document.querySelectorAll("button, input, select, canvas.plane")].filter((e) => {
      e.focus(); const name = e.getAttribute("aria-label") || e.textContent || e.labels?.[0]?.textContent;
      return !name || (document.activeElement !== e && e.offsetParent); }).map((e) => e.outerHTML)"""
    for scheme in ("light", "dark"):
        colour_scheme(browser, scheme)
        for name in lab.LABS:
            open_page(browser, files[name, "en"])
            pressed(browser, "slow")
            assert pale(browser) == []
            assert browser.execute_script(named) == []


def test_a_lab_is_as_light_or_dark_as_the_page_that_led_to_it(browser, files):
    colour_scheme(browser, "light")
    file = files["gan", "en"]
    browser.get(f"{file.as_uri()}#dark")
    until(browser, "return window.ganedu?.ready")
    paper = "return getComputedStyle(document.body).backgroundColor"
    assert browser.execute_script(paper) != "rgb(255, 255, 255)"
    assert pale(browser) == []
