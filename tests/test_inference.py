"""`answer` gives what `network.predict` gives."""

import keras
import numpy as np
import pytest

from ganedu.networks import inference
from ganedu.networks.inference import predict_in_batches


@pytest.fixture(scope="module")
def network():
    x, y = keras.Input((3,)), keras.Input((), dtype="int32")
    seen = keras.layers.Concatenate()([x, keras.layers.Embedding(5, 2)(y)])
    return keras.Model([x, y], [keras.layers.Dense(4)(seen), seen])


@pytest.mark.parametrize("batch_size", [2, 5, 256])
def test_it_is_what_predict_gives_whatever_the_batches(network, batch_size):
    inputs = [np.arange(15.0).reshape(5, 3), np.arange(5)]
    found = predict_in_batches(network, inputs, batch_size=batch_size)
    wanted = network.predict(inputs, verbose=0)
    assert [f.shape for f in found] == [(5, 4), (5, 5)]
    for f, w in zip(found, wanted, strict=True):
        assert f.dtype == np.float32
        np.testing.assert_allclose(f, w, rtol=1e-5, atol=1e-6)


def test_of_large_images_fewer_are_answered_at_a_time(monkeypatch):
    twice = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Rescaling(2.0)])
    seen, answer = [], twice.predict_on_batch
    monkeypatch.setattr(twice, "predict_on_batch", lambda x: seen.append(len(x)) or answer(x))
    monkeypatch.setattr(inference, "NUMBERS", 3 * 16)
    assert predict_in_batches(twice, np.ones((7, 4, 4, 1))).sum() == 2 * 7 * 16
    assert seen == [3, 3, 1]


def test_one_input_and_one_output_are_not_in_lists():
    twice = keras.Sequential([keras.Input((1,)), keras.layers.Rescaling(2.0)])
    assert predict_in_batches(twice, np.ones((3, 1))).tolist() == [[2.0], [2.0], [2.0]]
    assert predict_in_batches(twice, [np.ones((3, 1))]).shape == (3, 1)


def test_dropout_sleeps():
    network = keras.Sequential([keras.Input((100,)), keras.layers.Dropout(0.5)])
    assert (predict_in_batches(network, np.ones((2, 100))) == 1).all()


@pytest.mark.parametrize("lengths", [(2, 3), (0, 0)])
def test_inputs_of_no_or_of_other_lengths_are_refused(network, lengths):
    with pytest.raises(ValueError, match="one length"):
        predict_in_batches(network, [np.zeros((lengths[0], 3)), np.zeros(lengths[1], "int32")])
