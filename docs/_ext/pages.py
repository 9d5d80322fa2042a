"""What every page needs: a search that knows Chinese, a page's language, live pages where there are any."""

import html
import re
import shutil
from pathlib import Path

from overlays import unwrapped
from sphinx.search.en import SearchEnglish

from ganedu.course import colab

HAN = r"[\u3400-\u9fff]"
PLACE = "<!-- live pages -->"  # on a page: where they are listed
HEADINGS = {"en": "Play in the page", "zh": "在网页中操作"}


class SearchBoth(SearchEnglish):
    """English, by stems; Chinese, which has no spaces, by characters and pairs of neighbours."""

    lang = "both"
    language_name = "English"  # whose stems the browser takes
    js_splitter_code = """
var splitQuery = (query) =>
  (query.match(/[\\u3400-\\u9fff]+|[^\\s\\u3400-\\u9fff]+/gu) || []).flatMap((run) =>
    !/[\\u3400-\\u9fff]/.test(run)
      ? run.split(/[^\\p{Letter}\\p{Number}_]+/gu).filter((word) => word)
      : run.length < 2 ? [run] : [...run].slice(1).map((_, i) => run.slice(i, i + 2)));
"""

    def split(self, input):
        words = re.findall(rf"(?:(?!{HAN})\w)+", input)
        for run in re.findall(rf"{HAN}+", input):
            words += [*run, *(run[i : i + 2] for i in range(len(run) - 1))]
        return words


def live_pages(folder, language="en"):
    """The live pages of a folder: dict from a title to the path of its HTML file, by the files' `<title>`. Chinese ones
    are in its folder `zh`; on a Chinese page a file that has none is listed as it is."""
    folder = Path(folder)
    files = {f.relative_to(folder).as_posix(): f for f in sorted(folder.rglob("*.html"))}
    chinese = {path.removeprefix("zh/"): path for path in files if path.startswith("zh/")}
    found = {}
    for path in files:
        if path.startswith("zh/"):
            continue
        path = chinese.get(path, path) if language == "zh" else path
        title = re.search(r"<title>(.*?)</title>", files[path].read_text(encoding="utf-8"), re.S)
        found[" ".join(title[1].split()) if title else files[path].stem] = path
    return found


def live_list(found, up="", heading="Play"):
    """Live pages as a list of Markdown, under a heading; nothing where there are none."""
    lines = [
        f'- <a href="{up}live/{path}">{html.escape(html.unescape(title))}</a>'
        for title, path in found.items()
    ]
    return "\n".join([f"## {heading}\n", *lines]) if lines else ""


CLONE = {
    "en": "Its sources come by `git clone {}`; in their folder `-e '.[lessons]'` stands in the place of the file.",
    "zh": "源代码用 `git clone {}` 得到；在其文件夹中，以 `-e '.[lessons]'` 代替该文件。",
}


def with_repository(text, language="en"):
    """A page that says where ganedu is cloned from, and whose button opens the first lesson on Colab and does not lead
    to the page about it, if the package's metadata name a repository."""
    repository = colab.repository()
    clone = CLONE[language].format(f"{colab.GITHUB}{repository}") if repository else ""
    text = text.replace("<!-- clone -->", clone)
    if not repository:
        return text
    there = f"{colab.COLAB}github/{repository}/blob/{colab.BRANCH}/notebooks/00_start.ipynb"
    button = r'<a class="button" href="(?:\.\./)?colab\.html">(.*?)</a>'
    words = {"On Colab and Kaggle": "Open in Colab", "在 Colab 与 Kaggle 上": "在 Colab 中打开"}
    return re.sub(button, lambda m: f'<a class="button" href="{there}">{words[m[1]]}</a>', text)


def _source_read(app, docname, content):
    if docname in ("index", "usage", "zh/index", "zh/README"):
        content[0] = with_repository(content[0], "zh" if docname.startswith("zh/") else "en")
    if docname.startswith("zh/") and app.env.doc2path(docname).suffix == ".md":
        content[0] = unwrapped(content[0])
    if PLACE in content[0]:
        language = "zh" if docname.startswith("zh/") else "en"
        found = live_pages(Path(app.srcdir) / "live", language)
        listed = live_list(found, "../" * docname.count("/"), HEADINGS[language])
        content[0] = content[0].replace(PLACE, listed)


def _context(app, pagename, templatename, context, doctree):
    if pagename.startswith("zh/"):
        context["language"] = "zh-CN"


def _copy_live(app, exception):
    """`docs/live/`, if there is one, as it is."""
    live = Path(app.srcdir) / "live"
    if exception is None and live.is_dir():
        shutil.copytree(live, Path(app.outdir) / "live", dirs_exist_ok=True)


def setup(app):
    app.add_search_language(SearchBoth)
    app.connect("source-read", _source_read)
    app.connect("html-page-context", _context)
    app.connect("build-finished", _copy_live)
    return {"parallel_read_safe": True}
