"""Adam and Muon on a few large tensors in the place of hundreds of small ones.

Keras's optimizers run their dozen operations once for each variable. Most variables are small: to trace those
operations, and to start them, takes longer than their arithmetic. Here the small variables of a network are joined
to one vector, and matrices of one shape are stacked; what is computed is the same.

Adam, with t the number of steps (Kingma 2015, Algorithm 1 in the form at the end of section 2):

    m <- m + (1 - beta_1) (g - m),   v <- v + (1 - beta_2) (g^2 - v)
    theta <- theta - lr sqrt(1 - beta_2^t) / (1 - beta_1^t) m / (sqrt(v) + epsilon)

Muon turns the averaged gradient G of a matrix (n, m) to the nearest matrix whose singular values are all about one,

    W <- W - lr 0.2 sqrt(max(n, m)) NewtonSchulz(G)                           (Liu 2025, equations 1 and 4)

so that directions which the gradient hardly shows are learnt as fast as those that it shows all the time. A kernel
(h, w, in, out) is the matrix (h w in, out). Adam moves all else.

Reference:
    Kingma and Ba 2015, "Adam: a method for stochastic optimization", arXiv:1412.6980; Jordan et al. 2024, "Muon: an
    optimizer for hidden layers in neural networks", kellerjordan.github.io/posts/muon; Liu et al. 2025, "Muon is
    scalable for LLM training", arXiv:2502.16982.
"""

import itertools
import math

import keras
import numpy as np
from keras import ops

from ganedu.engine.gradients import move_average, split, subtract, update_on_each_device

# A variable of this many numbers or more stays alone: to join it would cost more than it saves.
LARGE = 2**15


class GroupedOptimizer:
    """Makes a Keras optimizer, which follows it in a class's bases, move variables in groups.

    Clipping, weight decay, schedules and accumulated gradients stay Keras's. A subclass says which groups there
    are, `make_groups`, and how far each kind of group goes, `learning_rates`. A group has `members`, the places of its
    variables among all, and `step(gradients, rate)`, which moves its state and returns what to subtract from each
    variable.
    """

    def make_groups(self, variables):
        """A list of groups of the `keras.Variable` that the optimizer is built with."""
        raise NotImplementedError

    def learning_rates(self, learning_rate):
        """A dict from the class of a group to the rate, a scalar tensor, that its `step` gets."""
        raise NotImplementedError

    def build(self, variables):
        if not self.built:
            keras.optimizers.Optimizer.build(self, variables)
            self._groups = tuple(self.make_groups(variables))

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        places = [self._get_variable_index(v) for v in trainable_variables]
        if len(places) < len(self._trainable_variables):
            missing = [v.path for i, v in enumerate(self._trainable_variables) if i not in places]
            raise ValueError(
                f"{type(self).__name__} moves all variables that it was built with, and needs a gradient for each. "
                f"None was given for: {', '.join(missing)}"
            )
        ordered = [g for _, g in sorted(zip(places, grads, strict=True), key=lambda pair: pair[0])]
        update_on_each_device(self, self._update, ordered, learning_rate)

    def _update(self, gradients, learning_rate):
        learning_rates = self.learning_rates(learning_rate)
        for group in self._groups:
            variables = [self._trainable_variables[i] for i in group.members]
            pairs = zip(group.members, variables, strict=True)
            own = [ops.cast(gradients[i], v.dtype) for i, v in pairs]
            subtract(variables, group.step(own, learning_rates[type(group)]))


class Vector:
    """Several variables of one dtype seen as one vector: `shape`, (n,), and `dtype`.

    Args:
        variables: list of `keras.Variable`.
    """

    def __init__(self, variables):
        self.shapes = [tuple(v.shape) for v in variables]
        self.sizes = [math.prod(shape) for shape in self.shapes]
        self.shape, self.dtype = (sum(self.sizes),), variables[0].dtype

    def join(self, tensors):
        """Tensors of the variables' shapes to a vector."""
        flat = [reshaped(t, (-1,)) for t in tensors]
        return ops.concatenate(flat) if len(flat) > 1 else flat[0]

    def split(self, vector):
        """A vector to tensors of the variables' shapes."""
        flat = split(vector, self.sizes) if len(self.sizes) > 1 else [vector]
        return [reshaped(t, shape) for t, shape in zip(flat, self.shapes, strict=True)]


def reshaped(tensor, shape):
    """As `ops.reshape`, with no operation for a vector that is to be one."""
    return tensor if len(tensor.shape) == len(shape) == 1 else ops.reshape(tensor, shape)


class AdamGroup:
    """Variables of one dtype whose moments are two vectors."""

    def __init__(self, optimizer, members, variables, betas):
        self.optimizer, self.members, self.betas = optimizer, members, betas
        self.vector = Vector([variables[i] for i in members])
        self.m, self.v = (
            optimizer.add_variable(self.vector.shape, dtype=self.vector.dtype, name=name)
            for name in ("momentum", "velocity")
        )

    def step(self, gradients, rate):
        """In the order in which Keras computes it, so that it is rounded alike."""
        g, beta_1, beta_2 = self.vector.join(gradients), *self.betas
        move_average(self.m, g, beta_1)
        move_average(self.v, g * g, beta_2)
        rate = ops.cast(rate, self.vector.dtype)
        return self.vector.split(self.m * rate / (ops.sqrt(self.v) + self.optimizer.epsilon))


def adam_rate(learning_rate, steps, beta_1, beta_2):
    """lr sqrt(1 - beta_2^t) / (1 - beta_1^t) of step t = `steps` + 1."""
    t = ops.cast(steps + 1, "float32")
    beta_1_power, beta_2_power = (ops.power(ops.cast(b, "float32"), t) for b in (beta_1, beta_2))
    return ops.cast(learning_rate, "float32") * ops.sqrt(1 - beta_2_power) / (1 - beta_1_power)


def by_size(variables, chosen):
    """Which variables Adam moves as one vector: small ones of one dtype together, each large one alone.

    Args:
        variables: list of `keras.Variable`.
        chosen: list of int, the places of those that are sorted.

    Returns:
        List of lists of int.
    """
    small, large = {}, []
    for i in chosen:
        if math.prod(variables[i].shape) < LARGE:
            small.setdefault(variables[i].dtype, []).append(i)
        else:
            large.append([i])
    return [*small.values(), *large]


@keras.saving.register_keras_serializable("ganedu")
class FusedAdam(GroupedOptimizer, keras.optimizers.Adam):
    """`keras.optimizers.Adam` in few operations; arguments are Keras's.

    Raises:
        ValueError: for `amsgrad`, and where a step leaves out a variable that it was built with.
    """

    def __init__(self, learning_rate=1e-3, *args, **options):
        super().__init__(learning_rate, *args, **options)
        if self.amsgrad:
            raise ValueError("`amsgrad` needs `keras.optimizers.Adam`. Received: amsgrad=True")

    def make_groups(self, variables):
        betas = self.beta_1, self.beta_2
        places = range(len(variables))
        return [
            AdamGroup(self, members, variables, betas) for members in by_size(variables, places)
        ]

    def learning_rates(self, learning_rate):
        return {AdamGroup: adam_rate(learning_rate, self.iterations, self.beta_1, self.beta_2)}


class MuonGroup:
    """Kernels of one dtype whose momentum is one vector. Those that as matrices (n, m) have one shape lie side by
    side in it, as a stack (k, n, m); stacks of one smaller side are turned together."""

    def __init__(self, optimizer, members, variables):
        self.optimizer = optimizer
        shape = {i: matrix_shape(variables[i]) for i in members}
        self.members = sorted(members, key=lambda i: (min(shape[i]), shape[i]))
        self.vector = Vector([variables[i] for i in self.members])
        self.m = optimizer.add_variable(self.vector.shape, dtype=self.vector.dtype, name="momentum")
        self.stacks = [
            (len(list(those)), *nm) for nm, those in itertools.groupby(self.members, shape.get)
        ]
        self.stack_sizes = [math.prod(stack) for stack in self.stacks]

    def step(self, gradients, rate):
        optimizer, g = self.optimizer, self.vector.join(gradients)
        optimizer.assign_add(self.m, g + self.m * (optimizer.momentum - 1))
        g = g + self.m * optimizer.momentum if optimizer.nesterov else self.m + 0.0
        parts = zip(split(g, self.stack_sizes), self.stacks, strict=True)
        stacks = [ops.reshape(part, stack) for part, stack in parts]
        rate = ops.cast(rate, self.vector.dtype)
        moves = []
        for _, together in itertools.groupby(stacks, lambda x: min(x.shape[1:])):
            moves += optimizer.turn(list(together), rate)
        moves = [move for stack in moves for move in ops.unstack(stack, stack.shape[0])]
        return [
            reshaped(move, shape) if len(shape) > 2 else move
            for move, shape in zip(moves, self.vector.shapes, strict=True)
        ]


def matrix_shape(variable):
    """(n, m) of a kernel (..., m)."""
    return math.prod(variable.shape[:-1]), variable.shape[-1]


def newton_schulz(gram, a, b, c, steps):
    """The matrices F for which the singular values of F X (of X F, for A = X^T X) are all about one.

    X <- (a I + b A + c A^2) X with A = X X^T (Jordan 2024), where A and the product of the factors are followed in
    the place of X, which for a matrix that is much longer than wide takes a fraction of the time.

    Args:
        gram: tensor (k, d, d), A of k matrices X, of which no singular value is above one.
        a, b, c: float.
        steps: int, at least 1.
    """
    one = np.eye(gram.shape[-1])
    a, b = (ops.convert_to_tensor(x * one, dtype=gram.dtype) for x in (a, b))
    turn = factor = a + (b + c * gram) @ gram
    for _ in range(steps - 1):
        gram = factor @ gram @ factor
        factor = a + (b + c * gram) @ gram
        turn = factor @ turn
    return turn


@keras.saving.register_keras_serializable("ganedu")
class Muon(GroupedOptimizer, keras.optimizers.Muon):
    """`keras.optimizers.Muon` for kernels of two-dimensional convolutions too, in few operations.

    Adam moves vectors, embeddings, and the layers whose names begin with `head`.

    Args:
        learning_rate: float. Defaults to `6e-3`.
        adam_lr_ratio: float, Adam's learning rate as a share of it. Defaults to `0.3`.
        adam_beta_2: float. Defaults to `0.99`.
        **options: those of Keras's; no weights decay unless it is said here.

    Raises:
        ValueError: where a step leaves out a variable that it was built with.
    """

    def __init__(self, learning_rate=6e-3, adam_lr_ratio=0.3, adam_beta_2=0.99, **options):
        unsaid = {"weight_decay": None, "adam_weight_decay": None, "exclude_layers": ["(^|/)head"]}
        options = {**unsaid, **options}
        super().__init__(
            learning_rate, adam_lr_ratio=adam_lr_ratio, adam_beta_2=adam_beta_2, **options
        )

    def make_groups(self, variables):
        adams, matrices = [], {}
        for i, v in enumerate(variables):
            if self._should_use_adamw(v):
                adams.append(i)
            else:
                matrices.setdefault(v.dtype, []).append(i)
        betas = self.adam_beta_1, self.adam_beta_2
        return [
            *(AdamGroup(self, members, variables, betas) for members in by_size(variables, adams)),
            *(MuonGroup(self, members, variables) for members in matrices.values()),
        ]

    def learning_rates(self, learning_rate):
        adams = (
            learning_rate * self.adam_lr_ratio,
            self.iterations,
            self.adam_beta_1,
            self.adam_beta_2,
        )
        return {AdamGroup: adam_rate(*adams), MuonGroup: learning_rate}

    def _should_use_adamw(self, variable):
        return super()._should_use_adamw(_Flat(variable) if len(variable.shape) == 4 else variable)

    def turn(self, stacks, learning_rate):
        """What to subtract.

        Args:
            stacks: list of tensors (k, n, m), averaged gradients, with one smaller side d of n and m.
            learning_rate: scalar tensor.

        Returns:
            List of tensors of the same shapes.
        """
        tall = [x.shape[1] > x.shape[2] for x in stacks]
        turned = [ops.swapaxes(x, 1, 2) for x in stacks]
        pairs = [(y, x) if t else (x, y) for x, y, t in zip(stacks, turned, tall, strict=True)]
        grams = [x @ y for x, y in pairs]
        gram = ops.concatenate(grams) if len(grams) > 1 else grams[0]  # (K, d, d)
        diagonal = gram * ops.convert_to_tensor(np.eye(gram.shape[-1]), dtype=gram.dtype)
        norm = (
            ops.sqrt(ops.sum(diagonal, axis=(1, 2), keepdims=True)) + 1e-7
        )  # Frobenius, of each X
        gram = gram / ops.square(norm)
        turn = newton_schulz(gram, self.muon_a, self.muon_b, self.muon_c, self.ns_steps)
        sizes = [self.size(x.shape[1:]) for x in stacks for _ in range(x.shape[0])]
        sizes = ops.convert_to_tensor(np.reshape(sizes, (-1, 1, 1)), dtype=gram.dtype)
        turn = learning_rate * sizes / norm * turn
        turns = split(turn, [x.shape[0] for x in stacks])
        return [x @ f if t else f @ x for x, f, t in zip(stacks, turns, tall, strict=True)]

    def size(self, shape):
        """How far a step goes with a matrix (n, m): Liu 2025, equation 4."""
        return 1.0 if self.rms_rate is None else self.rms_rate * math.sqrt(max(shape))


class _Flat:
    """What Keras asks of a variable, of a kernel as a matrix."""

    def __init__(self, kernel):
        self.path, self.shape = kernel.path, (None, kernel.shape[-1])


def cosine_decay(learning_rate, steps, final_ratio=0.03):
    """A learning rate that falls along half a cosine to `final_ratio` of itself within `steps` steps, and stays
    there; the constant one if `steps` is `None` (Loshchilov and Hutter 2017, equation 5, arXiv:1608.03983)."""
    if steps is None:
        return learning_rate
    return keras.optimizers.schedules.CosineDecay(learning_rate, steps, alpha=final_ratio)
