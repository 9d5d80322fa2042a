"""What a trained model makes for its user: samples, paths, captions, edits."""

import numpy as np

from ganedu import data, editing, figures, latent
from ganedu.data.pictures import load_picture
from ganedu.disk import written
from ganedu.engine import DenoisingModel
from ganedu.metrics.pairs import psnr
from ganedu.runs.evaluation import evaluation_samples, test_images
from ganedu.runtime import UsageError

PATHS = 5


def sample(model, run_info, out, *, count=64, seed=0, class_name=None, text=None, **options):
    """Samples images into a `.png` (a grid) or an `.npz` (`images`, uint8 (N, H, W, C)). A translator
    maps the first `count` test images; a model of texts takes `text`, or the first test captions; of
    `class_name` see `class_index`. Options of `generate` that are not `None`, as `steps`, go to the model.

    Raises:
        UsageError: for a class, a text or an option where the model takes none, a text that cannot be read, or
            more sources than there are.
    """
    label = class_index(model, run_info, class_name)
    options = _options(model, options)
    if text is not None:
        images = _of_text(model, text, count, seed, options)
    elif model.tasks & {"generate", "generate by class"}:
        labels = {} if label is None else {"labels": label}
        images = model.generate(count, seed=seed, **labels, **options)
    else:
        dataset = test_images(run_info)
        if len(dataset) < count:
            raise UsageError(
                f"There are {len(dataset)} test images to begin from. Received: {count}"
            )
        images, *_ = evaluation_samples(model, dataset.spread_n(count), seed)
    _write_images(images, out)


def _options(model, asked):
    """Those of the options of `generate` that were asked for, if the model takes them."""
    asked = {name: value for name, value in asked.items() if value is not None}
    for name in sorted(set(asked) - model.sampling_options):
        taken = ", ".join(f"--{o}" for o in sorted(model.sampling_options)) or "none"
        raise UsageError(f"--{name} is no option of a {type(model).__name__}, which takes: {taken}")
    return asked


def _of_text(model, text, count, seed, options):
    if "generate by text" not in model.tasks:
        raise UsageError(
            f"--text needs a text_flow or a text_gan. Received: a {type(model).__name__}"
        )
    model.tokenize([text])  # a wrong word is told once, and not for each image
    return model.generate([text] * count, seed=seed, **options)


def interpolate(model, run_info, out, *, method="slerp", steps=10, seed=0, class_name=None):
    """Interpolates between samples of the prior: a `.png` with five paths from left to right, or a
    `.gif` of one closed path. A conditional model keeps one class on a path: `class_name`, or for
    the `.gif` the first and for the `.png` the first five.

    Raises:
        UsageError: if the model has no latent space, or for a class where it knows none.
    """
    if "interpolate" not in model.tasks:
        raise UsageError(
            f"Interpolation needs a latent space without texts. Received: a {type(model).__name__}"
        )
    label = class_index(model, run_info, class_name)
    move = {"lerp": latent.lerp, "slerp": latent.slerp}[method]
    points = model.latents(2 * PATHS, seed=seed)

    def decoded(z, classes):
        if "generate by class" not in model.tasks:
            return model.decode(z)
        return model.decode(z, classes % model.num_classes if label is None else label)

    if out.suffix == ".gif":
        path = latent.interpolation_path(points[:PATHS], steps, move, closed=True)
        frames = [data.to_uint8(image) for image in decoded(path, np.zeros(len(path), int))]
        with written(out) as file:
            figures.save_gif(frames, file, seconds=max(2.0, len(frames) / 12), hold=0.0)
        return
    t = np.linspace(0, 1, steps)
    paths = np.concatenate(
        [move(a, b, t) for a, b in zip(points[:PATHS], points[PATHS:], strict=True)]
    )
    with written(out) as file:
        figures.save_png(decoded(paths, np.arange(PATHS).repeat(steps)), file, columns=steps)


def caption(model, path, *, beams=1):
    """What an image shows.

    Returns:
        `(text, told)`: str, and how the image had to be changed to be read, a list of str.

    Raises:
        UsageError: if the model captions nothing, and for an image that cannot be read.
    """
    if "caption" not in model.tasks:
        raise UsageError(f"Captioning needs a captioner. Received: a {type(model).__name__}")
    image, told = load_picture(path, model.image_shape)
    return model.caption(data.to_float(image[None]), beams)[0], told


def edit(model, path, text, out, *, seed=0):
    """Changes an image as a text asks, into a `.png` or an `.npz` (`images`).

    Returns:
        How the image had to be changed to be read, a list of str.

    Raises:
        UsageError: if the model changes no images, and for an image or a text that cannot be read.
    """
    if "edit" not in model.tasks:
        raise UsageError(f"Changing images needs an editor. Received: a {type(model).__name__}")
    model.tokenize([text])  # a wrong word is told before the image is looked for
    image, told = load_picture(path, model.image_shape)
    _write_images(model.edit(data.to_float(image[None]), [text], seed=seed), out)
    return told


def invert(model, path, out, *, seed=0):
    """Finds the latent of an image: a `.png` of the image and what the model makes of its latent, or an `.npz`
    (`latents`, float32 (1, latent_dim), and both as `images`, uint8).

    By what the model is: an autoencoder encodes it, diffusion and flows are walked backwards, of a generator the
    nearest latent is searched.

    Returns:
        `(decibels, told)`: how near the two are, PSNR, and how the image had to be changed to be read, a list of str.

    Raises:
        UsageError: if the model has no latents, or more inputs than these, and for an image that cannot be read.
    """
    conditional = "generate by class" in model.tasks and not isinstance(model, DenoisingModel)
    if "interpolate" not in model.tasks or conditional:
        raise UsageError(
            "Inversion needs a model that generates from latents alone. "
            f"Received: a {type(model).__name__}"
        )
    image, told = load_picture(path, model.image_shape)
    x = data.to_float(image[None])
    if "reconstruct" in model.tasks:
        z = model.encode(x)
    elif isinstance(model, DenoisingModel):
        z = editing.ddim_inversion(model, x)
    else:
        z = editing.gan_inversion(model, x, seed=seed)
    options = {"guidance": 0.0} if "guidance" in model.sampling_options else {}
    copy = model.decode(z, **options)
    pair = np.concatenate([x, copy])
    with written(out) as file:
        if out.suffix == ".npz":
            np.savez_compressed(file, latents=z, images=data.to_uint8(pair))
        else:
            figures.save_png(pair, file, columns=2)
    return float(psnr(x, copy)[0]), told


def _write_images(images, out):
    with written(out) as file:
        if out.suffix == ".npz":
            np.savez_compressed(file, images=data.to_uint8(images))
        else:
            figures.save_png(images, file)


def class_index(model, run_info, class_name):
    """The number of a class that a user named.

    Args:
        model: `GenerativeModel`.
        run_info: dict, the run's `run.json`, whose `classes` are the names, if it has them.
        class_name: str or int: a name; or where no name is a number, the class's number from 0; or `None`.

    Returns:
        int, or `None` for `None`.

    Raises:
        UsageError: for a model without classes, and a class that it has not.
    """
    if class_name is None:
        return None
    if "generate by class" not in model.tasks:
        raise UsageError(f"--class needs a conditional model. Received: a {type(model).__name__}")
    asked = str(class_name)
    names = run_info.get("classes") or [str(k) for k in range(model.num_classes)]
    if asked in names:
        return names.index(asked)
    numbered = any(name.isdecimal() for name in names)
    if not numbered and asked.isdecimal() and int(asked) < len(names):
        return int(asked)
    shown = ", ".join(f"{k} {n}" if not numbered else n for k, n in enumerate(names[:40]))
    raise UsageError(f"--class must be one of: {shown}. Received: {asked}")
