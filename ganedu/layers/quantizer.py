"""Vector quantization with a codebook that follows its codes."""

import keras
from keras import layers, ops

from ganedu.devices import replicas


@keras.saving.register_keras_serializable("ganedu")
class VectorQuantizer(layers.Layer):
    """Replaces each vector by the nearest of K codes; gradients pass straight through.

    q(x) = e_k, k = argmin_j ||x - e_j||^2                                            (equation 2)

    The codebook learns by moving averages of the vectors that chose each code (appendix A.1):

    N_k <- m N_k + (1 - m) n_k,   s_k <- m s_k + (1 - m) sum of the n_k vectors,   e_k = s_k / N_k

    A code that almost nobody chooses (N_k under `dead_threshold`) is dead: it takes the place of a
    random vector of the batch.

    Args:
        num_embeddings: int, K.
        momentum: float, m. Defaults to `0.95`.
        dead_threshold: float, the share of an even use, 1 / K, under which a code is dead. Defaults to
            `0.05`.
        seed: int. Defaults to `0`.

    Call arguments:
        x: (B, ..., d).

    Returns:
        `(quantized, indices, perplexity)`: (B, ..., d), whose gradient is that of `x`; int32
        (B, ...); and the effective number of codes used in the batch, exp(entropy), a scalar in
        [1, K].

    Reference:
        van den Oord, Vinyals and Kavukcuoglu 2017, "Neural discrete representation learning",
        arXiv:1711.00937; the revival of dead codes from Dhariwal et al. 2020, "Jukebox",
        arXiv:2005.00341.
    """

    def __init__(self, num_embeddings, momentum=0.95, dead_threshold=0.05, seed=0, **kwargs):
        super().__init__(**kwargs)
        self.num_embeddings, self.momentum = num_embeddings, momentum
        self.dead_threshold, self.seed = dead_threshold, seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape):
        shape = (self.num_embeddings, input_shape[-1])
        start = keras.initializers.RandomUniform(-1.0, 1.0, seed=self.seed)
        self.codebook = self.add_weight(shape, start, trainable=False, name="codebook")
        # N and s; s = e at the start, as `start` has a seed and draws the same twice, so N is 1.
        self.counts = self.add_weight(
            (self.num_embeddings,), "ones", trainable=False, name="counts"
        )
        self.sums = self.add_weight(shape, start, trainable=False, name="sums")
        self.built = True

    def call(self, x, training=False):
        flat = ops.stop_gradient(ops.reshape(x, (-1, x.shape[-1])))  # (N, d)
        indices = self.quantize_indices(flat)
        quantized = ops.reshape(self.lookup(indices), ops.shape(x))  # before the codes move
        if training:
            self.update_codebook(flat, ops.one_hot(indices, self.num_embeddings, dtype=x.dtype))
        share = ops.mean(ops.one_hot(indices, self.num_embeddings, dtype="float32"), axis=0)
        share = replicas.mean(share)
        perplexity = ops.exp(-ops.sum(share * ops.log(share + 1e-10)))
        quantized = x + ops.stop_gradient(quantized - x)  # forward e, backward the identity
        return quantized, ops.reshape(indices, ops.shape(x)[:-1]), perplexity

    def quantize_indices(self, flat):
        """Vectors (N, d) to the indices of their nearest codes, (N,), int32."""
        codebook = ops.convert_to_tensor(self.codebook)
        distances = ops.sum(ops.square(codebook), axis=1) - 2.0 * ops.matmul(
            flat, ops.transpose(codebook)
        )  # without ||x||^2, which is the same for all codes
        return ops.cast(ops.argmin(distances, axis=1), "int32")

    def lookup(self, indices):
        """Indices (...) to codes (..., d)."""
        return ops.take(ops.convert_to_tensor(self.codebook), indices, axis=0)

    def update_codebook(self, flat, chosen):
        """Moves the codebook towards the vectors `flat` (N, d) that chose it, `chosen` (N, K)."""
        m, count = self.momentum, ops.cast(ops.shape(flat)[0], flat.dtype)
        # 1 where a code gets its even share
        n = replicas.mean(ops.sum(chosen, axis=0)) / count * self.num_embeddings
        s = replicas.mean(ops.matmul(ops.transpose(chosen), flat)) / count * self.num_embeddings
        counts = m * self.counts + (1 - m) * n
        sums = m * self.sums + (1 - m) * s
        flat = replicas.gather(flat)
        revived = keras.random.randint(
            (self.num_embeddings,), 0, ops.shape(flat)[0], seed=self.seed_generator
        )
        dead = counts < self.dead_threshold
        counts = ops.where(dead, ops.ones_like(counts), counts)
        sums = ops.where(dead[:, None], ops.take(flat, revived, axis=0), sums)
        self.counts.assign(counts)
        self.sums.assign(sums)
        self.codebook.assign(sums / counts[:, None])

    def get_config(self):
        own = {
            name: getattr(self, name)
            for name in ("num_embeddings", "momentum", "dead_threshold", "seed")
        }
        return {**super().get_config(), **own}
