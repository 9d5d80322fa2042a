"""Gradients on three backends: all that TensorFlow, JAX and PyTorch do differently here.

- TensorFlow: a `GradientTape` that watches only the variables asked for.
- PyTorch: `torch.autograd.grad`, which fills no `.grad` buffers, so there is nothing to zero.
- JAX: gradients exist only for pure functions. A `keras.StatelessScope` makes one of stateful Keras
  code: inside it, variables read the values they were given and keep what is assigned to them for
  the caller to collect.
"""

import itertools

import keras
from keras import ops

from ganedu.devices import replicas

BACKEND = keras.backend.backend()

if BACKEND == "tensorflow":
    import tensorflow as tf

    def value_and_gradients(loss_fn, variables, state):
        """Calls `loss_fn` and differentiates it.

        Args:
            loss_fn: function of no arguments. Returns `(loss, aux)`: a scalar tensor and any
                structure of tensors.
            variables: list of `keras.Variable` to differentiate with respect to.
            state: list of all other `keras.Variable` that `loss_fn` may read or, where they are not
                trainable, assign (moving statistics, seeds).

        Returns:
            `(aux, gradients)`; a gradient is `None` where the loss does not depend on the variable.
        """
        values = [v.value for v in variables]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(values)
            loss, aux = loss_fn()
        return aux, _mean_gradients(tape.gradient(loss, values))

    def _mean_gradients(gradients):
        """Their mean over the replicas of a `tf.distribute` strategy."""
        if replicas.count() == 1:
            return gradients
        context = tf.distribute.get_replica_context()
        there = [g for g in gradients if g is not None]
        means = iter(context.all_reduce(tf.distribute.ReduceOp.MEAN, there) if there else ())
        return [None if g is None else next(means) for g in gradients]

    def input_gradient(fn, x, state):
        """The gradient of `sum(fn(x))` with respect to `x`, itself differentiable; arguments as
        above."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(x)
            y = fn(x)
        return tape.gradient(y, x)

    def apply_gradients(optimizer, gradients, variables):
        optimizer.apply(gradients, variables)

    def split(tensor, sizes):
        """The parts of a tensor along its first axis, of so many rows each. (Keras's would compute the sizes.)"""
        return tf.split(tensor, sizes)

    def subtract(variables, tensors):
        """Takes a tensor from each of some variables."""
        for v, tensor in zip(variables, tensors, strict=True):
            v.value.assign_sub(tensor, read_value=False)

    def move_average(variable, value, momentum):
        """Moves a variable towards a tensor, rounded as Keras's optimizers round on this backend."""
        variable.value.assign_add((value - variable.value) * (1 - momentum), read_value=False)

    def update_on_each_device(optimizer, update, gradients, learning_rate):
        """Calls `update(gradients, learning_rate)`, which moves variables: under a `tf.distribute` strategy on each
        device, with the gradients' sum over all replicas unless they are reduced already."""
        context = tf.distribute.get_replica_context() if tf.distribute.has_strategy() else None
        if context is None or context.num_replicas_in_sync == 1:
            update(gradients, learning_rate)
            return
        pairs = optimizer._all_reduce_sum_gradients([(g, None) for g in gradients])
        gradients = [g for g, _ in pairs]

        def on_all(strategy, gradients, learning_rate):
            strategy.extended.update(
                optimizer.iterations.value,
                lambda _, *arguments: update(*arguments),
                args=(gradients, learning_rate),
                group=False,
            )

        tf.__internal__.distribute.interim.maybe_merge_call(
            on_all, tf.distribute.get_strategy(), gradients, learning_rate
        )

    def take_reduced_gradients(optimizer):
        """Lets a Keras optimizer take gradients as they come: Keras adds up those of all replicas after it has clipped
        them, where `value_and_gradients` has their mean already."""
        optimizer._all_reduce_sum_gradients = lambda pairs: pairs

elif BACKEND == "torch":
    import torch

    def value_and_gradients(loss_fn, variables, state):
        loss, aux = loss_fn()
        values = [v.value for v in variables]
        aux = keras.tree.map_structure(lambda t: t.detach().clone(), aux)
        return aux, _mean_gradients(torch.autograd.grad(loss, values, allow_unused=True))

    def _mean_gradients(gradients):
        """Their mean over the processes, as one vector for each dtype."""
        if replicas.count() == 1:
            return gradients
        means = list(gradients)
        for dtype in dict.fromkeys(g.dtype for g in gradients if g is not None):
            chosen = [i for i, g in enumerate(gradients) if g is not None and g.dtype == dtype]
            vector = replicas.mean(torch.cat([gradients[i].reshape(-1) for i in chosen]))
            parts = vector.split([gradients[i].numel() for i in chosen])
            for i, part in zip(chosen, parts, strict=True):
                means[i] = part.reshape(gradients[i].shape)
        return means

    def input_gradient(fn, x, state):
        training = torch.is_grad_enabled()  # Keras evaluates without gradients
        with torch.enable_grad():
            x = x.detach().requires_grad_(True)
            return torch.autograd.grad(fn(x).sum(), x, create_graph=training)[0]

    def apply_gradients(optimizer, gradients, variables):
        with torch.no_grad():
            optimizer.apply(gradients, variables)

    def split(tensor, sizes):
        return torch.split(tensor, sizes)

    @torch.no_grad()
    def subtract(variables, tensors):
        torch._foreach_sub_([v.value for v in variables], list(tensors))

    def move_average(variable, value, momentum):
        variable.value.mul_(momentum).add_(value, alpha=1 - momentum)

    @torch.no_grad()
    def update_on_each_device(optimizer, update, gradients, learning_rate):
        update(gradients, learning_rate)

elif BACKEND == "jax":
    import jax

    def functionalize(fn, variables, state):
        """Makes a pure function of stateful code: `(values, x) -> (fn(x), the state after it)`."""
        before = [v.value for v in state]

        def pure(values, *args):
            mapping = [*zip(variables, values, strict=True), *zip(state, before, strict=True)]
            with keras.StatelessScope(state_mapping=mapping) as scope:
                result = fn(*args)
            return result, [scope.get_current_value(v) for v in state]

        return pure

    def write_back(state, after):
        """Assigns what the pure function did to the state: to the variables, or to the scope
        around."""
        for v, value in zip(state, after, strict=True):
            if not v.trainable:
                v.assign(value)

    def value_and_gradients(loss_fn, variables, state):
        pure = functionalize(loss_fn, variables, state)

        def loss_first(values):
            (loss, aux), after = pure(values)
            return loss, (aux, after)

        values = [v.value for v in variables]
        # `jax.value_and_grad` in its two halves, because the linear half tells which inputs the loss depends on.
        loss, linear, (aux, after) = jax.linearize(loss_first, values, has_aux=True)
        (gradients,) = jax.linear_transpose(linear, values)(ops.ones_like(loss))
        jaxpr = jax.make_jaxpr(linear)(values).jaxpr
        used = {id(v) for equation in jaxpr.eqns for v in equation.invars}
        write_back(state, after)
        return aux, [
            g if id(v) in used else None for v, g in zip(jaxpr.invars, gradients, strict=True)
        ]

    def input_gradient(fn, x, state):
        pure = functionalize(fn, [], state)

        def total(x):
            y, after = pure([], x)
            return ops.sum(y), after

        gradient, after = jax.grad(total, has_aux=True)(x)
        write_back(state, after)
        return gradient

    def apply_gradients(optimizer, gradients, variables):
        optimizer.apply(gradients, variables)

    def split(tensor, sizes):
        return jax.numpy.split(tensor, list(itertools.accumulate(sizes))[:-1])

    def subtract(variables, tensors):
        for v, tensor in zip(variables, tensors, strict=True):
            v.assign(v.value - tensor)

    def move_average(variable, value, momentum):
        variable.assign(variable.value + (value - variable.value) * (1 - momentum))

    def update_on_each_device(optimizer, update, gradients, learning_rate):
        update(gradients, learning_rate)

else:
    raise ImportError(
        f"ganedu trains on the Keras backends tensorflow, jax and torch. Received: KERAS_BACKEND={BACKEND!r}"
    )
