"""The ways out of a model: `.keras` files with every seed, weights, and exports for use without this package."""

import keras
import numpy as np
from keras import ops

from ganedu.engine.gradients import BACKEND
from ganedu.runtime import UsageError


class Saving(keras.Model):
    """Saves, loads and exports a `GenerativeModel`."""

    def save(self, filepath, overwrite=True, zipped=None, **kwargs):
        """As in Keras.

        Raises:
            UsageError: for a name that does not end in `.keras`, as `x.h5`, older Keras's form.
        """
        name = str(filepath)
        if zipped is not False and not name.startswith("hf://") and not name.endswith(".keras"):
            raise UsageError(
                f"The file of a model must be named `.keras`. Received: {name}; "
                "as `save('model.keras')`, or of the weights alone `save_weights('model.weights.h5')`"
            )
        super().save(filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    def save_weights(self, filepath, overwrite=True, max_shard_size=None):
        """As in Keras.

        Raises:
            UsageError: for a name that does not end as Keras wants it, as `.weights.h5`.
        """
        name = str(filepath)
        if max_shard_size is None and not name.endswith(".weights.h5"):
            raise UsageError(
                f"A file of weights must be named `.weights.h5`. Received: {name}; "
                "as `save_weights('model.weights.h5')`, or with the optimizers and seeds `save('model.keras')`"
            )
        super().save_weights(filepath, overwrite=overwrite, max_shard_size=max_shard_size)

    def export(self, filepath, format="tf_saved_model", verbose=False, **options):
        """Writes what the model makes images with, `network_to_export`, for use without this package or Keras: its
        inputs are those of `decode` (labels one-hot, texts as words of `tokenize`) or of `translate`, its outputs the
        same images in [-1, 1].

        Args:
            filepath: a folder of a SavedModel, or a file: `.tflite` for `"litert"`, `.onnx` for `"onnx"`.
            format: str, one of Keras's: `"tf_saved_model"`, `"litert"`, `"onnx"`, `"openvino"`, `"torch"`. Defaults to
                `"tf_saved_model"`.
            verbose: bool, whether Keras says what it wrote. Defaults to `False`.
            **options: others of `keras.Model.export`.

        Raises:
            UsageError: for a model that answers by a loop around its networks, or by several of them: the message
                has the lines that export those; for what Keras cannot export on this backend, or with what is
                installed.
        """
        if self.export_instead is not None:
            does, names = self.export_instead
            lines = ", ".join(f"`model.{name}.export(path)`" for name in names)
            raise UsageError(
                f"A model must answer by one network to be exported. Received: {type(self).__name__}, which {does}; "
                f"what can be exported is {lines}"
            )
        network = self.network_to_export()
        write = super().export
        if network is not self:
            write = network.export
            network(keras.tree.map_structure(_one_of, network.input))  # ONNX takes what was called
        try:
            write(filepath, format=format, verbose=verbose, **options)
        except OSError:
            raise
        except Exception as error:  # of many kinds, with the library that does the work
            reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
            ready = BACKEND == "tensorflow" or format not in ("tf_saved_model", "litert")
            raise UsageError(
                f"Keras must be able to export to {format!r} on {BACKEND}. "
                f"Received from it: {reason.rstrip('.')[:200]}"
                + ("" if ready else "; KERAS_BACKEND=tensorflow can, from a `.keras` file")
            ) from error

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


def _one_of(symbolic):
    """Zeros in the form of a network's input, one of them."""
    return ops.zeros((1, *symbolic.shape[1:]), symbolic.dtype)
