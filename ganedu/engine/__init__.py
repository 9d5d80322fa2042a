"""Custom training steps for Keras, written once for three backends."""

from ganedu.engine.failure import FirstFailure
from ganedu.engine.gradients import BACKEND
from ganedu.engine.latent_model import AutoencodingModel, LatentModel
from ganedu.engine.model import GenerativeModel

__all__ = ["BACKEND", "AutoencodingModel", "FirstFailure", "GenerativeModel", "LatentModel"]
