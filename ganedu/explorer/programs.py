"""What of a model a page plays: the exported networks, and the numbers by which they are sampled from.

A program is a dict for JSON whose `kind` says how `page/models.js` runs it.
"""

import keras
import numpy as np
from keras import ops

from ganedu import latent
from ganedu.data.captions import grammar
from ganedu.data.captions.tokenizer import SPECIAL
from ganedu.engine import (
    CaptioningModel,
    ConditionalModel,
    DenoisingModel,
    GuidedModel,
    LatentModel,
    StyleBasedModel,
    TextToImageModel,
    Translator,
    VQModel,
)
from ganedu.explorer.graph import UnknownLayer, Weights, export
from ganedu.models.autoencoder import Autoencoder
from ganedu.models.diffusion import Diffusion
from ganedu.models.editor import Editor
from ganedu.models.flow_matching import FlowMatching
from ganedu.models.infogan import InfoGAN
from ganedu.models.latent_diffusion import LatentDiffusion
from ganedu.models.pixelcnn import PixelCNN
from ganedu.models.realnvp import RealNVP, to_logits
from ganedu.models.text_flow import TextFlow
from ganedu.networks.inference import predict_in_batches

DIRECTIONS = 8
PROBES = 1024  # samples from which directions are found


def program(model):
    """What a page plays of a model.

    Args:
        model: `GenerativeModel`.

    Returns:
        `(program, weights)`, dicts for JSON.

    Raises:
        UnknownLayer: for a layer that the page does not know, or a model that it cannot play.
    """
    for kind, describe in PROGRAMS:
        if isinstance(model, kind):
            weights = Weights()
            networks, found = describe(model)
            exported = {name: export(network, weights) for name, network in networks.items()}
            return {**found, "networks": exported}, weights.to_dict()
    raise UnknownLayer(f"A {type(model).__name__} is not played in a page")


def principal_directions(model, codes=None):
    """The directions of a latent in which the images change most, with the size of a step along each.

    Of codes (N, d) those in which they differ most. Without codes those of the mean Jacobian, which for z ~ N(0, I) is
    E[x z^T] (Stein's lemma), estimated from samples: the right singular vectors of it.

    Returns:
        `(directions, scales)`: float32 (k, d), unit rows, and (k,), one standard deviation along each.
    """
    if codes is not None:
        count = min(DIRECTIONS, *codes.shape)
        return latent.principal_directions(codes, count)
    z = model.latents(PROBES, seed=0)
    labels = {"labels": 0} if "generate by class" in model.tasks else {}
    x = model.decode(z, **labels).reshape(PROBES, -1)
    jacobian = (x - x.mean(axis=0)).T @ (z - z.mean(axis=0)) / PROBES  # (H W C, d)
    _, _, directions = np.linalg.svd(jacobian, full_matrices=False)
    directions = directions[: min(DIRECTIONS, z.shape[1])]
    largest = np.take_along_axis(directions, np.abs(directions).argmax(1)[:, None], 1)
    return directions * np.sign(largest), (z @ directions.T).std(axis=0)


def _numbers(a):
    return np.asarray(a, "float64").round(7).tolist()


def _latent(model):
    """A model that decodes latents, with its encoder if it has one."""
    networks = {"sample": model.network_to_export()}
    found = {"kind": "latent", "image": list(model.image_shape), "latent_dim": model.latent_dim}
    found["prior"] = {"name": "normal"}
    if isinstance(model, Autoencoder):
        covariance = np.asarray(ops.convert_to_numpy(model.code_covariance), "float64")
        values, vectors = np.linalg.eigh(covariance)
        factor = vectors * np.sqrt(np.maximum(values, 0))
        mean = ops.convert_to_numpy(model.code_mean)
        found["prior"] = {"name": "gaussian", "mean": _numbers(mean), "factor": _numbers(factor)}
    if isinstance(model, InfoGAN):
        sizes = {"noise_dim": model.noise_dim, "num_categories": model.num_categories}
        found["prior"] = {"name": "infogan", **sizes, "continuous_dim": model.continuous_dim}
    if isinstance(model, ConditionalModel):
        found["classes"] = model.num_classes
    if "reconstruct" in model.tasks:
        networks["encode"] = _encoder(model)
    return networks, found


def _encoder(model):
    """Images, of a conditional model with labels, to codes."""
    if isinstance(model, RealNVP):
        x = keras.Input(tuple(model.image_shape))
        return keras.Model(x, model.flow(to_logits(x, model.alpha)[0], training=False)[0])
    return keras.Model(model.encoder.input, keras.tree.flatten(model.encoder.output)[0])


def _style(model):
    networks = {"mapping": model.ema_mapping, "synthesis": model.ema_synthesis}
    found = {"kind": "style", "image": list(model.image_shape), "latent_dim": model.latent_dim}
    found["prior"] = {"name": "normal"}
    w_avg = ops.convert_to_numpy(model.w_avg)
    return networks, found | {"depth": model.depth, "w_avg": _numbers(w_avg)}


def _denoising(model):
    networks = {"denoiser": model.ema_network}
    found = {
        "kind": "denoise",
        "image": list(model.image_shape),
        "noise_shape": list(model.noise_shape),
    }
    found |= {"prediction": model.prediction, "steps": model.sampling_steps, "clip": True}
    found |= {"latent_dim": model.latent_dim, "prior": {"name": "normal"}}
    if isinstance(model, Diffusion):
        found |= {"process": "diffusion", "alpha_bar": model.alpha_bar.tolist()}
    elif isinstance(model, FlowMatching):
        found |= {"process": "flow", "shift": model.shift, "sampler": model.sampler}
    else:
        raise UnknownLayer(
            f"The way from noise of a {type(model).__name__} is not known to the page"
        )
    if isinstance(model, GuidedModel):
        found |= {"classes": model.num_classes, "guidance": model.guidance}
    if isinstance(model, LatentDiffusion):
        variance = float(ops.convert_to_numpy(model.code_variance))
        found |= {"clip": False, "scale": variance**0.5}
        networks |= {"decode": model.decoder, "encode": _encoder(model)}
    return networks, found


def _words(model):
    vocabulary = [*SPECIAL, *model.tokenizer.vocabulary]
    return {"vocabulary": vocabulary, "length": model.text_length, "image": list(model.image_shape)}


def _grammar(model):
    """How captions of one object are read and written, of a model that knows all words of the grammar."""
    if isinstance(model, Editor) or not set(grammar.VOCABULARY) <= set(model.tokenizer.vocabulary):
        return {}
    values = {a: {v: list(said) for v, said in ways.items()} for a, ways in grammar.PHRASES.items()}
    for attribute, tails in grammar.TAILS.items():
        for value, tail in tails.items():
            values[attribute][value].append(tail)
    found = {"values": values, "order": [*grammar.ADJECTIVES, "kind", "place"]}
    found["fillers"] = sorted({*grammar.ARTICLES, *grammar.OPENERS, "is"} - {""})
    shape = grammar.applicable(grammar.SHAPES[0])
    found["digits_only"] = [a for a in grammar.ATTRIBUTES if a not in shape]
    return {"grammar": {**found, "shapes": list(grammar.SHAPES)}}


def _text_flow(model):
    found = {
        "kind": "text_flow",
        **_words(model),
        **_grammar(model),
        "shift": model.shift,
        "is_editor": isinstance(model, Editor),
    }
    found |= {
        "steps": model.sampling_steps,
        "guidance": model.guidance,
        "temperature": model.temperature,
    }
    found |= {"latent_dim": model.latent_dim, "prior": {"name": "normal"}}
    return {"denoiser": model.ema_network}, found


def _text_latent(model):
    found = {"kind": "text_latent", **_words(model), **_grammar(model)}
    found["latent_dim"] = model.latent_dim
    return {"sample": model.sampling_network}, found | {"prior": {"name": "normal"}}


def _translate(model):
    shapes = {
        "image": list(model.translation_network.output_shape[1:]),
        "source": list(model.image_shape),
    }
    return {"translate": model.translation_network}, {"kind": "translate", **shapes}


def _vq(model):
    networks = {"encode": model.encoder, "decode": model.decoder, "prior": model.sampling_prior}
    found = {"kind": "vq", "image": list(model.image_shape), "grid": list(model.latent_grid_shape)}
    codebook = ops.convert_to_numpy(model.quantizer.codebook)
    return networks, found | {"codebook": _numbers(codebook)}


def _pixels(model):
    networks = {"vertical": model.vertical, "horizontal": model.horizontal}
    return networks, {"kind": "pixels", "image": list(model.image_shape), "levels": model.levels}


def _captions(model):
    return {"encode": model.ema_encoder, "decode": model.ema_decoder}, {
        "kind": "captions",
        **_words(model),
    }


# The first that fits.
PROGRAMS = (
    (TextFlow, _text_flow),
    (TextToImageModel, _text_latent),
    (StyleBasedModel, _style),
    (DenoisingModel, _denoising),
    (LatentModel, _latent),
    (Translator, _translate),
    (VQModel, _vq),
    (PixelCNN, _pixels),
    (CaptioningModel, _captions),
)


def directions_of(model, images, labels=None):
    """`principal_directions` as a program has them, or nothing where a model has no vector that a hand could move.

    Args:
        model: `GenerativeModel`.
        images: float32 images (N, H, W, C) in [-1, 1], whose codes show where an encoder puts them.
        labels: their classes, for a conditional model. Defaults to `None`.
    """
    if not isinstance(model, LatentModel) or isinstance(model, (DenoisingModel, TextToImageModel)):
        return {}
    codes = None
    if "reconstruct" in model.tasks and "generate by class" not in model.tasks and len(images) > 1:
        codes = predict_in_batches(_encoder(model), images)
    directions, scales = principal_directions(model, codes)
    moves = (
        scales > 1e-4 * scales.max()
    )  # in one a latent may never differ: one-hot numbers have a fixed sum
    directions, scales = directions[moves], scales[moves]
    found = {"directions": _numbers(directions), "scales": _numbers(scales)}
    return found | {"directions_of": "images" if codes is None else "codes"}
