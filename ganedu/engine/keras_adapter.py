"""What adapts Keras to models of several players whose `train_step(data)` is one on three backends."""

import contextlib
import inspect

import keras
from keras import ops

from ganedu import devices
from ganedu.devices import replicas
from ganedu.devices.processes import check_alike
from ganedu.engine import gradients
from ganedu.engine.given import check_given
from ganedu.engine.gradients import BACKEND
from ganedu.engine.saving import Saving


class Optimizers(keras.optimizers.Optimizer):
    """The players' optimizers held as one, so that Keras carries and saves their state. Each player is stepped by its
    own optimizer; this one is never applied.

    Keras's `MultiOptimizer` came with 3.15, and chooses by a variable's path, which changes when a model is loaded.

    Args:
        players: list of `(optimizer, variables)`.
    """

    def __init__(self, players):
        super().__init__(learning_rate=0.0)
        self.players = [optimizer for optimizer, _ in players]
        for optimizer, variables in players:
            optimizer.build(variables)

    def build(self, variables):
        """Each was built with its own."""
        self.built = True

    @property
    def variables(self):
        return [*super().variables, *(v for optimizer in self.players for v in optimizer.variables)]

    def load_own_variables(self, store):
        if len(store.keys()) != len(self.variables):
            raise ValueError(
                "The file's optimizer state must fit the model's optimizers. "
                f"Received: {len(store.keys())} arrays for {len(self.variables)} variables."
            )
        super().load_own_variables(store)


class KerasAdapter(Saving):
    """Compiles, fits and evaluates a `GenerativeModel`: each player has an optimizer."""

    @property
    def metrics(self):
        return [*self.trackers, self.first_failure]

    @property
    def steps(self):
        """The number of steps taken (a Keras variable): how often the first player's optimizer was
        applied."""
        return getattr(self, next(iter(self.players))).iterations

    def compile(
        self, *, run_eagerly=False, steps_per_execution=1, jit_compile="auto", **optimizers
    ):
        """Gives each player its optimizer.

        Args:
            **optimizers: one `keras.optimizers.Optimizer` for each name in `players`, as
                `g_optimizer=..., d_optimizer=...`.
            run_eagerly, steps_per_execution, jit_compile: as in `keras.Model.compile`.

        Raises:
            ValueError: if a player has no optimizer, two share one, one averages the weights
                (`use_ema`: Keras would put the averages in the place of the weights when `fit`
                ends; models here keep averages beside them), or the dtype policy needs loss
                scaling.

        An optimizer that was made before the model's devices were chosen is made again on them, from its config.
        """
        self._check_optimizers(optimizers)
        with self.devices.scope():
            self._compile(optimizers, run_eagerly, steps_per_execution, jit_compile)

    def _compile(self, optimizers, run_eagerly, steps_per_execution, jit_compile):
        self.compile_options = {
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
        }
        owned = []
        for name, networks in self.players.items():
            optimizer = keras.optimizers.get(optimizers[name])
            if self.devices.count > 1 and not gradients.lies_on(optimizer, self.devices):
                optimizer = type(optimizer).from_config(optimizer.get_config())
            setattr(self, name, optimizer)
            variables = [v for n in networks for v in getattr(self, n).trainable_variables]
            owned.append((getattr(self, name), variables))
        known = {id(v) for _, variables in owned for v in variables}
        strangers = [v.path for v in self.trainable_variables if id(v) not in known]
        if strangers:
            raise ValueError(
                f"Each trainable variable must belong to a player. Received: {', '.join(strangers)}"
            )
        if BACKEND == "tensorflow" and self.devices.count > 1 and jit_compile == "auto":
            self.compile_options["jit_compile"] = False  # XLA has no `all_reduce` there
        whole = owned[0][0] if len(owned) == 1 else Optimizers(owned)
        super().compile(optimizer=whole, **self.compile_options)
        self.optimizer.build(self.trainable_variables)
        if self.devices.count > 1:
            self._spread([optimizer for optimizer, _ in owned])

    def _spread(self, optimizers):
        """Prepares the model for steps on several devices."""
        if BACKEND == "jax":  # there a step is written for the whole batch
            return
        replicas.synchronize(self)
        if BACKEND == "tensorflow":
            replicas.check_variables(self)
            for optimizer in optimizers:
                gradients.take_reduced_gradients(optimizer)
            # Keras would run `predict` on each device; but for `fit` models are asked on one.
            for model in (self, *replicas.layers_of(self)):
                model._distribute_strategy = None

    def compile_with(self, kind, *learning_rates, **options):
        """Compiles with optimizers of one kind.

        Args:
            kind: class, as `keras.optimizers.Adam`.
            *learning_rates: float, one for each player in the order of `players`.
            **options: arguments of all the optimizers, as `beta_1=0.5`.

        Returns:
            The model.

        Raises:
            ValueError: for a learning rate that is negative or not finite.
        """
        numbers = [r for r in learning_rates if isinstance(r, (int, float))]
        if not all(0 <= r < float("inf") for r in numbers):
            raise ValueError(f"Learning rates must be finite and not negative. Received: {numbers}")
        rates = dict(zip(self.players, learning_rates, strict=True))
        self.compile(**{name: kind(rate, **options) for name, rate in rates.items()})
        return self

    def _check_optimizers(self, optimizers):
        if set(optimizers) != set(self.players):
            own = {"loss", "metrics", "loss_weights", "weighted_metrics"} & set(optimizers)
            raise ValueError(
                f"`compile` needs one optimizer for each of {', '.join(self.players)}, as "
                f"{', '.join(f'{name}=Adam(1e-3)' for name in self.players)}. "
                f"Received: {', '.join(optimizers) or 'none'}"
                + ("; the losses are the model's own" if own else "")
            )
        if len(self.players) > 1 and "optimizer" in self.players:
            raise ValueError(
                "With several players none may be called `optimizer`, Keras's own name"
            )
        instances = [o for o in optimizers.values() if not isinstance(o, (str, dict))]
        if len({id(o) for o in instances}) < len(instances):
            raise ValueError("Each player needs an optimizer of its own. Received: one for two")
        for name, optimizer in optimizers.items():
            if getattr(optimizer, "use_ema", False):
                raise ValueError(
                    "An optimizer here must not average weights; give the model `ema_momentum` instead. "
                    f"Received: {name} with use_ema=True"
                )
        if keras.config.dtype_policy().name == "mixed_float16":
            raise ValueError(
                "The dtype policy must not need loss scaling; use 'mixed_bfloat16'. Received: 'mixed_float16'"
            )

    def get_compile_config(self):
        saved = {name: _portable(getattr(self, name)) for name in self.players}
        return {**saved, **self.compile_options}

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))

    def get_config(self):
        names = _arguments(type(self))
        return {name: keras.saving.serialize_keras_object(getattr(self, name)) for name in names}

    @classmethod
    def from_config(cls, config):
        return cls(**{k: keras.saving.deserialize_keras_object(v) for k, v in config.items()})

    def fit(self, x=None, *args, **kwargs):
        """As in Keras; a stream of batches is taken in its own order (arrays are shuffled as Keras
        does).

        Raises:
            UsageError: for what `check_given` refuses, as a stream without an end and without
                `steps_per_epoch`.
            ValueError: for no steps at all, which Keras would read as all of them.
        """
        check_given(self, "fit", (x, *args), kwargs)
        steps = kwargs.get("steps_per_epoch")
        if steps is not None and steps < 1:
            raise ValueError(f"`steps_per_epoch` must be at least 1. Received: {steps}")
        if isinstance(x, keras.utils.PyDataset) or hasattr(x, "element_spec"):
            kwargs.setdefault("shuffle", False)
        with self._on_devices(x):
            return super().fit(x, *args, **kwargs)

    @contextlib.contextmanager
    def _on_devices(self, x):
        """In this block steps run on the devices that the model was built on."""
        engine = self.devices.engine
        if BACKEND == "tensorflow" and engine is not None:
            if devices.launched():
                self._check_first_batch(x)
            with _shown_as(self, "_distribute_strategy", engine):
                yield
        elif BACKEND == "torch" and self.devices.count > 1:
            replicas.broadcast([*self.variables, *self.optimizer.variables])
            self._checked = False
            yield
        else:
            self._checked = not devices.launched()
            yield

    def _on_one_device(self):
        """Within `fit`, too: a batch of a test need not be a multiple of the devices."""
        if BACKEND == "tensorflow" and self.devices.engine is not None:
            return _shown_as(self, "_distribute_strategy", None)
        return contextlib.nullcontext()

    def evaluate(self, *args, **kwargs):
        """As in Keras, but the random draws that it needs leave the model's seeds as they were.

        Raises:
            UsageError: for what `check_given` refuses.
        """
        if not kwargs.get("_use_cached_eval_dataset"):  # Keras's own call, in `fit`
            check_given(self, "evaluate", args, kwargs)
        before = [(v, ops.convert_to_numpy(v.value)) for v in self._seeds()]
        try:
            with self._on_one_device():
                return super().evaluate(*args, **kwargs)
        finally:
            for v, value in before:
                v.assign(value)

    def predict(self, *args, **kwargs):
        """As in Keras.

        Raises:
            UsageError: for a stream without an end and without `steps`.
        """
        check_given(self, "predict", args, kwargs)
        return super().predict(*args, **kwargs)

    def check_labels(self, labels):
        """Refuses what `fit` was given as labels; a model of classes says what fits."""

    def _check_batch(self, batch):
        """Refuses a batch that cannot be shared out among the devices, and a first one that is another elsewhere."""
        arrays = [a for a in keras.tree.flatten(batch) if a is not None]
        devices.check_batch(len(arrays[0]), self.devices.count, self.batch_divisor)
        if not self._checked:
            check_alike([ops.convert_to_numpy(a) for a in arrays])
            self._checked = True

    if BACKEND == "torch":
        # Each process is given the whole batch, and takes its rows.

        def make_train_function(self, force=False):
            if self.train_function is None or force:
                super().make_train_function(force)
                if self.devices.count > 1:
                    self.train_function = self._on_rows(self.train_function)

        def _on_rows(self, step):
            def step_on_rows(batches):
                self._check_batch(batches)
                with replicas.training_step():
                    return step(_map(_rows, batches))

            return step_on_rows

    if BACKEND == "tensorflow":

        def _check_first_batch(self, x):
            """Refuses what differs between workers, where a stream's first batch can be had without taking it away;
            TensorFlow gives each worker its rows."""
            self._checked = False
            if isinstance(x, keras.utils.PyDataset):
                self._check_batch(x[0])
            elif hasattr(x, "element_spec"):
                self._check_batch(next(iter(x)))
            elif hasattr(x, "shape"):
                self._check_batch(x[: len(x) // self.devices.count * self.devices.count])

        def make_train_function(self, force=False):
            if self.train_function is not None and not force:
                return
            step = (
                self.train_step if self.devices.count == 1 else self._vector_step(self.train_step)
            )
            with _shown_as(self, "train_step", step):
                super().make_train_function(force)

        @staticmethod
        def _vector_step(step):
            """A step whose logs have an axis: Keras takes their mean over it, and over all workers."""
            if not devices.launched():
                return step
            return lambda data: _map(lambda value: ops.expand_dims(value, 0), step(data))

    if BACKEND == "jax":
        # Keras calls `train_step(state, data)` on JAX. It is shown a function that runs
        # `train_step(data)` on that state. With several devices it takes state and batch to all of them; variables
        # stay this process's, so that it can save or sample with no other.

        def make_train_function(self, force=False):
            if self.train_function is None or force:
                with _shown_as(self, "train_step", self._stateless("train_step")):
                    super().make_train_function(force)
                if self.devices.count > 1:
                    self.train_function = self._on_all(self.train_function)

        def _on_all(self, step):
            engine = self.devices.engine

            def shared_out(batch):
                self._check_batch(batch)
                return _map(lambda a: replicas.shared_out(engine, a), batch)

            def step_on_all(state, iterator):
                state = _map(lambda value: replicas.on_each(engine, value), state)
                return step(state, map(shared_out, iterator))

            return step_on_all

        def jax_state_sync(self):
            if (
                self.devices.count > 1
                and not self._jax_state_synced
                and getattr(self, "_jax_state", None)
            ):
                self._jax_state = _map(replicas.own, self._jax_state)
            super().jax_state_sync()

        def make_test_function(self, force=False):
            with _shown_as(self, "test_step", self._stateless("test_step")):
                super().make_test_function(force)

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


def _rows(array):
    return replicas.cut(ops.convert_to_tensor(array))


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


def _arguments(model_class):
    """The names of what a class's `__init__` takes; where it takes `**others`, its parents' too."""
    names = []
    for owner in model_class.__mro__:
        if "__init__" not in vars(owner):
            continue
        parameters = list(inspect.signature(owner.__init__).parameters.values())[1:]
        names += [p.name for p in parameters if p.kind != p.VAR_KEYWORD and p.name not in names]
        if all(p.kind != p.VAR_KEYWORD for p in parameters):
            break
    return names


def _portable(optimizer):
    """An optimizer's config; Keras's own under their public name, since on PyTorch Keras would write
    a class that other backends lack."""
    saved = keras.saving.serialize_keras_object(optimizer)
    name = type(optimizer).__name__
    own = type(optimizer).__module__.startswith("keras.")
    if own and issubclass(type(optimizer), getattr(keras.optimizers, name, ())):
        saved |= {"module": "keras.optimizers", "registered_name": None}
    return saved
