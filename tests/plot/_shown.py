"""Worlds to draw, and what to read off a picture."""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg

import moltheory as mt


def random_world(n_hypotheses, n_objectives=2, seed=0):
    rng = np.random.default_rng(seed)
    rates = rng.uniform(0.1, 0.9, (n_hypotheses, n_objectives))
    losses = (rng.random((200, n_hypotheses, n_objectives)) < rates).astype(float)
    return mt.FiniteWorld.from_examples(losses, objective_names=[f"error {k}" for k in range(n_objectives)])


def worlds():
    """Return worlds that are few and many, tied, alone, and constant in one objective."""
    tied = np.zeros((4, 4, 2))
    tied[:2, :, 0] = tied[2:, :, 1] = 1.0
    return {
        "decoys": mt.problems.mirrored_decoys(),
        "coins": mt.problems.two_coins(),
        "reference": mt.problems.reference_world(),
        "line": mt.problems.tilted_line(),
        "one": mt.FiniteWorld([0.5, 0.5], [[[0.0, 1.0]], [[1.0, 0.0]]]),
        "tied": mt.FiniteWorld.from_examples(tied),
        "constant": mt.FiniteWorld([0.5, 0.5], [[[0.0, 3.0], [1.0, 3.0]], [[1.0, 3.0], [0.0, 3.0]]]),
        "ten": random_world(10),
        "many": random_world(300),
        "three": random_world(30, 3),
    }


def data(ax, label):
    """Return the points of the lines with a label, (k, 2)."""
    found = [np.column_stack(line.get_data(orig=False)) for line in ax.lines if line.get_label() == label]
    return np.concatenate([np.empty((0, 2)), *found])


def overlapping_texts(figure):
    """Return pairs of texts whose boxes overlap by more than two pixels, and texts that leave the figure."""
    FigureCanvasAgg(figure).draw()
    texts = []
    for ax in figure.axes:
        legend = ax.get_legend()
        labels = [
            label
            for axis in (ax.xaxis, ax.yaxis)
            for label in axis.get_ticklabels()
            if ax.axison and _inside(ax, label)
        ]
        titles = [ax.title, ax._left_title, *((ax.xaxis.label, ax.yaxis.label) if ax.axison else ())]
        texts += [*ax.texts, *titles, *labels, *(legend.get_texts() if legend else [])]
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts if text.get_text() and text.get_visible()]
    pairs = []
    for k, (text, one) in enumerate(boxes):
        if not (figure.bbox.x0 - 2 <= one.x0 and one.x1 <= figure.bbox.x1 + 2):
            pairs.append((text, "the edge"))
        if not (figure.bbox.y0 - 2 <= one.y0 and one.y1 <= figure.bbox.y1 + 2):
            pairs.append((text, "the edge"))
        for other_text, other in boxes[:k]:
            if min(one.x1, other.x1) - max(one.x0, other.x0) > 2 and min(one.y1, other.y1) - max(one.y0, other.y0) > 2:
                pairs.append((text, other_text))
    return pairs


def _inside(ax, label):
    """Tick labels beyond the limits have texts and boxes, and are not drawn."""
    box, frame = label.get_window_extent(), ax.get_window_extent()
    middle = (0.5 * (box.x0 + box.x1), 0.5 * (box.y0 + box.y1))
    return frame.x0 - 1 <= middle[0] <= frame.x1 + 1 or frame.y0 - 1 <= middle[1] <= frame.y1 + 1


def contrast(one, other):
    """Return the contrast of two colors (WCAG 2)."""
    from matplotlib.colors import to_rgb

    def luminance(color):
        rgb = np.array(to_rgb(color))
        return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ (0.2126, 0.7152, 0.0722)

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
