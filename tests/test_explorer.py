"""A run as one HTML page: what is exported, what is refused, and what a hostile run cannot do. What the page computes
is compared with Keras in `tests/browser`."""

import base64
import html as html_text
import json
import re
import tomllib
import types
import zlib
from pathlib import Path

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from keras import layers, ops

from ganedu import cli, data, models
from ganedu.explorer import contents, document, page
from ganedu.explorer.graph import LAYERS, OPERATIONS, OWN_LAYERS, UnknownLayer, Weights, export
from ganedu.explorer.programs import directions_of, principal_directions, program
from ganedu.layers import SpectralConv2D, SpectralDense
from ganedu.runs import RunFolder, folder
from ganedu.runtime import UsageError

FOLDER = document.FOLDER
HOSTILE = "</script><script>window.hit=1</script><img src=x onerror='window.hit=1'>\u2028"
IMAGES = (8, 8, 1)


def sources():
    return {f.stem: f.read_text(encoding="utf-8") for f in (FOLDER / "page").glob("*.js")}


def run_info(model="dcgan", **more):
    asked = folder.ASKED
    values = (model, "digits", 0, "quick", None, 3.0, None, 8)
    recipe = {"name": model, "batch_size": 8, "steps_per_round": 3, "epochs": 1, "model": {"a": 1}}
    told = {"images": [100, *IMAGES], "recipe": recipe, "classes": list("0123456789")}
    return dict(zip(asked, values, strict=True)) | told | more


@pytest.fixture
def few(monkeypatch):
    """Pages without what takes long to find."""
    monkeypatch.setattr(contents, "diagnosis", lambda *a: {"text": "healthy"})
    monkeypatch.setattr(contents, "quality", lambda *a: {"left_out": []})


# The exported graph.


def test_layers_within_networks_are_laid_out_in_place_and_shared_ones_have_one_weight():
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(3, "relu"), layers.Dense(3)])
    shared, x = layers.Dense(3), keras.Input((3,))
    network = keras.Model(x, shared(inner(shared(x))) + inner(x))
    weights = Weights()
    graph = export(network, weights)
    kinds = [node["type"] for node in graph["nodes"]]
    assert kinds.count("Dense") == 6
    assert kinds.count("ops.Add") == 1
    assert kinds[0] == "Input"
    assert len(weights.arrays) == 6  # kernels and biases of three layers
    for i, node in enumerate(graph["nodes"]):  # each comes after what it needs
        assert all(r["ref"][0] < i for r in node.get("args", []))


def test_weights_are_little_endian_float16():
    x = keras.Input((2,))
    layer = layers.Dense(1, use_bias=False)
    network = keras.Model(x, layer(x))
    layer.kernel.assign([[1.5], [-2.25]])
    weights = Weights()
    export(network, weights)
    told = weights.to_dict()
    assert told["shapes"] == [[2, 1]]
    assert np.frombuffer(base64.b64decode(told["data"]), "<f2").tolist() == [1.5, -2.25]


def test_a_weight_that_float16_has_not_is_refused():
    layer = layers.Dense(1)
    x = keras.Input((2,))
    network = keras.Model(x, layer(x))
    layer.kernel.assign(np.full((2, 1), 1e5))
    with pytest.raises(UnknownLayer, match="float16"):
        export(network, Weights())


def test_a_spectral_layer_is_exported_with_its_divided_kernel():
    layer, x = SpectralDense(3), keras.Input((3,))
    network = keras.Model(x, SpectralConv2D(2, 1)(layers.Reshape((1, 1, 3))(layer(layer(x)))))
    weights = Weights()
    nodes = export(network, weights)["nodes"]
    assert [n["type"] for n in nodes] == ["Input", "Dense", "Dense", "Reshape", "Conv2D"]
    assert len(weights.arrays) == 4  # kernels and biases of two layers
    kernel = weights.arrays[nodes[1]["weights"]["kernel"]]
    np.testing.assert_allclose(kernel, layer.normalized(training=False), rtol=1e-3)
    assert np.abs(kernel - np.array(layer.kernel)).max() > 0.01


@keras.saving.register_keras_serializable("someone")
class Twice(layers.Layer):
    def call(self, x):
        return 2 * x


@keras.saving.register_keras_serializable("someone", name="Dense")
class NotDense(layers.Dense):
    def call(self, x):
        return -super().call(x)


@keras.saving.register_keras_serializable("someone")
class PositionEmbedding(layers.Layer):
    def call(self, x):
        return -x


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda x: Twice()(x), "someone>Twice"),
        (lambda x: NotDense(3)(x), "someone>Dense"),
        (lambda x: PositionEmbedding()(x), "someone>PositionEmbedding"),
        (lambda x: layers.Dense(3, activation=ops.sin)(x), "activation"),
        (lambda x: layers.Dropout(0.5)(x, training=True), "training"),
        (lambda x: layers.ReLU(max_value=1)(x), "max_value"),
        (lambda x: layers.BatchNormalization(axis=1)(x), "axis"),
        (lambda x: ops.sort(x), "Sort"),
        (lambda x: layers.SpectralNormalization(layers.Dense(3))(x), "SpectralNormalization"),
    ],
    ids=[
        *("layer", "name", "own name", "activation", "training", "max_value", "axis", "operation"),
        "wrapper",
    ],
)
def test_what_the_page_cannot_compute_is_named(make, named):
    x = keras.Input((3,))
    with pytest.raises(UnknownLayer, match=named):
        export(keras.Model(x, make(x)), Weights())


def test_the_page_has_every_layer_that_is_exported():
    text = sources()
    for name in (*LAYERS, *OWN_LAYERS):
        assert re.search(rf"^  {name}: ", text["layers"], re.M), name
    for name in OPERATIONS:
        assert re.search(rf"^  {name}: ", text["operations"], re.M), name


def test_directions_are_those_in_which_images_change():
    """A generator in which each latent has pixels of its own, the second the strongest."""
    z, gains = keras.Input((3,)), np.zeros((3, 64))
    gains[0, :20], gains[1, 20:40], gains[2, 40:60] = 0.01, 0.4, 0.1
    x = layers.Reshape((8, 8, 1))(layers.Dense(64, activation="tanh")(z))
    model = models.build("gan", IMAGES, latent_dim=3, width=8)
    network = keras.Model(z, x)
    network.layers[1].set_weights([gains, np.zeros(64)])
    model.ema_generator = network
    directions, scales = principal_directions(model)
    assert np.abs(directions).argmax(axis=1).tolist() == [1, 2, 0]
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1, rtol=1e-4)
    assert np.abs(scales - 1).max() < 0.15


# The page's text.


@pytest.mark.parametrize(
    ("name", "of"), [("vae", "codes"), ("cvae", "images"), ("dcgan", "images")]
)
def test_it_is_said_of_what_the_directions_are(name, of):
    images = data.load("digits", image_size=8).array()[:50]
    assert directions_of(small(name), images)["directions_of"] == of


def test_in_each_direction_latents_differ():
    """The numbers of an InfoGAN's category are one-hot: their sum is 1 in each latent."""
    model = models.build("infogan", IMAGES, noise_dim=2, num_categories=3, continuous_dim=1)
    found = directions_of(model, [])
    assert len(found["directions"]) == len(found["scales"]) == 5
    assert min(found["scales"]) > 0.1


def test_texts_cannot_leave_the_data():
    data = {"name": HOSTILE, "deep": [{"<b>": "&"}]}
    text = document.page(HOSTILE, "en", data, document.WALKER)
    inside = re.search(r'id="data">(.*?)</script>', text, re.S)[1]
    assert json.loads(inside) == data
    assert "window.hit=1</script>" not in text
    assert html_text.escape(HOSTILE) in text
    assert not re.search("[\u2028\u2029<>]", inside)


def test_no_element_is_made_of_text():
    banned = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|DOMParser"
    for name, text in sources().items():
        assert not re.search(banned, text), name


def test_every_string_is_there_in_both_languages_and_used():
    english, chinese = (
        document.strings(language) | document.strings(language, "lab") for language in ("en", "zh")
    )
    assert set(english) == set(chinese)
    assert not set(document.strings("en")) & set(document.strings("en", "lab"))
    assert all(english.values())
    assert all(re.search("[\u4e00-\u9fff]", text) for text in chinese.values())
    text = "\n".join(sources().values())
    said = set(re.findall(r'(?:say|sayWith)\("(\w+)"', text))
    assert said <= set(english)
    made = {
        f"detail_{name}" for name, _ in contents.details(run_info(versions={"a": "1"}), small())
    }
    assert made <= set(english)
    named = set(re.findall(r'"(\w+)"', text)) | set(
        re.findall(r'"(\w+)"', (FOLDER / "contents.py").read_text())
    )
    named |= set(re.findall(r"^  (\w+): ", text, re.M))  # the keys of a table
    # Names that are made of two, as `detail_seed` of `detail_` and a row's name.
    families = re.compile("^(detail|loss|data|legend|model|gan|flow|live|heat)_")
    made = {n for n in english if families.sub("", n) in named | {"title", "summary", "hints"}}
    assert not set(english) - named - made


def test_another_language_is_refused():
    with pytest.raises(UsageError, match="en, zh"):
        document.strings("fr")


def small(name="dcgan"):
    sizes = {"latent_dim": 3, "g_width": 4, "d_width": 4} if name == "dcgan" else {}
    return models.build(name, IMAGES, **sizes)


def test_a_layer_that_the_page_does_not_know_leaves_stored_pictures(few, tmp_path):
    z = keras.Input((3,))
    x = layers.Reshape(IMAGES)(layers.Dense(64, activation="tanh")(Twice()(z)))
    model = models.gan.GAN(keras.Model(z, x), small().discriminator)
    told, missing = page.page_data(model, run_info(), [], [])
    assert "Twice" in told["unplayed"]
    assert "program" not in told
    assert told["pictures"]["shape"] == [64, *IMAGES]
    assert told["pictures_are"] == "samples"
    assert ["Twice" in line for line in missing] == [True]


def test_a_page_is_made_without_the_data(tmp_path):
    info = run_info(data=str(tmp_path / "gone"))
    told, missing = page.page_data(small(), info, [], [])
    assert "program" in told
    assert "quality" not in told
    assert told["missing"]
    assert "gone" in missing[0]


def test_what_is_no_frame_is_left_out(tmp_path):
    good, bad, other = (tmp_path / f"{i:09d}.png" for i in (1, 2, 3))
    from ganedu import figures

    figures.save_png(data.load("digits", image_size=8).array()[:4], good, min_side=0)
    bad.write_bytes(b"\x89PNG\r\n\x1a\n broken")
    figures.save_gif([np.zeros((8, 8, 1), "uint8")], other)  # no PNG, whatever its name says
    assert [f["step"] for f in contents.film([good, bad, other])] == [1]


def test_curves_have_holes_where_numbers_are_missing():
    rows = [
        {"round": 1, "step": 5, "loss": 1.0},
        {"round": 2, "step": 9, "loss": float("nan"), "b": 2},
    ]
    told = contents.curves(rows)
    assert told["columns"] == {"loss": [1.0, None], "b": [None, 2.0]}
    assert told["steps"] == [5, 9]
    long = [{"step": i, "loss": float(i)} for i in range(5000)]
    assert len(contents.curves(long)["steps"]) == contents.MAX_ROWS
    assert contents.curves(long)["steps"][-1] == 4999


def test_a_diagnosis_that_takes_long_is_left_to_its_command(monkeypatch):
    images = data.load("digits", "test", image_size=8).array()[:16]
    monkeypatch.setattr(contents, "samples", lambda *a: (images, images, None, 10.0))
    told, _ = page.page_data(small(), run_info(), [], [])
    seconds = f"{10.0 * len(data.load('digits', 'test', image_size=8)):.0f}"
    assert told["diagnosis"] == {"name": "diagnosis_slow", "value": seconds}
    assert told["quality"]["left_out"] == ["few"]
    assert len(told["quality"]["neighbours"]["best"]["distances"]) == 8


def test_neighbours_are_the_nearest_real_images_in_order():
    train = data.load("digits", image_size=8).array()[:200]
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((40, 8, 8, 1)) * np.linspace(0.001, 0.8, 40)[:, None, None, None]
    found = contents._neighbours(train[:40] + noise.astype("float32"), train, None)
    best, worst = (found[k]["distances"] for k in ("best", "worst"))
    assert best == sorted(best)
    assert worst == sorted(worst, reverse=True)
    assert best[-1] < worst[-1]
    assert len(best) == 16
    packed = base64.b64decode(found["best"]["nearest"]["data"])
    first = np.frombuffer(zlib.decompress(packed), "uint8")
    np.testing.assert_array_equal(first[:64], data.to_uint8(train[:1]).ravel())


def test_the_nearest_to_a_sample_of_a_class_is_of_that_class():
    """Also where another class has a nearer one; a class without real images has none."""
    train = np.linspace(-1, 1, 6, dtype="float32").reshape(6, 1, 1, 1)
    classes = np.array([0, 1, 0, 1, 2, 2]), np.array([0, 1, 1, 0, 0, 1])
    found = contents._neighbours(train, train, None, classes)
    assert found["best"]["distances"] == [0.0, 0.0]  # of 0 and 1
    assert found["worst"]["distances"] == [
        0.4,
        0.4,
    ]  # of 2 and 3, whose nearest have the other class
    for name, right in (("best", [[0, 1], [0, 1]]), ("worst", [[3, 2], [2, 3]])):
        for key, places in zip(("samples", "nearest"), right, strict=True):
            shown = np.frombuffer(
                zlib.decompress(base64.b64decode(found[name][key]["data"])), "uint8"
            )
            np.testing.assert_array_equal(shown, data.to_uint8(train[places]).ravel())


def test_real_images_are_packed_with_their_classes():
    images = np.arange(20, dtype="uint8").repeat(64).reshape(20, 8, 8, 1)
    told = contents.packed_to_fit(images, labels=np.arange(20) % 7)
    found = np.frombuffer(zlib.decompress(base64.b64decode(told["data"])), "uint8")
    assert (found.reshape(20, 64)[:, 0] % 7).tolist() == told["labels"]
    assert "labels" not in contents.packed_to_fit(images)


def test_a_page_of_a_folder_whose_images_stand_class_by_class_has_all_classes(monkeypatch):
    """Those that are scored, searched and shown are from all of it."""
    digits = data.load("digits", image_size=8)
    ordered = digits.subset(np.argsort(digits.labels, kind="stable"))
    monkeypatch.setattr(contents.data, "load", lambda *a, **k: ordered)
    monkeypatch.setattr(contents, "MAX_SAMPLES", 60)
    monkeypatch.setattr(contents, "MAX_TRAIN", 100)
    model, asked = models.build("cgan", IMAGES, num_classes=10, latent_dim=3, width=8), []
    spy = contents.evaluation.evaluation_samples
    monkeypatch.setattr(
        contents.evaluation, "evaluation_samples", lambda m, d: asked.append(d.labels) or spy(m, d)
    )
    told = contents.quality(model, run_info("cgan"), ordered)
    assert [len(labels) for labels in asked] == [16, 60]
    assert all(set(labels) == set(range(10)) for labels in (*asked, told["real"]["labels"]))
    assert told["of_classes"]
    assert len(set(page._examples(model, ordered)["labels"])) == 10
    assert "labels" not in page._examples(small(), ordered)


def test_what_was_made_of_texts_is_not_said_to_be_made_of_images(monkeypatch):
    images = data.load("digits", "test", image_size=8).array()[:16]
    monkeypatch.setattr(contents, "samples", lambda *a: (images, images, None, 10.0))
    for tasks, made_of in (
        ({"generate by text"}, "texts"),
        ({"generate by text", "edit"}, "images"),
        ({"translate"}, "images"),
    ):
        monkeypatch.setattr(contents, "_wanted", lambda *a: data.to_uint8(images))
        model = types.SimpleNamespace(tasks=tasks)
        told = contents.quality(model, run_info(), data.load("digits", "test", image_size=8))
        assert told["pairs"]["made_of"] == made_of
        for language in ("en", "zh"):
            assert f"pairs_of_{made_of}" in document.strings(language)


@pytest.mark.parametrize(("name", "images"), [("captioner", False), ("clip", False), ("gan", True)])
def test_a_model_that_makes_no_images_is_not_said_to_lack_scores(name, images):
    model = types.SimpleNamespace(tasks={"captioner": {"caption"}, "clip": {"compare"}}.get(name))
    model = small(name) if images else model
    dataset = data.load("digits", "test", image_size=8).first_n(20)
    told = contents.quality(model, run_info(name), dataset)
    assert (told["left_out"] == ["no_images"]) == (not images)
    assert told["left_out"][0] in document.strings("zh")
    diagnosed = contents.diagnosis(model, run_info(name), [])
    assert (diagnosed == {"name": "not_diagnosed"}) == (not images)
    if not images:
        assert page._pictures(model, dataset)[1] == "tests"


@pytest.mark.parametrize("name", ["dcgan", "editor", "cyclegan"])
def test_a_page_looks_for_the_nearest_among_what_the_model_was_trained_to_make(name, monkeypatch):
    """Of a translator these are its targets."""
    model = small() if name == "dcgan" else types.SimpleNamespace(tasks={"edit"})
    model = models.build(name, IMAGES, width=4) if name == "cyclegan" else model
    images = data.load("digits", "test", image_size=8).array()[:16]
    monkeypatch.setattr(contents, "samples", lambda *a: (images, images, None, 10.0))
    told = contents.quality(model, run_info(name), data.load("digits", "test", image_size=8))
    train = data.load("digits", image_size=8)
    wanted = train.array()
    if name == "cyclegan":
        assert "neighbours" not in told
        wanted = model.prepare_dataset(train).get_batch(slice(None))[1]
    count, *shape = told["real"]["shape"]
    found = np.frombuffer(zlib.decompress(base64.b64decode(told["real"]["data"])), "uint8")
    seen = {x.tobytes() for x in data.to_uint8(wanted)}
    assert count > 1000
    assert all(x.tobytes() in seen for x in found.reshape(count, *shape))


def test_as_many_real_images_are_in_the_page_as_fit():
    images = data.load("digits").images
    told = contents.packed_to_fit(images, 40_000)
    assert 30_000 < len(told["data"]) <= 40_000
    count, *shape = told["shape"]
    assert shape == [28, 28, 1]
    found = np.frombuffer(zlib.decompress(base64.b64decode(told["data"])), "uint8")
    seen = {x.tobytes() for x in images}
    assert all(x.tobytes() in seen for x in found.reshape(count, -1))
    assert contents.packed_to_fit(images[:7])["shape"] == [7, 28, 28, 1]
    assert contents.packed_to_fit(images, 10)["shape"] == [1, 28, 28, 1]


# The bundle.


def test_the_bundle_is_whole_with_its_licences_and_names_no_host():
    bundle = FOLDER / "bundle"
    assert "</script" not in document.bundle()
    licence = (bundle / "tfjs.LICENSE.txt").read_text()
    assert "Apache License" in licence
    assert "David Bau" in licence
    lock = json.loads((bundle / "package-lock.json").read_text())
    package = json.loads((bundle / "package.json").read_text())
    assert not re.search("https?://(?!opencollective|github)", json.dumps(lock["packages"]))
    for name, version in package["dependencies"].items():
        assert lock["packages"][f"node_modules/{name}"]["version"] == version
        assert f"{name} {version}" in licence


def test_the_page_files_are_short_enough_to_read():
    lengths = {name: text.count("\n") for name, text in sources().items()}
    assert max(lengths.values()) < 500, lengths
    ours = tomllib.loads((Path(document.FOLDER).parents[1] / "pyproject.toml").read_text())
    assert "ganedu" in ours["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]


# The command.


def run(*arguments):
    return CliRunner().invoke(cli.main, ["explain", *map(str, arguments)])


@pytest.fixture
def trained(tmp_path):
    """A run that was trained for no time."""
    made = RunFolder.create(tmp_path / "run", {"format": 1, **run_info(), "status": "finished"})
    small().save(made.path / "model.keras")
    made.write_history([{"round": 1, "step": 3, "seconds": 1.0, "d_loss": 0.5}])
    return made.path


def test_bad_input_is_one_line_and_makes_nothing(tmp_path, trained):
    before = sorted(tmp_path.rglob("*"))
    for arguments, told in (
        ([tmp_path / "none"], "no run.json"),
        ([tmp_path / "none", "--out", tmp_path / "page.txt"], "no run.json"),
        ([trained, "--out", tmp_path / "page.png"], "must end in .html"),
        ([trained, "--out", tmp_path / "no" / "page.html"], "There is no folder"),
        ([tmp_path], "no run.json"),
    ):
        done = run(*arguments)
        assert done.exit_code == 2, done.output
        assert told in done.output
        assert done.output.count("\n") == 1
        assert done.output.startswith("ganedu: ")
    assert run(trained, "--language", "fr").exit_code == 2
    (trained / "history.csv").write_text("=a,b\n1,2\n")
    assert "history.csv is damaged" in run(trained).output
    assert sorted(tmp_path.rglob("*")) == before


def test_a_run_becomes_a_page(trained, few):
    done = run(trained, "--language", "zh")
    assert done.exit_code == 0, done.output
    text = (trained / "explain.html").read_text(encoding="utf-8")
    assert '<html lang="zh">' in text
    assert "试玩这个模型" in text
    assert document.script(page.SCRIPTS) in text
    assert not re.search(r"""(src|href)=["']?https?:""", text)
    assert len(text) < 3e6


def test_a_program_says_how_each_kind_is_sampled():
    told, _ = program(models.build("diffusion", IMAGES, width=8, units=8))
    assert len(told["alpha_bar"]) == 1001
    assert told["prediction"] == "image"
    with pytest.raises(UnknownLayer, match="CLIP"):
        program(models.build("clip", (32, 32, 3), length=8, width=4, text_width=8, dim=6))
