"""Each model, played by the page's arithmetic in a browser, beside Keras: the same weights, rounded to float16, and the
same draws. `GANEDU_BROWSER=1`, as for the lessons."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from ganedu.data.captions import grammar

pytestmark = pytest.mark.skipif(
    not os.environ.get("GANEDU_BROWSER"), reason="GANEDU_BROWSER=1 drives a browser"
)
SHAPE = (8, 16, 3)  # so that sides that are taken for each other, and channels, are seen
COUNT = 3
# Captions of one object that leave something open.
OPEN = (
    "three",
    "A ring at the top.",
    "in the upper left is a 7",
    "bold blue digit four standing upright",
)
FULL = (
    "there is a small thin left-leaning red two at the top",
    "a red three above a blue one",
    "a red blue two",
    "a thick ring",
    "red",
    "something else",
)
CLOSE = 2 / 127.5  # of images in [-1, 1]: two of 255 grey values
# What the page makes of a case, by the kind of its program.
HARNESS = (Path(__file__).parent / "played_models.js").read_text(encoding="utf-8")
OWN = "own networks"
PLAYED = [
    *("acgan", "autoencoder", "captioner", "cgan", "cvae", "cyclegan", "dcgan", "diffusion", "drifting", "editor"),
    *("flow_matching", "gan", "guided_diffusion", "guided_flow_matching", "infogan", "iwae", "latent_diffusion"),
    *("lsgan", "pix2pix", "pixelcnn", "r3gan", "realnvp", "reflow", "sngan", "stylegan", "text_flow", "text_gan"),
    *("vae", "vaegan", "vqvae", "wgan", "wgan_gp"),
]  # fmt: skip


def test_every_model_that_samples_is_played():
    from rows import ALL

    assert sorted(PLAYED) == sorted(set(ALL) - {"clip"})


def asked(model, program, rng):
    """What the page is given, and what Keras makes of it: dicts of lists and of arrays."""
    kind, given, right = program["kind"], {}, {}
    z = rng.standard_normal((COUNT, program.get("latent_dim", 1))).astype("float32")
    x = rng.uniform(-1, 1, (COUNT, *program.get("source", program["image"]))).astype("float32")
    labels = {"labels": np.array([2, 0, 1])} if "classes" in program else {}
    texts = ["a thick red three", "Two", "a blue seven at the top"]
    if kind == "latent":
        right["images"] = model.decode(z, **labels)
        if "reconstruct" in model.tasks:
            codes = model.encode(x, *labels.values())
            right["copies"] = model.decode(codes, **labels)
    elif kind == "style":
        right["images"] = model.decode(z, truncation=0.7)
        right["copies"] = model.mix_styles(z[:1], z[1:2])
    elif kind == "denoise":
        right["images"] = model.decode(z, **labels)
        if "reconstruct" in model.tasks:
            right["copies"] = model.reconstruct(x)
    elif kind in ("text_flow", "text_latent"):
        right["numbers"] = model.tokenize(texts)
        beside = {"concat_condition": [x]} if program.get("is_editor") else {}
        right["images"] = model.decode_tokens(z, right["numbers"], **beside)
        given["open"] = [*OPEN, *FULL]
    elif kind == "translate":
        right["images"] = model.translate(x)
    elif kind == "vq":
        (h, w), k = program["grid"], len(program["codebook"])
        codes = rng.integers(0, k, (COUNT, h, w))
        before = np.concatenate([np.full((COUNT, 1), k), codes.reshape(COUNT, -1)[:, :-1]], axis=1)
        right["images"], right["copies"] = model.decode(codes), model.reconstruct(x)
        right["numbers"] = np.array(model.sampling_prior(before.astype("int32")))
        noise = np.random.default_rng(5)
        given["gumbel"] = [noise.gumbel(size=(COUNT, k)).tolist() for _ in range(h * w)]
        right["drawn_images"] = model.generate(COUNT, temperature=0.8, seed=5)
        given["codes"] = codes.ravel().tolist()
    elif kind == "pixels":
        noise, (h, w, c) = np.random.default_rng(5), program["image"]
        right["images"] = model.generate(COUNT, seed=5)
        given["draws"] = [
            [noise.gumbel(size=(COUNT, 2)).tolist(), noise.logistic(size=(c, COUNT)).tolist()]
            for _ in range(h * w)
        ]
        given["pixels"] = right["images"].ravel().tolist()
    else:
        right["words"] = model.caption(x)
        most = model.text_length - 2
        maps = model.attention(x, [" ".join(t.split()[:most]) for t in right["words"]])
        lengths = [min(len(text.split()), most) for text in right["words"]]
        right["numbers"] = np.concatenate(
            [m[:n].ravel() for m, n in zip(maps, lengths, strict=True)]
        )
    given |= {"z": z.ravel().tolist(), "x": x.ravel().tolist(), "texts": texts}
    return given | {"labels": [2, 0, 1]}, right


@pytest.fixture(scope="module")
def cases():
    from explorer_models import of_own_networks, tiny

    from ganedu.explorer.programs import program

    made = {}
    for i, name in enumerate([*PLAYED, OWN]):
        model = of_own_networks(SHAPE, i) if name == OWN else tiny(name, SHAPE, i)
        played, weights = program(model)
        given, right = asked(model, played, np.random.default_rng(i))
        made[name] = {"name": name, "program": played, "weights": weights, **given}, right, model
    return made


@pytest.fixture(scope="module")
def page_outputs(shared_browser, cases, tmp_path_factory):
    """What the page made of all cases, dict of dicts of arrays; the page is loaded once."""
    from selenium.webdriver.support.ui import WebDriverWait

    from ganedu.explorer import document

    text = document.page("cases", "en", {"cases": [c for c, *_ in cases.values()]}, document.WALKER)
    text = text.replace("})();\n</script>", HARNESS + "})();\n</script>")
    file = tmp_path_factory.mktemp("page") / "cases.html"
    file.write_text(text, encoding="utf-8")
    shared_browser.get(file.as_uri())
    WebDriverWait(shared_browser, 90).until(lambda b: b.execute_script("return window.finished"))
    assert shared_browser.execute_script("return window.backend") == "wasm"
    return json.loads(shared_browser.execute_script("return JSON.stringify(window.done)"))


@pytest.mark.parametrize("name", [*PLAYED, OWN])
def test_the_page_computes_what_keras_computes(name, cases, page_outputs):
    _, right, model = cases[name]
    found = page_outputs[name]
    assert "error" not in found, found
    for key in ("images", "copies"):
        assert (key in found) == (key in right)
        if key in right:
            keras = right[key]
            ours = np.reshape(found[key], keras.shape)
            assert keras.std(axis=0).max() > 4 * CLOSE or len(keras) == 1  # they differ
            assert np.abs(ours - keras).max() <= CLOSE
    if "words" in right:
        assert found["words"] == right["words"]
    if "numbers" in right:
        np.testing.assert_allclose(found["numbers"], right["numbers"].ravel(), rtol=1e-3, atol=1e-3)
    if "drawn_images" in right:
        grids = np.array(found["drawn"]).reshape(COUNT, *model.latent_grid_shape)
        np.testing.assert_allclose(model.decode(grids), right["drawn_images"], atol=CLOSE)


def test_what_a_caption_leaves_open_is_drawn_and_nothing_else(page_outputs):
    full = page_outputs["text_gan"]["full"]
    assert tuple(full[len(OPEN) :]) == FULL
    for text, written in zip(OPEN, full, strict=False):
        said, all_said = (grammar.parse(t).entities[0] for t in (text, written))
        for name in grammar.applicable(said.kind):
            assert getattr(all_said, name), written
            assert getattr(said, name) in (None, getattr(all_said, name)), written
