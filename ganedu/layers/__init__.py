"""The few layers that Keras lacks, on three backends."""

from ganedu.layers.augment import AdaptiveAugment, DiffAugment
from ganedu.layers.coupling import AffineCoupling, squeeze, unsqueeze
from ganedu.layers.draw_write import DRAWWrite
from ganedu.layers.masked import MaskedConv2D
from ganedu.layers.minibatch import MinibatchStdDev
from ganedu.layers.positions import PositionEmbedding
from ganedu.layers.quantizer import VectorQuantizer
from ganedu.layers.spectral import SpectralConv2D, SpectralDense
from ganedu.layers.style import ConstantInput, EqualizedDense, ModulatedConv2D, NoiseInjection
from ganedu.layers.temperature import Temperature
from ganedu.layers.time import SinusoidalEmbedding

__all__ = [
    "AdaptiveAugment",
    "AffineCoupling",
    "ConstantInput",
    "DRAWWrite",
    "DiffAugment",
    "EqualizedDense",
    "MaskedConv2D",
    "MinibatchStdDev",
    "ModulatedConv2D",
    "NoiseInjection",
    "PositionEmbedding",
    "SinusoidalEmbedding",
    "SpectralConv2D",
    "SpectralDense",
    "Temperature",
    "VectorQuantizer",
    "squeeze",
    "unsqueeze",
]
