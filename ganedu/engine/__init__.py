"""Custom training steps for Keras, written once for three backends."""

from ganedu.engine.adversarial_model import AdversarialModel
from ganedu.engine.conditional_model import ConditionalModel
from ganedu.engine.denoising_model import DenoisingModel
from ganedu.engine.failure import FirstFailure
from ganedu.engine.gradients import BACKEND
from ganedu.engine.latent_model import AutoencodingModel, LatentModel, Reconstructing
from ganedu.engine.likelihood import importance_sampled
from ganedu.engine.model import GenerativeModel
from ganedu.engine.styled_model import StyledModel
from ganedu.engine.translator import Translator
from ganedu.engine.word_model import WordModel

__all__ = [
    "BACKEND",
    "AdversarialModel",
    "AutoencodingModel",
    "ConditionalModel",
    "DenoisingModel",
    "FirstFailure",
    "GenerativeModel",
    "LatentModel",
    "Reconstructing",
    "StyledModel",
    "Translator",
    "WordModel",
    "importance_sampled",
]
