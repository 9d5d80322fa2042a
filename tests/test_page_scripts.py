"""The scripts of a page share one scope: of two functions of one name the second would silently take the place of the
first, and two constants of one name would keep the page from starting."""

import collections
import re
import shutil
import subprocess

import pytest
from javascript import declared

from ganedu.explorer import document, lab, page

PAGES = {"run": page.SCRIPTS, **{name: lab.scripts(name) for name in lab.LABS}}


def scope(names):
    """What stands within the scope of joined scripts."""
    return re.fullmatch(
        r'\(\(\) => \{\n"use strict";\n(.*)\n\}\)\(\);', document.script(names), re.S
    )[1]


def twice(text):
    return sorted(name for name, count in collections.Counter(declared(text)).items() if count > 1)


@pytest.mark.parametrize("name", PAGES)
def test_no_two_scripts_of_a_page_declare_one_name(name):
    text = scope(PAGES[name])
    assert {"say", "embed"} < set(declared(text))
    assert twice(text) == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("function a(x) { const b = 1; function c() {} }", "a"),
        ("async function a() {}\nfunction* b() {}", "a b"),
        ("class A extends B { c() { let d; } }\nclass E {}", "A E"),
        ("const a = 1, b = [2, 3], c = (x, y) => { const z = 1; };\nlet d;\nvar e, f = 2;", "a b c d e f"),
        ("const f = function g() {}, C = class D {};\nwindow.h = function i() {};", "f C"),
        ("const { a, b: c, d = { x: 1 }, ...e } = f({ g: 1 }), [h, , [i], j = [1, 2]] = k;", "a c d e h i j"),
        ("const { a: { b, c: [d] }, [e]: g } = f;", "b d g"),
        ("// const a = 1;\n/* function b() {} */ const c = 'let d;', e = \"var f;\";", "c e"),
        ("const a = `${b.map((c) => `{ ${c} `)} } const d = 1;`;\nconst e = 1;", "a e"),
        (r"const a = b.match(/[\p{L}'{]+\/(?:`)/gu) ?? [], c = d / 2 / e;", "a c"),
        ("for (const a of b) { let c; }\n(async () => { const d = 1; })();\nconst e = 1;", "e"),
        ("f(`)`, '}', /[)\"]/);\nconst a = { function: 1, b() {} };", "a"),
    ],
)  # fmt: skip
def test_the_names_of_a_top_level_are_found(text, names):
    assert declared(text) == names.split()


@pytest.mark.parametrize(
    "more",
    [
        "function say() {}",
        "const say = 1;",
        "class Lab {}",
        "let x, { y: fact } = {};",
        "var [embed] = [];",
    ],
)
def test_a_name_that_is_declared_again_is_seen(more):
    (name,) = set(declared(more)) - {"x"}
    assert twice(f"{scope(PAGES['gan'])}\n{more}") == [name]


@pytest.mark.skipif(not shutil.which("node"), reason="Node reads a script's syntax")
@pytest.mark.parametrize("name", PAGES)
def test_node_reads_a_page_s_script(name, tmp_path):
    file = tmp_path / "page.js"
    file.write_text(document.script(PAGES[name]), encoding="utf-8")
    subprocess.run(["node", "--check", file], check=True)
