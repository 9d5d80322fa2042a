"""Each model, played by the page's arithmetic in a browser, beside Keras: the same weights, rounded to float16, and the
same draws. `GANEDU_BROWSER=1`, as for the lessons."""

import json
import os

import numpy as np
import pytest

pytestmark = pytest.mark.skipif(
    not os.environ.get("GANEDU_BROWSER"), reason="GANEDU_BROWSER=1 drives a browser"
)
SHAPE = (8, 16, 3)  # so that sides that are taken for each other, and channels, are seen
COUNT = 3
CLOSE = 2 / 127.5  # of images in [-1, 1]: two of 255 grey values
# What the page makes of a case, by the kind of its program.
HARNESS = """
const made = {
  latent: (m, c) => ({ images: m.decode(Float32Array.from(c.z), c.labels),
    ...(m.networks.encode ? { copies: m.reconstruct(Float32Array.from(c.x), c.labels) } : {}) }),
  style: (m, c) => { const w = m.map(Float32Array.from(c.z)), [a, b] = [w.slice(0, w.length / 3), w.slice(w.length / 3, 2 * w.length / 3)];
    return { images: m.synthesize(m.truncated(w, 0.7)), copies: m.synthesize(a, b, 1) }; },
  denoise: (m, c) => ({ images: toTheEnd(m.denoise(Float32Array.from(c.z), { label: c.labels })),
    ...(m.networks.encode ? { copies: m.reconstruct(Float32Array.from(c.x)) } : {}) }),
  text_flow: (m, c) => { const tokens = m.tokens(c.texts);
    const beside = m.program.edits ? { beside: Float32Array.from(c.x) } : {};
    return { images: toTheEnd(m.denoise(Float32Array.from(c.z), { tokens, ...beside })), numbers: tokens.data }; },
  text_latent: (m, c) => { const tokens = m.tokens(c.texts);
    return { images: m.decodeTexts(Float32Array.from(c.z), tokens), numbers: tokens.data }; },
  translate: (m, c) => ({ images: m.translate(Float32Array.from(c.x)) }),
  vq: (m, c) => ({ images: m.decodeCodes(Int32Array.from(c.codes)), copies: m.reconstruct(Float32Array.from(c.x)),
    numbers: m.codeLogits(Int32Array.from(c.codes), 3),
    drawn: toTheEnd(m.drawCodes(3, 0.8, (n, place, code) => c.gumbel[place][n][code])) }),
  pixels: (m, c) => { const x = Float32Array.from(c.pixels), [h, w, ch] = m.program.image, images = new Float32Array(x.length);
    for (let i = 0; i < h; i += 1) { const { data, shape } = m.rowParameters(x, 3, i)();
      for (let j = 0; j < w; j += 1) for (let n = 0; n < 3; n += 1) {
        const { gumbel, logistic } = c.draws[i * w + j];
        images.set(drawPixel(data, (n * w + j) * shape[2], shape[2], ch, m.program.levels, (k) => gumbel[n][k],
          (k) => logistic[k][n]), ((n * h + i) * w + j) * ch); } }
    return { images }; },
  captions: (m, c) => { const size = m.size, told = [0, 1, 2].map((n) => m.caption(Float32Array.from(c.x.slice(n * size, (n + 1) * size))));
    return { words: told.map((t) => t.words.join(" ")), numbers: told.flatMap((t) => t.looks.slice(0, m.program.length - 2).flatMap((l) => [...l])) }; },
};
window.done = {};
(async () => {
  window.backend = await tf.start(window.wanted);
  for (const c of JSON.parse(document.getElementById("data").textContent).cases) {
    try {
      const found = made[c.program.kind](new Model(c.program, c.weights), c);
      window.done[c.name] = Object.fromEntries(Object.entries(found).map(([k, v]) => [k, [...v]]));
    } catch (error) { window.done[c.name] = { error: `${error.message} ${error.stack}` }; }
  }
  window.finished = true;
})();
"""
PLAYED = [
    *("acgan", "autoencoder", "captioner", "cgan", "cvae", "cyclegan", "dcgan", "diffusion", "drifting", "editor"),
    *("flow_matching", "gan", "guided_diffusion", "guided_flow_matching", "infogan", "iwae", "latent_diffusion"),
    *("lsgan", "pix2pix", "pixelcnn", "r3gan", "realnvp", "reflow", "sngan", "stylegan", "text_flow", "text_gan"),
    *("vae", "vaegan", "vqvae", "wgan", "wgan_gp"),
]  # fmt: skip


def test_every_model_that_samples_is_played():
    from rows import ALL

    assert sorted(PLAYED) == sorted(set(ALL) - {"clip"})


def disturbed(model, seed=0):
    """The model, with weights that say something, all of which float16 has."""
    rng = np.random.default_rng(seed)
    for v in model.weights:
        value = np.array(v) + 0.08 * rng.standard_normal(v.shape)
        value = np.abs(value) + 0.2 if "variance" in v.name else value
        if "float" in str(v.dtype):
            v.assign(value.astype("float16").astype("float32"))
    return model


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
        beside = {"concat_condition": [x]} if program.get("edits") else {}
        right["images"] = model.decode_tokens(z, right["numbers"], **beside)
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
            {"gumbel": noise.gumbel(size=(COUNT, 2)).tolist(), "logistic": [noise.logistic(size=COUNT).tolist() for _ in range(c)]}
            for _ in range(h * w)
        ]  # fmt: skip
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
    from rows import ALL

    from ganedu import models
    from ganedu.explorer.programs import program

    made = {}
    for i, name in enumerate(PLAYED):
        row = ALL[name]
        model = disturbed(models.build(row.model or name, SHAPE, **row.build), i)
        played, weights = program(model)
        given, right = asked(model, played, np.random.default_rng(i))
        made[name] = {"name": name, "program": played, "weights": weights, **given}, right, model
    return made


@pytest.fixture(scope="module")
def answers(browser, cases, tmp_path_factory):
    """What the page made of all cases, dict of dicts of arrays; the page is loaded once."""
    from selenium.webdriver.support.ui import WebDriverWait

    from ganedu.explorer import document

    text = document.page("cases", "en", {"cases": [c for c, *_ in cases.values()]}, document.WALKER)
    text = text.replace("})();\n</script>", HARNESS + "})();\n</script>")
    file = tmp_path_factory.mktemp("page") / "cases.html"
    file.write_text(text, encoding="utf-8")
    browser.get(file.as_uri())
    WebDriverWait(browser, 90).until(lambda b: b.execute_script("return window.finished"))
    assert browser.execute_script("return window.backend") == "wasm"
    return json.loads(browser.execute_script("return JSON.stringify(window.done)"))


@pytest.mark.parametrize("name", PLAYED)
def test_the_page_computes_what_keras_computes(name, cases, answers):
    _, right, model = cases[name]
    found = answers[name]
    assert "error" not in found, found
    for key in ("images", "copies"):
        assert (key in found) == (key in right)
        if key in right:
            ours, keras = np.array(found[key]), right[key].ravel()
            assert keras.std() > 0.02  # it shows something
            assert np.abs(ours - keras).max() <= CLOSE
    if "words" in right:
        assert found["words"] == right["words"]
    if "numbers" in right:
        np.testing.assert_allclose(found["numbers"], right["numbers"].ravel(), rtol=1e-3, atol=1e-3)
    if "drawn_images" in right:
        grids = np.array(found["drawn"]).reshape(COUNT, *model.latent_grid_shape)
        np.testing.assert_allclose(model.decode(grids), right["drawn_images"], atol=CLOSE)
