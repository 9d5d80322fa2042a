"""A diagnosis in a page's language: in English its own text, in Chinese by the table `page/diagnosis.json`, which has
the Chinese of each English text of `ganedu.diagnostics`."""

import json

from ganedu.diagnostics import SIGNALS
from ganedu.explorer.document import FOLDER


def table():
    """From an English text to its Chinese one, dict of str."""
    return json.loads((FOLDER / "page" / "diagnosis.json").read_text(encoding="utf-8"))


def told(diagnosis, language):
    """What a `Diagnosis` says, str: a paragraph for each finding, as `str(diagnosis)` has it."""
    if language == "en":
        return str(diagnosis)
    if diagnosis.healthy:
        return f"查找了 {diagnosis.looked_for} 种失败模式，一种也没有发现。"
    chinese = table()
    return "\n".join(_finding(finding, chinese) for finding in diagnosis.findings)


def _finding(finding, chinese):
    mode = finding.failure_mode
    signal = SIGNALS[next(iter(mode.criteria))]
    measured = f"{chinese[signal.meaning]}：{finding.value:.2g}；健康的模型：{_healthy(signal)}"
    first = f"{chinese[mode.name]}（{measured}）"
    if finding.cause is not None:
        return f"{first}，起因：{chinese[finding.cause]}"
    return f"{first}\n  {chinese[mode.description]}\n  建议：{chinese[mode.suggestion]}"


def _healthy(signal):
    if signal.low is None:
        return f"小于 {signal.high:g}"
    return f"大于 {signal.low:g}" if signal.high is None else f"{signal.low:g} 到 {signal.high:g}"
