"""The networks that the models share, so that when two models are compared only the algorithm
differs.

All are Keras functional models. Images are (B, H, W, C) in [-1, 1]; a discriminator gives logits
(B, 1). The last layer computes in float32 whatever the dtype policy, so that no loss is taken of
bfloat16 numbers.
"""

from ganedu.networks.convolutional import (
    decoder,
    discriminator,
    encoder,
    generator,
    num_downsamplings,
)
from ganedu.networks.dense import dense_discriminator, dense_generator
from ganedu.networks.labels import condition_on_labels
from ganedu.networks.latent import map_denoiser, map_encoder
from ganedu.networks.pixelcnn import horizontal_stack, masked_stack, vertical_stack
from ganedu.networks.realnvp import inverse_flow, realnvp_flow
from ganedu.networks.style import mapping_network, synthesis_network
from ganedu.networks.texts import (
    caption_decoder,
    image_encoder,
    image_tower,
    text_denoiser,
    text_discriminator,
    text_generator,
    text_tower,
)
from ganedu.networks.translators import patch_discriminator, resnet_translator, unet_translator
from ganedu.networks.unet import denoiser
from ganedu.networks.vq import autoregressive_prior, pixelcnn_prior, vq_decoder, vq_encoder

__all__ = [
    "autoregressive_prior",
    "caption_decoder",
    "condition_on_labels",
    "decoder",
    "denoiser",
    "dense_discriminator",
    "dense_generator",
    "discriminator",
    "encoder",
    "generator",
    "horizontal_stack",
    "image_encoder",
    "image_tower",
    "inverse_flow",
    "map_denoiser",
    "map_encoder",
    "mapping_network",
    "masked_stack",
    "num_downsamplings",
    "patch_discriminator",
    "pixelcnn_prior",
    "realnvp_flow",
    "resnet_translator",
    "synthesis_network",
    "text_denoiser",
    "text_discriminator",
    "text_generator",
    "text_tower",
    "unet_translator",
    "vertical_stack",
    "vq_decoder",
    "vq_encoder",
]
