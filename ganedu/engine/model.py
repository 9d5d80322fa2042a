"""One `train_step` that runs unchanged on TensorFlow, JAX and PyTorch, under `keras.Model.fit`.

An algorithm is written as in its paper: `self.minimize(loss_fn, network, optimizer)` moves one
network down the gradient of one loss and leaves all others alone.
"""

import inspect

import keras
import numpy as np
from keras import ops

from ganedu.engine.failure import FirstFailure
from ganedu.engine.gradients import (
    BACKEND,
    apply_gradients,
    input_gradient,
    subtract,
    value_and_gradients,
)


class Optimizers(keras.optimizers.MultiOptimizer):
    """The players' optimizers held as one, so that Keras carries and saves their state.

    It chooses by a variable's identity, because a variable's path changes when a model is loaded.
    Each player is stepped by its own optimizer; this one is never applied.
    """

    def load_own_variables(self, store):
        if len(store.keys()) != len(self.variables):
            raise ValueError(
                "The file's optimizer state must fit the model's optimizers. "
                f"Received: {len(store.keys())} arrays for {len(self.variables)} variables."
            )
        super().load_own_variables(store)


class GenerativeModel(keras.Model):
    """A Keras model whose `train_step(data)` runs unchanged on TensorFlow, JAX and PyTorch.

    A subclass declares

    - `players`: for each optimizer by name, the networks that it moves. The first player's
      optimizer is applied exactly once a step, and so counts the steps.
    - `log_names`: the names of the scalars that its steps log.

    and writes `train_step(data)` and `test_step(data)`, both ending in `return self.log({...})`.
    Arguments of `__init__` are kept in attributes of the same name; that makes `get_config` and
    loading work with no further code. `**others` in an `__init__` stands for its parents' arguments.

    Args:
        seed: int in [0, 2**31). Every random draw of the model comes from `self.seed_generator`.
            Defaults to `0`.

    Example:

    >>> class LeastSquares(GenerativeModel):
    ...     players = {"optimizer": ("network",)}
    ...     log_names = ("loss",)
    ...
    ...     def __init__(self, network, seed=0):
    ...         super().__init__(seed=seed)
    ...         self.network = network
    ...
    ...     def train_step(self, data):
    ...         x, y = self.unpack(data)
    ...         loss = lambda: keras.ops.mean((self.network(x, training=True) - y) ** 2)
    ...         return self.log({"loss": self.minimize(loss, self.network, self.optimizer)})
    """

    players = {}
    log_names = ()

    def __init__(self, seed=0):
        super().__init__()
        if not 0 <= seed < 2**31:
            raise ValueError(f"`seed` must lie in [0, 2**31). Received: seed={seed}")
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.trackers = [keras.metrics.Mean(name=name) for name in self.log_names]
        self.first_failure = FirstFailure(self.log_names)
        self.built = True  # the networks are

    # What a model is asked by those who train it and look at it

    def prepare_dataset(self, dataset):
        """An `ImageDataset` in the form that the steps take: here, images alone. A model that needs
        labels or pairs says so by overriding this."""
        return dataset

    def sample_grid(self, examples, seed=0):
        """One picture of what the model is for.

        Args:
            examples: a batch of at least 16 images, as `prepare_dataset` gives it.
            seed: int. Defaults to `0`.

        Returns:
            `(images, columns)`: float32 (N, H, W, C) in [-1, 1], and how many stand in a row.
        """
        raise NotImplementedError

    # What an algorithm is written with

    def unpack(self, data):
        """A batch as tensors `(x, y)`, however Keras handed it over; `y` is `None` where there is
        none."""
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        return ops.convert_to_tensor(x), None if y is None else ops.convert_to_tensor(y)

    def minimize(self, loss_fn, network, optimizer):
        """Takes one step of `optimizer` down the gradient of a loss in one network's variables, and
        in no others.

        Args:
            loss_fn: function of no arguments. Returns the loss (a scalar), or a dict of named
                scalars of which the first is the loss and the others are only reported.
            network: the network to move, or a list of networks.
            optimizer: the optimizer that `compile` got for it.

        Returns:
            What `loss_fn` returned.

        Raises:
            ValueError: if the loss does not depend on one of the variables; the message names it.
        """
        networks = network if isinstance(network, (list, tuple)) else [network]
        variables = [v for n in networks for v in n.trainable_variables]

        def with_aux():
            aux = loss_fn()
            loss = next(iter(aux.values())) if isinstance(aux, dict) else aux
            return ops.cast(loss, "float32"), aux

        aux, gradients = value_and_gradients(with_aux, variables, self._others(variables))
        unused = [v.path for v, g in zip(variables, gradients, strict=True) if g is None]
        if unused:
            raise ValueError(
                "The loss must depend on every trainable variable of the network that it moves. "
                f"No gradient reaches: {', '.join(unused)}"
            )
        apply_gradients(optimizer, gradients, variables)
        return aux

    def input_gradient(self, fn, x):
        """The gradient of `fn` with respect to its input, for penalties: a loss may contain it.

        Args:
            fn: function of a batch; what it returns is summed. Where `fn` treats each row by itself,
                each row of the result is the gradient of that row.
            x: tensor (B, ...).

        Returns:
            Tensor of the shape of `x`.
        """
        return input_gradient(fn, x, self._others([]))

    def _others(self, variables):
        chosen = {id(v) for v in variables}
        return [v for v in [*self.variables, *self.metrics_variables] if id(v) not in chosen]

    def ema_copy(self, network):
        """A copy of `network` that `update_ema` keeps; it is saved with the model and never
        trained."""
        copy = keras.models.clone_model(network)
        copy.set_weights(network.get_weights())
        copy.trainable = False
        return copy

    def update_ema(self, network, copy, momentum):
        """Moves `copy` towards `network`: `copy <- m copy + (1 - m) network`, the moving statistics
        included.

        The momentum starts low, m = min(`momentum`, (1 + t) / (10 + t)) after t steps, so that the
        first, random weights are soon forgotten.
        """
        t = ops.cast(self.steps, "float32")
        share = 1.0 - ops.minimum(momentum, (1.0 + t) / (10.0 + t))
        pairs = [
            (c.value, ops.cast(w.value, c.dtype))
            for c, w in zip(copy.weights, network.weights, strict=True)
        ]
        subtract(copy.weights, [ops.cast(share, c.dtype) * (c - w) for c, w in pairs])

    def log(self, losses):
        """Updates the running means of the round.

        Args:
            losses: dict of scalars, with the names in `log_names`.

        Returns:
            Dict of the means so far.
        """
        if set(losses) != set(self.log_names):
            raise ValueError(
                f"A step must log exactly {sorted(self.log_names)}. Received: {sorted(losses)}"
            )
        losses = {name: ops.cast(losses[name], "float32") for name in self.log_names}
        for tracker in self.trackers:
            tracker.update_state(losses[tracker.name])
        self.first_failure.update_state(ops.stack(list(losses.values())))
        return {tracker.name: tracker.result() for tracker in self.trackers}

    # What Keras needs

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
        """
        self._check_optimizers(optimizers)
        self.compile_options = {
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
        }
        owners = {}
        for name, networks in self.players.items():
            setattr(self, name, keras.optimizers.get(optimizers[name]))
            variables = [v for n in networks for v in getattr(self, n).trainable_variables]
            owners |= {id(v): getattr(self, name) for v in variables}
        strangers = [v.path for v in self.trainable_variables if id(v) not in owners]
        if strangers:
            raise ValueError(
                f"Each trainable variable must belong to a player. Received: {', '.join(strangers)}"
            )
        if len(self.players) == 1:
            whole = getattr(self, next(iter(self.players)))
        else:
            whole = Optimizers(lambda v: owners[id(v)])
        super().compile(optimizer=whole, **self.compile_options)
        self.optimizer.build(self.trainable_variables)

    def compile_with(self, kind, *learning_rates, **options):
        """Compiles with optimizers of one kind.

        Args:
            kind: class, as `keras.optimizers.Adam`.
            *learning_rates: float, one for each player in the order of `players`.
            **options: arguments of all the optimizers, as `beta_1=0.5`.

        Returns:
            The model.
        """
        rates = dict(zip(self.players, learning_rates, strict=True))
        self.compile(**{name: kind(rate, **options) for name, rate in rates.items()})
        return self

    def _check_optimizers(self, optimizers):
        if set(optimizers) != set(self.players):
            raise ValueError(
                f"`compile` needs one optimizer for each of {', '.join(self.players)}. "
                f"Received: {', '.join(optimizers) or 'none'}"
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
        does). No steps at all are an error: Keras would read an endless stream to its end."""
        steps = kwargs.get("steps_per_epoch")
        if steps is not None and steps < 1:
            raise ValueError(f"`steps_per_epoch` must be at least 1. Received: {steps}")
        if isinstance(x, keras.utils.PyDataset) or hasattr(x, "element_spec"):
            kwargs.setdefault("shuffle", False)
        return super().fit(x, *args, **kwargs)

    def evaluate(self, *args, **kwargs):
        """As in Keras, but the random draws that it needs leave the model's seeds as they were."""
        before = [(v, ops.convert_to_numpy(v.value)) for v in self._seeds()]
        try:
            return super().evaluate(*args, **kwargs)
        finally:
            for v, value in before:
                v.assign(value)

    def _seeds(self):
        """The states of all seed generators, in a fixed order: what `variables` has and `weights`
        has not."""
        weights = {id(v) for v in self.weights}
        return [v for v in self.variables if id(v) not in weights]

    def save_own_variables(self, store):
        super().save_own_variables(store)
        for i, seed in enumerate(self._seeds()):
            store[f"seed_{i}"] = ops.convert_to_numpy(seed.value)

    def load_own_variables(self, store):
        own = {key: store[key] for key in store.keys() if not key.startswith("seed_")}  # noqa: SIM118
        super().load_own_variables(own)
        for i, seed in enumerate(self._seeds()):
            # Backends keep seeds in different integer types.
            seed.assign(np.asarray(store[f"seed_{i}"]).astype(seed.dtype))

    if BACKEND == "jax":
        # Keras calls `train_step(state, data)` on JAX. It is shown a function that runs
        # `train_step(data)` on that state.

        def make_train_function(self, force=False):
            with _shown_as(self, "train_step", self._stateless("train_step")):
                super().make_train_function(force)

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
                return logs, after

            return stateless_step


class _shown_as:
    """For the time of a `with` block, an object's attribute shows something else."""

    def __init__(self, owner, name, value):
        self.attributes, self.name, self.value = vars(owner), name, value

    def __enter__(self):
        self.attributes[self.name] = self.value

    def __exit__(self, *exception):
        del self.attributes[self.name]


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
