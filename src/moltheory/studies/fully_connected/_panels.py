"""The panels of the study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moltheory.certification._words import VERDICTS
from moltheory.plotting import axis_labels, colors_of, key, label_lines
from moltheory.studies.fully_connected._claims import parameters_text, size_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from moltheory.studies.fully_connected._result import FullyConnectedResult

__all__ = ["draw_active", "draw_certificate", "draw_differences", "draw_errors", "draw_path", "draw_trunks"]

# Method -> color, marker, line.
_METHODS: dict[str, tuple[str, str, Any]] = {
    "plain": ("truth", "o", "-"),
    "refiner": ("coverage", "s", "--"),
    "OJKD": ("purity", "D", "-."),
    "no gate": ("deviation", "^", (0, (4, 1, 1, 1, 1, 1))),
}
# Of the gates between 0 and 1, in their order.
_GATE: tuple[str, str, Any] = ("bound", "v", "-")
# Of further trunks, by method.
_TRUNKS: dict[str, tuple[str, str, Any]] = {"plain": ("truth", "<", "-"), "OJKD": ("purity", ">", "-")}
_STATUS_FACES = {"sure": 1.0, "undecided": 0.35, "excluded": 0.0}


def draw_errors(ax: Axes, result: FullyConnectedResult) -> None:
    """Test errors against labels on the last data set: means over seeds, with every seed as a dot."""
    data = result.data[-1]
    rows = result.trained.networks[result.trained.networks["data"] == data]
    for shift, (method, (color, marker, line)) in zip((-1.5, -0.5, 0.5, 1.5), _METHODS.items(), strict=True):
        part = rows[rows["method"] == method]
        if part.empty:
            continue
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
    ax.set_title(f"{data[0].upper()}{data[1:]}, {_size(result)}")
    label_lines(ax)


def draw_differences(ax: Axes, result: FullyConnectedResult) -> None:
    """Paired differences to the plain network, with 95% intervals over seeds; a cross where networks fit unalike."""
    rows = result.differences
    methods = [method for method in _METHODS if method in set(rows["method"])]
    ticks, texts, centers = [], [], []
    place = 0.0
    for data in result.data:
        for labels in result.plan.labels:
            for k, method in enumerate(methods):
                color, marker, _ = _METHODS[method]
                one = rows[(rows["data"] == data) & (rows["labels"] == labels) & (rows["method"] == method)].iloc[0]
                x = place + (k - (len(methods) - 1) / 2) * 0.24
                _difference(ax, x, one, color, marker)
                # For the legend, also where nothing is compared.
                ax.plot([], [], marker, color=colors_of(ax)[color], label=None if place else method)
            ticks.append(place)
            texts.append(f"{labels}")
            place += 1.0
        centers.append(place - 0.5 * (len(result.plan.labels) + 1))
        place += 0.6
    _zero(ax)
    if not rows["compared"].all():
        ax.plot([], [], "x", color=colors_of(ax)["truth"], label="not compared")
    ax.set_xticks(ticks, texts)
    # The name of the data stands below the middle of its budgets.
    ax.xaxis.remove_overlapping_locs = False
    ax.set_xticks(centers, [f"\n{data}" for data in result.data], minor=True)
    ax.tick_params(axis="x", which="minor", length=0)
    ax.set_xlabel("labels")
    ax.set_title("Paired differences, 95% intervals")
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + 0.3 * (high - low))
    ax.legend(loc="upper center", ncols=2, columnspacing=1.0, handletextpad=0.3)


def draw_trunks(ax: Axes, result: FullyConnectedResult) -> None:
    """What OJKD gains against plain, by the size of the trunk."""
    rows = result.trunks
    color, marker, line = _METHODS["OJKD"]
    sizes = rows["inference_parameters"].to_numpy()
    known = rows["compared"].to_numpy()
    for _, one in rows.iterrows():
        _difference(ax, float(one["inference_parameters"]), one, color, marker)
    ax.plot(sizes[known], 100 * rows["difference"].to_numpy()[known], linestyle=line, color=colors_of(ax)[color])
    _zero(ax)
    if not known.any():
        ax.set_ylim(-1.0, 1.0)
    if not known.all():
        ax.plot([], [], "x", color=colors_of(ax)[color], label="not compared")
        ax.legend(loc="best")
    ax.set_xscale("log")
    ax.minorticks_off()
    ax.set_xticks(sizes, [f"{name}\n{parameters_text(size)}" for name, size in zip(rows["trunk"], sizes, strict=True)])
    ax.margins(x=0.15)
    ax.set_xlabel("parameters at test time")
    ax.set_title(f"OJKD by trunk, {result.plan.labels[0]} labels")


def _difference(ax: Axes, x: float, row: Any, color: str, marker: str) -> None:
    if not row["compared"]:
        ax.plot(x, 0.0, "x", color=colors_of(ax)[color], markersize=8)
        return
    ax.plot([x, x], [100 * row["low"], 100 * row["high"]], color=colors_of(ax)[color], linewidth=1.6)
    ax.plot(x, 100 * row["difference"], marker, color=colors_of(ax)[color])


def _zero(ax: Axes) -> None:
    ax.axhline(0.0, color=colors_of(ax)["truth"], linewidth=0.9)
    ax.grid(axis="x", visible=False)
    ax.set_ylabel("← better     error − plain, points")


def _size(result: FullyConnectedResult) -> str:
    return f"{size_text(result)} parameters"


def draw_certificate(ax: Axes, result: FullyConnectedResult) -> None:
    """Test errors of the networks of seed 0 with their simultaneous boxes and statuses."""
    from matplotlib.colors import to_rgba
    from matplotlib.lines import Line2D

    data = result.data[-1]
    found = result.certified[data].first
    gates = [f"g = {gate:g}" for gate in result.plan.gates]
    trunks = [f"{method} {trunk}" for trunk in result.plan.trunks for method in ("plain", "OJKD")]
    styles = _METHODS | dict.fromkeys(gates, _GATE) | {name: _TRUNKS[name.split(" ")[0]] for name in trunks}
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
    if trunks:
        handles += [
            Line2D([], [], **style | {"marker": marker}, color=colors_of(ax)[color], label=f"{method}, other trunks")
            for method, (color, marker, _) in _TRUNKS.items()
        ]
    ax.set_xticks(range(len(result.plan.labels)), [str(labels) for labels in result.plan.labels])
    axis_labels(ax, "labels", "test error in %")
    ax.grid(axis="x", visible=False)
    ax.set_title(f"Certified front, {found.n_examples} images")
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
    """Test errors after the last round of active learning by query: means over seeds, with every seed as a dot."""
    rows = result.trained.active
    ax.set_title("Active learning")
    if rows.empty:
        ax.set_axis_off()
        ax.text(0.5, 0.5, "not run at this setting", transform=ax.transAxes, ha="center")
        return
    most = rows["labels"].max()
    queries = [query for query in result.plan.queries if query in set(rows["query"])]
    for shift, method in ((-0.12, "plain"), (0.12, "OJKD")):
        color, marker, _ = _METHODS[method]
        part = rows[(rows["method"] == method) & (rows["labels"] == most)]
        for place, query in enumerate(queries):
            errors = 100 * part[part["query"] == query]["test_error"]
            ax.plot([place + shift] * len(errors), errors, ".", color=colors_of(ax)[color], markersize=4)
            ax.plot(
                place + shift,
                errors.mean(),
                marker,
                color=colors_of(ax)[color],
                markersize=8,
                label=None if place else method,
            )
    ax.set_xticks(range(len(queries)), [query.replace("-", "-\n") for query in queries])
    ax.grid(axis="x", visible=False)
    ax.margins(x=0.12, y=0.12)
    ax.set_xlabel("query")
    ax.set_ylabel("← better     test error in %")
    ax.set_title(f"Active learning, {most} labels")
    ax.legend(loc="best")


def _budgets(ax: Axes, labels: Any) -> None:
    from matplotlib.ticker import NullFormatter

    ax.set_xscale("log")
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xticks(list(labels), [str(budget) for budget in labels])
    ax.minorticks_off()
    ax.set_xlabel("← better     labels")
