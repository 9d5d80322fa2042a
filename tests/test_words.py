"""Models that read and write texts: the papers' numbers, worked out by hand; what they make of words and
images; and the commands that a user calls them by."""

import functools
import math

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from keras import ops
from PIL import Image
from rows import IMAGE_SHAPE, TEXTS, as_built, batch, feed, steps_are_eager

from ganedu import cli, data, figures, runs
from ganedu.data.captions import scenes
from ganedu.data.captions.instructions import WORDS
from ganedu.data.captions.tokenizer import END, PAD, START, Tokenizer
from ganedu.engine import overlay_attention
from ganedu.engine.gradients import apply_gradients
from ganedu.layers import Temperature
from ganedu.models import captioner, text_flow, text_gan
from ganedu.networks.beam_search import beam_search
from ganedu.runs import evaluation
from ganedu.runtime import UsageError


@pytest.fixture(autouse=True)
def eager(monkeypatch):
    steps_are_eager(monkeypatch)


def number(tensor):
    return ops.convert_to_numpy(tensor)


# The papers' numbers


def test_guidance():
    # 1 + 3 (2 - 1) = 4; 0 + 3 (-1 - 0) = -3
    found = text_flow.classifier_free_guidance(np.array([2.0, -1.0]), np.array([1.0, 0.0]), 3.0)
    np.testing.assert_allclose(found, [4.0, -3.0])
    # s = 1 draws as the text says, s = 0 as if it said nothing.
    a, b = np.array([2.0]), np.array([-5.0])
    np.testing.assert_allclose(
        [text_flow.classifier_free_guidance(a, b, s)[0] for s in (0.0, 1.0)], [-5.0, 2.0]
    )


def test_times_are_early():
    # 1/2 / (1/2 + 5/2) = 1/6; nothing and everything stay; k = 1 changes nothing
    np.testing.assert_allclose(
        text_flow.shift_timesteps(np.array([0.0, 0.5, 1.0]), 5.0), [0, 1 / 6, 1]
    )
    np.testing.assert_allclose(text_flow.shift_timesteps(np.array([0.3]), 1.0), [0.3])
    model, seen = as_built("text_flow"), []

    def network(inputs, training):
        seen.append(number(inputs[1]))
        return inputs[0]

    object.__setattr__(model, "network", network)
    x, tokens = ops.zeros((400, *IMAGE_SHAPE)), ops.zeros((400, 8), "int32")
    model.compute_losses([x, tokens], training=False)
    # u < 1/2 half of the time, so t < 1/6
    assert 0.4 < np.mean(seen[0] < 1 / 6) < 0.6


def test_the_flow_to_a_given_image():
    """x~ = 0.2 for the text and 0 for nothing: with s = 2 the way leads to 0.4, with s = 1 to 0.2, and with s = 9 no
    further than to 1; straight, from 0.6 times -2.5, most steps early."""
    model = as_built("text_flow")
    asked = []

    def predict_image(x, t, tokens):
        asked.append((x[0, 0, 0, 0], t, tokens))
        return np.full(x.shape, 0.2 * (tokens[0, 1] > 3))

    vars(model)["predict_image"] = predict_image
    z, texts = np.full((2, math.prod(IMAGE_SHAPE)), -2.5), ["a three", "a one"]
    for scale, end in ((2.0, 0.4), (1.0, 0.2), (9.0, 1.0)):
        np.testing.assert_allclose(model.decode(z, texts, guidance=scale), end, atol=1e-6)
    times = text_flow.shift_timesteps(np.arange(6) / 6, 5.0)
    np.testing.assert_allclose([t for _, t, _ in asked[:12:2]], times)
    np.testing.assert_allclose([x for x, *_ in asked[:12:2]], -1.5 + times * 1.9, rtol=1e-6)
    np.testing.assert_array_equal(asked[0][2], model.tokenize(texts))
    model.decode(z, texts, temperature=1.0)
    np.testing.assert_allclose(asked[-12][0], -2.5)
    np.testing.assert_array_equal(asked[1][2], [[START, END, *[PAD] * 6]] * 2)


def halves(top, bottom, count=1):
    """Images whose halves have one grey each: their variance is ((top - bottom) / 2)^2."""
    x = np.full((count, *IMAGE_SHAPE), top, "float32")
    x[:, IMAGE_SHAPE[0] // 2 :] = bottom
    return x


def test_the_loss_of_the_flow():
    """A network that answers halves of 0.75 and -0.25, of variance 0.25, is (0.25^2 + 0.75^2) / 2 = 0.3125 away from
    an image of 0.5, and (0.5^2 + 0.5^2) / 2 = 0.25 from one of 0.25."""
    model = as_built("text_flow")
    answer = ops.convert_to_tensor(halves(0.75, -0.25, 8))
    object.__setattr__(model, "network", lambda inputs, training: answer)
    x = np.concatenate([halves(0.5, 0.5, 4), halves(0.25, 0.25, 4)])
    shares = [0.3125 / 0.3] * 4 + [0.25 / 0.3] * 4
    x = ops.convert_to_tensor(x)
    np.testing.assert_allclose(number(text_flow.variance_normalized_error(answer, x)), shares, 1e-5)
    losses = model.compute_losses([x, ops.convert_to_tensor(feed("text_flow")[1])], training=True)
    np.testing.assert_allclose(number(losses["loss"]), np.mean(shares), rtol=1e-5)


@pytest.mark.parametrize("share", [0.5, 0.25])
def test_the_flow_learns_the_mean_of_what_an_image_could_be(share):
    """Of a dim image and a bright one, each as often as it is, the best answer is their mean."""
    dim, bright = halves(0.1, -0.1), halves(1.0, -1.0)
    x = ops.convert_to_tensor(
        np.concatenate([dim] * round(4 * share) + [bright] * round(4 - 4 * share))
    )
    mean = ops.convert_to_tensor(share * dim + (1 - share) * bright)

    def loss(answer):
        return ops.mean(text_flow.variance_normalized_error(ops.repeat(answer, 4, axis=0), x))

    def gradient(answer):
        return number(as_built("text_flow").input_gradient(loss, answer))

    np.testing.assert_allclose(gradient(mean), 0.0, atol=1e-7)
    assert np.abs(gradient(mean * 1.01)).max() > 1e-6


def test_short_texts_are_completed_where_there_is_room(monkeypatch):
    model = as_built("text_flow", length=28)
    asked = []
    vars(model)["decode_tokens"] = lambda z, tokens: asked.append(model.tokenizer.decode(tokens))
    texts = ["a red three", "a small thin red upright three at the top"]
    model.generate(texts, seed=3)
    model.generate(texts, complete=False)
    assert asked[0] == scenes.complete_captions(texts, 3) != texts
    assert asked[1] == texts
    short = as_built("text_flow")  # of six words
    vars(short)["decode_tokens"] = vars(model)["decode_tokens"]
    short.generate(texts[:1])
    assert asked[2] == texts[:1]


@pytest.mark.parametrize("condition_drop_prob", [0.0, 1.0])
def test_the_flow_unlearns_words_as_often_as_it_is_told(condition_drop_prob):
    model = as_built("text_flow")
    model.condition_drop_prob, seen = condition_drop_prob, []

    def network(inputs, training):
        seen.append(number(inputs[2]))
        return inputs[0]

    object.__setattr__(model, "network", network)
    x, tokens = map(ops.convert_to_tensor, feed("text_flow"))
    model.compute_losses([x, tokens], training=True)
    expected = np.repeat(model.null_tokens, 8, axis=0) if condition_drop_prob else number(tokens)
    np.testing.assert_array_equal(seen[0], expected)


def test_caption_loss():
    # Two words in the first text, one in the second, whose second place is padding. The logits (ln 3, 0, 0, 0, 0, 0)
    # give word 0 3/8 and each other 1/8; all-zero logits give each 1/6.
    logits = np.zeros((2, 2, 6), "float32")
    logits[0, 0, 0] = logits[1, 0, 0] = logits[1, 1, 3] = math.log(3.0)
    tokens = np.array([[4, 5], [5, PAD]])
    # (ln 8 + ln 6 + ln 8) / 3 = 1.98354752
    found = captioner.caption_loss(ops.convert_to_tensor(logits), ops.convert_to_tensor(tokens))
    np.testing.assert_allclose(number(found), 1.98354752, rtol=1e-6)


def toy(tokens):
    """After the start, 4 with 0.6 and 5 with 0.4; after 4, any of 4 to 7; after 5, 6 for sure; then the end."""
    p = np.zeros((len(tokens), 8))
    for row, message in zip(p, tokens, strict=True):
        if len(message) == 1:
            row[[4, 5]] = 0.6, 0.4
        elif len(message) == 2:
            row[[4, 5, 6, 7] if message[1] == 4 else [6]] = 0.25 if message[1] == 4 else 1.0
        else:
            row[END] = 1.0
    with np.errstate(divide="ignore"):
        return np.log(p)


def test_beam_search_finds_what_greedy_search_misses():
    greedy, score = beam_search(toy, 2, 6)
    np.testing.assert_array_equal(greedy, [[START, 4, 4, END, PAD, PAD]] * 2)
    np.testing.assert_allclose(score, math.log(0.15))  # 0.6 / 4
    best, score = beam_search(toy, 2, 6, beams=2)
    np.testing.assert_array_equal(best, [[START, 5, 6, END, PAD, PAD]] * 2)
    np.testing.assert_allclose(score, math.log(0.4))
    cut, _ = beam_search(toy, 1, 3, beams=3)
    np.testing.assert_array_equal(cut, [[START, 5, 6]])


def test_matching_aware_loss():
    # sigma(ln 3) = 3/4: -ln 3/4 - 1/2 (ln(1 - 1/2) + ln(1 - 3/4)) = 0.28768207 + (0.69314718 + 1.38629436) / 2
    real, wrong, fake = (ops.full((2, 1), v) for v in (math.log(3.0), 0.0, math.log(3.0)))
    found = text_gan.discriminator_loss(real, wrong, fake)
    np.testing.assert_allclose(number(found), 1.32740284, rtol=1e-6)


def test_the_discriminator_is_shown_the_text_of_another_image():
    model, seen = as_built("text_gan"), []
    x, tokens = map(ops.convert_to_tensor, feed("text_gan"))

    def discriminate(images, texts, training):
        seen.append((number(images), number(texts)))
        return ops.zeros((8, 1))

    vars(model)["discriminate"] = discriminate
    model.d_losses(x, tokens, ops.zeros((8, 3)), training=False)
    (real, own), (again, other), (drawn, asked) = seen
    np.testing.assert_array_equal(real, again)
    np.testing.assert_array_equal(other[1:], own[:-1])
    np.testing.assert_array_equal(asked, own)
    assert np.abs(drawn - real).max() > 0.1


def test_the_loss_of_clip():
    """Four orthogonal pairs: s is 1/T on the diagonal and 0 elsewhere, so the loss is ln(1 + 3 exp(-1/T)): at T = 1
    ln(1 + 3/e) = 0.74366784, and at the start, T = 0.07, less than 2e-6."""
    model = as_built("clip")
    u = ops.eye(4) * 2.0
    for tower in ("image_tower", "text_tower"):
        object.__setattr__(model, tower, lambda x, training: x)
    np.testing.assert_allclose(number(model.compute_losses(u, u, False)["loss"]), 0, atol=4e-6)
    model.temperature.tau.assign(0.0)
    losses = model.compute_losses(u, 3.0 * u, training=False)
    np.testing.assert_allclose(number(losses["loss"]), 0.74366784, rtol=1e-5)
    np.testing.assert_allclose(number(losses["retrieval_accuracy"]), 1.0)
    np.testing.assert_allclose(
        number(model.compute_losses(u, ops.flip(u, axis=0), training=False)["retrieval_accuracy"]),
        0.0,
    )


def test_the_temperature_is_at_least_a_hundredth_and_comes_back():
    temperature = Temperature()
    temperature.build()
    np.testing.assert_allclose(number(temperature.value()), 0.07, rtol=1e-5)
    optimizer = keras.optimizers.SGD(1.0)
    for slope, value in ((-50.0, 0.01), (math.log(2.0), 0.02)):  # tau + 50, then tau - log 2
        apply_gradients(optimizer, [ops.convert_to_tensor(slope)], [temperature.tau])
        np.testing.assert_allclose(number(temperature.value()), value, rtol=1e-5)


# What the models make of images and words


def test_a_captioner_says_words_and_shows_where_it_looked():
    model = as_built("captioner")
    found = model.caption(batch(5))
    assert len(found) == 5
    assert all(isinstance(t, str) and len(t.split()) <= 7 for t in found)
    assert len(model.caption(batch(2), beams=3)) == 2
    maps = model.attention(batch(2), ["a thick red three", "a one"])
    assert maps.shape == (2, 7, 2, 2)
    np.testing.assert_allclose(maps.sum(axis=(2, 3)), 1, rtol=1e-5)
    figure = figures.attention(batch(1)[0], ["a", "thick", "three"], maps[0])
    assert [axes.get_title() for axes in figure.axes] == ["", "a", "thick", "three"]
    eight = figures.attention(batch(1)[0], list("abcdefgh"), np.ones((8, 2, 2))).axes
    assert [axes.get_title() for axes in eight] == ["", *"abcdefgh"]
    assert not any(axes.axison for axes in eight[1:])


def test_a_captioner_says_what_it_is_sure_of():
    """A decoder that always wants word 7, then the end."""
    model = as_built("captioner")

    def decoded(places, tokens):
        logits = np.zeros((*tokens.shape, 83), "float32")
        logits[:, 0, 7] = logits[:, 1:, END] = 10
        return logits, None

    vars(model)["_decoded"] = decoded
    assert model.caption(batch(3)) == [Tokenizer().vocabulary[7 - 4]] * 3
    assert model.caption(batch(3), beams=4) == [Tokenizer().vocabulary[7 - 4]] * 3


def test_light_falls_where_a_map_says():
    image = np.zeros((1, 4, 4, 1), "float32")
    maps = np.array([[[[1.0, 0.0], [0.5, 0.25]]]])
    plain, shown = overlay_attention(image, maps)[..., 0]
    np.testing.assert_array_equal(plain, 0)
    # (0 + 1) (0.2 + 0.8 m) - 1
    np.testing.assert_allclose(shown[:2, :2], 0.0, atol=1e-6)
    np.testing.assert_allclose(shown[:2, 2:], -0.8, atol=1e-6)
    np.testing.assert_allclose(shown[2:, :2], -0.4, atol=1e-6)
    _, cut = overlay_attention(image[:, :3], maps)[
        ..., 0
    ]  # a map that the sides are no multiples of
    np.testing.assert_allclose(cut, shown[[0, 1, 2]], atol=1e-6)


def test_clip_compares_unit_vectors():
    model = as_built("clip")
    u, v = model.embed_images(batch(4)), model.embed_texts(TEXTS[:3])
    np.testing.assert_allclose(np.linalg.norm(u, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(model.similarity(batch(4), TEXTS[:3]), u @ v.T, rtol=1e-6)


def test_an_editor_sees_the_image():
    model = as_built("editor")
    for i in range(2):
        model.train_on_batch(*feed("editor", seed=i))
    a, b = (model.edit(batch(2, seed=s), ["make it blue"] * 2) for s in (0, 1))
    assert a.shape == (2, *IMAGE_SHAPE)
    assert np.abs(a - b).max() > 1e-4
    hidden = model.edit(np.zeros((2, *IMAGE_SHAPE)), TEXTS[:2])
    np.testing.assert_array_equal(hidden, model.generate(TEXTS[:2]))


@pytest.mark.parametrize("name", ["captioner", "clip", "editor"])
def test_images_of_another_shape_or_range_are_refused(name):
    model = as_built(name)
    call = {
        "captioner": model.caption if name == "captioner" else None,
        "clip": lambda x: model.similarity(x, ["a three"]),
        "editor": lambda x: model.edit(x, ["make it blue"]),
    }[name]
    with pytest.raises(UsageError, match=r"shape \(N, 8, 8, 1\). Received: \(1, 9, 9, 1\)"):
        call(np.zeros((1, 9, 9, 1)))
    with pytest.raises(UsageError, match=r"floats in \[-1, 1\]"):
        call(np.full((1, *IMAGE_SHAPE), 200.0))


# The commands


LOAD = runs.RunFolder.load_model


@functools.cache
def model_of(path):
    return LOAD(runs.RunFolder.open(path))


def call(*arguments):
    return CliRunner().invoke(cli.main, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folders of runs of two steps, by model."""
    folder = tmp_path_factory.mktemp("words")
    with pytest.MonkeyPatch.context() as patch:
        steps_are_eager(patch)
        patch.setattr(scenes, "COUNTS", {"train": 100, "test": 60})
        for name in ("text_flow", "captioner", "editor", "clip"):
            asked = ("--data", "scenes", "--image-size", 16, "--profile", "smoke")
            result = call("train", name, *asked, "--out", folder / name)
            assert result.exit_code == 0, result.output
    return folder


@pytest.fixture(autouse=True)
def read_once(monkeypatch):
    """A run's model is read once for all commands that only ask it; tests/test_cli.py reads each time."""
    monkeypatch.setattr(runs.RunFolder, "load_model", lambda folder: model_of(folder.path))


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "picture.png"
    Image.fromarray(data.scenes(1).images[0]).resize((16, 16)).save(path)
    return path


def test_sample_of_a_text(trained, tmp_path):
    out = tmp_path / "x.png"
    asked = ("sample", trained / "text_flow", "--steps", 2, "--text")
    result = call(*asked, "a red ring", "--out", out, "--count", 3)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{out}: 3 images\n"
    with Image.open(out) as drawn:
        assert drawn.width * 33 == drawn.height * 33  # two columns, two rows
    drawn = []
    for text, seed in (("a red ring", 0), ("a red ring", 0), ("a red ring", 1)):
        out = tmp_path / "x.npz"
        call(*asked, text, "--out", out, "--count", 1, "--seed", seed)
        drawn.append(np.load(out)["images"])
    assert drawn[0].shape == (1, 16, 16, 3)
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])


def test_caption(trained, picture):
    result = call("caption", trained / "captioner", picture)
    assert result.exit_code == 0, result.output
    assert result.stdout.count("\n") == 1
    assert result.stderr == ""
    assert call("caption", trained / "captioner", picture, "--beams", 3).exit_code == 0


def test_edit(trained, picture, tmp_path):
    out = tmp_path / "y.png"
    result = call("edit", trained / "editor", picture, "make it blue", "--out", out)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{out}: make it blue\n"
    with Image.open(out) as drawn:
        assert drawn.width == drawn.height >= 448


def test_another_size_is_resized_and_said(trained, tmp_path):
    path = tmp_path / "large.png"
    Image.fromarray(np.zeros((40, 60), "uint8")).save(path)
    result = call("caption", trained / "captioner", path)
    assert result.exit_code == 0, result.output
    assert result.stderr.splitlines() == [
        f"ganedu: {path} is cut to its central square and resized from 60x40 to 16x16",
        f"ganedu: {path} is from grey to colour",
    ]


@pytest.mark.parametrize(
    ("model", "arguments", "message"),
    [
        (
            "text_flow",
            ["sample", "--text", "a purple horse"],
            "does not know: horse, purple. It knows: 0, 1",
        ),
        ("text_flow", ["sample", "--text", ""], "at least one word. Received: ['']"),
        ("text_flow", ["sample", "--text", "a red ring " * 12], "at most 26 words. Received: 36"),
        (
            "captioner",
            ["sample", "--text", "a ring"],
            "needs a text_flow or a text_gan. Received: a Captioner",
        ),
        ("text_flow", ["caption", "picture.png"], "needs a captioner. Received: a TextFlow"),
        ("text_flow", ["edit", "picture.png", "a ring"], "needs an editor. Received: a TextFlow"),
        ("captioner", ["caption", "nowhere.png"], "There is no file nowhere.png"),
        ("captioner", ["caption", "bad.png"], "bad.png cannot be read as an image"),
        ("captioner", ["caption", "tiny.png"], "at least 8 pixels a side. Received: 4x4"),
        ("editor", ["edit", "nowhere.png", "make it blue"], "There is no file nowhere.png"),
        ("editor", ["edit", "picture.png", "eat it"], "does not know: eat"),
        ("editor", ["edit", "picture.png", " "], "at least one word"),
        ("text_flow", ["interpolate"], "latent space without texts. Received: a TextFlow"),
        ("captioner", ["sample"], "A Captioner generates nothing"),
        ("text_flow", ["diagnose"], "generates from nothing can be diagnosed. Received: TextFlow"),
    ],
)
def test_mistakes_are_told_in_one_line(
    trained, picture, tmp_path, monkeypatch, model, arguments, message
):
    monkeypatch.setattr(scenes, "COUNTS", {"train": 100, "test": 80})
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.png").write_bytes(b"no image")
    Image.fromarray(np.zeros((4, 4, 3), "uint8")).save(tmp_path / "tiny.png")
    command, *rest = arguments
    out = [] if command == "caption" else ["--out", tmp_path / "x.png"]
    result = call(command, trained / model, *rest, *out)
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit)
    assert result.stderr.startswith("ganedu: ")
    assert result.stderr.count("\n") == 1
    assert message in result.stderr
    assert not (tmp_path / "x.png").exists()


@pytest.mark.parametrize("model", ["text_flow", "clip"])
def test_data_without_captions_are_refused_before_training(tmp_path, model):
    result = call("train", model, "--data", "digits", "--out", tmp_path / "run")
    assert result.exit_code == 2
    assert result.stderr == (
        f"ganedu: The model {model} needs captions, as captioned_digits and scenes have them. "
        "digits has none\n"
    )
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("model", ["text_flow", "captioner", "editor", "clip"])
def test_evaluate_says_what_is_right(trained, monkeypatch, model):
    monkeypatch.setattr(scenes, "COUNTS", {"train": 100, "test": 60})
    folder = runs.RunFolder.open(trained / model)
    found = evaluation.evaluate(folder.load_model(), folder.run_info())["scores"]
    assert "all_accuracy" in found
    assert 0 <= found["all_accuracy"] <= 1
    assert ("colour_accuracy" in found) == (model != "clip")


def test_sample_and_resume_a_text_model(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(scenes, "COUNTS", {"train": 100, "test": 60})
    for model in ("text_flow", "editor"):
        result = call("sample", trained / model, "--count", 4, "--out", tmp_path / "x.npz")
        assert result.exit_code == 0, result.output
        assert np.load(tmp_path / "x.npz")["images"].shape == (4, 16, 16, 3)
    loaded = keras.models.load_model(trained / "editor" / "model.keras")
    assert loaded.tokenizer.vocabulary == WORDS
    assert int(ops.convert_to_numpy(loaded.steps)) == 2
