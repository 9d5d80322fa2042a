"""A run from its start to its scores: its folder, training, evaluation, sampling; trained models.

The folder alone is imported with the room: it loads no framework, so that `run.json` is there before
anything slow.
"""

from ganedu.runs.folder import FollowedFolder, RunFolder, begin, now
from ganedu.runs.model_file import load_model_file

__all__ = ["FollowedFolder", "RunFolder", "begin", "load_model_file", "now"]
