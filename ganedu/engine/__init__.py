"""Custom training steps for Keras, written once for three backends."""

from ganedu.engine.adversarial_model import AdversarialModel
from ganedu.engine.conditional_model import ConditionalModel
from ganedu.engine.denoising_model import DenoisingModel
from ganedu.engine.failure import FirstFailure
from ganedu.engine.gradients import BACKEND
from ganedu.engine.latent_model import AutoencodingModel, LatentModel, Reconstructing
from ganedu.engine.likelihood import importance_sampled
from ganedu.engine.model import GenerativeModel
from ganedu.engine.optimizers import FusedAdam, Muon, falling
from ganedu.engine.reading import learn_to_read
from ganedu.engine.styled_model import StyledModel
from ganedu.engine.text_model import (
    ComparingModel,
    DescribingModel,
    DrawingTextModel,
    TextModel,
    captioned,
    lit,
)
from ganedu.engine.translator import Translator
from ganedu.engine.word_model import WordModel

__all__ = [
    "BACKEND",
    "AdversarialModel",
    "AutoencodingModel",
    "ComparingModel",
    "ConditionalModel",
    "DenoisingModel",
    "DescribingModel",
    "DrawingTextModel",
    "FirstFailure",
    "FusedAdam",
    "GenerativeModel",
    "LatentModel",
    "Muon",
    "Reconstructing",
    "StyledModel",
    "TextModel",
    "Translator",
    "WordModel",
    "captioned",
    "falling",
    "importance_sampled",
    "learn_to_read",
    "lit",
]
