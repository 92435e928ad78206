"""The panels of the study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moltheory.certification._words import VERDICTS
from moltheory.plotting import axis_labels, colors_of, key, label_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from moltheory.studies.fully_connected._result import FullyConnectedResult

__all__ = ["draw_active", "draw_certificate", "draw_differences", "draw_errors", "draw_path"]

# Method -> color, marker, line.
_METHODS: dict[str, tuple[str, str, Any]] = {
    "plain": ("truth", "o", "-"),
    "refiner": ("coverage", "s", "--"),
    "OJKD": ("purity", "D", "-."),
    "no gate": ("deviation", "^", (0, (4, 1, 1, 1, 1, 1))),
}
# Of the gates between 0 and 1, in their order.
_GATE: tuple[str, str, Any] = ("bound", "v", "-")
_STATUS_FACES = {"sure": 1.0, "undecided": 0.35, "excluded": 0.0}


def draw_errors(ax: Axes, result: FullyConnectedResult, data: str) -> None:
    """Test errors against labels: means over seeds, with every seed as a dot."""
    rows = result.trained.networks[result.trained.networks["data"] == data]
    for shift, (method, (color, marker, line)) in zip((-1.5, -0.5, 0.5, 1.5), _METHODS.items(), strict=True):
        part = rows[rows["method"] == method]
        means = part.groupby("labels")["test_error"].mean()
        ax.plot(means.index, 100 * means, marker=marker, linestyle=line, color=colors_of(ax)[color], label=method)
        ax.plot(
            part["labels"] * (1 + 0.012 * shift),
            100 * part["test_error"],
            ".",
            color=colors_of(ax)[color],
            markersize=4,
        )
    _budgets(ax, result.plan.labels)
    ax.set_ylabel("← better     test error in %")
    ax.set_title(data[0].upper() + data[1:])
    label_lines(ax)


def draw_differences(ax: Axes, result: FullyConnectedResult) -> None:
    """Paired differences to the plain network, with 95% intervals over seeds."""
    methods = [method for method in _METHODS if method != "plain"]
    rows = result.differences
    ticks, texts = [], []
    place = 0.0
    for data in result.data:
        for labels in result.plan.labels:
            for k, method in enumerate(methods):
                color, marker, _ = _METHODS[method]
                one = rows[(rows["data"] == data) & (rows["labels"] == labels) & (rows["method"] == method)].iloc[0]
                x = place + (k - 1) * 0.24
                ax.plot([x, x], [100 * one["low"], 100 * one["high"]], color=colors_of(ax)[color], linewidth=1.6)
                ax.plot(x, 100 * one["difference"], marker, color=colors_of(ax)[color], label=None if place else method)
            ticks.append(place)
            # The name of the data stands below its middle budget.
            middle = labels == result.plan.labels[len(result.plan.labels) // 2]
            texts.append(f"{labels}\n{data}" if middle else f"{labels}")
            place += 1.0
        place += 0.6
    ax.axhline(0.0, color=colors_of(ax)["truth"], linewidth=0.9)
    ax.set_xticks(ticks, texts)
    ax.set_xlabel("labels")
    ax.grid(axis="x", visible=False)
    ax.set_ylabel("← better     error − plain, points")
    ax.set_title("Paired differences, 95% intervals")
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + 0.2 * (high - low))
    ax.legend(loc="upper center", ncols=3, columnspacing=1.0, handletextpad=0.3)


def draw_certificate(ax: Axes, result: FullyConnectedResult) -> None:
    """Test errors of the networks of seed 0 with their simultaneous boxes and statuses."""
    from matplotlib.colors import to_rgba
    from matplotlib.lines import Line2D

    data = result.data[-1]
    found = result.certified[data].first
    gates = [f"g = {gate:g}" for gate in result.plan.gates]
    styles = _METHODS | dict.fromkeys(gates, _GATE)
    place = {name: h for h, name in enumerate(found.names)}
    for i, labels in enumerate(result.plan.labels):
        shown = [method for method in styles if f"{method}, {labels}" in place]
        for k, method in enumerate(shown):
            h = place[f"{method}, {labels}"]
            color, marker, _ = styles[method]
            x = i + (k - (len(shown) - 1) / 2) * min(0.19, 0.8 / len(shown))
            ax.plot([x, x], 100 * found.boxes[h, 0], color=colors_of(ax)[color], linewidth=1.0, alpha=0.6)
            face = to_rgba(colors_of(ax)[color], _STATUS_FACES[found.status[h]])
            ax.plot(
                x,
                100 * found.estimates[h, 0],
                marker,
                color=colors_of(ax)[color],
                markerfacecolor=ax.get_facecolor(),
                markersize=8,
            )
            ax.plot(
                x, 100 * found.estimates[h, 0], marker, color=colors_of(ax)[color], markerfacecolor=face, markersize=8
            )
    style: dict[str, Any] = {"marker": "o", "linestyle": "", "markersize": 8}
    handles, ink = [], colors_of(ax)["truth"]
    for status, filled in _STATUS_FACES.items():
        label = f"{VERDICTS[status]}: {found.status.count(status)}"
        handles.append(Line2D([], [], **style, markeredgecolor=ink, markerfacecolor=to_rgba(ink, filled), label=label))
    if gates:
        label = f"g = {', '.join(f'{gate:g}' for gate in result.plan.gates)}"
        handles.append(Line2D([], [], **style | {"marker": _GATE[1]}, color=colors_of(ax)[_GATE[0]], label=label))
    ax.set_xticks(range(len(result.plan.labels)), [str(labels) for labels in result.plan.labels])
    axis_labels(ax, "labels", "test error in %")
    ax.grid(axis="x", visible=False)
    ax.set_title(f"The certified front, {found.n_examples} test images")
    key(ax, [(handle, str(handle.get_label())) for handle in handles])


def draw_path(ax: Axes, result: FullyConnectedResult) -> None:
    """Test losses of both heads along the gate."""
    path = result.path
    x, y = path["loss_refiner"].to_numpy(), path["loss_plain"].to_numpy()
    ax.plot(x, y, "-", color=colors_of(ax)["bound"], linewidth=1.2, zorder=1)
    best = path["on_front"].to_numpy()
    ax.plot(x[best], y[best], "D", color=colors_of(ax)["purity"], markersize=8, label="non-dominated")
    ax.plot(
        x[~best],
        y[~best],
        "D",
        color=colors_of(ax)["purity"],
        markerfacecolor=ax.get_facecolor(),
        markersize=8,
        label="dominated",
    )
    ax.margins(0.3, 0.22)
    ax.locator_params(axis="x", nbins=4)
    for a, b, gate in zip(x, y, path["gate"], strict=True):
        ax.annotate(f"g = {gate:g}", (a, b), xytext=(9, -4), textcoords="offset points", fontsize=10)
    ax.legend(loc="best")
    axis_labels(ax, "loss of the refiner, nats", "loss of the plain head, nats")
    ax.set_title(f"Path of the gate, {result.plan.sweep_labels} labels")


def draw_active(ax: Axes, result: FullyConnectedResult) -> None:
    """Test error against labels with queries by entropy or at random."""
    rows = result.trained.active
    for method in ("plain", "OJKD"):
        color, marker, _ = _METHODS[method]
        for query, line in (("random", ":"), ("entropy", "-")):
            part = rows[(rows["method"] == method) & (rows["query"] == query)]
            means = part.groupby("labels")["test_error"].mean()
            face = colors_of(ax)[color] if query == "entropy" else ax.get_facecolor()
            ax.plot(
                means.index,
                100 * means,
                marker=marker,
                linestyle=line,
                color=colors_of(ax)[color],
                markerfacecolor=face,
                label=f"{method},\n{query}",
            )
    _budgets(ax, sorted(set(rows["labels"])))
    ax.set_ylabel("← better     test error in %")
    ax.set_title("Active learning, means over seeds")
    label_lines(ax)


def _budgets(ax: Axes, labels: Any) -> None:
    from matplotlib.ticker import NullFormatter

    ax.set_xscale("log")
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xticks(list(labels), [str(budget) for budget in labels])
    ax.minorticks_off()
    ax.set_xlabel("← better     labels")
