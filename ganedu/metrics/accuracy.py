"""What a classifier learns from samples alone."""

import numpy as np

from ganedu.data.images import check_range
from ganedu.runtime import UsageError


def classification_accuracy_score(images, labels, real_images, real_labels, epochs=8, seed=0):
    """Trains a classifier on labelled samples and returns its accuracy on real images.

    Samples that are good but all alike teach little: what a class lacks is missed. The same
    classifier trained on as many real images is the measure. It depends on the number of samples
    and, by a hundredth or so, on the seed.

    Args:
        images: float array (N, H, W, C) in [-1, 1], samples.
        labels: int array (N,), what each was to be.
        real_images, real_labels: as these, (M, ...), to be told by the classifier.
        epochs: int, passes over the samples. Defaults to `8`.
        seed: int. Defaults to `0`.

    Returns:
        float in [0, 1].

    Raises:
        UsageError: if shapes or ranges do not fit, or a label among the real ones has no sample.

    Reference:
        Ravuri and Vinyals 2019, "Classification accuracy score for conditional generative models",
        arXiv:1905.10887, where the classifier is a ResNet-50; here that of `ganedu.metrics.features`.
    """
    import keras

    from ganedu.metrics.features.network import classifier

    images, real_images = np.asarray(images, "float32"), np.asarray(real_images, "float32")
    labels, real_labels = np.asarray(labels), np.asarray(real_labels)
    if (
        images.ndim != 4
        or images.shape[1:] != real_images.shape[1:]
        or labels.shape != images.shape[:1]
        or real_labels.shape != real_images.shape[:1]
    ):
        raise UsageError(
            "There must be one label for each image, and one shape of images. "
            f"Received: {images.shape}, {labels.shape}; {real_images.shape}, {real_labels.shape}"
        )
    check_range(images)
    check_range(real_images)
    unseen = sorted(set(real_labels.tolist()) - set(labels.tolist()))
    if unseen:
        raise UsageError(f"Every class must be among the samples. Received: no sample of {unseen}")
    network = classifier(images.shape[1:], int(labels.max()) + 1, seed)
    told = keras.Model(network.input, network.outputs[1])
    steps = epochs * -(-len(images) // 64)
    told.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(3e-3, steps)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    rng = np.random.default_rng(seed)  # nothing of the process's own chance is used or moved
    for _ in range(epochs):
        order = rng.permutation(len(images))
        told.fit(images[order], labels[order], batch_size=64, shuffle=False, verbose=0)
    found = told.predict(real_images, verbose=0, batch_size=512).argmax(axis=1)
    return float(np.mean(found == real_labels))
