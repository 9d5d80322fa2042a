"""`ganedu classroom`: release lessons, collect and grade them, give feedback, hand grades on."""

from pathlib import Path

import click

from ganedu.disk import NO_ROOM
from ganedu.runtime import RunError, UsageError

COURSE = click.argument("course", type=click.Path(path_type=Path))
LESSON = click.argument("lesson")


def _read(course):
    from ganedu.course.classroom import folder

    return folder.read(course)


class _Group(click.Group):
    """A full disk is a teacher's to mend, as bad input is: status 2."""

    def invoke(self, context):
        try:
            return super().invoke(context)
        except OSError as e:
            if e.errno not in NO_ROOM:
                raise
            raise UsageError(f"{e.filename or 'A file'} cannot be written ({e.strerror})") from None


@click.group(cls=_Group)
def classroom():
    """Release lessons to a class, collect and grade them, hand grades on."""


@classroom.command("new")
@COURSE
@click.option("--lessons", "names", required=True, help="Names or numbers, as 00,03,06.")
@click.option(
    "--roster",
    required=True,
    type=click.Path(path_type=Path),
    help="CSV: id,first_name,last_name,email.",
)
@click.option("--variants", is_flag=True, help="A variant of an exercise for each student.")
@click.option("--locked", is_flag=True, help="A result shows only once it is predicted.")
def new_course(course, names, roster, variants, locked):
    """Make the folder COURSE; dates and the late rule stand in its course.toml."""
    from ganedu.course.classroom import folder

    made = folder.create(course, names.split(","), roster, variants, locked)
    click.echo(f"{course}: {len(made.students)} students, {len(made.lessons)} lessons")
    click.echo(f"Dates and the late rule: {course / 'course.toml'}")


@classroom.command("release")
@COURSE
@LESSON
@click.option("--out", type=click.Path(path_type=Path), help="A folder for the zip.")
def release(course, lesson, out):
    """Make the students' copy of LESSON, zipped."""
    from ganedu.course.classroom import collecting

    click.echo(collecting.release(_read(course), lesson, out))


@classroom.command("collect")
@COURSE
@LESSON
@click.argument("path", type=click.Path(path_type=Path))
def collect(course, lesson, path):
    """Take what was handed in for LESSON: a folder of ID/NAME.ipynb, or a zip of Moodle's or Canvas's."""
    from ganedu.course.classroom import collecting

    collected, mails = collecting.collect(_read(course), lesson, path)
    click.echo(f"{len(collected)} collected")
    if mails:
        click.echo("To write to:")
    for who, why in mails:
        click.echo(f"  {who}: {why}")


def _grade_options(command):
    for option in (
        click.option("--jobs", type=click.IntRange(1), help="Boxes at once; one for each core."),
        click.option("--scheduler", help="A Dask scheduler's address, as tcp://host:8786."),
        click.option("--unsafe", is_flag=True, help="Run students' code without a box."),
    ):
        command = option(command)
    return command


def _grade(course, lesson, jobs, scheduler, unsafe):
    from ganedu.course.classroom import grading

    def progress(student, lesson, rows):
        known = [row["points"] for row in rows if row["points"] is not None]
        odd = sorted({row["status"] for row in rows} & {"error", "refused"})
        click.echo(f"{student} {lesson}: {sum(known):g}{' ' + ', '.join(odd) if odd else ''}")

    jobs = jobs or grading.default_jobs()
    done = grading.grade(course, lesson, jobs, scheduler, safe=not unsafe, progress=progress)
    click.echo(
        f"{done['graded']} graded, {done['unchanged']} unchanged; "
        f"their code took {done['processor_seconds']:.0f} s of the processor"
    )


@classroom.command("grade")
@COURSE
@click.argument("lesson", required=False)
@_grade_options
def grade(course, lesson, jobs, scheduler, unsafe):
    """Grade what was collected (all lessons by default) and is not graded yet."""
    _grade(_read(course), lesson, jobs, scheduler, unsafe)


@classroom.command("regrade")
@COURSE
@LESSON
@_grade_options
def regrade(course, lesson, jobs, scheduler, unsafe):
    """Grade LESSON where notebook or exercise changed; marks by hand stay."""
    _grade(_read(course), lesson, jobs, scheduler, unsafe)


@classroom.command("review")
@COURSE
@LESSON
@click.option("--marks", type=click.Path(path_type=Path), help="A marks.csv that a page saved.")
def review(course, lesson, marks):
    """Make a page for each written question; take the marks that it saved."""
    from ganedu.course.classroom import gradebook, pages

    course = _read(course)
    if marks:
        given = pages.read_marks(marks)
        gradebook.set_marks(course, course.lesson(lesson), given)
        click.echo(f"{len(given)} marks taken")
        return
    for file in pages.review(course, lesson):
        click.echo(file)


@classroom.command("feedback")
@COURSE
@LESSON
def feedback(course, lesson):
    """Make a page for each student: what each check said."""
    from ganedu.course.classroom import pages

    files = pages.feedback(_read(course), lesson)
    click.echo(f"{len(files)} pages in {course / 'feedback'}")


@classroom.command("grades")
@COURSE
@click.option(
    "--format",
    "form",
    type=click.Choice(["plain", "moodle", "canvas"]),
    default="plain",
    show_default=True,
)
@click.option("--out", required=True, type=click.Path(path_type=Path))
@click.option("--late", help="In the place of the course's rule: 10%/day, or none.")
@click.option("--grace", help="In the place of the course's: 30m, 2h, 1d.")
def grades(course, form, out, late, grace):
    """Write the grades as CSV."""
    from ganedu.course.classroom import export, folder
    from ganedu.disk import written

    course, rule = _read(course), None
    if late is not None or grace is not None:
        usual = folder.late_rule(late or "none", grace or "0h")
        rule = (
            usual
            if late is not None
            else folder.LateRule(course.late.share, course.late.hours, usual.grace)
        )
    text = export.write(course, form, rule)
    with written(out) as file:
        file.write(text.encode("utf-8", "replace"))
    click.echo(f"{out}: {len(text.splitlines()) - 1} rows")


@classroom.command("similar")
@COURSE
@LESSON
@click.option("--threshold", type=click.FloatRange(0, 1), default=0.9, show_default=True)
def similar(course, lesson, threshold):
    """List pairs of solutions that are alike but for names and layout."""
    from ganedu.course.classroom import similarity

    for pair in similarity.pairs(_read(course), lesson, threshold):
        click.echo(f"{pair.share:.2f}  {pair.question}: {pair.one}, {pair.other}")


@classroom.command("check")
@COURSE
@click.option("--unsafe", is_flag=True, help="Run without a box.")
def check(course, unsafe):
    """Is each exercise strong? Its right, wrong and package's answers against its tests."""
    from ganedu.course.classroom import strength

    weak = 0
    for told in strength.report(_read(course), safe=not unsafe):
        weak += not told.strong
        click.echo(f"{told.exercise}: {told.summary}")
        for line in told.faults:
            click.echo(f"  {line}")
    if weak:
        raise RunError(f"{weak} exercises let wrong answers pass, or right ones fail")
