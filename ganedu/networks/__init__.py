"""The networks that the models share, so that when two models are compared only the algorithm
differs.

All are Keras functional models. Images are (B, H, W, C) in [-1, 1]; a discriminator gives logits
(B, 1). The last layer computes in float32 whatever the dtype policy, so that no loss is taken of
bfloat16 numbers.
"""

from ganedu.networks.convolutional import decoder, discriminator, encoder, generator, halvings
from ganedu.networks.dense import dense_discriminator, dense_generator
from ganedu.networks.labels import with_labels
from ganedu.networks.style import mapping_network, synthesis_network
from ganedu.networks.texts import (
    caption_decoder,
    image_reader,
    image_tower,
    text_denoiser,
    text_discriminator,
    text_generator,
    text_tower,
)
from ganedu.networks.translators import patch_discriminator, resnet_translator, unet_translator
from ganedu.networks.unet import denoiser
from ganedu.networks.words import word_decoder, word_encoder, word_prior

__all__ = [
    "caption_decoder",
    "decoder",
    "denoiser",
    "dense_discriminator",
    "dense_generator",
    "discriminator",
    "encoder",
    "generator",
    "halvings",
    "image_reader",
    "image_tower",
    "mapping_network",
    "patch_discriminator",
    "resnet_translator",
    "synthesis_network",
    "text_denoiser",
    "text_discriminator",
    "text_generator",
    "text_tower",
    "unet_translator",
    "with_labels",
    "word_decoder",
    "word_encoder",
    "word_prior",
]
