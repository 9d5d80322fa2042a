"""One picture of a file, of whatever form Pillow reads, as 8 bits of grey or colour."""

import functools

import numpy as np
from PIL import Image, ImageOps

from ganedu.runtime import UsageError, one_line

GREY = ("1", "L", "LA", "La")  # Pillow's modes
MIN_SIDE = 8  # pixels; what is smaller has axes in another order, or is one image and not a set
BITS = (8, 10, 12, 14, 16)  # what cameras and scanners put into files of 16 bits
TURNED = (5, 6, 7, 8)  # Exif orientations that change width and height
ORIENTATION = 0x112


@functools.cache
def suffixes():
    """What files of pictures that Pillow can read end in, in small letters."""
    return frozenset(s for s, kind in Image.registered_extensions().items() if kind in Image.OPEN)


def header(path):
    """What a file says of its picture before its pixels are read.

    Args:
        path: `pathlib.Path`.

    Returns:
        `(size, is_grey, most)`: (width, height) upright; whether it is grey; and the largest value of a
        picture of 16 bits, else 0.

    Raises:
        UsageError: names the file, if it cannot be read, is smaller than 8 pixels a side, or of a form that is
            neither grey nor colour.
    """

    def read(picture):
        turned = picture.getexif().get(ORIENTATION) in TURNED
        deep = picture.mode.startswith("I;16")
        most = int(np.asarray(picture).max()) if deep else 0
        size = picture.size[::-1] if turned else picture.size
        return size, deep or picture.mode in GREY, most

    found = _opened(path, read)
    _check_size(path, found[0])
    return found


def read_picture(path, image_size=None, most=None):
    """One picture, upright.

    Args:
        path: `pathlib.Path`.
        image_size: int, of the central square, or `None` for the picture as it is. Defaults to `None`.
        most: int, the largest value among all pictures of 16 bits that belong together, which says how many of
            the 16 bits are used. Defaults to that of this picture.

    Returns:
        uint8 (H, W, 1) or (H, W, 3).

    Raises:
        UsageError: as for `header`.
    """
    picture = _opened(path, lambda p: _eight_bits(ImageOps.exif_transpose(p), most))
    _check_size(path, picture.size)
    return as_array(picture if image_size is None else central_square(picture, image_size))


def load_picture(path, image_shape):
    """One picture as a model takes it.

    Args:
        path: `pathlib.Path`.
        image_shape: (H, W, C), H = W.

    Returns:
        `(image, told)`: uint8 (H, W, C), and what had to be changed, such as "resized from 64x64 to
        32x32", a list of str.

    Raises:
        UsageError: if it cannot be read, or is smaller than 8 pixels a side.
    """
    if not path.is_file():
        raise UsageError(f"There is no file {path}")
    image, told = read_picture(path), []
    height, width, channels = image.shape
    side = image_shape[0]
    if (height, width) != (side, side):
        cut = "" if height == width else "cut to its central square and "
        told.append(f"{cut}resized from {width}x{height} to {side}x{side}")
        image = resized(image[None], side)[0]
    if channels < image_shape[-1]:
        told.append("from grey to colour")
        image = np.repeat(image, 3, axis=-1)
    elif channels > image_shape[-1]:
        told.append("from colour to grey")
        image = np.rint(image.mean(axis=-1, keepdims=True)).astype("uint8")
    return image, told


def resized(images, image_size):
    """uint8 images (N, H, W, C) cut to their central square and brought to `image_size` pixels.

    For `None` they are returned as they are.
    """
    if image_size is None or images.shape[1:3] == (image_size, image_size):
        return images
    pictures = (Image.fromarray(i[..., 0] if i.shape[-1] == 1 else i) for i in images)
    return np.stack([as_array(central_square(picture, image_size)) for picture in pictures])


def to_eight_bits(values, most):
    """Whole numbers of 0 to `most` as uint8: the upper 8 of `used_bits(most)`."""
    return (values >> (used_bits(most) - 8)).astype("uint8")


def used_bits(most):
    """The fewest of `BITS` that hold `most`."""
    return next(bits for bits in BITS if most < 1 << bits)


def _opened(path, read):
    try:
        with Image.open(path) as picture:
            return read(picture)
    except Exception as e:  # a damaged picture makes its decoder raise almost anything
        raise UsageError(
            f"{path} cannot be read as an image. Received: {one_line(e)}. Remove or replace it"
        ) from None


def _check_size(path, size):
    if min(size) < MIN_SIDE:
        width, height = size
        raise UsageError(
            f"{path} must be at least {MIN_SIDE} pixels a side. Received: {width}x{height}"
        )


def _eight_bits(picture, most=None):
    """As grey (L) or RGB: of 16 bits the upper 8 that are used, and white where it is transparent."""
    if picture.mode.startswith("I;16"):
        values = np.asarray(picture)
        most = int(values.max(initial=0)) if most is None else most
        return Image.fromarray(to_eight_bits(values, most))
    if picture.mode in ("I", "F"):
        raise UsageError(f"its pixels are not of 8 or 16 bits (mode {picture.mode})")
    mode = "L" if picture.mode in GREY else "RGB"
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return picture.convert(mode)


def central_square(picture, size):
    """The central square of a Pillow picture, `size` pixels on a side."""
    side = min(picture.size)
    x, y = (picture.width - side) // 2, (picture.height - side) // 2
    square = picture.crop((x, y, x + side, y + side))
    return square.resize((size, size), Image.Resampling.BICUBIC)


def as_array(picture):
    """A Pillow picture as an array (H, W, C)."""
    array = np.asarray(picture)
    return array[..., None] if array.ndim == 2 else array
