"""What must hold of every page in a browser: shared by the tests of the report, the certificate page and the explorer.

Each function takes an open page (`tests.browser.open_page`) and returns what is wrong with it, in words: a test asserts
that the list is empty.
"""

from pathlib import Path

import pytest

AXE = Path(__file__).parents[1] / ".npm" / "node_modules" / "axe-core" / "axe.min.js"

WIDTHS = (1280, 768, 400)

# Rectangles of lines of text that a reader sees, from HTML and from inline SVG; one that is cut by its scrolling parent
# counts as far as it is seen.
_TEXTS = r"""
const root = arguments[0] ? document.querySelector(arguments[0]) : document.body;
const shown = e => e.checkVisibility({opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true});
const clipped = (box, e) => {
  let {left, top, right, bottom} = box;
  for (let p = e; p && p !== document.documentElement; p = p.parentElement) {
    const style = getComputedStyle(p);
    if (style.position === 'fixed') break;
    if (style.overflowX !== 'visible' || style.overflowY !== 'visible' || style.clipPath !== 'none') {
      if (p.tagName === 'svg' || p === document.body) continue;
      const b = p.getBoundingClientRect();
      left = Math.max(left, b.left); right = Math.min(right, b.right);
      top = Math.max(top, b.top); bottom = Math.min(bottom, b.bottom);
    }
  }
  return {left, top, right, bottom};
};
const found = [];
const add = (text, rectangle, e) => {
  const box = clipped(rectangle, e);
  if (box.right - box.left > 1 && box.bottom - box.top > 1) found.push({text, ...box});
};
for (const e of root.querySelectorAll('svg text')) {
  if (e.textContent.trim() && shown(e)) add(e.textContent.trim(), e.getBoundingClientRect(), e);
}
const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
for (let node = walker.nextNode(); node; node = walker.nextNode()) {
  const e = node.parentElement, text = node.textContent.trim();
  if (!text || e.closest('svg, script, style, title, noscript, option') || !shown(e)) continue;
  // Bars that stay in sight lie over what is scrolled below them.
  if (['sticky', 'fixed'].includes(getComputedStyle(e.closest('th, thead') ?? e).position)) continue;
  const range = document.createRange();
  range.selectNodeContents(node);
  // A line is as high as its letters here, and not as the space between lines.
  for (const r of range.getClientRects()) add(text, r, e);
}
return found;
"""


def texts(browser, selector=""):
    """Lines of text that are seen, with their boxes: dicts of text, left, top, right, bottom."""
    return browser.execute_script(_TEXTS, selector)


def overlapping_labels(browser, selector="", *, slack=0.25):
    """Pairs of texts of which one covers the other, by more than a share of the smaller height and width."""
    boxes = sorted(texts(browser, selector), key=lambda box: box["top"])
    wrong = []
    for k, one in enumerate(boxes):
        for other in boxes[k + 1 :]:
            if other["top"] >= one["bottom"]:
                break
            across = min(one["right"], other["right"]) - max(one["left"], other["left"])
            down = min(one["bottom"], other["bottom"]) - other["top"]
            width = min(one["right"] - one["left"], other["right"] - other["left"])
            height = min(one["bottom"] - one["top"], other["bottom"] - other["top"])
            if down > slack * height and across > min(2.0, slack * width):
                wrong.append(f"{one['text'][:40]!r} and {other['text'][:40]!r}")
    return wrong


def texts_cut_off(browser, selector=""):
    """Texts that run out of the page, or out of the SVG that holds them."""
    wide = browser.execute_script("return document.documentElement.clientWidth")
    wrong = [box["text"] for box in texts(browser, selector) if box["left"] < -0.5 or box["right"] > wide + 0.5]
    return wrong + browser.execute_script(
        """
        return [...document.querySelectorAll('svg text')].filter(e => e.textContent.trim() && e.checkVisibility())
          .filter(e => {
            const box = e.getBoundingClientRect(), all = e.ownerSVGElement.getBoundingClientRect();
            return box.left < all.left - 1 || box.right > all.right + 1 || box.top < all.top - 1
              || box.bottom > all.bottom + 1;
          }).map(e => e.textContent.trim());
        """
    )


def console_errors(browser):
    """Messages of the console since the page was opened: errors, and violations of the page's policy."""
    return [entry["message"] for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]


def sideways(browser):
    """By how many pixels the page scrolls sideways, in words."""
    wide, whole = browser.execute_script(
        "return [document.documentElement.clientWidth, document.documentElement.scrollWidth]"
    )
    return [f"{whole - wide} pixels"] if whole > wide else []


def first_picture(browser):
    """Top and bottom of the first picture that is seen, in pixels from the top of the page; None if there is none."""
    return browser.execute_script(
        """
        const big = e => e.checkVisibility() && e.getBoundingClientRect().width > 150
                       && e.getBoundingClientRect().height > 100;
        const first = [...document.querySelectorAll('img, svg, canvas')].find(big);
        if (!first) return null;
        const box = first.getBoundingClientRect();
        return [box.top + scrollY, box.bottom + scrollY];
        """
    )


def small_text(browser, *, least=12.0):
    """Texts whose letters are smaller than some pixels, as the browser shows them, SVG included."""
    return browser.execute_script(
        """
        const scale = e => e.ownerSVGElement ? Math.hypot(e.getScreenCTM().a, e.getScreenCTM().b) : 1;
        return [...document.querySelectorAll('p, li, td, th, dd, dt, summary, a, button, label, svg text')]
          .filter(e => e.textContent.trim() && e.checkVisibility())
          .map(e => [parseFloat(getComputedStyle(e).fontSize) * scale(e), e.textContent.trim().slice(0, 40)])
          .filter(([size]) => size < arguments[0] - 0.05).map(([size, text]) => `${size.toFixed(1)} px: ${text}`);
        """,
        least,
    )


def accessibility(browser, *, impacts=("serious", "critical"), exclude=()):
    """Findings of axe-core, contrast (AA) among them; the test is skipped where it is not installed."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: `make axe` installs it where npm is")
    # A slow machine needs longer, and colors that are still changing are no finding.
    browser.set_script_timeout(180)
    browser.execute_script(
        "document.getAnimations().forEach(one => { try { one.finish(); } catch { one.cancel(); } });"
    )
    # The page's policy admits no other scripts: this one runs from outside, in the driver.
    browser.execute_script(AXE.read_text(encoding="utf-8") + "\nwindow.axe = axe;")
    found = browser.execute_async_script(
        """
        const done = arguments[arguments.length - 1];
        const context = arguments[0].length ? {exclude: arguments[0]} : document;
        axe.run(context, {resultTypes: ['violations']}).then(
          r => done(r.violations.map(v => [v.impact, v.id, v.nodes.slice(0, 5).map(
            n => n.target.join(' ') + ': ' + (n.any[0]?.message ?? n.failureSummary))])),
          e => done([['critical', 'axe itself', [String(e)]]]));
        """,
        [[entry] for entry in exclude],
    )
    return [f"{impact} {name}: {nodes}" for impact, name, nodes in found if impact in impacts]


def open_folds(browser):
    """Open every fold of the page."""
    browser.execute_script("document.querySelectorAll('details').forEach(fold => fold.open = true)")


def load_pictures(browser):
    """Load also the pictures that a reader has not come to."""
    browser.execute_async_script(
        "const done = arguments[0]; [...document.images].forEach(i => i.loading = 'eager');"
        "Promise.all([...document.images].map(i => i.decode())).then(() => done(true))"
    )


def wrong(browser, *, selector=""):
    """Everything that must hold of every page at every width, by name; empty if all does."""
    checks = {
        "overlapping labels": overlapping_labels(browser, selector),
        "texts cut off": texts_cut_off(browser, selector),
        "the page scrolls sideways": sideways(browser),
        "accessibility": accessibility(browser),
        "console": console_errors(browser),
    }
    return {name: found for name, found in checks.items() if found}
