"""Pretraining of a text encoder: a classifier of the attributes that a caption says, without images.

From pixels a text-to-image network finds out late which of two digits is the red one: at first its
images show only that something is there. From captions it is learnt in a minute:

    minimize  -sum_i log p_i(a_i | c)

over the attributes a_i that a caption c says of its objects, the first of two being the left or the upper one however
it is said, and p_i a softmax of a linear function of what the network makes of c.

Reference:
    Saharia et al. 2022, "Photorealistic text-to-image diffusion models with deep language understanding", section
    2.1: an encoder that has learnt from text alone, arXiv:2205.11487.
"""

import random

import keras
import numpy as np
from keras import layers

from ganedu.data.captions.grammar import (
    ATTRIBUTES,
    DIGITS,
    RELATIONS,
    SHAPES,
    VALUES,
    drop_attributes,
    write,
)
from ganedu.data.captions.scenes import sample
from ganedu.engine.optimizers import Muon

ANSWERS = 1 + max(map(len, VALUES.values()))  # to a question; the first one: it is not said
QUESTIONS = 2 * len(ATTRIBUTES) + 1
ATTRIBUTE_DROP_PROB = 0.1  # of the attributes and relations that a picture has
BATCH_SIZE, LEARNING_RATE = 64, 6e-3


def attribute_labels(pictures):
    """What is said of pictures, as numbers.

    Args:
        pictures: sequence of N `Picture`, as `grammar.parse` gives them.

    Returns:
        int32 (N, 13): the attributes of the first entity in the order of `ATTRIBUTES`, those of the second, and
        the relation, each as 1 + its number among its values, or 0 if nothing is said of it.
    """
    found = np.zeros((len(pictures), QUESTIONS), "int32")
    for row, picture in zip(found, pictures, strict=True):
        said = [(n, getattr(e, n)) for e in picture.entities for n in ATTRIBUTES]
        for i, (name, value) in enumerate(said):
            row[i] = 0 if value is None else 1 + VALUES[name].index(value)
        if picture.relation is not None:
            row[-1] = 1 + RELATIONS.index(picture.relation)
    return found


def pretrain_text_encoder(network, tokenizer, captions, seed=0):
    """Trains the part of a network that reads, with Muon, on captions of one or two digits or shapes, each
    read once.

    Args:
        network: Keras model with an input `tokens` and a layer `text_embedding`, (B, d), that follows from it alone.
        tokenizer: `Tokenizer`.
        captions: int, how many, half of them of digits and half of shapes.
        seed: int >= 0. Defaults to `0`.

    Returns:
        The classifier, `attribute_classifier(network)`, as it was trained. The network shares its text
        encoder, and not its last layer.
    """
    rng = random.Random(f"reading {seed}")
    pictures = [
        drop_attributes(p, ATTRIBUTE_DROP_PROB, rng)
        for kinds in (DIGITS, SHAPES)
        for p in sample(kinds, captions // 2, seed=seed, combos="seen")
    ]
    rng.shuffle(pictures)
    reader = attribute_classifier(network)
    texts = [write(p, rng, any_order=True) for p in pictures]
    tokens = tokenizer.encode(texts, reader.input_shape[1])
    reader.compile(
        Muon(LEARNING_RATE), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    reader.fit(tokens, attribute_labels(pictures), batch_size=BATCH_SIZE, shuffle=False, verbose=0)
    return reader


def attribute_classifier(network):
    """Words int32 (B, L) to logits (B, 13, 17), from what a network says of them, by a layer of its own."""
    tokens = next(x for x in network.inputs if x.name == "tokens")
    said = network.get_layer("text_embedding").output
    logits = layers.Dense(QUESTIONS * ANSWERS, dtype="float32", name="head_attributes")(said)
    return keras.Model(tokens, layers.Reshape((QUESTIONS, ANSWERS))(logits), name="reader")
