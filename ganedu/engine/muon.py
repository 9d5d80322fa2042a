"""Muon for networks that convolve: Keras's own, which turns kernels of dense layers alone.

A step turns the averaged gradient G of a matrix to the nearest matrix whose singular values are all about one,

    W <- W - lr 0.2 sqrt(max(n, m)) NewtonSchulz(G)                (Liu 2025, equations 1 and 4)

so that directions which the gradient hardly shows are learnt as fast as those that it shows all the time. A kernel
(h, w, in, out) is the matrix (h w in, out). Adam moves all else, and the layers whose names begin with `last`.

Reference:
    Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks", kellerjordan.github.io/posts/muon;
    Liu et al. 2025, "Muon is scalable for LLM training", arXiv:2502.16982.
"""

import keras
from keras import ops


@keras.saving.register_keras_serializable("ganedu")
class Muon(keras.optimizers.Muon):
    """`keras.optimizers.Muon` for kernels of two-dimensional convolutions too.

    Args:
        learning_rate: float. Defaults to `6e-3`.
        adam_lr_ratio: float, Adam's learning rate as a share of it. Defaults to `0.3`.
        adam_beta_2: float. Defaults to `0.99`.
        **options: those of Keras's; no weight decays unless it is said here.
    """

    def __init__(self, learning_rate=6e-3, adam_lr_ratio=0.3, adam_beta_2=0.99, **options):
        unsaid = {"weight_decay": 0.0, "adam_weight_decay": 0.0, "exclude_layers": ["(^|/)last"]}
        options = {**unsaid, **options}
        super().__init__(
            learning_rate, adam_lr_ratio=adam_lr_ratio, adam_beta_2=adam_beta_2, **options
        )

    def _should_use_adamw(self, variable):
        return super()._should_use_adamw(_Flat(variable) if len(variable.shape) == 4 else variable)

    def zeropower_via_newtonschulz5(self, x, steps):
        """As Keras's, X <- (a I + b A + c A^2) X with A = X X^T, but A and the product of the factors are followed in
        the place of X, which for a matrix that is much longer than wide takes a fraction of the time."""
        flat = ops.reshape(x, (-1, x.shape[-1]))
        flat = flat / (ops.norm(flat) + 1e-7)
        tall = flat.shape[0] > flat.shape[1]
        gram = ops.transpose(flat) @ flat if tall else flat @ ops.transpose(flat)
        turn = one = ops.eye(gram.shape[0], dtype=gram.dtype)
        for _ in range(steps):
            factor = self.muon_a * one + self.muon_b * gram + self.muon_c * gram @ gram
            turn = factor @ turn
            gram = factor @ gram @ factor
        return ops.reshape(flat @ turn if tall else turn @ flat, x.shape)

    def lr_adjust(self, x):
        return ops.reshape(super().lr_adjust(ops.reshape(x, (-1, x.shape[-1]))), x.shape)


class _Flat:
    """What Keras asks of a variable, of a kernel as a matrix."""

    def __init__(self, kernel):
        self.path, self.shape = kernel.path, (None, kernel.shape[-1])


def falling(learning_rate, steps, least=0.03):
    """A learning rate that falls along half a cosine to `least` of itself within `steps` steps, and stays
    there; the constant one if `steps` is `None` (Loshchilov and Hutter 2017, equation 5, arXiv:1608.03983)."""
    if steps is None:
        return learning_rate
    return keras.optimizers.schedules.CosineDecay(learning_rate, steps, alpha=least)
