"""Learn how machines learn to make images.

`import ganedu` is light on purpose: it loads no framework. The rooms are imported where they are
used, as in `from ganedu import data, models`.
"""

__version__ = "0.1.0"
