"""Names that mean something to some program on the way: to a terminal, a browser, a spreadsheet, TeX, a shell."""

from __future__ import annotations

import random

__all__ = ["FORMULAS", "KINDS", "MARKER", "hostile_names"]

# What a script in a name would do to a page, in several ways.
MARKER = "document.title='scripted';window.scripted=1;alert(1)"

KINDS: dict[str, tuple[str, ...]] = {
    "formulas of TeX": ("$x^2$", "$", "$$", r"\frac{$a", r"$\undefined{", "a_b", "_hidden", "x^y", "{}", "}{",
        r"\$", "%", "$_{"),
    "formats": ("{0}", "{name!r}", "%s", "%(x)s", "%n", "{{ 7 * 7 }}", "{% raw %}", "{# gone #}", "${HOME}", "`id`",
        "$(id)"),
    "controls": ("two\nlines", "tab\there", "\r", "\x00", "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x7f", "\x85",
        "\x9b1m", "\b\b"),
    "breaks": ("\u2028", "\u2029", "\v", "\f", "\x1c", "\x1e"),
    "directions": ("שלום", "مرحبا", "\u202eback", "\u202dfore", "\u2067in\u2069", "\u200ftest", "\u061c1",
        "abc שלום 12", "١٢٣"),
    "marks": ("e\u0301", "\u0301", "Z\u0351\u0357\u0365\u0310" * 3, "a" + "\u0301" * 60, "\u20dd", "क्षि", "각"),
    "without width": ("\u200b", "\u200c", "\u200d", "\ufeff", "\u2060", "\u00ad", "a\u200bb", "\u3164", "\u2800",
        "\u034f", "\ufe0f"),
    "emoji": ("\U0001f600", "\U0001f468\u200d\U0001f4bb", "\U0001f1e9\U0001f1ea", "1\ufe0f\u20e3",
        "\U0001f3f4\U000e0067\U000e007f"),
    "no characters": ("\ud800", "\udfff", "\ufffe", "\uffff", "\ufdd0", "\U0001ffff", "\U0010fffe", "\ue000",
        "\U000f0000", "\ufffd"),
    "wide": ("模型", "ﾓﾃﾞﾙ", "모델", "Ａ", "\u3000", "𝕏", "𠜎", "ﷺ", "꧅"),
    "long": ("x" * 10_000, "W" * 10_000, "模" * 10_000, "$" * 10_000, "\u05d0" * 10_000, "a b " * 2_500,
        "<b>" * 3_000, "\x1b" * 9_999),
    "blanks": (" ", "  ", " a", "a ", "a  b", "\xa0", "\u2003", "\t\t"),
    "pages": (
        f"<script>{MARKER}</script>", f"</script><script>{MARKER}//", f"<img src=x onerror={MARKER!r}>",
        "</td></table>",
        f"javascript:{MARKER}", f'" onmouseover="{MARKER}', f"' onfocus='{MARKER}' autofocus='", "]]>", "-->", "<!--",
        f"<svg onload={MARKER!r}>", "&lt;b&gt;", "&#60;", "&", f"<iframe srcdoc='<script>{MARKER}</script>'>",
        "</style>",
        "<style>*{display:none}</style>", "</title>", "<plaintext>", '<meta http-equiv="refresh" content="0">',
        "<base href=//x>",
    ),
    "quotes": ('"', "'", "''", '"""', "\\", "\\n", "\\\\", "a,b", "a;b", "a|b", '"a","b"', "`"),
    "spreadsheets": ("=cmd|'/c calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1+1", "\r=1", "=HYPERLINK(\"http://x\")",
        "'=1", "''+1", "＝1"),
    "paths": ("../../etc/passwd", "/etc/passwd", "..", ".", "a/b", "C:\\new\\x41", "CON", "NUL", "aux.txt", "~",
        "file://x", "-rf"),
    "words": ("nan", "None", "True", "null", "inf", "0", "1e308", "model", "status", "undefined", "id", "__proto__",
        "constructor"),
}  # fmt: skip
FORMULAS = "=+-@\t\r"


def hostile_names(count: int = 500, *, seed: int = 17) -> list[str]:
    """Return different names: each of every kind, then mixtures of two and three; no two seeds give the same ones."""
    draw = random.Random(seed)
    found = dict.fromkeys(name for names in KINDS.values() for name in names)
    kinds = list(KINDS.values())
    while len(found) < count:
        parts = [draw.choice(draw.choice(kinds)) for _ in range(draw.choice((2, 2, 3)))]
        text = draw.choice(("", " ", "-", "_", "/")).join(part[: draw.choice((20, 200))] for part in parts)
        found.setdefault(text)
    names = list(found)[:count]
    draw.shuffle(names)
    return names
