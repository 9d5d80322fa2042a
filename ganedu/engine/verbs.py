"""What an algorithm is written with: `unpack`, `minimize`, `input_gradient`, moving averages, `log`.

`self.minimize(loss_fn, network, optimizer)` moves one network down the gradient of one loss and leaves
all others alone.
"""

import keras
from keras import ops

from ganedu.devices import replicas
from ganedu.engine.gradients import (
    apply_gradients,
    input_gradient,
    subtract,
    value_and_gradients,
)


class Verbs:
    """The verbs of a `GenerativeModel`: its steps are written with them."""

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
        """A copy of `network` that `update_ema` keeps; it is saved with the model and never trained.

        Raises:
            ValueError: for a network with layers that Keras cannot make from their config.
        """
        try:
            copy = keras.models.clone_model(network)
        except (TypeError, NotImplementedError) as error:
            raise ValueError(
                "A network with an average is made again from its config, so its own layers must take `**kwargs` and "
                f"have a `get_config`; or set `ema_momentum=None`. Received: {network.name}, of which Keras says: "
                f"{str(error).splitlines()[0][:200]}"
            ) from error
        copy.set_weights(network.get_weights())
        copy.trainable = False
        return copy

    def update_ema(self, network, copy, momentum):
        """Moves `copy` towards `network`: `copy <- m copy + (1 - m) network`, the moving statistics
        included.

        The momentum starts low, m = min(`momentum`, (1 + t) / (10 + t)) after t steps, so that the
        first, random weights are soon forgotten.
        """
        if not 0.0 <= momentum < 1.0:
            raise ValueError(f"`ema_momentum` must lie in [0, 1). Received: {momentum}")
        t = ops.cast(self.steps, "float32")
        share = 1.0 - ops.minimum(momentum, (1.0 + t) / (10.0 + t))
        pairs = [
            (c.value, ops.cast(w.value, c.dtype))
            for c, w in zip(copy.weights, network.weights, strict=True)
        ]
        subtract(copy.weights, [ops.cast(share, c.dtype) * (c - w) for c, w in pairs])

    def keep_ema(self, *names):
        """Makes the averaged copy `ema_NAME` of each of these networks, unless `self.ema_momentum` is `None`."""
        if self.ema_momentum is not None:
            for name in names:
                setattr(self, f"ema_{name}", self.ema_copy(getattr(self, name)))

    def averaged(self, name):
        """The average `ema_NAME` of a network where the model keeps one, else the network itself."""
        return getattr(self, name if self.ema_momentum is None else f"ema_{name}")

    def update_kept_ema(self, *names):
        """`update_ema` of these networks, where the model keeps their averages."""
        if self.ema_momentum is not None:
            for name in names:
                network, copy = getattr(self, name), getattr(self, f"ema_{name}")
                self.update_ema(network, copy, self.ema_momentum)

    def reset_ema(self):
        """Sets each averaged network, `ema_NAME`, to the network `NAME` that it is the average of.

        For weights that come from elsewhere than training: after `model.generator.load_weights(file)`, `generate` still
        samples from the old average.
        """
        for name in (name for names in self.players.values() for name in names):
            copy = getattr(self, f"ema_{name}", None)
            if copy is not None:
                copy.set_weights(getattr(self, name).get_weights())

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
        means = replicas.mean(
            ops.stack([ops.cast(losses[name], "float32") for name in self.log_names])
        )
        for tracker, loss in zip(self.trackers, ops.unstack(means), strict=True):
            tracker.update_state(loss)
        self.first_failure.update_state(means)
        return {tracker.name: tracker.result() for tracker in self.trackers}
