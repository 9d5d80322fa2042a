"""How Keras takes a step on each backend, where a model's `train_step(data)` is one on three; on several devices each
takes its part of the batch."""

import contextlib

import keras
from keras import ops

from ganedu import devices
from ganedu.devices import replicas
from ganedu.devices.processes import check_alike
from ganedu.engine import gradients


class Steps(keras.Model):
    """What is the same on all backends: on one device Keras's own step will do."""

    def _lies_here(self, optimizer):
        """Whether an optimizer was made on the model's devices."""
        return True

    def _spread(self, optimizers):
        """Prepares a compiled model for steps on several devices."""

    @contextlib.contextmanager
    def _on_devices(self, x):
        """In this block `fit` takes steps on the devices that the model was built on."""
        self._checked = not devices.launched()
        yield

    def _on_one_device(self):
        """A block for tests, within `fit`, too: their batches need not be a multiple of the devices."""
        return contextlib.nullcontext()

    def _check_batch(self, batch):
        """Refuses a batch that cannot be shared out among the devices, and a first one that is another elsewhere."""
        arrays = [a for a in keras.tree.flatten(batch) if a is not None]
        devices.check_batch(len(arrays[0]), self.devices.count, self.batch_divisor)
        if not self._checked:
            check_alike([ops.convert_to_numpy(a) for a in arrays])
            self._checked = True


class StepsOnTorch(Steps):
    """Each process is given the whole batch, and takes its rows."""

    def _spread(self, optimizers):
        replicas.synchronize(self)

    @contextlib.contextmanager
    def _on_devices(self, x):
        with super()._on_devices(x):
            if self.devices.count > 1:
                replicas.broadcast([*self.variables, *self.optimizer.variables])
                self._checked = False
            yield

    def make_train_function(self, force=False):
        if self.train_function is None or force:
            super().make_train_function(force)
            if self.devices.count > 1:
                self.train_function = self._on_rows(self.train_function)

    def _on_rows(self, step):
        def rows(array):
            return replicas.cut(ops.convert_to_tensor(array))

        def step_on_rows(batches):
            self._check_batch(batches)
            with replicas.training_step():
                return step(_map(rows, batches))

        return step_on_rows


class StepsOnTensorFlow(Steps):
    """`tf.distribute` gives each device its rows."""

    def _lies_here(self, optimizer):
        return optimizer._distribution_strategy is self.devices.engine

    def _spread(self, optimizers):
        replicas.synchronize(self)
        replicas.check_variables(self)
        for optimizer in optimizers:
            gradients.take_reduced_gradients(optimizer)
        # Keras would run `predict` on each device; but for `fit` models are asked on one.
        for model in (self, *replicas.layers_of(self)):
            model._distribute_strategy = None

    @contextlib.contextmanager
    def _on_devices(self, x):
        with super()._on_devices(x):
            if self.devices.engine is None:
                yield
                return
            if devices.launched():
                self._check_first_batch(x)
            with _shown_as(self, "_distribute_strategy", self.devices.engine):
                yield

    def _on_one_device(self):
        if self.devices.engine is None:
            return contextlib.nullcontext()
        return _shown_as(self, "_distribute_strategy", None)

    def _check_first_batch(self, x):
        """Refuses what differs between workers, where a stream's first batch can be had without taking it away."""
        if isinstance(x, keras.utils.PyDataset):
            self._check_batch(x[0])
        elif hasattr(x, "element_spec"):
            self._check_batch(next(iter(x)))
        elif hasattr(x, "shape"):
            self._check_batch(x[: len(x) // self.devices.count * self.devices.count])

    def make_train_function(self, force=False):
        if self.train_function is not None and not force:
            return
        step = self.train_step if self.devices.count == 1 else self._vector_step(self.train_step)
        with _shown_as(self, "train_step", step):
            super().make_train_function(force)

    @staticmethod
    def _vector_step(step):
        """A step whose logs have an axis: Keras takes their mean over it, and over all workers."""
        if not devices.launched():
            return step
        return lambda data: _map(lambda value: ops.expand_dims(value, 0), step(data))


class StepsOnJax(Steps):
    """Keras calls `train_step(state, data)`: it is shown a function that runs `train_step(data)` on that state.

    With several devices the function takes state and batch to all of them, and is written for the whole batch.
    Variables stay this process's, so that it can save or sample with no other.
    """

    def make_train_function(self, force=False):
        if self.train_function is None or force:
            with _shown_as(self, "train_step", self._stateless("train_step")):
                super().make_train_function(force)
            if self.devices.count > 1:
                self.train_function = self._on_all(self.train_function)

    def make_test_function(self, force=False):
        with _shown_as(self, "test_step", self._stateless("test_step")):
            super().make_test_function(force)

    def jax_state_sync(self):
        spread = self.devices.count > 1 and not self._jax_state_synced
        if spread and getattr(self, "_jax_state", None):
            self._jax_state = _map(replicas.own, self._jax_state)
        super().jax_state_sync()

    def _on_all(self, step):
        engine = self.devices.engine

        def shared_out(batch):
            self._check_batch(batch)
            return _map(lambda a: replicas.shared_out(engine, a), batch)

        def step_on_all(state, iterator):
            state = _map(lambda value: replicas.on_each(engine, value), state)
            return step(state, map(shared_out, iterator))

        return step_on_all

    def _stateless(self, name):
        step = getattr(self, name)

        def stateless_step(state, data):
            groups = [self.trainable_variables, self.non_trainable_variables]
            if name == "train_step":
                groups.append(self.optimizer.variables)
            groups.append(self.metrics_variables)
            mapping = [
                (v, value)
                for variables, values in zip(groups, state, strict=True)
                for v, value in zip(variables, values, strict=True)
            ]
            with keras.StatelessScope(state_mapping=mapping) as scope:
                logs = step(data)
            after = tuple([scope.get_current_value(v) for v in vs] for vs in groups)
            if name == "test_step" or self.devices.count == 1:
                return logs, after
            engine = self.devices.engine
            return _map(lambda value: replicas.on_each(engine, value), (logs, after))

        return stateless_step


StepsOnBackend = {"torch": StepsOnTorch, "tensorflow": StepsOnTensorFlow, "jax": StepsOnJax}[
    gradients.BACKEND
]


def _map(function, structure):
    """A function of each array in a structure; what is `None` stays."""
    return keras.tree.map_structure(lambda a: None if a is None else function(a), structure)


class _shown_as:
    """For the time of a `with` block, an object's attribute shows something else."""

    def __init__(self, owner, name, value):
        self.attributes, self.name, self.value = vars(owner), name, value

    def __enter__(self):
        self.before = self.attributes.get(self.name, self)
        self.attributes[self.name] = self.value

    def __exit__(self, *exception):
        if self.before is self:
            del self.attributes[self.name]
        else:
            self.attributes[self.name] = self.before
