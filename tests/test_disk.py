"""Files that are whole or not there at all, and a cache of what takes long to make."""

import errno
import os

import numpy as np
import pytest

from ganedu import disk
from ganedu.disk import written


def full(*args, **kwargs):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_file_takes_its_place_when_it_is_whole(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    (tmp_path / ".file.part").write_text("what a kill left, and it is longer than the new text")
    with written(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("failing", [None, "fsync", "replace"])
def test_a_failing_write_leaves_the_old_file(tmp_path, monkeypatch, failing):
    path = tmp_path / "file"
    path.write_text("old")
    if failing:
        monkeypatch.setattr(os, failing, full)
    with pytest.raises(OSError, match="No space"), written(path) as file:  # noqa: PT012
        file.write(b"new")
        if failing is None:
            full()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_file_is_on_the_disk_before_it_is_renamed(tmp_path, monkeypatch):
    calls, fsync, replace = [], os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: calls.append(os.fstat(fd).st_size) or fsync(fd))
    monkeypatch.setattr(os, "replace", lambda *paths: calls.append("rename") or replace(*paths))
    with written(tmp_path / "file") as file:
        file.write(b"12345")
    assert calls[:2] == [5, "rename"]
    assert len(calls) == 3  # and then the folder, which holds the name


@pytest.mark.parametrize("links", [True, False])
def test_what_must_be_new_overwrites_nothing(tmp_path, monkeypatch, links):
    if not links:
        monkeypatch.setattr(os, "link", full)  # a file system without them
    with written(tmp_path / "file", only_new=True) as file:
        file.write(b"first")
    with pytest.raises(FileExistsError), written(tmp_path / "file", only_new=True) as file:
        file.write(b"second")
    assert (tmp_path / "file").read_text() == "first"
    assert os.listdir(tmp_path) == ["file"]


# The cache


def test_an_array_is_made_once(tmp_path, monkeypatch):
    monkeypatch.setenv("GANEDU_CACHE", str(tmp_path / "cache"))
    made = []

    def make():
        made.append(len(made))
        return np.arange(3.0) + len(made)

    first = disk.cached([b"a", b"b"], make)
    np.testing.assert_array_equal(disk.cached([b"a", b"b"], make), first)
    assert made == [0]
    disk.cached([b"ab"], make)
    assert made == [0, 1]
    for file in (tmp_path / "cache").iterdir():
        file.write_bytes(file.read_bytes()[:20])
    assert disk.cached([b"a", b"b"], make)[0] == 3.0


def test_no_place_to_keep_it_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GANEDU_CACHE", str(tmp_path / "file"))
    assert disk.cached([b"a"], lambda: np.ones(2)).sum() == 2
