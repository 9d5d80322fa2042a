"""Plain messages between the grader and the box: JSON and the bytes of arrays, never pickles. Imports NumPy alone."""

import json
import re
import struct

import numpy as np

MAX_MESSAGE = 1 << 26  # bytes
MAX_AXES = 8
MAX_VALUES = 200_000  # numbers, texts, arrays and lists of one message
MAX_HEAD = 1 << 22  # bytes of a stranger's message that are not an array's
# Of a text of a stranger's: NumPy makes all texts of a list as long as the longest.
MAX_LETTERS = 500
_LENGTH = struct.Struct("<Q")
_NUMBERS = re.compile(r"[<>|=][biuf][1248]")


class Unreadable(ValueError):
    """A message that is none, or too long."""


def pack(value):
    """A message as bytes: numbers, texts, `None`, lists, tuples (which come out as lists), dicts by text, NumPy's
    numbers, and arrays of them, of any shape. Of an array of anything else only dtype and shape are sent (`Foreign`).
    A `numpy.float64` is a float, and comes out as one.
    """
    pieces = _Pieces()
    head = json.dumps(_plain(value, pieces)).encode()
    body = b"".join(pieces)
    return _LENGTH.pack(len(head)) + head + body


def unpack(message, stranger=True):
    """The value of a message.

    Args:
        message: bytes.
        stranger: bool, whether it may come from anyone: it may then hold no long texts. Defaults to `True`.

    Raises:
        Unreadable: for what `pack` did not make.
    """
    if len(message) < _LENGTH.size or len(message) > MAX_MESSAGE:
        raise Unreadable(f"{len(message)} bytes")
    (length,) = _LENGTH.unpack_from(message)
    if stranger and length > MAX_HEAD:
        raise Unreadable(f"{length} bytes beside arrays")
    try:
        head = json.loads(message[_LENGTH.size : _LENGTH.size + length])
        letters = MAX_LETTERS if stranger else MAX_MESSAGE
        return _value(head, _Body(memoryview(message)[_LENGTH.size + length :], letters))
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError, AttributeError) as e:
        raise Unreadable(f"{type(e).__name__} in a message") from None


class _Pieces(list):
    """Bytes one after the other, and how many they are."""

    size = 0

    def append(self, piece):
        super().append(piece)
        self.size += len(piece)


class _Body:
    """The bytes of a message's arrays, of which each may be read once and few things made."""

    def __init__(self, content, letters):
        self.content, self.left, self.values = content, len(content), MAX_VALUES
        self.letters = letters

    def spend(self, count=0):
        self.left -= count
        self.values -= 1
        if self.left < 0 or self.values < 0:
            raise ValueError("too much")


class Foreign:
    """Stands for an array that holds no numbers."""

    def __init__(self, dtype, shape):
        self.dtype, self.shape = dtype, shape


def _plain(value, pieces):
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, dict):
        return {"dict": [[str(k), _plain(v, pieces)] for k, v in value.items()]}
    if isinstance(value, (list, tuple)):
        return [_plain(v, pieces) for v in value]
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        return {"foreign": str(array.dtype)[:40], "shape": list(array.shape)}
    start = pieces.size
    pieces.append(np.ascontiguousarray(array).tobytes())
    kind = "scalar" if isinstance(value, np.generic) else "array"
    return {kind: array.dtype.str, "shape": list(array.shape), "start": start}


def _value(head, body):
    body.spend()
    if isinstance(head, str) and len(head) > body.letters:
        raise ValueError("a long text")
    if head is None or isinstance(head, (bool, int, float, str)):
        return head
    if isinstance(head, list):
        return [_value(v, body) for v in head]
    if "dict" in head:
        return {str(k): _value(v, body) for k, v in head["dict"]}
    shape = head["shape"]
    if len(shape) > MAX_AXES or any(type(n) is not int or n < 0 for n in shape):
        raise ValueError("a shape")
    if "foreign" in head:
        return Foreign(str(head["foreign"]), tuple(shape))
    scalar = "scalar" in head
    name, start = head["scalar" if scalar else "array"], head["start"]
    if not _NUMBERS.fullmatch(name) or (scalar and shape):
        raise ValueError("a dtype")
    dtype = np.dtype(name)
    count = 1
    for n in shape:
        count *= n
    end = start + count * dtype.itemsize
    if type(start) is not int or not 0 <= start <= end <= len(body.content):
        raise ValueError("a place")
    body.spend(end - start)
    content = body.content[start:end]
    if dtype.kind == "b":  # a byte that is neither 0 nor 1 would be neither false nor true
        array = (np.frombuffer(content, np.uint8) != 0).reshape(shape)
    else:
        array = np.frombuffer(content, dtype).reshape(shape).copy()
    return array[()] if scalar else array


def send(file, message):
    """Writes a message with its length before it."""
    file.write(_LENGTH.pack(len(message)) + message)
    file.flush()


def receive(file):
    """The next message of a stream, or `None` at its end.

    Raises:
        Unreadable: for one that is too long, or cut.
    """
    head = file.read(_LENGTH.size)
    if not head:
        return None
    (length,) = _LENGTH.unpack(head) if len(head) == _LENGTH.size else (MAX_MESSAGE + 1,)
    if length > MAX_MESSAGE:
        raise Unreadable(f"{length} bytes")
    message = file.read(length)
    if len(message) < length:
        raise Unreadable("a message was cut")
    return message
