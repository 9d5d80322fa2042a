"""Sweeps: which runs there are, what failed is told and goes on, a table and a plot at the end."""

import csv
import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

import ganedu
from ganedu import runs
from ganedu.cli import main
from ganedu.devices.executors import executor
from ganedu.runs import sweep
from ganedu.runs.records import read_run_info
from ganedu.runtime import RunError, UsageError

TINY = {"data": "digits", "profile": "smoke", "image_size": 8}


def table(out):
    with open(out / "sweep.csv") as file:
        return list(csv.DictReader(file))


def test_values_are_read_as_what_they_are():
    found = sweep.parse_values(
        ["width=8,16", "rate=1e-3", "prior=pixelcnn,transformer", "a=null,true"]
    )
    assert found == {
        "width": [8, 16],
        "rate": [1e-3],
        "prior": ["pixelcnn", "transformer"],
        "a": [None, True],
    }


@pytest.mark.parametrize(
    "words", [["width"], ["=3"], ["width="], ["a b=3"], ["w=1", "w=2"], ["w={}"]]
)
def test_what_is_no_value_is_refused(words):
    with pytest.raises(UsageError, match="--set takes"):
        sweep.parse_values(words)


def test_each_combination_is_a_run():
    found = sweep.plan(["gan", "vae"], [0, 3], {"latent_dim": [2, 4]})
    assert list(found)[:3] == [
        "gan-seed0-latent_dim=2",
        "gan-seed0-latent_dim=4",
        "gan-seed3-latent_dim=2",
    ]
    assert len(found) == 8
    assert found["vae-seed3-latent_dim=4"] == {
        "model": "vae",
        "seed": 3,
        "arguments": {"latent_dim": 4},
    }


@pytest.mark.parametrize(
    ("models", "seeds", "values", "message"),
    [
        (["gan"], [0, 0], {}, "gan-seed0 twice"),
        (["gann"], [0], {}, "gann"),
        (["gan"], list(range(1001)), {}, "1 to 1000 runs"),
    ],
)
def test_a_sweep_that_cannot_be_is_refused(models, seeds, values, message):
    with pytest.raises(UsageError, match=message):
        sweep.plan(models, seeds, values)


@pytest.fixture
def trained(monkeypatch):
    """No run is trained; all are called finished, but those in `broken` fail."""
    done, broken = [], set()

    def train(folder):
        done.append(Path(folder).name)
        if Path(folder).name in broken:
            return 2, "it broke"
        folder = runs.RunFolder.open(folder)
        folder.write_history([{"round": 1, "step": 8, "seconds": 1.0, "loss": len(done)}])
        folder.update_run_info(status="finished")
        return 0, ""

    monkeypatch.setattr(sweep, "train_in_process", train)
    return done, broken


def test_what_failed_is_told_and_the_same_command_goes_on(trained, tmp_path):
    done, broken = trained
    planned = sweep.plan(["gan"], [0, 1, 2], {})
    broken.add("gan-seed1")
    lines = []
    with pytest.raises(RunError, match=r"1 of 3 runs did not finish: gan-seed1 \(it broke\)"):
        sweep.sweep(tmp_path / "s", planned, jobs=2, report=lines.append, **TINY)
    assert "gan-seed1: it broke" in lines
    assert [row["status"] for row in table(tmp_path / "s")] == ["finished", "started", "finished"]
    broken.clear()
    done.clear()
    rows = sweep.sweep(tmp_path / "s", planned, report=lines.append, **TINY)
    assert done == ["gan-seed1"]
    assert [row["status"] for row in rows] == 3 * ["finished"]
    with Image.open(tmp_path / "s" / "sweep.png") as picture:
        assert picture.width > 300


def test_another_sweep_is_not_mixed_in(trained, tmp_path):
    sweep.sweep(tmp_path / "s", sweep.plan(["gan"], [0], {}), report=str, **TINY)
    with pytest.raises(UsageError, match="holds another sweep"):
        sweep.sweep(tmp_path / "s", sweep.plan(["gan"], [1], {}), report=str, **TINY)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    with pytest.raises(UsageError, match="must be empty"):
        sweep.sweep(tmp_path / "other", sweep.plan(["gan"], [0], {}), report=str, **TINY)


def test_arguments_take_the_place_of_the_recipe_s(tmp_path, monkeypatch):
    """A whole sweep by its command, in processes of its own."""
    monkeypatch.setenv("PYTHONPATH", str(Path(ganedu.__file__).parents[1]))
    asked = ["--profile", "smoke", "--image-size", "8", "--out", str(tmp_path / "s")]
    result = CliRunner().invoke(main, ["sweep", "autoencoder", "--set", "latent_dim=3", *asked])
    assert result.exit_code == 0, result.output
    (row,) = table(tmp_path / "s")
    assert (row["run"], row["latent_dim"], row["status"]) == (
        "autoencoder-seed0-latent_dim=3",
        "3",
        "finished",
    )
    folder = tmp_path / "s" / row["run"]
    assert read_run_info(folder / "run.json")["recipe"]["model"]["latent_dim"] == 3
    assert runs.RunFolder.open(folder).load_model().latent_dim == 3


def trained_by_a_worker(folder):
    """What a worker of a cluster does, without training: it fails outside of one."""
    from distributed import get_worker

    folder = runs.RunFolder.open(folder)
    folder.write_history([{"round": 1, "step": 8, "seconds": 1.0, "loss": 1.0}])
    folder.update_run_info(status="finished")
    broken = folder.path.name.startswith("gan-seed1")
    return (1, f"{get_worker().name} broke") if broken else (0, "")


def test_a_cluster_trains_the_runs_and_says_which_failed(tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed", reason="needs ganedu[cluster]")
    monkeypatch.setattr(sweep, "train_in_process", trained_by_a_worker)
    lines, planned = [], sweep.plan(["gan"], [0, 1, 2], {})
    here = {"processes": False, "n_workers": 1, "threads_per_worker": 2, "dashboard_address": None}
    with distributed.LocalCluster(**here) as cluster:
        asked = {"scheduler": cluster.scheduler_address, "report": lines.append, **TINY}
        with pytest.raises(RunError, match=r"1 of 3 runs did not finish: gan-seed1 \(0 broke\)"):
            sweep.sweep(tmp_path / "s", planned, **asked)
    assert {"gan-seed0: finished", "gan-seed1: 0 broke", "gan-seed2: finished"} < {*lines}
    assert not [line for line in lines if "no worker" in line]
    assert [row["run"] for row in table(tmp_path / "s")] == list(planned)


def test_of_a_cluster_without_workers_one_is_told_what_it_waits_for():
    distributed = pytest.importorskip("distributed", reason="needs ganedu[cluster]")
    lines = []
    with distributed.LocalCluster(n_workers=0, dashboard_address=None) as cluster:
        _, close = executor(cluster.scheduler_address, 1, lines.append)
        close()
    (line,) = lines
    assert re.search("has no worker yet.*: dask worker tcp://", line)


def test_a_scheduler_that_does_not_answer_is_refused_in_one_line(tmp_path):
    pytest.importorskip("distributed", reason="needs ganedu[cluster]")
    asked = ["--profile", "smoke", "--out", str(tmp_path / "s"), "--scheduler", "nonsense://x"]
    result = CliRunner().invoke(main, ["sweep", "gan", *asked])
    assert result.exit_code == 2
    assert "No scheduler answers at nonsense://x" in result.output.splitlines()[-1]
    assert not os.listdir(tmp_path)
