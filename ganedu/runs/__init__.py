"""A run from its start to its scores: its folder, training, evaluation, sampling; trained models.

The folder alone is imported with the room: it loads no framework, so that `run.json` is there before
anything slow.
"""

from ganedu.runs.folder import RunFolder, begin, load_model_file, now

__all__ = ["RunFolder", "begin", "load_model_file", "now"]
