"""Pages of HTML, without scripts of anyone else's: feedback for a student, written answers for a teacher."""

import base64
import html

from ganedu.course import lessons
from ganedu.course.classroom import export, gradebook, grading, notebooks
from ganedu.disk import written

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
.points { float: right; font-weight: 600 } .told { border-left: .2rem solid #b33; padding-left: .8rem }
.right::before { content: "✓ "; color: #2a7 } .wrong::before { content: "✗ "; color: #c33 }
.behind { opacity: .6 } .behind::before { content: "· " }
pre, .answer { white-space: pre-wrap; background: #8881; padding: .6rem; overflow-wrap: anywhere }
img { max-width: 100% } details { margin: 1rem 0 } article { border-top: 1px solid #8885; padding: 1rem 0 }
article:focus-within, article:focus { outline: 2px solid #48c; outline-offset: .4rem }
input, textarea { font: inherit } input { width: 4rem }
textarea { width: 100%; box-sizing: border-box }
.bar { position: sticky; top: 0; background: Canvas; padding: .5rem 0 }
"""
# No script but the page's own, whose hash stands here, and nothing from anywhere.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src {script}"


def _page(title, body, script=""):
    import hashlib

    policy = "'none'"
    if script:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        policy = f"'sha256-{digest}'"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY.format(script=policy)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head><body>\n{body}\n"
        + (f"<script>{script}</script>" if script else "")
        + "</body></html>\n"
    )


def feedback(course, lesson):
    """Writes a page for each student whose notebook was graded: what each check said, and the marks.

    Returns:
        List of the files.
    """
    lesson, made = course.lesson(lesson), []
    by_student = {}
    for row in export.rows(course):
        if row.lesson == lesson:
            by_student.setdefault(row.student, []).append(row)
    title = f"{lesson[:2]} {lessons.title(lesson)}"
    marks = gradebook.marks(course, lesson)
    for student, rows in by_student.items():
        told = grading.result(course, student, lesson)
        if told is None and not any(row.status == "error" for row in rows):
            continue
        checks = {row["question"]: row["checks"] for row in told["rows"]} if told else {}
        known = [r.points for r in rows if r.points is not None]
        total = export.number(float(sum(known)))
        most = export.number(float(sum(r.max_points for r in rows)))
        total = f"{total} of {most}" + (", so far" if len(known) < len(rows) else "")
        body = f"<h1>{html.escape(title)}</h1><p>{html.escape(course.students[student].name)}"
        body += f'<span class="points">{total}</span></p>'
        for row in rows:
            mark = marks.get((student, row.question))
            body += _question(row, checks.get(row.question, []), mark.comment if mark else "")
        file = course.path / "feedback" / student / lesson / f"{lesson}.html"
        file.parent.mkdir(parents=True, exist_ok=True)
        with written(file) as new:
            new.write(_page(title, body).encode("utf-8", "replace"))
        made.append(file)
    return made


def _question(row, checks, comment):
    points = f"{export.number(float(row.points or 0))} of {export.number(float(row.max_points))}"
    if row.points is None:
        points = f"to be marked, of {export.number(float(row.max_points))}"
    name = row.question.removesuffix("-tests").replace("-", " ").capitalize()
    body = f'<h2>{html.escape(name)}<span class="points">{points}</span></h2>'
    listed, behind = "", False
    for check in checks:
        kind = "behind" if behind else "wrong" if check["told"] else "right"
        behind = behind or bool(check["told"])
        listed += f'<li class="{kind}">{html.escape(check["name"])}</li>'
    if listed:
        body += f'<ul style="list-style: none; padding: 0">{listed}</ul>'
    if row.reason and row.points is not None:
        body += f'<p class="told">{html.escape(row.reason[:2000])}</p>'
    if comment:
        body += f'<div class="answer">{html.escape(comment)}</div>'
    return body


REVIEW = """
const stored = `marks ${location.href}`;
const marks = JSON.parse(localStorage.getItem(stored) || "{}");
const quoted = (text) => (/[",\\n\\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const articles = [...document.querySelectorAll("article")];
const told = () => {
  const done = articles.filter((a) => a.querySelector("input").value !== "").length;
  document.querySelector("#done").textContent = `${done} of ${articles.length} marked`;
};
articles.forEach((a) => {
  const fields = [a.querySelector("input"), a.querySelector("textarea")];
  fields.forEach((field, i) => {
    const known = (marks[a.dataset.student] || [])[i];
    if (known !== undefined) field.value = known;
    field.addEventListener("input", () => {
      marks[a.dataset.student] = fields.map((f) => f.value);
      localStorage.setItem(stored, JSON.stringify(marks));
      told();
    });
  });
});
let here = -1;
const go = (i) => { here = Math.max(0, Math.min(articles.length - 1, i)); articles[here].focus(); };
document.addEventListener("keydown", (e) => {
  if (e.target.tagName === "TEXTAREA" && e.key !== "Escape") return;
  if (e.target.tagName === "INPUT" && e.key !== "Enter" && e.key !== "Escape") return;
  if (e.key === "Escape" && here >= 0) articles[here].focus();
  if (e.key === "c" && here >= 0) {
    articles[here].querySelector("textarea").focus();
    e.preventDefault();
  }
  if (e.key === "j" || e.key === "Enter") { go(here + 1); e.preventDefault(); }
  else if (e.key === "k") go(here - 1);
  else if (/^[0-9]$/.test(e.key) && here >= 0) {
    const input = articles[here].querySelector("input");
    const parts = Math.min(+e.key, 9) * +input.step;
    input.value = Math.min(parts, +input.max);
    input.dispatchEvent(new Event("input"));
  }
});
articles.forEach((a, i) => a.addEventListener("focusin", () => { here = i; }));
document.querySelector("#save").addEventListener("click", () => {
  const lines = ["student,question,points,comment"];
  const question = document.querySelector("main").dataset.question;
  articles.forEach((a) => {
    const points = a.querySelector("input").value;
    const comment = a.querySelector("textarea").value.trim();
    if (points === "" && comment === "") return;
    lines.push([a.dataset.student, question, points, quoted(comment)].join(","));
  });
  const link = document.createElement("a");
  link.href = "data:text/csv;charset=utf-8," + encodeURIComponent(lines.join("\\n") + "\\n");
  link.download = "marks.csv";
  link.click();
});
told();
"""


def review(course, lesson):
    """Writes a page for each written question of a lesson, with all students' answers and what they had on the screen.

    Returns:
        List of the files.
    """
    lesson, made = course.lesson(lesson), []
    given = gradebook.marks(course, lesson)
    for question in notebooks.questions(lesson):
        if question.exercise is not None:
            continue
        articles = []
        for student in course.students:
            file = course.submitted(student, lesson)
            if not file.is_file():
                continue
            try:
                cells = notebooks.read(file.read_bytes())
            except notebooks.BadNotebook:
                continue
            mark = given.get((student, question.name))
            articles.append(_article(student, cells, question, lesson, mark))
        title = f"{course.path.name}: {lesson}, {question.name}"
        # 0 to 9 give so many steps of a half, or of a point where there are many.
        body = (
            f'<main data-question="{html.escape(question.name)}"><div class="bar">'
            f'<b>{html.escape(title)}</b> <span id="done"></span> <button id="save">Save marks.csv</button><br>'
            "<small>j, k: next, before. 0 to 9: that many half points. Enter: the next one. "
            "c: a comment that the student reads, Escape: out of it.</small></div>"
            f"<details open><summary>The question</summary>{_text(question.prompt)}</details>"
            f"<details open><summary>How it is marked</summary>{_text(question.rubric)}</details>"
            f"{''.join(articles)}</main>"
        )
        file = course.path / "review" / lesson / f"{question.name}.html"
        file.parent.mkdir(parents=True, exist_ok=True)
        with written(file) as new:
            new.write(_page(title, body, REVIEW).encode("utf-8", "replace"))
        made.append(file)
    return made


def _article(student, cells, question, lesson, mark):
    answer = notebooks.answer_of(cells, question, lesson)
    place = next((i for i, c in enumerate(cells) if c.grade_id == question.name), len(cells))
    near = [c for c in cells[place : place + 6] if c.kind == "code"][:2]
    shown = [o for c in notebooks.shown(near)["cells"] for o in c.get("outputs", [])]
    known = mark is not None and mark.points is not None
    value = f'value="{export.number(float(mark.points))}"' if known else ""
    comment = html.escape(mark.comment) if mark else ""
    return (
        f'<article tabindex="0" data-student="{html.escape(student)}"><h2>{html.escape(student)} '
        f'<span class="points"><input type="number" min="0" max="{question.points}" step="0.5" {value} '
        f'aria-label="points"> of {export.number(float(question.points))}</span></h2>'
        f'<div class="answer">{html.escape(answer if answer is not None else "(The cell is not there.)")}</div>'
        f"{''.join(map(_shown, shown))}"
        f'<textarea rows="2" aria-label="comment" placeholder="a comment">\n{comment}</textarea></article>'
    )


def _shown(output):
    if output["output_type"] == "stream":
        return f"<pre>{html.escape(output['text'][:5000])}</pre>"
    if output["output_type"] == "error":
        return f"<pre>{html.escape(output['ename'])}: {html.escape(output['evalue'])}</pre>"
    for kind in ("image/png", "image/jpeg"):
        if kind in output["data"]:
            content = "".join(output["data"][kind].split())
            return f'<img alt="" src="data:{kind};base64,{content}">'
    return f"<pre>{html.escape(output['data'].get('text/plain', '')[:5000])}</pre>"


def _text(markdown):
    """A text of the lesson's own; nbconvert comes with nbgrader."""
    from nbconvert.filters.markdown_mistune import markdown2html_mistune

    return f"<div>{markdown2html_mistune(markdown)}</div>"


def read_marks(path):
    """The marks of a page's file: dict from `(student, question)` to `gradebook.Mark`.

    Raises:
        UsageError: for a file that is none of these.
    """
    import csv
    import io
    from pathlib import Path

    from ganedu.course.classroom.gradebook import Mark
    from ganedu.disk import read_text
    from ganedu.runtime import UsageError

    found = {}
    try:
        for line in csv.DictReader(io.StringIO(read_text(Path(path)), newline="")):
            points, comment = line["points"].strip(), (line.get("comment") or "").strip()
            if points or comment:
                mark = Mark(float(points) if points else None, comment)
                found[line["student"], line["question"]] = mark
        return found
    except (KeyError, ValueError, AttributeError, UnicodeDecodeError) as e:
        if isinstance(e, UsageError):
            raise
        raise UsageError(
            f"{path} must have the columns student, question, points, as a page of `review` saves them"
        ) from None
