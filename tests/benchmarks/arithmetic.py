"""What a step of the `dcgan` recipe costs beside what the processor could do, and where the time goes.

    GANEDU_DATA=... python tests/benchmarks/arithmetic.py

The peak is the rate of a large float32 matrix product in the same process with the same threads. Rates are those of a
second of processor time, all threads together: they say how well the arithmetic is done, and other work on the machine
hardly changes them. Each part of a step is compiled and timed alone, so the parts need not sum to the whole. Prints a
table in Markdown.
"""

import itertools
import statistics
import time

from ganedu import runtime

runtime.setup(0)

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402
from keras import ops  # noqa: E402

from ganedu import data, models, recipes  # noqa: E402
from ganedu.networks.arithmetic import multiply_adds  # noqa: E402

SIDE = 2048


def milliseconds(function, seconds=2.0):
    """A call's median time and its mean processor time, of all threads, after two calls that compile."""
    function()
    function()
    taken, start, busy = [], time.perf_counter(), time.process_time()
    while time.perf_counter() - start < seconds:
        before = time.perf_counter()
        function()
        taken.append(time.perf_counter() - before)
    return 1000 * statistics.median(taken), 1000 * (time.process_time() - busy) / len(taken)


def gradient_of(network, x, wanted):
    """A compiled function: a network's pass forward and the gradient of the sum in `wanted`, a list of tensors."""

    @tf.function
    def run():
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(wanted)
            y = tf.reduce_sum(network(x, training=True) ** 2)
        return tape.gradient(y, wanted)

    return run


def step_in_fit(model, batches, steps=150):
    """As `milliseconds`, of a step after the first twenty."""
    ends, busy = [], []

    class Times(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            ends.append(time.perf_counter())
            busy.append(time.process_time())

    model.fit(batches, steps_per_epoch=steps, verbose=0, callbacks=[Times()])
    took = statistics.median(b - a for a, b in itertools.pairwise(ends[20:]))
    return 1000 * took, 1000 * (busy[-1] - busy[20]) / (steps - 21)


def main():
    mnist = data.load("mnist")
    recipe, _ = recipes.find("dcgan", "mnist", mnist.image_shape, "quick")
    model = models.build("dcgan", mnist.image_shape, **recipe.model)
    g, d, size = model.generator, model.discriminator, recipe.batch_size
    batches = mnist.batches(size)
    a = tf.random.normal((SIDE, SIDE))
    took, busy = milliseconds(tf.function(lambda: tf.matmul(a, a)))
    peak = 2 * SIDE**3 / busy / 1e6
    whole = 2 * SIDE**3 / took / 1e6
    print(
        f"A {SIDE} x {SIDE} product: {peak:.0f} GFLOP in a second of one core, {whole:.0f} GFLOP/s\n"
    )

    stream = iter(batches)
    x, z = next(stream), model.sample_prior(size)
    both = tf.concat([x, x], axis=0)
    weights = {n: [v.value for v in n.trainable_variables] for n in (g, d)}
    zeros = {n: [tf.zeros_like(v) for v in values] for n, values in weights.items()}
    losses = {name: ops.convert_to_tensor(1.0) for name in model.log_names}

    def compiled(function):
        made = tf.function(function)
        return lambda: made()

    forward_g, forward_d = multiply_adds(g), multiply_adds(d)
    parts = [
        ("G forward", compiled(lambda: g(z, training=True)), forward_g),
        ("G forward and back", gradient_of(g, z, weights[g]), 3 * forward_g),
        (
            "D forward, of as many real and generated images",
            compiled(lambda: d(both, training=True)),
            2 * forward_d,
        ),
        (
            "D forward and back to its weights, of both",
            gradient_of(d, both, weights[d]),
            6 * forward_d,
        ),
        ("D forward and back to the images", gradient_of(d, x, [x]), 2 * forward_d),
        (
            "G's optimizer",
            compiled(lambda: model.g_optimizer.apply(zeros[g], g.trainable_variables)),
            0,
        ),
        (
            "D's optimizer",
            compiled(lambda: model.d_optimizer.apply(zeros[d], d.trainable_variables)),
            0,
        ),
        ("the averaged weights", compiled(model.update_ema_generator), 0),
        ("the logs", compiled(lambda: model.log(losses)), 0),
        ("a batch of data", lambda: next(stream), 0),
    ]
    print(
        "| part | ms | ms of a core | multiply-adds | GFLOP in a second of a core | share of the peak |"
    )
    print("|---|---|---|---|---|---|")
    for name, function, adds in [*parts, ("a step in `fit`", None, None)]:
        if function is None:
            (took, busy), adds = step_in_fit(model, batches), model_adds(forward_g, forward_d)
        else:
            took, busy = milliseconds(function)
        cells = [name, f"{took:.2f}", f"{busy:.2f}", "", "", ""]
        if adds:
            rate = 2 * adds * size / busy / 1e6
            cells[3:] = f"{adds * size / 1e6:.0f} M", f"{rate:.0f}", f"{rate / peak:.0%}"
        print(f"| {' | '.join(cells)} |", flush=True)


def model_adds(g, d):
    """Of a step, for each image: two passes of G forward and one back, two of D forward and back in its own step,
    one forward and one to the images in G's."""
    return 4 * g + 8 * d


if __name__ == "__main__":
    main()
