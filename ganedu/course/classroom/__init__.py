"""The classroom: release lessons, collect them, grade a whole class, say what was wrong, and hand the grades on.

A course is a folder as nbgrader has it, with its gradebook, so that nbgrader's own tools work on it too:

    course.toml                     lessons, dates, the late rule (`folder`)
    students.csv                    the roster
    release/LESSON/                 what students get (`release`)
    submitted/ID/LESSON/            what they handed in, with the time (`collect`)
    graded/LESSON/ID.json           what each check said (`grading`)
    autograded/ID/LESSON/           the notebook as it is shown to the teacher, without scripts
    gradebook.db                    nbgrader's
    feedback/ID/LESSON/             a page for the student (`pages`)

Students' code runs in a box (`box`, `boxed`) on inputs drawn for this grading; it gives back arrays, and they are
compared outside of it.
"""
