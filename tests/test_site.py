"""The site: what it is made of; and with `GANEDU_SITE=1`, as `.ci/run` has it, the site itself, built with warnings as
errors: every link and anchor leads somewhere, and no page asks the net for anything."""

import ast
import html
import json
import os
import re
import sys
import tomllib
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest

from ganedu import catalogue
from ganedu.course import lessons

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
sys.path.insert(0, str(DOCS / "_ext"))

import equations  # noqa: E402
import lesson_pages  # noqa: E402
import links  # noqa: E402
import model_pages  # noqa: E402
import overlays  # noqa: E402
import wheel_file  # noqa: E402

built = pytest.mark.skipif(
    not os.environ.get("GANEDU_SITE"), reason="GANEDU_SITE=1 builds the site, about a minute"
)


@pytest.mark.parametrize(
    ("plain", "tex"),
    [
        (
            "x_hat = epsilon x + (1 - epsilon) G(z)",
            r"\hat{x} = \epsilon\, x + (1 - \epsilon)\, G(z)",
        ),
        ("E_z[log sigma(D(G(z)))]", r"\mathbb{E}_{z}[\log \sigma(D(G(z)))]"),
        ("||grad D(x)||_2", r"\lVert \nabla D(x)\rVert_{2}"),
        ("KL(q(z|x) || p(z))", r"\operatorname{KL}(q(z\mid x) \,\Vert\, p(z))"),
        ("x' = (x_t - sqrt(a) x) / (1 - t)", r"x^{\prime} = \frac{x_{t} - \sqrt{a}\, x}{1 - t}"),
        ("p(x_i | x_1, ..., x_(i-1))", r"p(x_{i} \mid x_{1}, \ldots , x_{i - 1})"),
        ("gamma/2 E_x", r"\tfrac{\gamma}{2}\, \mathbb{E}_{x}"),
        ("`noise_std` * epsilon", r"\texttt{noise_std} \cdot \epsilon"),
        ("u uniform in [0, 1]", r"u\ \text{uniform in}\ [0, 1]"),
    ],
)
def test_plain_equations_become_tex(plain, tex):
    assert equations.tex(plain) == tex


@pytest.mark.parametrize("name", catalogue.names())
def test_each_equation_stands_beside_the_lines_that_compute_it(name):
    """Each piece of code is there, once; each beginning of a line, too; and no equation of TeX is left without."""
    used = set()
    for line in model_pages.equation_lines(name):
        pieces = list(model_pages.pieces_of(name, line, used))
        equation, _ = equations.split_reference(line)
        assert pieces or equations.is_prose(equation), line
        for path, piece in pieces:
            assert model_pages.snippet(path, piece, "")
    assert used == set(model_pages.beginnings().get(name, {}))


@pytest.mark.parametrize("name", catalogue.names())
def test_tex_is_balanced(name):
    for line in model_pages.equation_lines(name):
        tex = equations.tex(equations.split_reference(line)[0])
        assert tex.count("{") == tex.count("}"), tex
        assert tex.count("lVert") == tex.count("rVert"), tex
        assert "||" not in tex


def test_a_piece_of_code_must_be_there_once():
    source = model_pages.Source("models/wgan_gp.py")
    assert source.find("def gradient_penalty")[2] == "gradient_penalty"
    for piece in ("self", "no such line"):
        with pytest.raises(ValueError, match="not once"):
            source.find(piece)


@pytest.mark.parametrize("name", catalogue.names())
def test_a_model_s_reference_is_in_the_bibliography(name):
    numbers = re.findall(r"arXiv:(\d{4}\.\d{4,5})", model_pages.parts(name)[3])
    assert set(numbers) <= set(model_pages.keys())


def test_each_model_has_a_picture_in_the_gallery():
    assert [name for name in catalogue.names() if not model_pages.picture(name)] == []
    assert all(content.startswith(b"\x89PNG") for content in model_pages.lesson_pictures().values())


def test_links_to_files_become_links_to_pages():
    text = "[a](../notebooks/00_start.ipynb) [b](../ganedu/models/gan.py) [c](../ganedu/latent.py#x) [d](models.md)"
    assert links.rewritten(text, "docs") == (
        "[a](/lessons/00_start.ipynb) [b](/annotated/gan.md) [c](/api/ganedu/latent/index.rst#x) [d](models.md)"
    )
    code = "```python\nx = a[0](../ganedu/latent.py)\n```"
    assert links.rewritten(code, "docs") == code


def lesson():
    return nbformat.read(lessons.path("00"), as_version=4)


def test_a_model_s_diagram_is_that_of_a_lesson():
    assert "gallery/lesson_03_diagram-03.png" in model_pages.page("vae")
    assert "Who feeds whom" not in model_pages.page("realnvp")


def test_an_overlay_changes_prose_alone():
    before, after = lesson(), lesson()
    cell = before.cells[0]
    sum_ = overlays.checksum(cell.source)
    overlays.laid_over(after, f"note\n<!-- cell: {cell.id} {sum_} -->\n# 标题\n\n论断")
    assert after.cells[0].source == "# 标题\n\n论断"
    assert after.cells[1:] == before.cells[1:]


def test_an_overlay_of_another_text_says_so():
    after = overlays.laid_over(lesson(), "<!-- cell: cell-00 00000000 -->\n# 标题\n\n论断")
    assert after.cells[0].source == f"# 标题\n\n{overlays.OLDER['zh']}\n\n论断"


@pytest.mark.parametrize(
    ("overlay", "message"),
    [
        ("<!-- cell: nowhere -->\nx", "no cell 'nowhere'"),
        ("<!-- cell: cell-01 -->\nx", "is code"),
        ("<!-- cell: cell-00 -->\nx\n<!-- cell: cell-00 -->\ny", "twice"),
        ("<!-- cell: cell-00 -->\n", "no text"),
    ],
)
def test_an_overlay_that_does_not_fit_is_refused(overlay, message):
    with pytest.raises(ValueError, match=message):
        overlays.laid_over(lesson(), overlay)


@pytest.mark.parametrize("file", sorted(DOCS.glob("zh/overlays/*.md")), ids=lambda f: f.stem)
def test_the_chinese_lessons_have_their_title_and_the_lesson_s_code(file):
    page = nbformat.reads(lesson_pages.page(file.stem, "zh"), as_version=4)
    english = nbformat.reads(lesson_pages.page(file.stem), as_version=4)
    assert re.match(r"# \d\d [\u4e00-\u9fff]", page.cells[0].source)
    codes = [[c for c in n.cells if c.cell_type == "code"] for n in (page, english)]
    assert [c.source for c in codes[0]] == [c.source for c in codes[1]]
    assert [c.outputs for c in codes[0]] == [c.outputs for c in codes[1]]


def table(page):
    lines = (DOCS / page).read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in x.strip("|").split(" | ")] for x in lines if x[:1] == "|"]
    return rows[2:]


def test_the_chinese_glossary_has_the_terms_of_the_english_one():
    english = [(term, number, chinese) for term, _, number, chinese in table("glossary.md")]
    chinese = [(term, number, name) for name, term, _, number in table("zh/glossary.md")]
    assert english == chinese
    assert all(meaning.endswith("。") for _, _, meaning, _ in table("zh/glossary.md"))


def test_the_chinese_list_has_every_lesson():
    titles = [row[1] for row in table("zh/lessons.md")]
    assert [re.search(r"notebooks/(\w+)\.ipynb", t)[1] for t in titles] == lessons.names()


def test_links_of_the_chinese_pages_lead_somewhere():
    """On GitHub, where they are read as files."""
    for page in DOCS.glob("zh/*.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert "//" in target or (page.parent / target).exists(), f"{page.name}: {target}"


def test_a_solution_is_folded_beneath_its_blank():
    page = nbformat.reads(lesson_pages.page("07"), as_version=4)
    folded = [i for i, c in enumerate(page.cells) if "hide-input" in c.metadata.get("tags", ())]
    assert folded
    for i in folded:
        assert "raise NotImplementedError()" in page.cells[i - 1].source
    text = "".join(c.source for c in page.cells)
    assert "BEGIN SOLUTION" not in text
    assert "[00](00_start.ipynb)" in page.cells[0].source


def test_what_can_be_downloaded_to_work_in_has_no_solution():
    made = lesson_pages.downloads()
    for name in lessons.names():
        assert "BEGIN SOLUTION" not in made[f"notebooks/{name}.ipynb"]
        assert "BEGIN SOLUTION" in made[f"notebooks/solved/{name}.ipynb"]


def test_what_can_be_downloaded_installs_the_file_that_lies_beside_it(monkeypatch):
    """Or from the repository, where that is known."""
    install = json.dumps(f"install -q {wheel_file.name()}")
    for text in (lesson_pages.unsolved("00_start"), lesson_pages.of_this_site("00_start")):
        (cell,) = (c for c in nbformat.reads(text, as_version=4).cells if c.id == "install")
        assert install in cell.source
    monkeypatch.setattr(lesson_pages.colab, "repository", lambda: "someone/ganedu")
    assert wheel_file.name() not in lesson_pages.unsolved("00_start")


def test_which_images_a_page_was_made_with_is_said_to_its_reader():
    """And not in the words of the machine that made it."""
    for name in lessons.names():
        stored = lesson_pages.FALLBACK.findall(
            lesson_pages.text_of(name).replace('"Using', "\nUsing")
        )
        for language in ("en", "zh"):
            page = nbformat.reads(lesson_pages.page(name, language), as_version=4)
            notes = [c for c in page.cells if c.id.endswith("-images")]
            assert len(notes) == bool(stored), name
            assert all("scikit-learn" in c.source and "GANEDU_DATA" in c.source for c in notes)
            outputs = [o.get("text", "") for c in page.cells for o in c.get("outputs", ())]
            assert not any("in the place of" in text for text in outputs)


def addresses_of_notebooks(text):
    """What a page's text leads to on Colab and on GitHub, where notebooks of a repository could be."""
    return re.findall(r"https?://(?:colab\.research\.google|github)\.com[^\s)\"'<>]*", text)


@pytest.mark.parametrize("repository", ["someone/ganedu", None])
def test_colab_opens_each_lesson_where_the_repository_is_known(repository, monkeypatch):
    """By an address of the form that Colab documents, of a file that is there; else the button leads to the page that
    says how, and no page to a repository."""
    monkeypatch.setattr(lesson_pages.colab, "repository", lambda: repository)
    seen = set()
    for path, text in lesson_pages.pages().items():
        if not path.endswith(".ipynb"):
            assert addresses_of_notebooks(text) == []
            continue
        name = Path(path).stem
        cells = nbformat.reads(text, as_version=4).cells
        prose = "\n".join(c.source for c in cells if c.cell_type == "markdown")
        github = f"github/{repository}/blob/main/notebooks/{name}.ipynb"
        right = f"https://colab.research.google.com/{github}"
        found = [x for x in addresses_of_notebooks(prose) if "://colab" in x]
        assert found == ([right] if repository else []), path
        assert ('/colab.html">' in cells[0].source) == (repository is None), path
        assert all(repository and repository in x for x in addresses_of_notebooks(prose)), path
        assert (ROOT / "notebooks" / f"{name}.ipynb").is_file()
        seen.add(name)
    assert seen == set(lessons.names())


@pytest.mark.parametrize(
    ("language", "address", "page", "place"),
    [
        ("en", "../index.html#start", "index.md", "\n## Start\n"),
        ("zh", "../../zh/index.html#start", "zh/index.md", '\n<a id="start"></a>\n'),
    ],
)
def test_a_lesson_says_how_a_download_is_opened(language, address, page, place):
    bar = lesson_pages.links_bar("00_start", lesson_pages.read("00_start"), language)
    assert f'<a href="{address}">{lesson_pages.WORDS[language]["open"]}</a>' in bar
    told = (DOCS / page).read_text(encoding="utf-8")
    assert place in told
    assert "my-lessons" in told.split(place)[1]


def test_a_lesson_leads_to_the_live_page_of_its_language(monkeypatch, tmp_path):
    monkeypatch.setattr(lesson_pages, "DOCS", tmp_path)
    name = "01_distributions"

    def bar(language):
        return lesson_pages.links_bar(name, lesson_pages.read(name), language)

    assert "live/" not in bar("en")
    (tmp_path / "live" / "zh").mkdir(parents=True)
    (tmp_path / "live" / f"{name}.html").touch()
    assert f'href="../live/{name}.html"' in bar("en")
    assert f'href="../../live/{name}.html"' in bar("zh")  # better than none
    (tmp_path / "live" / "zh" / f"{name}.html").touch()
    assert f'href="../live/{name}.html"' in bar("en")
    assert f'href="../../live/zh/{name}.html"' in bar("zh")


def test_where_the_repository_is_follows_from_the_metadata(monkeypatch):
    pages = pytest.importorskip("pages", reason="Sphinx")
    texts = {x: (DOCS / x / "index.md").read_text(encoding="utf-8") for x in (".", "zh")}
    for folder, text in texts.items():
        language = "zh" if folder == "zh" else "en"
        monkeypatch.setattr(pages.colab, "repository", lambda: None)
        without = pages.with_repository(text, language)
        assert "github" not in without
        assert "<!-- clone" not in without
        assert 'colab.html">' in without
        assert links.rewritten("[a](../LICENSE)", "docs") == "[a]{.nowhere}"
        monkeypatch.setattr(pages.colab, "repository", lambda: "someone/ganedu")
        there = pages.with_repository(text, language)
        assert "git clone https://github.com/someone/ganedu" in there
        assert "github/someone/ganedu/blob/main/notebooks/00_start.ipynb" in there
        assert 'colab.html">' not in there
        file = "https://github.com/someone/ganedu/blob/main/LICENSE"
        assert links.rewritten("[a](../LICENSE)", "docs") == f"[a]({file})"


def test_how_to_begin_is_said_with_the_file_s_name():
    """On each page that says how, the file's is the name that the site gives it."""
    names = r"ganedu-[\w.]+-py3-none-any\.whl"
    for page in ("index.md", "zh/index.md", "colab.md"):
        text = (DOCS / page).read_text(encoding="utf-8")
        assert set(re.findall(names, text)) == {wheel_file.name()}, page
    for language in ("en", "zh"):
        first = wheel_file.start(language)
        install, copy, _ = re.findall(r"^```bash\n(.*?)\n```", first, re.M | re.S)
        assert f'pip install "./{wheel_file.name()}[lessons]"' in install
        assert "ganedu lessons copy my-lessons" in copy
        again = copy.partition(" && ")[2]  # no copy is made twice: what opens them on another day
        assert again.endswith("jupyter lab my-lessons")
        assert f"`{again}`" in first.replace(copy, "")
        assert f'{wheel_file.PLACE}/{wheel_file.name()}" download>' in first


def test_the_readme_s_sections_are_a_page():
    text = links.usage()
    assert wheel_file.START.search(text)
    assert wheel_file.START.search((DOCS / "zh" / "README.md").read_text(encoding="utf-8"))
    assert re.findall(r"^## (.*)", text, re.M) == ["On the command line", "In Python"]
    assert "](/models.md#taking-a-model-elsewhere)" in text
    assert links.rewritten("[a](../README.md#in-python)", "docs") == "[a](/usage.md#in-python)"
    assert links.rewritten("[a](../README.md)", "docs") == "[a](/index.md)"


def test_the_citation_is_of_this_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for file in (ROOT / "CITATION.cff", DOCS / "citing.md"):
        found = re.search(
            r"^ *version(?: = \{|: )([\d.]+\d)", file.read_text(encoding="utf-8"), re.M
        )
        assert found[1] == project["version"], file


def test_live_pages_are_listed_by_their_titles(tmp_path):
    pages = pytest.importorskip("pages", reason="Sphinx")
    assert pages.live_list(pages.live_pages(tmp_path)) == ""
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "index.html").write_text("<title>A lab\n &lt;b> </title>")
    english = '- <a href="../live/lab/index.html">A lab &lt;b&gt;</a>'
    heading = "## Play\n\n"
    assert pages.live_list(pages.live_pages(tmp_path), "../", "Play") == heading + english
    (tmp_path / "zh" / "lab").mkdir(parents=True)
    (tmp_path / "zh" / "lab" / "index.html").write_text("<title>实验</title>", encoding="utf-8")
    (tmp_path / "other.html").write_text("<title>Other</title>")
    assert pages.live_pages(tmp_path) == {"A lab &lt;b>": "lab/index.html", "Other": "other.html"}
    chinese = {"实验": "zh/lab/index.html", "Other": "other.html"}
    assert pages.live_pages(tmp_path, "zh") == chinese


def test_chinese_is_searched_by_pairs_of_characters():
    pages = pytest.importorskip("pages", reason="Sphinx")
    words = pages.SearchBoth({}).split("GAN 的潜变量, latent_dim")
    assert {"GAN", "latent_dim", "的潜", "潜变", "变量", "潜"} <= set(words)


class Page(HTMLParser):
    """What a page links to, what it loads, and the anchors that it has."""

    LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src"}

    def __init__(self, text):
        super().__init__()
        self.links, self.loads, self.ids = set(), set(), set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids |= {attrs[k] for k in ("id", "name") if attrs.get(k)}
        if tag == "a" and attrs.get("href"):
            self.links.add(attrs["href"])
        if tag == "link" and attrs.get("href") and attrs.get("rel") not in ("canonical",):
            self.loads.add(attrs["href"])
        if attrs.get(self.LOADS.get(tag, "")):
            self.loads.add(attrs[self.LOADS[tag]])
        self.loads |= set(re.findall(r"url\(['\"]?([^'\")]+)", attrs.get("style") or ""))


def outside(address):
    return address.startswith(("http:", "https:", "//"))


def faults(folder):
    """Links of a folder of pages that lead nowhere, and what it would load from the net: `(page, address)`."""
    folder = Path(folder).resolve()
    files = (f for f in folder.rglob("*.html") if "_static" not in f.parts)  # the theme's own there
    pages = {f: Page(f.read_text(encoding="utf-8")) for f in files}
    for file, page in pages.items():
        name = file.relative_to(folder).as_posix()
        for address in page.links | page.loads:
            if outside(address):
                if address in page.loads:
                    yield name, address
                continue
            if address.startswith(("mailto:", "data:", "javascript:")):
                continue
            path, _, anchor = address.partition("#")
            target = (file.parent / unquote(path.partition("?")[0])).resolve() if path else file
            there = target.is_file() and folder in target.parents
            if there and anchor and target in pages:
                there = unquote(anchor) in pages[target].ids
            if not there:
                yield name, address
    for file in folder.rglob("*.css"):
        text = file.read_text(encoding="utf-8")
        for address in re.findall(r"(?:url\(|@import\s+)['\"]?([^'\")\s;]+)", text):
            if outside(address):
                yield file.name, address


def test_faults_are_seen(tmp_path):
    (tmp_path / "b.html").write_text('<p id="there">')
    (tmp_path / "c.css").write_text("@import 'https://x.org/y.css';")
    page = '<a href="b.html#there">1</a><a href="https://x.org">2</a><img src="data:,">'
    bad = '<a href="b.html#gone"></a><a href="d.html"></a><script src="//x.org/y.js"></script>'
    (tmp_path / "a.html").write_text(page + bad)
    found = {address for _, address in faults(tmp_path)}
    assert found == {"b.html#gone", "d.html", "//x.org/y.js", "https://x.org/y.css"}


@built
def test_every_link_leads_somewhere_and_nothing_comes_from_the_net(site):
    assert sorted(faults(site)) == []


@built
def test_no_page_leads_to_another_repository_than_ours(site):
    """Nor to any, while the package's metadata name none."""
    repository, foreign = lesson_pages.colab.repository() or "none", []
    for file in site.rglob("*.html"):
        addresses = Page(file.read_text(encoding="utf-8")).links
        found = {x for a in addresses for x in addresses_of_notebooks(a)}
        foreign += [(file.name, x) for x in found if f"/{repository}" not in x]
    assert foreign == []


@built
def test_the_site_has_its_pages(site):
    for name in lessons.names():
        text = (site / "lessons" / f"{name}.html").read_text(encoding="utf-8")
        assert f'href="../notebooks/{name}.ipynb"' in text
        assert "img" in text
        assert (site / "notebooks" / "solved" / f"{name}.ipynb").exists()
    for name in catalogue.names():
        text = (site / "annotated" / f"{name}.html").read_text(encoding="utf-8")
        assert "What departs from the paper" in text
        assert (site / "api" / "ganedu" / "models" / name / "index.html").exists()
    assert 'lang="zh-CN"' in (site / "zh" / "index.html").read_text(encoding="utf-8")
    assert json.dumps("潜变") in (site / "searchindex.js").read_text(encoding="utf-8")


@built
def test_whoever_has_the_site_has_the_package_and_its_lessons(site):
    """The pages that say how to begin link to the wheel, and the wheel holds what is copied from it."""
    wheel = site / wheel_file.PLACE / wheel_file.name()
    for page in ("index.html", "usage.html", "zh/index.html", "zh/README.html"):
        text = (site / page).read_text(encoding="utf-8")
        found = {x for x in Page(text).links if ".whl" in x}
        assert {(site / page).parent.joinpath(x).resolve() for x in found} == {wheel}, page
        commands = re.sub(r"<[^>]*>", "", text)
        assert f'pip install "./{wheel.name}[lessons]"' in html.unescape(commands), page
        assert "install -e " not in commands, page
        assert not re.search(r"pip install '?ganedu\[", html.unescape(commands)), (
            page
        )  # from an index, where it is not
    with zipfile.ZipFile(wheel) as files:
        held = {n for n in files.namelist() if n.startswith("ganedu/notebooks/")}
        assert held == {f"ganedu/notebooks/{name}.ipynb" for name in lessons.names()}
        first = files.read("ganedu/notebooks/00_start.ipynb")
        assert first == lessons.path("00_start").read_bytes()


@built
def test_the_api_has_every_module(site):
    for file in (ROOT / "ganedu").rglob("*.py"):
        if ast.parse(file.read_text(encoding="utf-8")).body and not file.name.startswith("__main"):
            module = file.relative_to(ROOT).with_suffix("")
            module = module.parent if module.name == "__init__" else module
            assert (site / "api" / module / "index.html").exists(), module
