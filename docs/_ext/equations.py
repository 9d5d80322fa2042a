r"""From the equations of a model's docstring, plain text with the paper's letters, to TeX.

>>> tex("x_hat = epsilon x + (1 - epsilon) G(z)")
'\\hat{x} = \\epsilon\\, x + (1 - \\epsilon)\\, G(z)'
"""

import re

# fmt: off
GREEK = {
    "alpha", "beta", "gamma", "delta", "epsilon", "lambda", "mu", "phi", "pi", "psi", "rho",
    "sigma", "tau", "theta",
}
# fmt: on
FUNCTIONS = ["log", "exp", "min", "max", "cos", "tanh", "det"]
# fmt: off
OPERATORS = {
    "clip", "softmax", "KL", "CE", "Var", "SNR", "ODE", "Enc", "Dec", "Dis", "sg", "logit", "E",
    "N", "sum", "prod", "grad",
}
# fmt: on
VERBS = ["minimize", "minimizes", "maximize", "maximizes"]
SYMBOLS = {
    "<-": r"\leftarrow ",
    "<=": r"\le ",
    "...": r"\ldots ",
    "~": r"\sim ",
    ";": r";\ ",
    ":": r"\colon ",
    ".": r"\cdot ",
}
# At a line's end, behind a gap: where the paper has it.
REFERENCE = re.compile(r"\s{2,}\(((?:[^()]|\([^()]*\))*)\)\s*$")
TOKEN = re.compile(
    r"`[^`]+`|\s{2,}|\s|<-|<=|\.\.\.|\|\||\||\d-[A-Z][a-z]+|[A-Za-z]+(?:-[A-Za-z]{2,})+|[A-Za-z]+"
    r"|\d+(?:,\d{3})*(?:\.\d+)?|."
)


def split_reference(line):
    """An equation's line as the equation and what stands in brackets at its end: two str."""
    found = REFERENCE.search(line)
    return (line[: found.start()].strip(), found[1]) if found else (line.strip(), "")


def is_prose(line):
    """Whether a line is a sentence rather than an equation."""
    words = re.findall(r"(?<![\w`(_])[a-z]{3,}(?![\w`(_])", line)
    known = {*GREEK, *FUNCTIONS, *OPERATORS, *VERBS}
    told = sum(word not in known for word in words)
    return told > 5 or (told > 3 and "`" in line)


class _Reader:
    """Reads tokens from left to right. A piece is its kind and its TeX; kinds are `atom`, `group` (in brackets), `name`
    (a function or operator, which comes before what it is of), `text`, `space`, `gap` and `sign`."""

    def __init__(self, text):
        self.tokens = TOKEN.findall(text)
        self.i = 0
        self.norm_is_open = False

    def peek(self, ahead=0):
        i = self.i + ahead
        return self.tokens[i] if 0 <= i < len(self.tokens) else ""

    def next(self):
        self.i += 1
        return self.tokens[self.i - 1]

    def until(self, close=""):
        """What stands before a closing bracket, which is taken; all, if there is none to come."""
        pieces = []
        while self.i < len(self.tokens) and self.peek() != close:
            pieces.append(self.piece())
        if close and self.peek() == close:
            self.next()
        return joined(fractions(pieces))

    def with_scripts(self, base):
        """A name or bracket with what stands at its foot and head: `_t`, `_{t,i}`, `^2`, `'`, `~`, `_hat`."""
        accent, below, above = "", "", ""
        if self.peek() == "~" and self.peek(1) in (" ", ",", ")", "]", "|", ""):
            self.next()
            accent = r"\tilde"
        elif self.peek() == "^" and self.peek(1) in (")", ",", "]"):
            self.next()
            accent = r"\hat"
        elif self.peek() in ("+", "-") and base == "y" and self.peek(1) in (" ", ",", ")", "]"):
            above = self.next()
        elif base == "R" and self.peek().isdigit():
            below = self.next()
        while self.peek() in ("_", "^", "'"):
            kind = self.next()
            if kind == "'":
                above += r"\prime"
            elif kind == "^":
                above += self.script()
            elif self.peek() in ("hat", "bar", "mean"):
                accent = {"hat": r"\hat", "bar": r"\bar", "mean": r"\bar"}[self.next()]
            else:
                below += self.script()
        base = f"{accent}{{{base}}}" if accent else base
        return base + (f"_{{{below}}}" if below else "") + (f"^{{{above}}}" if above else "")

    def script(self):
        if self.peek() in ("{", "("):
            return self.until({"{": "}", "(": ")"}[self.next()])
        colon = ":"
        before = self.next() if self.peek() == colon else ""
        word = self.next()
        if word in GREEK:
            return f"\\{word}"
        after = self.next() if self.peek() == colon else ""
        shown = word if len(word) == 1 else rf"\mathrm{{{word}}}"
        return f"{before}{shown}{after}"

    def name(self, word):
        bases = {"E": r"\mathbb{E}", "N": r"\mathcal{N}", "grad": r"\nabla"}
        if word in bases:
            kind, base = "name", bases[word]
        elif word in (*FUNCTIONS, "sum", "prod"):
            kind, base = "name", f"\\{word}"
        elif word in OPERATORS:
            kind, base = "name", rf"\operatorname{{{word}}}"
        else:
            kind, base = "atom", f"\\{word}" if word in GREEK else word
        return kind, self.with_scripts(base)

    def words(self, first):
        """Words of English that follow each other, as text."""
        text = [first]
        while self.peek() == " " and self.is_word(self.peek(1), 1):
            self.next()
            text.append(self.next())
        return "text", r"\text{" + " ".join(text) + "}"

    def is_word(self, token, ahead=0):
        if "-" in token[1:] and token[-1].isalpha():
            return True
        if not token[:1].isalpha() or token in {*GREEK, *FUNCTIONS, *OPERATORS}:
            return False
        after, later = self.peek(ahead + 1), self.peek(ahead + 2)
        if token == "a":
            return after == " " and len(later) > 2 and later.isalpha()
        return len(token) > 1 and after not in ("_", "^", "(")

    def piece(self):
        token = self.next()
        if token.isspace():
            return ("gap", r"\quad ") if len(token) > 1 else ("space", " ")
        if token.startswith("`"):
            name = token.strip("`")  # MathJax takes an underscore in text as it is
            return "atom", rf"\texttt{{{name}}}"
        if token == "sqrt" and self.peek() == "(":
            self.next()
            under = self.until(")")
            return "atom", rf"\sqrt{{{under}}}"
        if token == "stop" and self.peek() == "_":
            self.i += 2
            return "name", r"\operatorname{sg}"
        if token in ("df", "dx"):
            return "atom", rf"\partial {token[1]}"
        if token == "in" and self.peek(1) in ("(", "["):
            return "sign", r"\in "
        if self.is_word(token):
            return self.words(token)
        if token[0].isalpha():
            return self.name(token)
        if token[0].isdigit():
            return "atom", self.with_scripts(token)
        if token in ("(", "["):
            close = {"(": ")", "[": "]"}[token]
            return "group", self.with_scripts(f"{token}{self.until(close)}{close}")
        if token == "||":
            return self.double_bar()
        if token == "|":
            return self.bar()
        if token == "*":
            return "sign", r"\ast " if self.tokens[self.i - 5 : self.i - 4] == ["W"] else r"\cdot "
        return "sign", SYMBOLS.get(token, f" {token} " if token in ("-", "+", "=", "/") else token)

    def bar(self):
        """Of an absolute value, which here is that of a determinant; else "given"."""
        absolute = self.peek() == "det" or self.peek(-2) in ("dx", "det")
        return ("atom", "|") if absolute else ("sign", r"\mid ")

    def double_bar(self):
        if self.peek(-2) == self.peek() == " ":
            return "sign", r"\,\Vert\, "
        self.norm_is_open = not self.norm_is_open
        if self.norm_is_open:
            return "sign", r"\lVert "
        return "norm", self.with_scripts(r"\rVert")


def fractions(pieces):
    """`(a + b) / (c + d)`, `1/2`: what stands by itself on both sides of a stroke becomes a fraction."""
    pieces = list(pieces)
    i = 1
    while i < len(pieces) - 1:
        if pieces[i][1].strip() == "/":
            wide = pieces[i - 1][0] == "space"
            left, right = (i - 2, i + 2) if wide else (i - 1, i + 1)
            before = left - 1
            while before >= 0 and pieces[before][0] == "space":
                before -= 1
            alone = before < 0 or pieces[before][0] in ("sign", "gap", "text")
            if not wide:
                alone = before < 0 or pieces[before][0] != "name" or pieces[left - 1][0] == "space"
            both = left >= 0 and right < len(pieces)
            if both and alone and {pieces[left][0], pieces[right][0]} <= {"atom", "group"}:
                over, under = (bare(pieces[k]) for k in (left, right))
                kind = "frac" if wide else "tfrac"
                pieces[left : right + 1] = [("atom", rf"\{kind}{{{over}}}{{{under}}}")]
                i = left
        i += 1
    return pieces


def bare(piece):
    """A piece without its brackets."""
    kind, text = piece
    return text[1:-1] if kind == "group" and text[-1] in ")]" else text


def joined(pieces):
    """Pieces as one formula, a thin space where a product is."""
    factors = ("atom", "group", "norm")
    shown = ""
    for i, (kind, text) in enumerate(pieces):
        beside = [pieces[k][1].strip() for k in (i - 1, i + 1) if 0 <= k < len(pieces)]
        if kind == "gap" and {"+", "=", r"\le"} & {*beside}:
            shown += " "
        elif kind == "space":
            before = pieces[i - 1][0] if i else ""
            after = pieces[i + 1][0] if i + 1 < len(pieces) else ""
            opens = i + 1 < len(pieces) and pieces[i + 1][1] == r"\lVert "
            if "text" in (before, after) and "sign" not in (before, after):
                shown += r"\ "
            elif before in factors and (after in (*factors, "name") or opens):
                shown += r"\, "
            else:
                shown += " "
        else:
            shown += text
    return re.sub(r" +", " ", shown).strip()


def tex(equation):
    """An equation in plain text, as TeX.

    Args:
        equation: str, as in a model's docstring: `E_z[D(G(z))]`, `||x - x'||^2`, `alpha_bar_t`, `sum_j`.

    Returns:
        str, a formula of LaTeX.
    """
    return _Reader(equation).until()
