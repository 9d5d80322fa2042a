"""The few layers that Keras lacks, on three backends."""

from ganedu.layers.augment import AdaptiveAugment, DiffAugment
from ganedu.layers.minibatch import MinibatchStdDev
from ganedu.layers.patches import PatchWriter
from ganedu.layers.positions import PositionEmbedding
from ganedu.layers.quantizer import VectorQuantizer
from ganedu.layers.spectral import SpectralConv2D, SpectralDense
from ganedu.layers.style import LearntConstant, ModulatedConv2D, NoiseInjection, SlowDense
from ganedu.layers.temperature import Temperature
from ganedu.layers.time import SinusoidalEmbedding

__all__ = [
    "AdaptiveAugment",
    "DiffAugment",
    "LearntConstant",
    "MinibatchStdDev",
    "ModulatedConv2D",
    "NoiseInjection",
    "PatchWriter",
    "PositionEmbedding",
    "SinusoidalEmbedding",
    "SlowDense",
    "SpectralConv2D",
    "SpectralDense",
    "Temperature",
    "VectorQuantizer",
]
