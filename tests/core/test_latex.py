r"""Texts, tables and Markdown in LaTeX: what comes out is read back by a small reader of its own."""

import re
import shutil
import subprocess
import unicodedata

import numpy as np
import pandas as pd
import pytest

from moltheory import bounds, certify, reports, theorems
from moltheory._core._latex import document, escaped, frame_table, number, table
from moltheory._core._latex_markdown import latex_of

SPECIAL = "".join(map(chr, range(32, 127)))
NAMES = [
    SPECIAL,
    "a_b%c&d#e$f~g^h\\i{j}k",
    "-- --- '' ``?`!` ---'--",
    "Súkeník, Łódź, ő, ç, ñ, ß, Ø, æ",
    "αβγδεζηθικλμνξοπρστυφχψω ΓΔΘΛΞΠΣΦΨΩ",
    "≤≥≠≈±×·−∞∑√∈→←⊂⊆∪∩ 10⁻⁵ x₁ – — “q” ’",
    "中文 \U0001f600 \n\t\x00 e\u0301\u0327",
    "\\textbf{x} \\input{/etc/passwd} \\write18{ls}",
]
_COMMANDS = {
    "textbackslash": "\\",
    "textasciitilde": "~",
    "textasciicircum": "^",
    "textasciigrave": "`",
    "textquotesingle": "'",
    "nobreakspace": "\xa0",
    "textendash": "–",
    "textemdash": "—",
    "textquotedblleft": "“",
    "textquotedblright": "”",
    "textquoteright": "’",
    "ss": "ß",
    "o": "ø",
    "O": "Ø",
    "l": "ł",
    "L": "Ł",
    "ae": "æ",
    "AE": "Æ",
    "i": "ı",
}
_MATHS = {
    "leq": "≤",
    "geq": "≥",
    "neq": "≠",
    "approx": "≈",
    "pm": "±",
    "times": "×",
    "cdot": "·",
    "infty": "∞",
    "sum": "∑",
    "surd": "√",
    "in": "∈",
    "rightarrow": "→",
    "leftarrow": "←",
    "subset": "⊂",
    "subseteq": "⊆",
    "cup": "∪",
    "cap": "∩",
    "varepsilon": "ε",
}
_ACCENTS = {"`": "\u0300", "'": "\u0301", "^": "\u0302", "~": "\u0303", '"': "\u0308", "H": "\u030b", "v": "\u030c"}
_ACCENTS |= {"r": "\u030a", "c": "\u0327", ".": "\u0307", "=": "\u0304", "u": "\u0306"}
_TOKEN = re.compile(
    r"\\texttt\{U\+(?P<point>[0-9A-F]+)\}|\\ensuremath\{(?P<math>(?:[^{}]|\{[^{}]*\}|\{\})*)\}|\{\\char34\}(?P<quote>)|"
    r"\\(?P<accent>[`'^~\"=.]|[Hvrcu](?=\{\w\}))\{(?P<letter>\w)\}|\\(?P<command>[A-Za-z]+)\{\}|\\(?P<plain>[{}_%&#$])|"
    r"(?P<join>\{\})|(?P<one>[^\\{}_%&#$~^<>|\"])",
    re.DOTALL,
)


def read_back(text):
    """Return the characters that an escaped text prints; fails on anything that is not one of its forms."""
    parts, end = [], 0
    for token in _TOKEN.finditer(text):
        assert token.start() == end, text[end : end + 40]
        end = token.end()
        parts.append(_printed(token))
    assert end == len(text)
    return "".join(parts)


def _printed(token):
    kind = token.lastgroup if token["letter"] is None else "accent"
    if kind == "point":
        return chr(int(token["point"], 16))
    if kind == "math":
        return _mathematics(token["math"])
    if kind == "accent":
        return unicodedata.normalize("NFC", token["letter"] + _ACCENTS[token["accent"]])
    values = {"quote": '"', "join": "", "command": _COMMANDS.get(token["command"]), "plain": token["plain"]}
    return values[kind] if kind in values else token["one"]


def _mathematics(text):
    script = re.fullmatch(r"\{\}([\^_])\{(.)\}", text)
    if script:
        digits = {"^": "⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "_": "₀₁₂₃₄₅₆₇₈₉"}[script[1]]
        return digits["0123456789-".index(script[2])]
    upright = re.fullmatch(r"\\mathrm\{(\w)\}", text)
    if upright:
        return "ο" if upright[1] == "o" else upright[1]
    if not text.startswith("\\"):
        return {"-": "−"}.get(text, text)
    name = text[1:]
    if name in _MATHS:
        return _MATHS[name]
    kind = "CAPITAL" if name[0].isupper() else "SMALL"
    return unicodedata.lookup(f"GREEK {kind} LETTER {name.upper().replace('LAMBDA', 'LAMDA')}")


@pytest.mark.parametrize("text", NAMES)
def test_special_characters_come_back(text):
    assert read_back(escaped(text)) == text
    assert escaped(text).isascii()


def test_the_reader_does_not_take_what_would_run():
    for wrong in ("a_b", "50%", "\\input{x}", "$x$", "{", "a & b", "#1", "x^2"):
        with pytest.raises(AssertionError):
            read_back(wrong)


def test_characters_that_tex_would_join_are_kept_apart():
    for pair in ("--", "''", "?`", "!`"):
        assert pair not in escaped(pair * 3)


def test_numbers():
    assert number(0.1 + 0.2) == "$0.3$"
    assert number(1e-12) == "$1 \\cdot 10^{-12}$"
    assert number(-np.inf) == "$-\\infty$"


def test_tables_are_balanced_and_escaped():
    frame = pd.DataFrame({"a_b": NAMES, "50%": np.linspace(0, 1, len(NAMES)), "yes & no": [True, False] * 4})
    text = frame_table(frame, caption="A_1 & {B}")
    assert text.startswith("\\begin{table}")
    rows = [line for line in text.splitlines() if line.endswith(r" \\")]
    assert len(rows) == 1 + len(NAMES)
    assert r"\begin{tabular}{lrl}" in text
    assert r"\caption{A\_1 \& \{B\}}" in text
    # Every row has two separators that are not escaped.
    assert all(len(re.findall(r"(?<!\\)&", row)) == 2 for row in rows)
    assert r"{[}1pt]" in table(["x"], [["[1pt]"]])
    assert table(["x"], []).count("hline") == 2
    assert "--" in table(["x"], [[None], [float("nan")]])


@pytest.mark.parametrize(
    ("markdown", "latex"),
    [
        ("*a b* and **c** 5 * 3", r"\emph{a b} and \textbf{c} 5 * 3"),
        ("$x_i * y_j$ * $*$", "$x_i * y_j$ * $*$"),
        ("`a_b*c*`", r"\texttt{a\_b*c*}"),
        ("a\nb\n\nc", "a b\n\nc"),
        ("# Title_1\n\ntext", "\\section*{Title\\_1}\n\ntext"),
        ("so\n\n$$\nx\n\ny\n$$\n\nand z\n\nThen", "so\n\\[\nx\ny\n\\]\nand z\n\nThen"),
        ("1. a\n2. b\n   c", "\\begin{enumerate}\n\\item a\n\\item b c\n\\end{enumerate}"),
        ("2. b", "\\begin{enumerate}\n\\setcounter{enumi}{1}\n\\item b\n\\end{enumerate}"),
        ("These:\n* a\n* $b$", "These:\n\n\\begin{itemize}\n\\item a\n\\item $b$\n\\end{itemize}"),
        ("*Only emphasis.* In 1. place", r"\emph{Only emphasis.} In 1. place"),
        ("\\* no list \\$ 3%", r"* no list \$ 3\%"),
        ("**Proof of *x*.** y", r"\textbf{Proof of \emph{x}.} y"),
        ("a lone $ and * stay", r"a lone \$ and * stay"),
    ],
)
def test_markdown(markdown, latex):
    assert latex_of(markdown) == latex


def test_the_face(refuses):
    refuses("result", reports.latex_table, 3)
    refuses("caption", reports.latex_table, pd.DataFrame({"a": [1]}), caption=3)
    certificate = certify([[0, 1, 1], [1, 0, 1], [0, 0, 1]] * 10, names=["a_b", "50%", "{x}"])
    text = reports.latex_table(certificate, caption="models")
    assert all(escaped(name) in text for name in certificate.names)
    widths = bounds.kl_class([[0.1, 0.2], [0.3, 0.4]], 100, delta=0.05).to_latex()
    assert r"\delta = 0.05" in widths
    assert widths.count(r" \\") == 5
    assert escaped("Langford 2005") in widths
    known = theorems.ledger()
    table_of_all = known.to_latex(caption="all")
    assert all(escaped(name) in table_of_all for name in known)
    proved = known["forward"].to_latex()
    assert proved.count(r"\textbf{Statement.}") == 1
    assert r"\square" in proved
    mine = theorems.Theorem(
        id="a_b", statement="x_1 <= 50% & more", source="me", provenance="conjecture", violation=lambda **_: 0.0
    )
    assert r"\textbf{Statement.} x\_1" in mine.to_latex()
    assert mine.to_bibtex().startswith("@misc{moltheory-a-b,")
    assert "Statement \\texttt{a\\_b}" in mine.to_bibtex()
    proof = theorems.proofs()["forward"]
    assert f"version {proof.version} of its proof" in known["forward"].to_bibtex()
    assert mine.to_bibtex().count("{") == mine.to_bibtex().count("}")
    assert mine.to_latex(standalone=True).count(r"\begin{document}") == 1


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no LaTeX")
@pytest.mark.parametrize("what", ["names", "proofs", "ledger"])
def test_it_compiles(what, tmp_path):
    if what == "proofs":
        text = theorems.proofs().to_latex()
    elif what == "ledger":
        known = theorems.ledger()
        text = document("\n\n".join([known.to_latex(), *(one.to_latex() for one in known.values())]), title="All")
    else:
        text = document(table(["name", "x"], [[name, 0.1] for name in NAMES], columns="p{10cm}r"), title=SPECIAL)
    (tmp_path / "all.tex").write_text(text, encoding="utf-8")
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "-no-shell-escape", "all.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
