"""The engine under `fit`, on the backend of this process."""

import keras
import numpy as np
import pytest
from keras import layers, ops
from rows import IMAGE_SHAPE, ROWS, arrays, batch, everything

from ganedu import callbacks, data, models, runtime
from ganedu.engine import BACKEND, FirstFailure, GenerativeModel
from ganedu.models.gan import GAN


class Line(GenerativeModel):
    """y = a x + b by least squares: small enough to do by hand."""

    players = {"optimizer": ("network",)}
    log_names = ("loss", "first_weight")

    def __init__(self, network, seed=0):
        super().__init__(seed=seed)
        self.network = network

    def train_step(self, data):
        x, y = self.unpack(data)

        def losses():
            error = self.network(x, training=True) - y
            return {
                "loss": ops.mean(ops.square(error)),
                "first_weight": self.network.weights[0][0, 0],
            }

        return self.log(self.minimize(losses, self.network, self.optimizer))


def line(optimizer=None, **options):
    model = Line(keras.Sequential([keras.Input((1,)), layers.Dense(1, kernel_initializer="ones")]))
    model.compile(optimizer=optimizer or keras.optimizers.SGD(0.1), **options)
    return model


X, Y = np.array([[1.0], [2.0]], "float32"), np.array([[3.0], [5.0]], "float32")


def dcgan(**options):
    runtime.setup(0)
    model = models.build("dcgan", IMAGE_SHAPE, **ROWS["dcgan"].build)
    if options:
        model.compile(
            g_optimizer=keras.optimizers.Adam(1e-3),
            d_optimizer=keras.optimizers.Adam(1e-3),
            **options,
        )
    return model


def images():
    """An `ImageDataset` of 32 images."""
    return data.ImageDataset("noise", "train", data.to_uint8(batch(32)))


FIRST_WEIGHTS = []


@pytest.mark.parametrize("once_more", [False, True])
def test_each_test_starts_from_one_seed(once_more):
    """What a test's models weigh at first does not rest on the tests before it."""
    FIRST_WEIGHTS.append(keras.random.normal((3,)))
    np.testing.assert_array_equal(*map(ops.convert_to_numpy, (FIRST_WEIGHTS[0], FIRST_WEIGHTS[-1])))


def test_a_step_by_hand():
    model = line()
    logs = model.train_on_batch(X, Y, return_dict=True)
    # Errors 1 - 3 = -2 and 2 - 5 = -3: loss (4 + 9) / 2 = 6.5; d/da = 2 (-2 * 1 - 3 * 2) / 2 = -8; d/db = -5.
    assert logs == pytest.approx({"loss": 6.5, "first_weight": 1.0})
    a, b = (value.item() for value in arrays(model.network.weights))
    assert (a, b) == pytest.approx((1.8, 0.5))


def test_logs_are_means_over_the_round():
    model = line(keras.optimizers.SGD(0.0))
    history = model.fit(X, Y, batch_size=1, epochs=2, shuffle=False, verbose=0).history
    assert history["loss"] == pytest.approx([6.5, 6.5])  # of 4 and 9


def test_clipping_bounds_the_step():
    model = line(keras.optimizers.SGD(1.0, global_clipnorm=0.5))
    before = arrays(model.network.weights)
    model.train_on_batch(X, Y)
    moved = np.sqrt(
        sum(
            ((a - b) ** 2).sum() for a, b in zip(before, arrays(model.network.weights), strict=True)
        )
    )
    assert moved == pytest.approx(0.5, rel=1e-4)


def stopped_kernel(network, x):
    return ops.matmul(x, ops.stop_gradient(network.weights[0].value)) + network.weights[1]


def no_bias(network, x):
    return ops.matmul(x, network.weights[0])


@pytest.mark.parametrize(("predict", "lost"), [(stopped_kernel, "kernel"), (no_bias, "bias")])
def test_a_variable_without_a_gradient_is_named(predict, lost):
    model = line()
    x, y = ops.convert_to_tensor(X), ops.convert_to_tensor(Y)
    before = arrays(model.network.weights)
    with pytest.raises(ValueError, match=rf"No gradient reaches: \S*{lost}$"):
        model.minimize(
            lambda: ops.mean(ops.square(predict(model.network, x) - y)),
            model.network,
            model.optimizer,
        )
    for a, b in zip(before, arrays(model.network.weights), strict=True):
        np.testing.assert_array_equal(a, b)


def test_an_input_gradient_and_its_own_gradient():
    """For D(x) = a x^2 the slope is 2 a x, and (slope)^2 has the gradient 8 a x^2 in a."""
    model = line()
    a = model.network.weights[0]
    x = ops.convert_to_tensor(X)

    def gradient_penalty():
        slope = model.input_gradient(lambda b: a[0, 0] * ops.square(b), x)
        return {"loss": ops.sum(ops.square(slope)) + 0 * model.network.weights[1][0]}

    loss = model.minimize(gradient_penalty, model.network, model.optimizer)["loss"]
    # a = 1: (2)^2 + (4)^2 = 20; gradient 8 (1 + 4) = 40; step 0.1.
    assert float(ops.convert_to_numpy(loss)) == pytest.approx(20)
    assert arrays([a])[0].item() == pytest.approx(1 - 4)


def test_batch_normalization_learns_inside_an_input_gradient():
    class Slope(Line):
        def train_step(self, data):
            x, _ = self.unpack(data)

            def losses():
                slope = self.input_gradient(lambda b: self.network(b, training=True), x)
                return {"loss": ops.mean(ops.square(slope)), "first_weight": ops.mean(slope)}

            return self.log(self.minimize(losses, self.network.layers[0], self.optimizer))

    network = keras.Sequential(
        [
            keras.Input((1,)),
            layers.Dense(1, use_bias=False),
            layers.BatchNormalization(center=False, scale=False, momentum=0.5),
        ]
    )
    model = Slope(network)
    model.compile(optimizer=keras.optimizers.SGD(0.0))
    kernel = arrays(network.trainable_variables)[0].item()
    model.train_on_batch(X + 1)
    # The batch is 2 and 3: mean 2.5 k; the moving mean goes half of the way from 0.
    moving_mean = arrays([network.layers[1].moving_mean])[0].item()
    assert moving_mean == pytest.approx(1.25 * kernel, rel=1e-4)


def test_compiled_and_eager_steps_agree():
    compiled, eager = dcgan(run_eagerly=False), dcgan(run_eagerly=True)
    for model in (compiled, eager):
        model.train_on_batch(batch())
    for a, b in zip(everything(compiled), everything(eager), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-4)


@pytest.mark.skipif(BACKEND == "torch", reason="Keras refuses it on PyTorch")
def test_several_steps_in_one_execution_are_the_same_steps():
    one, four = dcgan(steps_per_execution=1), dcgan(steps_per_execution=4)
    for model in (one, four):
        model.fit(images().batches(8), steps_per_epoch=8, verbose=0)
    assert int(ops.convert_to_numpy(four.steps)) == 8
    for a, b in zip(everything(one), everything(four), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-4)


def test_mixed_bfloat16_trains_float32_weights():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = dcgan()
        inside = model.discriminator.layers[1].compute_dtype
        logs = model.train_on_batch(batch(), return_dict=True)
    finally:
        keras.config.set_dtype_policy("float32")
    assert inside == "bfloat16"
    assert {v.dtype for v in model.trainable_variables} == {"float32"}
    assert all(np.isfinite(float(v)) for v in logs.values())


@pytest.mark.parametrize("name", ["vqvae", "vaegan"])
def test_losses_of_inner_maps_are_taken_in_float32(name):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = models.build(name, IMAGE_SHAPE, **ROWS[name].build)
        logs = model.train_on_batch(batch(), return_dict=True)
    finally:
        keras.config.set_dtype_policy("float32")
    assert all(np.isfinite(float(v)) for v in logs.values())


def test_loss_scaling_is_refused():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        with pytest.raises(ValueError, match="mixed_bfloat16"):
            dcgan()
    finally:
        keras.config.set_dtype_policy("float32")


def test_the_average_follows_with_a_rising_momentum():
    model = dcgan()
    source, copy = model.generator, model.ema_generator
    for a, b in zip(arrays(source.weights), arrays(copy.weights), strict=True):
        np.testing.assert_array_equal(a, b)
    start = arrays(copy.weights)
    model.train_on_batch(batch())
    # After the first step t = 1: m = min(0.99, 2 / 11), so 9/11 of the way.
    for s, new, c in zip(start, arrays(source.weights), arrays(copy.weights), strict=True):
        np.testing.assert_allclose(c, s + 9 / 11 * (new - s), rtol=1e-4, atol=1e-6)
    assert not copy.trainable_variables


@pytest.mark.parametrize("name", ["captioner", "clip", "dcgan", "diffusion", "stylegan"])
def test_averages_are_set_to_weights_that_come_from_elsewhere(name):
    model = models.build(name, IMAGE_SHAPE, **ROWS[name].build)
    names = [n for names in model.players.values() for n in names]
    pairs = [(getattr(model, n), getattr(model, f"ema_{n}", None)) for n in names]
    pairs = [(network, copy) for network, copy in pairs if copy is not None]
    assert pairs
    for network, copy in pairs:
        network.set_weights([w + 1 for w in network.get_weights()])
        assert not np.array_equal(network.get_weights()[0], copy.get_weights()[0])
    model.reset_ema()
    for network, copy in pairs:
        for a, b in zip(arrays(network.weights), arrays(copy.weights), strict=True):
            np.testing.assert_array_equal(a, b)


def test_weights_of_a_generator_alone_are_sampled_once_the_average_is_reset(tmp_path):
    source, model = dcgan(), dcgan()
    source.generator.set_weights([w + 0.1 for w in source.generator.get_weights()])
    source.generator.save_weights(tmp_path / "g.weights.h5")
    before, wanted = model.generate(2), source.generator.predict(source.latents(2), verbose=0)
    model.generator.load_weights(tmp_path / "g.weights.h5")
    np.testing.assert_array_equal(model.generate(2), before)
    model.reset_ema()
    np.testing.assert_allclose(model.generate(2), wanted, atol=1e-5)
    assert np.abs(wanted - before).max() > 1e-3


def test_keras_s_callback_for_nan_looks_for_a_log_that_gans_have_not():
    model, given = dcgan(run_eagerly=True), {"batch_size": 8, "epochs": 2, "verbose": 0}
    model.generator.weights[0].assign(np.nan * model.generator.weights[0])
    keras_s = keras.callbacks.TerminateOnNaN()
    history = model.fit(batch(16), callbacks=[keras_s], **given).history
    assert np.isnan(history["d_loss"]).tolist() == [True, True]
    counter = callbacks.StepCounter()
    with pytest.raises(runtime.NonFiniteLoss, match="at step 1: d_loss = nan"):
        model.fit(batch(16), callbacks=[counter, callbacks.StopOnNonFinite(counter)], **given)


def test_callbacks_can_stop_and_look():
    seen = []

    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(float(logs["d_loss"]))
            self.model.stop_training = batch == 2

    model = dcgan()
    model.fit(images().batches(8), steps_per_epoch=10, epochs=3, verbose=0, callbacks=[Stop()])
    assert len(seen) == 3
    assert int(ops.convert_to_numpy(model.steps)) == 3


def test_what_was_built_before_does_not_move_the_sums():
    """TensorFlow would rewrite the sums by the layers' names, where dense_100 comes before
    dense_99."""

    def after(others):
        keras.utils.clear_session()
        for _ in range(others):
            layers.Conv2D(1, 1), layers.Dense(1)
        runtime.setup(0)
        model = models.build("flow_matching", IMAGE_SHAPE, **ROWS["flow_matching"].build)
        for i in range(2):
            model.train_on_batch(batch(seed=i))
        return everything(model)

    for a, b in zip(after(0), after(94), strict=True):
        np.testing.assert_array_equal(a, b)


def test_streams_of_both_kinds_and_labels_are_unpacked():
    model = dcgan()
    labelled = data.ImageDataset(
        "noise", "train", data.to_uint8(batch(32)), np.arange(32), return_labels=True
    )
    for source in (images(), labelled):
        history = model.fit(source.batches(8), steps_per_epoch=2, verbose=0).history
        assert np.isfinite(history["d_loss"][0])


@pytest.mark.parametrize(
    ("optimizers", "message"),
    [
        ({"g_optimizer": "adam"}, "one optimizer for each of g_optimizer, d_optimizer"),
        ({"optimizer": "adam"}, "Received: optimizer"),
    ],
)
def test_missing_optimizers_are_named(optimizers, message):
    with pytest.raises(ValueError, match=message):
        dcgan().compile(**optimizers)


def test_shared_and_averaging_optimizers_are_refused():
    shared = keras.optimizers.Adam()
    with pytest.raises(ValueError, match="an optimizer of its own"):
        dcgan().compile(g_optimizer=shared, d_optimizer=shared)
    with pytest.raises(ValueError, match="d_optimizer with use_ema"):
        dcgan().compile(g_optimizer="adam", d_optimizer=keras.optimizers.Adam(use_ema=True))


def test_a_wrong_log_name_is_an_error():
    with pytest.raises(
        ValueError, match=r"exactly \['first_weight', 'loss'\]. Received: \['lost'\]"
    ):
        line().log({"lost": ops.zeros(())})


def test_the_first_failure_is_remembered():
    failure = FirstFailure(["a", "b"])
    for values in ([1, 2], [3, np.nan], [np.inf, 4]):
        failure.update_state(ops.convert_to_tensor(np.array(values, "float32")))
    at, losses = failure.report()
    assert (at, losses["a"]) == (2, 3.0)
    assert np.isnan(losses["b"])
    failure.reset_state()
    assert failure.report() is None


def test_seeds_beyond_what_every_backend_keeps_are_refused():
    with pytest.raises(ValueError, match="seed=-1"):
        GenerativeModel(seed=-1)


@keras.saving.register_keras_serializable("tests")
class Lazy(keras.optimizers.SGD):
    """A student's own optimizer."""


def test_optimizers_are_saved_under_names_that_every_backend_has(tmp_path):
    model = dcgan()
    model.compile(g_optimizer=Lazy(0.5), d_optimizer=keras.optimizers.RMSprop(0.25))
    saved = model.get_compile_config()
    assert saved["g_optimizer"]["registered_name"] == "tests>Lazy"
    assert saved["d_optimizer"]["module"] == "keras.optimizers"
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.g_optimizer) is Lazy
    assert type(loaded.d_optimizer) is type(model.d_optimizer)
    rates = [
        float(ops.convert_to_numpy(o.learning_rate))
        for o in (loaded.g_optimizer, loaded.d_optimizer)
    ]
    assert rates == [0.5, 0.25]


def test_an_optimizer_state_that_does_not_fit_is_an_error(tmp_path):
    model = dcgan()
    store = {"0": np.zeros(())}
    with pytest.raises(ValueError, match="1 arrays for"):
        model.optimizer.load_own_variables(store)


def test_no_steps_at_all_are_an_error():
    """Keras would read the endless stream to its end."""
    with pytest.raises(ValueError, match="at least 1"):
        dcgan().fit(images().batches(4), steps_per_epoch=0, verbose=0)


def test_every_network_is_told_that_it_trains_and_that_it_is_tested():
    """The moving statistics of batch normalization move, in G and in D, by training alone."""
    z, x = keras.Input((3,)), keras.Input(IMAGE_SHAPE)
    h = layers.BatchNormalization(momentum=0.5)(layers.Dense(64)(z))
    generator = keras.Model(z, layers.Reshape(IMAGE_SHAPE)(h))
    h = layers.BatchNormalization(momentum=0.5)(layers.Conv2D(2, 3, strides=2)(x))
    discriminator = keras.Model(x, layers.Dense(1)(layers.Flatten()(h)))
    model = GAN(generator, discriminator).compile_with(keras.optimizers.SGD, 0.0, 0.0)
    kept = [v for network in (generator, discriminator) for v in network.non_trainable_variables]
    before = arrays(kept)
    model.evaluate(batch(), verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(before, arrays(kept), strict=True))
    model.train_on_batch(batch())
    assert not any(np.array_equal(a, b) for a, b in zip(before, arrays(kept), strict=True))
    assert len(kept) == 4
