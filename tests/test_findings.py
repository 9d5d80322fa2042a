"""A diagnosis on a page: in English and in Chinese."""

import re
from pathlib import Path

from ganedu.diagnostics import FAILURE_MODES, SIGNALS, diagnose
from ganedu.explorer import findings

GLOSSARY = Path(__file__).parents[1] / "docs" / "zh" / "glossary.md"


def test_every_text_of_a_diagnosis_has_its_chinese():
    """One that was changed, too: the table is by the English text. What is to be typed stays as it is."""
    wanted = {signal.meaning for signal in SIGNALS.values()}
    for mode in FAILURE_MODES:
        wanted |= {mode.name, mode.description, mode.suggestion}
    table = findings.table()
    assert set(table) == wanted
    for english, chinese in table.items():
        assert re.search("[\u4e00-\u9fff]", chinese), english
        typed = [sorted(re.findall("`[^`]+`", text)) for text in (english, chinese)]
        assert typed[0] == typed[1], english
    glossary = GLOSSARY.read_text(encoding="utf-8")
    for name in ("mode collapse", "posterior collapse", "codebook collapse"):
        assert f"| {table[name]} | {name} |" in glossary


def test_a_diagnosis_is_told_in_the_language_of_the_page():
    healthy = {name: (signal.low or 0) + 0.01 for name, signal in SIGNALS.items()}
    ill = diagnose(healthy | {"recall": 0.04, "codebook_usage": 0.01})
    assert findings.told(ill, "en") == str(ill)
    chinese = findings.told(ill, "zh")
    assert chinese.splitlines()[0] == "码本坍缩（码本中被使用的比例：0.01；健康的模型：大于 0.1）"
    assert chinese.splitlines()[-1] == (
        "模式坍缩（样本能够覆盖的真实图像所占比例：0.04；健康的模型：大于 0.35），起因：码本坍缩"
    )
    assert "小于 3" in findings.told(diagnose(healthy | {"checkerboard": 5.0}), "zh")
    both = findings.told(diagnose(healthy | {"discriminator_auc": 1.0, "precision": 0.1}), "zh")
    assert "0.25 到 0.99" in both
    found = findings.told(diagnose(healthy), "zh")
    assert f"{len(FAILURE_MODES)} 种" in found
    assert not re.search("[a-z]{2,}", found)
