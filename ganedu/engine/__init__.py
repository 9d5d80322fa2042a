"""Custom training steps for Keras, written once for three backends."""

from ganedu.engine.adversarial_model import AdversarialModel
from ganedu.engine.conditional_model import ConditionalModel
from ganedu.engine.denoising_model import (
    DenoisingModel,
    GuidedModel,
    classifier_free_guidance,
)
from ganedu.engine.failure import FirstFailure
from ganedu.engine.given import validate_latents
from ganedu.engine.gradients import BACKEND
from ganedu.engine.latent_model import AutoencodingModel, LatentModel, ReconstructionMixin
from ganedu.engine.likelihood import importance_sampled
from ganedu.engine.model import LIKELIHOODS, TASKS, GenerativeModel
from ganedu.engine.optimizers import FusedAdam, Muon, cosine_decay
from ganedu.engine.own_networks import check_images, check_one_logit, check_same_shape, functional
from ganedu.engine.pixels import pixel_log_probs, sample_pixels
from ganedu.engine.style_based_model import StyleBasedModel
from ganedu.engine.text_model import (
    CaptioningModel,
    ContrastiveModel,
    TextModel,
    TextToImageModel,
    captioned,
    overlay_attention,
)
from ganedu.engine.text_pretraining import pretrain_text_encoder
from ganedu.engine.translator import Translator
from ganedu.engine.vq_model import VQModel

__all__ = [
    "BACKEND",
    "LIKELIHOODS",
    "TASKS",
    "AdversarialModel",
    "AutoencodingModel",
    "CaptioningModel",
    "ConditionalModel",
    "ContrastiveModel",
    "DenoisingModel",
    "FirstFailure",
    "FusedAdam",
    "GenerativeModel",
    "GuidedModel",
    "LatentModel",
    "Muon",
    "ReconstructionMixin",
    "StyleBasedModel",
    "TextModel",
    "TextToImageModel",
    "Translator",
    "VQModel",
    "captioned",
    "check_images",
    "check_one_logit",
    "check_same_shape",
    "classifier_free_guidance",
    "cosine_decay",
    "functional",
    "importance_sampled",
    "overlay_attention",
    "pixel_log_probs",
    "pretrain_text_encoder",
    "sample_pixels",
    "validate_latents",
]
