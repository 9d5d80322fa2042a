"""The pages that train in the plane: the command, and what it refuses. What they compute is compared with the package
in `tests/browser`."""

import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

from ganedu import cli
from ganedu.explorer import document
from ganedu.explorer.lab import LABS, scripts, write_lab
from ganedu.runtime import UsageError


def run(*arguments):
    return CliRunner().invoke(cli.main, ["lab", *map(str, arguments)])


@pytest.mark.parametrize("name", LABS)
@pytest.mark.parametrize(("language", "title"), [("en", "plane"), ("zh", "平面")])
def test_a_page_is_written(name, language, title, tmp_path):
    out = tmp_path / "page.html"
    done = run(name, "--out", out, "--language", language)
    assert done.exit_code == 0, done.output
    text = out.read_text(encoding="utf-8")
    assert f'<html lang="{language}">' in text
    assert title in re.search("<title>(.*)</title>", text)[1]
    assert not re.search(r"""(src|href)=["']?https?:""", text)
    assert document.script(scripts(name)) in text
    assert len(text) < 1.5e6
    assert list(tmp_path.iterdir()) == [out]


def test_bad_input_makes_nothing(tmp_path):
    for arguments, told in (
        (["gan", "--out", tmp_path / "page.txt"], "must end in .html"),
        (["flow", "--out", tmp_path / "no" / "page.html"], "There is no folder"),
        (["vae", "--out", tmp_path / "page.html"], "'vae' is not one of 'gan', 'flow'"),
        (["gan", "--language", "fr", "--out", tmp_path / "page.html"], "'fr' is not one of"),
    ):
        done = run(*arguments)
        assert done.exit_code == 2, done.output
        assert told in done.output
        assert "Traceback" not in done.output
    with pytest.raises(UsageError, match="gan, flow"):
        write_lab("vae", tmp_path / "page.html")
    with pytest.raises(UsageError, match="en, zh"):
        write_lab("gan", tmp_path / "page.html", language="fr")
    assert list(tmp_path.iterdir()) == []


def test_the_command_imports_no_framework(tmp_path):
    code = (
        "import sys; from ganedu.explorer.lab import write_lab; from pathlib import Path\n"
        "write_lab('gan', Path(sys.argv[1]))\n"
        "assert not {'keras', 'tensorflow', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "page.html"], check=True)


def test_the_scripts_of_a_page_are_there_and_all_are_used():
    from ganedu.explorer import lab, page

    used = {*page.SCRIPTS, *sum((lab.scripts(name) for name in LABS), ())}
    assert used == {f.stem for f in (document.FOLDER / "page").glob("*.js")}


def test_a_trained_model_is_a_page_in_each_language(tmp_path, monkeypatch):
    from ganedu.explorer.live import write_live

    monkeypatch.setenv("GANEDU_PROFILE", "smoke")  # a small network
    files = {language: tmp_path / f"{language}.html" for language in document.LANGUAGES}
    write_live(files)
    for language, file in files.items():
        text = file.read_text(encoding="utf-8")
        told = document.strings(language)["live_title"]
        assert f'<html lang="{language}">' in text
        assert f"<title>{told}</title>" in text
        assert '"kind":"text_flow"' in text
    with pytest.raises(UsageError, match="en, zh"):
        write_live({"en": tmp_path / "more.html", "fr": tmp_path / "fr.html"})
    assert not (tmp_path / "more.html").exists()
