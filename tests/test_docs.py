"""What the pages show must work."""

import math
import re
from pathlib import Path

from rows import IMAGE_SHAPE, batch

from ganedu import lessons

ROOT = Path(__file__).parents[1]


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


def test_the_model_that_the_page_adds_trains():
    space = {"__name__": "lsgan"}
    exec(blocks("docs/adding_a_model.md", "python")[0], space)
    logs = space["build"](IMAGE_SHAPE, width=4).train_on_batch(batch(), return_dict=True)
    assert all(math.isfinite(float(v)) for v in logs.values())
    # Verdicts 1 and 3 of real images, 0 and 2 of drawn ones: (0 + 4)/4 + (0 + 4)/4 = 2, and (1 + 1)/4 = 1/2.
    real, fake = [[1.0], [3.0]], [[0.0], [2.0]]
    assert float(space["discriminator_loss"](*map(tensor, (real, fake)))) == 2.0
    assert float(space["generator_loss"](tensor(fake))) == 0.5


def tensor(rows):
    from keras import ops

    return ops.convert_to_tensor(rows)


def test_the_readme_lists_every_lesson_with_its_title():
    readme = (ROOT / "README.md").read_text()
    for name in lessons.names():
        row = f"[{name[:2]} {lessons.title(name)}](notebooks/{name}.ipynb)"
        assert row in readme, row


def test_links_between_pages_lead_somewhere():
    pages = [ROOT / "README.md", *ROOT.glob("docs/*.md")]
    targets = [(p, t) for p in pages for t in re.findall(r"\]\(([^)#]+)\)", p.read_text())]
    missing = [(p.name, t) for p, t in targets if "//" not in t and not (p.parent / t).exists()]
    assert not missing


def test_two_commands_stand_first():
    first, second, *_ = blocks("README.md", "bash")
    assert first.count("\n") == second.count("\n") == 1
    assert "ganedu train" in first
    assert "pytest" in second
