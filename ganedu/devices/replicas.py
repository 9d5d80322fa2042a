"""What a training step asks of its devices: draws, means and rows of the whole batch.

On TensorFlow and PyTorch each device runs the step on its part of the batch, here a replica. What is no mean over
single images would then be another number: a draw, the statistics of a batch, a comparison of each image with all
others. These functions give what one device would have. On JAX, in a process alone, and outside of a training step
the batch is whole, and they are Keras's functions or do nothing.

A loss may contain all of them. The gradient of `total` is the sum of the replicas' gradients; the engine then takes
the mean over replicas of each variable's gradient.
"""

import contextlib

import keras
from keras import layers, ops

from ganedu.runtime import UsageError

BACKEND = keras.backend.backend()

if BACKEND == "tensorflow":
    import tensorflow as tf

    def _context():
        context = tf.distribute.get_replica_context() if tf.distribute.has_strategy() else None
        return context if context is not None and context.num_replicas_in_sync > 1 else None

    def count():
        """Among how many replicas the batch of this step is shared out."""
        context = _context()
        return 1 if context is None else context.num_replicas_in_sync

    def index():
        """Which of them this is, from 0."""
        context = _context()
        return 0 if context is None else context.replica_id_in_sync_group

    def _sum(tensor):
        return _context().all_reduce(tf.distribute.ReduceOp.SUM, tensor)

elif BACKEND == "torch":
    import torch

    _stepping = False

    @contextlib.contextmanager
    def training_step():
        """In this block the batch is shared out among the processes."""
        global _stepping
        _stepping = torch.distributed.is_initialized()
        try:
            yield
        finally:
            _stepping = False

    def count():
        return torch.distributed.get_world_size() if _stepping else 1

    def index():
        return torch.distributed.get_rank() if _stepping else 0

    class _Sum(torch.autograd.Function):
        @staticmethod
        def forward(context, tensor):
            tensor = tensor.clone(memory_format=torch.contiguous_format)
            torch.distributed.all_reduce(tensor)
            return tensor

        @staticmethod
        def backward(context, gradient):
            return _Sum.apply(gradient)

    def _sum(tensor):
        return _Sum.apply(tensor)

    def broadcast(variables):
        """Gives variables the values that they have in the process of rank 0."""
        with torch.no_grad():
            for v in variables:
                value = v.value.detach().contiguous()
                torch.distributed.broadcast(value, 0)
                v.assign(value)

else:
    import jax

    def count():
        return 1

    def index():
        return 0

    def on_each(engine, array):
        """An array that each process has, whole on each device of `keras.distribution.DataParallel`; in a traced step
        what must be whole there.

        Args:
            engine: `keras.distribution.DataParallel`.
            array: `jax.Array`.
        """
        layout = keras.distribution.TensorLayout([None] * len(array.shape), engine.device_mesh)
        if isinstance(array, jax.core.Tracer):
            return keras.distribution.distribute_tensor(array, layout)
        layout = layout.backend_layout
        if array.sharding.is_equivalent_to(layout, len(array.shape)):
            return array
        return jax.make_array_from_callback(array.shape, layout, lambda _: array)

    def shared_out(engine, array):
        """A batch that each process has whole, its rows shared out among the devices; as `on_each`."""
        layout = engine.get_data_layout(array.shape).backend_layout
        return jax.make_array_from_callback(array.shape, layout, lambda rows: array[rows])

    def own(array):
        """This process's copy of what is whole on each device."""
        return array.addressable_data(0)


def total(tensor):
    """The sum of a tensor over all replicas."""
    return tensor if count() == 1 else _sum(tensor)


def mean(tensor):
    """The mean of a tensor over all replicas: of a mean over the part the mean over the batch."""
    return tensor if count() == 1 else _sum(tensor) / count()


def moments(x, axes=None):
    """`(mean, variance)` of the whole batch over some axes, the first among them; all by default."""
    if count() == 1:
        return ops.mean(x, axis=axes), ops.var(x, axis=axes)
    own = ops.cast(x, "float32")
    center = mean(ops.mean(own, axis=axes, keepdims=True))
    variance = mean(ops.mean(ops.square(own - center), axis=axes))
    return ops.cast(ops.reshape(center, ops.shape(variance)), x.dtype), ops.cast(variance, x.dtype)


def gather(x):
    """The whole batch, of this replica's part (B, ...)."""
    if count() == 1:
        return x
    place = ops.cast(ops.equal(ops.arange(count()), index()), x.dtype)
    place = ops.reshape(place, (-1, *[1] * len(x.shape)))
    return total(ops.reshape(place * x[None], (-1, *x.shape[1:])))


def cut(x, axis=0):
    """This replica's part of what the whole batch has along an axis."""
    if count() == 1:
        return x
    size = x.shape[axis]
    if size % count():
        raise ValueError(f"{size} cannot be shared out among {count()} devices")
    start = index() * (size // count())
    return ops.take(x, start + ops.arange(size // count()), axis=axis)


def _shared_draw(random, shape, axis, **options):
    shape = list(shape)
    shape[axis] = shape[axis] * count()
    return cut(random(tuple(shape), **options), axis)


def normal(shape, seed, axis=0):
    """As `keras.random.normal`, of this replica's part of the batch: its rows of what one device would draw.

    Args:
        shape: tuple, of the part.
        seed: `keras.random.SeedGenerator`.
        axis: int, along which images are counted. Defaults to `0`.
    """
    return _shared_draw(keras.random.normal, shape, axis, seed=seed)


def uniform(shape, seed, axis=0):
    """As `normal`, U[0, 1)."""
    return _shared_draw(keras.random.uniform, shape, axis, seed=seed)


def synchronize(model):
    """Lets those of Keras's layers that draw or normalize see the whole batch: `BatchNormalization`, `Dropout` and
    `GaussianNoise`. (Keras's own `synchronized=True` exists on TensorFlow alone, and would be in the file.)"""
    for layer in layers_of(model):
        if isinstance(layer, layers.BatchNormalization):
            layer._moments = _whole_moments(layer)
        elif type(layer) is layers.Dropout:
            layer.call = _whole_dropout(layer)
        elif type(layer) is layers.GaussianNoise:
            layer.call = _whole_noise(layer)


def check_variables(model):
    """Refuses a model of which a part was built before its devices: each replica would move that part's variables.

    Raises:
        UsageError: on TensorFlow, for variables (of a layer, of its random seed) that lie on one device alone.
    """
    alone = [
        v.path for v in model.variables if not isinstance(v._value, tf.distribute.DistributedValues)
    ]
    if alone:
        raise UsageError(
            "Layers of one's own are built `with ganedu.devices.current().scope():`. "
            f"Received: {', '.join(alone[:3])}, on one device alone"
        )


def layers_of(model):
    """The layers of a model and of those in it."""
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from layers_of(layer)


def _whole_moments(layer):
    own = type(layer)._moments

    def moments_of_batch(inputs, mask):
        if mask is not None or count() == 1:
            return own(layer, inputs, mask)
        return moments(inputs, layer._reduction_axes)

    return moments_of_batch


def _whole_dropout(layer):
    own = type(layer).call

    def call(inputs, training=False):
        if not training or not layer.rate or count() == 1 or layer.noise_shape is not None:
            return own(layer, inputs, training=training)
        shape = ops.shape(inputs)
        ones = ops.ones((shape[0] * count(), *shape[1:]), dtype=inputs.dtype)
        return inputs * cut(keras.random.dropout(ones, layer.rate, seed=layer.seed_generator))

    return call


def _whole_noise(layer):
    own = type(layer).call

    def call(inputs, training=False):
        if not training or not layer.stddev or count() == 1:
            return own(layer, inputs, training=training)
        noise = normal(ops.shape(inputs), seed=layer.seed_generator)
        return inputs + layer.stddev * ops.cast(noise, inputs.dtype)

    return call
