"""A folder that a stranger made: no code of theirs runs, nothing outside is touched, and what is wrong is one line."""

import dataclasses
import inspect
import json
import marshal
import os
import shutil
import zipfile

import h5py
import keras
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from rows import IMAGE_SHAPE, ROWS, steps_are_eager

from ganedu import cli, models, recipes, runs
from ganedu.runs import RunFolder, model_file, records
from ganedu.runtime import RunError, UsageError

WEIGHTS, CONFIG = "model.weights.h5", "config.json"
COMMANDS = (
    "sample RUN --out x.png --count 4",
    "evaluate RUN --count 20",
    "diagnose RUN",
    "resume RUN",
)


def call(command, run):
    return CliRunner().invoke(cli.main, command.replace("RUN", str(run)).split())


def assert_one_line(result, message, status=2):
    assert result.exit_code == status, (result.output, result.exception)
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.stderr.startswith("ganedu: "), result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
    assert len(result.stderr) < 2100
    assert message in result.stderr, result.stderr


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of a run of two steps, as it is handed on: stopped after them."""
    folder = tmp_path_factory.mktemp("stranger") / "run"
    with pytest.MonkeyPatch.context() as patch:
        steps_are_eager(patch)
        asked = "train gan --image-size 8 --profile smoke --out RUN"
        assert call(asked, folder).exit_code == 0
    RunFolder.open(folder).update_run_info(status="interrupted")
    return folder


@pytest.fixture
def run(trained, tmp_path, monkeypatch):
    """A copy of it, in a folder that the commands are called from."""
    monkeypatch.chdir(tmp_path)
    return shutil.copytree(trained, tmp_path / "run")


# Models


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def put(run, contents, kind=zipfile.ZIP_STORED):
    """Makes `model.keras`, and that of the checkpoint with its checksum, of these members."""
    path = run / "model.keras"
    path.unlink()  # it may be the checkpoint's file too
    with zipfile.ZipFile(path, "w", kind) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    hand_on(run)


def hand_on(run):
    """Gives the checkpoint the run's `model.keras`, and its checksum."""
    for step in RunFolder(run).steps():
        (step / "model.keras").unlink()
        shutil.copyfile(run / "model.keras", step / "model.keras")
        state = json.loads((step / "state.json").read_text())
        state["model_sha256"] = runs.folder.digest(step / "model.keras")
        (step / "state.json").write_text(json.dumps(state))


def with_config(change):
    def damage(run):
        contents = members(run / "model.keras")
        config = json.loads(contents[CONFIG])
        contents[CONFIG] = json.dumps(change(config) or config)
        put(run, contents)

    return damage


def layer_becomes(**told):
    """A layer of the generator is something else."""

    def change(config):
        config["config"]["generator"]["config"]["layers"][1].update(told)

    return with_config(change)


def code():
    """What Keras would run for a Lambda layer, were it not in safe mode."""
    import base64

    raw = marshal.dumps((lambda x: __import__("os").mkdir("owned")).__code__)
    return {"class_name": "__lambda__", "config": {"value": base64.b64encode(raw).decode()}}


LAMBDA = {"name": "x", "function": code(), "arguments": {}}
LOOKUP = {"name": "x", "vocabulary": "/etc/passwd"}
OBJECTS = {
    "a Lambda": layer_becomes(class_name="Lambda", module="keras.layers", config=LAMBDA),
    "a Lambda of keras.src": layer_becomes(
        class_name="Lambda", module="keras.src.layers.core.lambda_layer", config=LAMBDA
    ),
    "a Lambda in Keras's old form": layer_becomes(
        class_name="Lambda", module=None, registered_name=None, config=LAMBDA
    ),
    "code as an activation": with_config(
        lambda config: config["config"]["generator"]["config"]["layers"][1]["config"].update(
            activation=code()
        )
    ),
    "os.system": layer_becomes(module="os", class_name="system", registered_name="system"),
    "subprocess": layer_becomes(module="subprocess", class_name="Popen", registered_name=None),
    "eval": layer_becomes(module="builtins", class_name="function", config="eval"),
    "a download": layer_becomes(
        module="keras.utils", class_name="function", config="get_file", registered_name="get_file"
    ),
    "Keras's loader": layer_becomes(module="keras.saving", class_name="load_model"),
    "a dotted name": layer_becomes(module="keras.layers", class_name="Dense.from_config"),
    "a saved graph": layer_becomes(
        module="keras.layers", class_name="TFSMLayer", config={"filepath": "/tmp"}
    ),
    "a file of words": layer_becomes(
        module="keras.layers", class_name="StringLookup", config=LOOKUP
    ),
    "a name for another": layer_becomes(
        module="keras.layers", class_name="Dense", registered_name="ganedu>GAN"
    ),
    "a class that is not there": layer_becomes(
        module="ganedu.layers.x", class_name="Evil", registered_name="ganedu>Evil"
    ),
    "names that are none": layer_becomes(module=["keras"], class_name={"x": 1}),
    "10**9 units": with_config(
        lambda config: config["config"]["generator"]["config"]["layers"][1]["config"].update(
            units=10**9
        )
    ),
    "a list": with_config(lambda config: [config]),
    "a layer of ganedu": with_config(
        lambda config: {
            "module": "ganedu.layers.style",
            "class_name": "EqualizedDense",
            "registered_name": "ganedu>EqualizedDense",
            "config": {"units": 3},
        }
    ),
    "a word for a number": with_config(lambda config: config["config"].update(ema_momentum="x")),
    "a word for a layer": with_config(lambda config: config["config"].update(augment="x")),
    "a negative seed": with_config(lambda config: config["config"].update(seed=-1)),
    "an optimizer": with_config(
        lambda config: config["compile_config"].update(
            g_optimizer={"module": "os", "class_name": "system", "config": {}}
        )
    ),
    "a model of Keras": lambda run: (
        keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(run / "model.keras"),
        hand_on(run),
    ),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_a_model_of_other_classes_is_refused(run, name):
    OBJECTS[name](run)
    before = sorted(p for p in run.rglob("*"))
    for command in COMMANDS:
        assert_one_line(call(command, run), "model.keras must hold a model of ganedu")
    assert sorted(p for p in run.rglob("*")) == before
    assert not os.path.exists("owned")
    with pytest.raises(UsageError, match="must hold a model of ganedu"):
        runs.load_model_file(run / "model.keras")


def added(name, content=b"x", **changes):
    """One more file in the archive."""

    def damage(run):
        contents = members(run / "model.keras")
        info = zipfile.ZipInfo(name)
        for key, value in changes.items():
            setattr(info, key, value)
        put(run, {**contents, info: content})

    return damage


def bomb(run):
    contents = members(run / "model.keras")
    put(run, {**contents, WEIGHTS: bytes(1 << 26)}, zipfile.ZIP_DEFLATED)


def with_weights(change):
    def damage(run):
        contents = members(run / "model.keras")
        (run / WEIGHTS).write_bytes(contents[WEIGHTS])
        with h5py.File(run / WEIGHTS, "a") as weights:
            names = []
            weights.visititems(lambda name, item: names.append(name) if is_array(item) else None)
            change(
                weights, next(n for n in names if "generator" in n and len(weights[n].shape) == 2)
            )
        put(run, {**contents, WEIGHTS: (run / WEIGHTS).read_bytes()})
        (run / WEIGHTS).unlink()

    return damage


def is_array(item):
    return isinstance(item, h5py.Dataset)


def external(weights, name):
    shape = weights[name].shape
    del weights[name]
    weights.create_dataset(
        name, shape, "f4", external=[("/etc/passwd", 0, 4 * shape[0] * shape[1])]
    )


def virtual(weights, name):
    shape = weights[name].shape
    del weights[name]
    layout = h5py.VirtualLayout(shape, "f4")
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "x", shape)
    weights.create_virtual_dataset(name, layout)


def hollow(weights, name):
    del weights[name]
    weights.create_dataset(name, (1 << 20, 1 << 20), "f4", chunks=(1024, 1024), compression="gzip")


def objects(weights, name):
    del weights[name]
    weights.create_dataset(name, data=["a", "b"], dtype=h5py.string_dtype())


def linked(kind):
    def change(weights, name):
        del weights[name]
        weights[name] = kind

    return change


ARCHIVES = {
    "a path upwards": added("assets/../../../owned"),
    "an absolute path": added("/tmp/owned"),
    "a link": added("assets/link", b"/etc/passwd", external_attr=0o120777 << 16),
    "a second configuration": added(CONFIG, b"{}"),
    "another kind of weights": added("model.weights.npz"),
    "a bomb": bomb,
    "external weights": with_weights(external),
    "virtual weights": with_weights(virtual),
    "hollow weights": with_weights(hollow),
    "weights of objects": with_weights(objects),
    "a link to other weights": with_weights(linked(h5py.ExternalLink("/etc/passwd", "x"))),
    "a link within": with_weights(linked(h5py.SoftLink("/x"))),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ARCHIVES)
def test_a_model_file_with_more_than_a_model_is_refused(run, name):
    ARCHIVES[name](run)
    for command in COMMANDS:
        assert_one_line(call(command, run), "model.keras must hold a model of ganedu")
    assert sorted(os.listdir()) == ["run"]


DAMAGES = {
    "empty": lambda path: path.write_bytes(b""),
    "half": lambda path: path.write_bytes(path.read_bytes()[:5000]),
    "no archive": lambda path: path.write_bytes(b"x" * 5000),
    "a changed byte": lambda path: path.write_bytes(
        path.read_bytes()[:9000] + bytes(10) + path.read_bytes()[9010:]
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_model_is_one_line_more(run, name):
    """Without a checkpoint there is no model; the line on the damage comes first, then what to do."""
    shutil.rmtree(run / "checkpoint")
    DAMAGES[name](run / "model.keras")
    for command in COMMANDS[:3]:
        with pytest.warns(UserWarning, match="model.keras is damaged"):
            result = call(command, run)
        assert_one_line(result, "has no model yet. Go on with")


def test_weights_that_do_not_fit_are_one_line_more(run):
    with_weights(lambda weights, name: weights.__delitem__(name))(run)
    for command in COMMANDS[:3]:
        with pytest.warns(UserWarning, match=r"model\.keras does not fit"):
            result = call(command, run)
        assert_one_line(result, "model.keras does not fit", status=1)
    assert_one_line(call("resume RUN", run), "model.keras does not fit", status=1)


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_file_is_not_waited_for(run, make):
    steps = [f"checkpoint/{step.name}" for step in RunFolder(run).steps()]
    for name in ("model.keras", *(f"{step}/model.keras" for step in steps)):
        (run / name).unlink()
        make(run / name)
    with pytest.raises(UsageError, match="must be a file"):
        runs.load_model_file(run / "model.keras")
    with pytest.warns(UserWarning, match="is damaged"):
        assert_one_line(call("sample RUN --out x.png", run), "has no model yet")
    for name in ("history.csv", *(f"{step}/state.json" for step in steps)):
        (run / name).unlink()
        make(run / name)
    with pytest.warns(UserWarning, match="is damaged"):
        assert_one_line(call("resume RUN", run), "history.csv must be a file")
    (run / "run.json").unlink()
    make(run / "run.json")
    assert_one_line(call("resume RUN", run), "no run.json there")


# run.json


RUN_JSON = {
    "model": ["../../x", "gan\0", "", "x" * 10_000, 3, ["gan"]],
    "data": ["\0", "", {"x": 1}, None],
    "seed": [-1, 2**31, True, 0.5, 10**400, float("nan")],
    "epochs": [True, 0, -1, 1e300, float("nan"), float("inf"), "2"],
    "seconds": [float("-inf"), False, [1]],
    "batch_size": [0, 1.5, True, 10**9 + 1],
    "image_size": [10**9, True, "8"],
    "profile": ["huge", None, 1],
    "status": ["owned", 1, None],
    "backend": ["\x1b]0;owned\x07", "openvino", 3],
    "score_every": [0, True],
    "patience": [-1, 1.5],
    "images": [[1], ["a"] * 4, [10**10, 8, 8, 1], {"x": 1}, [True] * 4],
    "classes": [[1], "abc", ["x" * 10_000], ["a"] * 10_001, [["a"]]],
    "format": [-1, True, "1", None, 1.0],
    "recipe": [
        *({}, {"batch_size": 2}, []),
        *(
            {"batch_size": 16, "steps_per_round": 1, "epochs": 1, **changes}
            for changes in (
                *({"batch_size": 0}, {"batch_size": True}, {"steps_per_round": 0}),
                *({"epochs": float("nan")}, {"epochs": -1}, {"other": 1}, {"augment": [1]}),
                *({"model": []}, {"model": {"width": 10**9}}, {"model": {"width": float("inf")}}),
                {"model": {"learning_rate": {"module": "os", "class_name": "system"}}},
                {"model": {"width": [[1]]}},
            )
        ),
    ],
}


def says(run, **changes):
    path = run / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in RUN_JSON.items() for value in values],
    ids=lambda v: str(v)[:20].replace("\0", "0").replace("\x1b", "1"),
)
def test_what_run_json_cannot_say_is_one_line(run, name, value):
    says(run, **{name: value})
    for command in COMMANDS:
        told = (
            "There is no model" if value == "../../x" else f"run.json is damaged (it says {name}: "
        )
        assert_one_line(call(command, run), told)
    if value != "../../x":
        with pytest.raises(UsageError, match=r"run\.json is damaged"):
            RunFolder.open(run).run_info()


TEXTS = {
    "nested": b"[" * 100_000,
    "nested well": b"[" * 100_000 + b"]" * 100_000,
    "no UTF-8": b'{"model": "\xff\xfe"}',
    "zeros": bytes(1000),
    "a number without an end": b'{"seed": ' + b"9" * 10_000 + b"}",
    "a list": b"[1]",
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_run_json_that_is_none_is_one_line(run, name):
    (run / "run.json").write_bytes(TEXTS[name])
    for command in COMMANDS:
        assert_one_line(call(command, run), "run.json is damaged (")


def test_a_run_json_without_an_end_is_not_read(run, monkeypatch):
    with (run / "run.json").open("r+b") as file:
        file.truncate(1 << 40)  # of which the disk holds nothing
    assert_one_line(call("resume RUN", run), "run.json must have at most 134,217,728 bytes")


def test_a_run_json_from_windows_is_read(run):
    text = (run / "run.json").read_text()
    (run / "run.json").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert RunFolder.open(run).run_info() == json.loads(text)


def test_an_older_run_json_is_read_and_a_newer_one_is_not(run):
    assert RunFolder.open(run).run_info()["format"] == records.FORMAT
    older = json.loads((run / "run.json").read_text())
    del older["format"]
    (run / "run.json").write_text(json.dumps(older))
    assert RunFolder.open(run).run_info() == older
    assert call("sample RUN --out x.png --count 4", run).exit_code == 0
    says(run, format=records.FORMAT + 1, data=3)
    for command in COMMANDS:
        assert_one_line(
            call(command, run), "was made by a newer ganedu (format 2). This one reads up"
        )


RECIPES = [
    {"width": -1},
    {"width": "x"},
    {"width": 0},
    {"width": [1]},
    {"learning_rate": "os.system"},
    {"seed": 3},
    {"image_shape": [8, 8, 1]},
    {"augment": "evil"},
    {"dropout": 7},
    {"dropout": True},
    {"label_smoothing": "x"},
    {"ema_momentum": []},
    {"latent_dim": 0},
]


@pytest.mark.parametrize("arguments", RECIPES, ids=str)
def test_a_recipe_of_which_no_model_can_be_made_is_one_line(run, arguments):
    recipe = {"batch_size": 16, "steps_per_round": 1, "epochs": 1, "model": arguments}
    says(run, recipe=recipe)
    shutil.rmtree(run / "checkpoint")
    (run / "model.keras").unlink()
    with pytest.warns(UserWarning, match="no whole model left"):
        assert_one_line(call("resume RUN", run), "run.json is damaged (")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 10**6}, "the number of images"),
        ({"augment": ["evil"]}, "An augmentation must be one or more of"),
    ],
)
def test_a_recipe_that_cannot_be_followed_is_one_line(run, changes, message):
    says(run, recipe={"batch_size": 16, "steps_per_round": 1, "epochs": 1, **changes})
    assert_one_line(call("resume RUN", run), message)


# History


HISTORIES = {
    "a formula": "=cmd(),step,seconds\n1,2,3\n",
    "words": "round,step,seconds\n1,2,=cmd()\n",
    "too few": "round,step,seconds\n1,2\n",
    "too many": "round,step,seconds\n1,2,3,4\n",
    "two of a name": "round,step,step,seconds\n1,2,3,4\n",
    "a long field": "round,step,seconds\n1,2," + "9" * 200_000 + "\n",
    "zeros": "round,step,seconds\n1,\0,3\n",
    "no UTF-8": b"round,step,seconds\n1,2,\xff\n",
    "no step": "round,step,seconds\n1,nan,3\n",
    "no end": "round,step,seconds\n1,inf,3\n",
    "half a step": "round,step,seconds\n1,1.5,3\n",
    "a step before the first": "round,step,seconds\n1,-3,3\n",
    "too long a step": "round,step,seconds\n1,1e300,3\n",
    "no time": "round,step,seconds\n1,2,nan\n",
    "a name that a terminal obeys": "round,step,seconds,a\x1b[2J\n1,2,3,4\n",
}


@pytest.mark.parametrize("name", HISTORIES)
def test_a_history_that_cannot_be_is_one_line(run, name):
    content = HISTORIES[name]
    (run / "history.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    shutil.rmtree(run / "checkpoint")
    before = (run / "model.keras").read_bytes()
    for command in ("diagnose RUN", "resume RUN"):
        assert_one_line(call(command, run), "history.csv is damaged (")
    assert (run / "model.keras").read_bytes() == before


ROW = {"round": 1, "step": 2, "seconds": 0.5, "loss": 0.5}
STATES = [
    *({"step": -1}, {"step": 10**9}, {"step": 2.0}, {"step": True}, {"seconds": float("nan")}),
    *({"seconds": -1}, {"history": "x"}, {"history": [1]}, {"history": [{}]}),
    *({"history": [{**ROW, "loss": value}]} for value in ("=cmd()", None, [1], True, 10**400)),
    *({"history": [ROW, {**ROW, "other": "1"}]}, {"history": [{**ROW, "=cmd()": 1.0}]}),
    *({"history": [{**ROW, "step": 0.5}]}, {"history": [{"round": 1}]}, {"model_sha256": 3}),
]


@pytest.mark.parametrize("changes", STATES, ids=lambda v: str(v)[:40])
def test_a_state_that_cannot_be_is_passed_over(run, changes):
    folder = RunFolder.open(run)
    for step in folder.steps():
        path = step / "state.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    with pytest.warns(UserWarning, match="is damaged"):
        assert folder.latest_checkpoint() == (None, None)
    (folder.steps()[0] / "state.json").write_bytes(b"[" * 100_000)
    with pytest.warns(UserWarning, match="is damaged"):
        assert folder.latest_checkpoint() == (None, None)


# Links


@pytest.fixture
def outside(tmp_path):
    """A folder that is none of the run's, and what it holds."""
    folder = tmp_path / "outside"
    folder.mkdir()
    for name in ("mine.txt", "best.keras", "000000001.png"):
        (folder / name).write_text(name)
    (folder / "step-000000001").mkdir()
    yield folder
    assert {p.name: p.read_text() for p in folder.iterdir() if p.is_file()} == {
        name: name for name in ("mine.txt", "best.keras", "000000001.png")
    }
    assert sorted(os.listdir(folder / "step-000000001")) == []


FILES = (
    *("samples.png", "training.gif", "history.csv", "run.json", "model.keras", "best.keras"),
    *("checkpoint/frames/000000004.png",),
)


def temporary_of(name):
    head, _, tail = name.rpartition("/")
    return f"{head}/.{tail}.part" if head else f".{tail}.part"


def test_links_to_files_elsewhere_are_not_followed(run, outside):
    """Each name that a run writes, and the names under which it writes first, lead elsewhere."""
    says(run, score_every=1, epochs=0.2)
    for name in FILES:
        for link in (run / name, run / temporary_of(name)):
            if name not in ("run.json", "model.keras", "history.csv") or link.name[0] == ".":
                link.unlink(missing_ok=True)
                link.symlink_to(outside / "mine.txt")
    for name in (".best.part", "checkpoint/.building"):
        (run / name).symlink_to(outside)
    with pytest.MonkeyPatch.context() as patch:
        steps_are_eager(patch)
        patch.setattr(
            "ganedu.runs.evaluation.frechet_scorer", lambda dataset, model: lambda model: 1.0
        )
        result = call("resume RUN", run)
    assert result.exit_code == 0, (result.output, result.exception)
    left = [p for p in run.rglob("*") if p.is_symlink()]
    assert left == []
    assert sorted(p.name for p in run.iterdir()) == sorted(
        [*(n for n in FILES if "/" not in n), "checkpoint"]
    )


@pytest.mark.parametrize("name", ["checkpoint", "checkpoint/frames", "checkpoint/step-000000002"])
def test_a_folder_that_lies_elsewhere_is_refused(run, outside, name):
    shutil.rmtree(run / name)
    (run / name).symlink_to(outside)
    assert_one_line(
        call("resume RUN", run), f"{name} must be a folder of the run itself. Received: a"
    )


def test_samples_do_not_follow_a_link(run, outside):
    os.symlink(outside / "mine.txt", ".x.png.part")
    assert call("sample RUN --out x.png --count 4", run).exit_code == 0
    assert Image.open("x.png").width > 8


# Frames


def of_postscript(path):
    path.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n(owned) (w) file\n%%EOF\n")


def of_another_size(path):
    Image.fromarray(np.zeros((3, 3), "uint8")).save(path)


def cut(path):
    path.write_bytes(path.read_bytes()[:60])


@pytest.mark.parametrize("damage", [of_postscript, of_another_size, cut])
def test_a_frame_that_is_none_costs_the_film_alone(run, damage, monkeypatch):
    monkeypatch.setattr("PIL.EpsImagePlugin.Ghostscript", lambda *args: pytest.fail("it was run"))
    damage(run / "checkpoint" / "frames" / "000000001.png")
    with pytest.warns(UserWarning, match=r"training\.gif could not be written"):
        assert call("resume RUN", run).exit_code == 0
    assert RunFolder.open(run).run_info()["status"] == "finished"


@pytest.mark.parametrize("shape", [(16, 16, 1), (8, 8, 3)])
def test_a_model_of_other_images_is_refused(run, shape):
    (run / "model.keras").unlink()
    models.build("gan", shape, latent_dim=3, width=8).save(run / "model.keras")
    hand_on(run)
    for command in COMMANDS:
        assert_one_line(
            call(command, run), "a model of images of the run's shape, (8, 8, 1). Received"
        )


def test_a_run_json_without_images_is_one_line(run):
    told = json.loads((run / "run.json").read_text())
    del told["images"]
    (run / "run.json").write_text(json.dumps(told))
    for command in COMMANDS[:3]:
        assert_one_line(call(command, run), "is damaged (it must say: images")


# What stays as it was


@pytest.mark.parametrize("name", ["cgan", "cyclegan", "vqvae"])
def test_a_model_of_ganedu_is_read(tmp_path, name):
    model = models.build(name, IMAGE_SHAPE, **ROWS[name].build)
    model.save(tmp_path / "x.keras")
    assert type(runs.load_model_file(tmp_path / "x.keras", name)) is type(model)


@pytest.mark.parametrize("name", sorted(ROWS))
def test_a_recipe_of_ganedu_is_one_that_run_json_may_say(name):
    known = inspect.signature(models.module(name).build).parameters
    own = [recipes.smoke(name), *recipes.known(name, "quick").values()]
    for recipe in [*own, *recipes.known(name, "full").values()]:
        told = json.loads(json.dumps({"name": "x", **dataclasses.asdict(recipe)}))
        assert records.TOLD["recipe"][1](told)
        assert all(records.fits_default(v, known[k].default) for k, v in told["model"].items())


def test_layers_that_read_or_run_are_known():
    """A layer of Keras that takes a function, a module or a file must not be built; the next version may have more."""
    telling = {"function", "fn", "call_fn", "module", "filepath", "path", "vocabulary", "callable"}
    layers = {
        name
        for name, layer in vars(keras.layers).items()
        if isinstance(layer, type)
        and telling
        & set(layer.__init__.__code__.co_varnames[: layer.__init__.__code__.co_argcount])
    }
    assert layers <= model_file.REFUSED | {"Wrapper"}
    assert {"Lambda", "StringLookup", "TFSMLayer"} <= layers


def test_what_a_terminal_would_obey_is_shown(run, monkeypatch):
    def refused(path):
        raise UsageError("--class must be one of: cat\x1b[2J")

    monkeypatch.setattr(RunFolder, "open", refused)
    assert_one_line(call("resume RUN", run), "cat\\x1b[2J")


def test_a_model_without_weights_in_memory_says_so(run, monkeypatch):
    def large(*args, **kwargs):
        raise MemoryError("Unable to allocate 3 TiB")

    monkeypatch.setattr(keras.models, "load_model", large)
    assert_one_line(call("sample RUN --out x.png", run), "not enough memory", status=1)
    monkeypatch.setattr(keras.models, "load_model", lambda *args, **kwargs: 1 / 0)
    for step in RunFolder(run).steps():
        shutil.rmtree(step)
    with pytest.raises(RunError, match="is damaged, or of another"):
        runs.load_model_file(run / "model.keras")
