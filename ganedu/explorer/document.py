"""The page's file: scripts, style and data in one HTML text that needs nothing else."""

import functools
import html
import json
from pathlib import Path

from ganedu.runtime import UsageError

FOLDER = Path(__file__).parent
LANGUAGES = ("en", "zh")
# In the order in which each needs those before it.
WALKER = ("operations", "layers", "walker", "random", "samplers", "captions", "models")
# No request leaves the page: it may read data of its own, and nothing else.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval'; connect-src data: blob:; "
    "style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
)


def strings(language, table="strings"):
    """A page's texts in a language, dict of str; `table` is the name of a JSON file of `page/`.

    Raises:
        UsageError: for another language.
    """
    if language not in LANGUAGES:
        raise UsageError(
            f"The languages are {', '.join(LANGUAGES)}. Received: language={language!r}"
        )
    texts = json.loads((FOLDER / "page" / f"{table}.json").read_text(encoding="utf-8"))
    return {name: each[LANGUAGES.index(language)] for name, each in texts.items()}


@functools.cache
def script(names):
    """Files of `page/` as one script with a scope of its own."""
    files = [(FOLDER / "page" / f"{name}.js").read_text(encoding="utf-8") for name in names]
    return '(() => {\n"use strict";\n' + "\n".join(files) + "\n})();"


@functools.cache
def bundle():
    """TensorFlow.js as one script, which names its licences."""
    text = (FOLDER / "bundle" / "tfjs.min.js").read_text(encoding="utf-8")
    return (
        f"/* TensorFlow.js, Apache-2.0; see tfjs.LICENSE.txt of ganedu/explorer/bundle */\n{text}"
    )


def embedded(value):
    """A value as JSON that can stand in a `<script>`: no text of it can end that."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for mark in "<>&\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return text


def page(title, language, data, scripts, style=""):
    """An HTML text.

    Args:
        title: str, shown as it is.
        language: str, as `"en"`.
        data: dict for JSON, which the scripts find in the element `data`.
        scripts: names of files of `page/`, as for `script`.
        style: str, CSS. Defaults to `""`.
    """
    return f"""<!doctype html>
<html lang="{html.escape(language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{html.escape(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title)}</title>
<link rel="icon" href="data:,">
<style>
{style}
</style>
</head>
<body>
<main id="page"></main>
<script type="application/json" id="data">{embedded(data)}</script>
<script>{bundle()}</script>
<script>
{script(tuple(scripts))}
</script>
</body>
</html>
"""
