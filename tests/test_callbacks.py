"""What is shown and kept while a model trains."""

import base64
import io
import time

import numpy as np
import pytest
from PIL import Image

from ganedu import callbacks, models, runtime

SHAPE = (8, 8, 1)


@pytest.fixture
def shown(monkeypatch):
    """The pictures that a notebook would show: `("new" or "again", width, height)` each."""
    seen = []

    def add(kind, data):
        assert list(data) == ["image/png"]  # nbval compares no pictures
        seen.append((kind, *Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).size))

    class Handle:
        def update(self, data, raw):
            add("again", data)

    def display(data, raw, display_id):
        add("new", data)
        return Handle()

    monkeypatch.setattr("IPython.display.display", display)
    monkeypatch.setattr(callbacks, "in_notebook", lambda: True)
    return seen


def train(rounds, *watching):
    runtime.setup(0)
    model = models.build("gan", SHAPE, latent_dim=3, width=8)
    x = np.random.default_rng(0).uniform(-1, 1, (32, *SHAPE)).astype("float32")
    model.fit(x, batch_size=16, epochs=rounds, verbose=0, shuffle=False, callbacks=[*watching])
    return model


def test_one_picture_changes_after_each_round_and_training_is_the_same(shown, monkeypatch):
    monkeypatch.setattr(callbacks.LiveSamples, "share", np.inf)
    watched, alone = train(3, callbacks.LiveSamples(6, columns=3)), train(3)
    assert [kind for kind, *_ in shown] == ["new", "again", "again"]
    _, width, height = shown[0]
    assert round(width / height, 1) == round((3 * 9 - 1) / (2 * 9 - 1), 1)
    for a, b in zip(watched.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_is_dear_is_left_out(shown):
    """The first picture is not counted: it compiles. After it, a twentieth of the time."""
    live = callbacks.LiveSamples(4)
    slow = live.samples

    def samples():
        if shown:
            time.sleep(0.2)
        return slow()

    live.samples = samples
    train(20, live)
    assert len(shown) == 2


def test_elsewhere_nothing_is_shown(monkeypatch):
    monkeypatch.setattr(callbacks.LiveSamples, "show", lambda *_: pytest.fail("shown"))
    assert not callbacks.in_notebook()
    train(2, callbacks.LiveSamples())


def test_a_history_keeps_each_round_and_shows_it(shown, monkeypatch):
    monkeypatch.setattr(callbacks.LiveSamples, "share", np.inf)
    history = callbacks.SampleHistory(np.ones((4, 3), "float32"))
    model = train(3, history)
    assert len(history.images) == 4
    assert len(shown) == 3
    np.testing.assert_array_equal(history.images[-1], model.decode(history.latents))
