"""What adapts Keras to models of several players whose `train_step(data)` is one on three backends."""

import inspect

import keras
from keras import ops

from ganedu.engine.given import check_given
from ganedu.engine.gradients import BACKEND
from ganedu.engine.saving import Saving
from ganedu.engine.steps import StepsOnBackend


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


class KerasAdapter(StepsOnBackend, Saving):
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
            if self.devices.count > 1 and not self._lies_here(optimizer):
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
