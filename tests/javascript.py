"""JavaScript as far as tests read it: which names a script declares at its top level."""

import re

# Before a `/` that begins a regular expression, not a division; and before a `function` or `class` that is a value.
OPERATORS = set("(,=:[!&|?{};+-*%<>~^")
VALUES_FOLLOW = {"return", "typeof", "case", "in", "of", "new", "extends", "await", "yield", "void"}
TOKEN = re.compile(
    r"""(?P<blank>\s+|//[^\n]*|/\*.*?\*/)|(?P<string>'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")"""
    r"|(?P<name>[\w$]+)|(?P<mark>=>|\.\.\.|.)",
    re.S,
)
REGEX = re.compile(r"/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/\w*")
OPEN, CLOSE = "([{", ")]}"


def tokens(text):
    """The names and marks of a script, a list of str; each string, template or regular expression is `""`."""
    return _tokens(text, 0, "")[0]


def _tokens(text, at, end):
    """The tokens from a place to the mark `end` that closes what was open there; and the place behind it."""
    found, depth = [], 0
    while at < len(text):
        before = found[-1] if found else ";"
        if text[at] == "`":
            found.append('""')
            at = _behind_template(text, at + 1)
            continue
        match = TOKEN.match(text, at)
        if match["mark"] == "/" and (before[-1] in OPERATORS or before in VALUES_FOLLOW):
            found.append('""')
            at = REGEX.match(text, at).end()
            continue
        at = match.end()
        if match["blank"]:
            continue
        token = '""' if match["string"] else match[0]
        if depth == 0 and token == end:
            return found, at
        depth += (token in OPEN) - (token in CLOSE)
        found.append(token)
    return found, at


def _behind_template(text, at):
    while text[at] != "`":
        if text[at] == "\\":
            at += 2
        elif text.startswith("${", at):
            _, at = _tokens(text, at + 2, "}")
        else:
            at += 1
    return at + 1


def declared(text):
    """The names that functions, classes, `const`, `let` and `var` declare at the top level of a script, in their order;
    one that is declared twice is there twice."""
    found, depth, all_tokens = [], 0, tokens(text)
    for i, token in enumerate(all_tokens):
        if depth == 0 and token in ("function", "class") and _is_statement(all_tokens, i):
            rest = [t for t in all_tokens[i + 1 : i + 3] if t != "*"]
            found.append(rest[0])
        if depth == 0 and token in ("const", "let", "var"):
            found += _bound_by(all_tokens, i + 1)
        depth += (token in OPEN) - (token in CLOSE)
    return found


def _is_statement(all_tokens, i):
    i -= all_tokens[i - 1] == "async" if i else 0
    before = all_tokens[i - 1] if i else ";"
    return before in ("}", ";", ")") or not (before[-1] in OPERATORS or before in VALUES_FOLLOW)


def _bound_by(all_tokens, i):
    """The names of the declarations `a = 1, { b, c: d } = e, [f] = g` that begin at a token."""
    found = []
    while i < len(all_tokens):
        names, i = _target(all_tokens, i)
        found += names
        depth = 0
        while i < len(all_tokens) and not (depth == 0 and all_tokens[i] in (",", ";")):
            depth += (all_tokens[i] in OPEN) - (all_tokens[i] in CLOSE)
            i += 1
        if i == len(all_tokens) or all_tokens[i] == ";":
            break
        i += 1
    return found


def _target(all_tokens, i):
    """The names that a target binds, a name or a pattern; and the place behind it."""
    if all_tokens[i] not in ("{", "["):
        return [all_tokens[i]], i + 1
    end = CLOSE[OPEN.index(all_tokens[i])]
    found, i = [], i + 1
    while all_tokens[i] != end:
        if all_tokens[i] in (",", "..."):
            i += 1
            continue
        if end == "}" and all_tokens[i] == "[":  # a computed key
            i = all_tokens.index("]", i)
        if end == "}" and all_tokens[i + 1] == ":":
            i += 2
        names, i = _target(all_tokens, i)
        found += names
        depth = 0  # a default
        while depth or all_tokens[i] not in (",", end):
            depth += (all_tokens[i] in OPEN) - (all_tokens[i] in CLOSE)
            i += 1
    return found, i + 1
