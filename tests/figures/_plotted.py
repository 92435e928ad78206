"""What each panel must show, taken from the tables that a figure writes: (panel, label or number of the line, x, y)."""

import numpy as np

ERRORS = (
    ("purity error", "purity_error"),
    ("coverage error", "coverage_error"),
    ("largest deviation", "uniform_deviation"),
)


def _errors(panel, table, labels=None):
    """Curves of mean errors against n."""
    for label, column in ERRORS:
        yield panel, (labels or {}).get(column, label), table["size"], table[column]


def mechanism(tables, result):
    draw, errors = tables["one_draw"], tables["errors_by_size"]
    true, seen = draw[["true_error", "true_cost"]], draw[["empirical_error", "empirical_cost"]]
    yield 0, 1, true.iloc[:1, 0], true.iloc[:1, 1]
    yield 0, 2, true.iloc[1:2, 0], true.iloc[1:2, 1]
    selected = draw["on_empirical_front"]
    decoy = draw["model"] != "optimal"
    assert selected.sum() == 2
    best = seen[selected].sort_values("empirical_error").to_numpy()
    # The whole staircase: from the top of the panel to its right end.
    yield 1, "_empirical front", best[[0, 0, 1, 1, 1], 0] * [1, 1, 1, 1, 0] + [0, 0, 0, 0, 0.85], [1.45, 1, 1, 0, 0]
    for label, shown in (("_decoy A", draw["model"] == "decoy A"), ("_decoy B", draw["model"] == "decoy B")):
        yield 1, label, seen[shown].iloc[:, 0], seen[shown].iloc[:, 1]
    yield 1, "_real", seen[selected & ~decoy].iloc[:, 0], seen[selected & ~decoy].iloc[:, 1]
    for label, column in (
        ("purity error:\nis what we\nfound real?", "purity_error_mean"),
        ("coverage error:\ndid we find\nwhat is real?", "coverage_error_mean"),
        ("_largest deviation", "uniform_deviation_mean"),
    ):
        yield 2, label, errors["size"], errors[column]


def worlds(tables, result):
    for panel, world in enumerate(("two_coins", "mirrored_decoys", "tilted_line", "reference_world")):
        exact = tables["exact"][tables["exact"]["world"] == world]
        simulated = tables["simulated"][tables["simulated"]["world"] == world]
        yield panel, "bound on\ncoverage error", simulated["size"], simulated["bound"]
        for label, column in ERRORS:
            zero = ":\nexactly 0" if (exact[column] == 0).all() else ""
            # In the last panel names stand inside.
            yield panel, "_" * (panel == 3) + label + zero, exact["size"], exact[column]
            yield panel, f"_simulated {column}", simulated["size"], simulated[column]


def tilted_line(tables, result):
    yield 0, "truth: all errors are 1/2", [0.5, 0.5], [0, 1]
    costs = np.linspace(0, 1, result.risks.shape[1])
    for k, risks in enumerate(result.risks):
        yield 0, 1 + k, risks[:, 0], costs
    yield from _errors(1, tables["exact"])


def near_tie(tables, result):
    # The decoy, to the right of the optimal model and above it.
    yield 0, 1, [0.3], [0]
    yield 0, 2, [0.45], [1]
    for k, (gap, part) in enumerate(tables["by_size"].groupby("gap")):
        yield 1, gap, part["size"], part["probability"]
        yield 1, 2 * k + 2, part["size"], part["simulated"]
    for k, (size, part) in enumerate(tables["by_gap"].groupby("size")):
        yield 2, f"n = {size:,}", part["gamma"], part["probability"]
        mark = part[np.isclose(part["gamma"], 0.5 / np.sqrt(size), rtol=1e-12)]
        assert len(mark) == 1
        yield 2, 2 * k + 2, mark["gamma"], mark["probability"]


def weights(tables, result):
    table = tables["purity"]
    for family, part in table[table["n"] == 101].groupby("scalarization"):
        yield 0, family, part["smallest_weight"], part["purity_error"]
    yield 0, 0, [1 / 3] * 2, [0, 1]
    for k, (n, part) in enumerate(table[table["scalarization"] == "weighted sum"].groupby("n")):
        yield 1, f"n = {n:,}", part["smallest_weight"], part["purity_error"]
        yield 1, 2 * k + 1, [result.certified_from[n]], [0]


def reach(tables, result):
    supported = tables["curve"]["supported"].to_numpy()
    x = np.linspace(0, 1, len(supported))
    y = 1 - x - 0.14 * np.sin(2 * np.pi * x)
    yield 1, "lower convex hull", x[supported], y[supported]
    yield 1, "supported", np.where(supported, x, np.nan), np.where(supported, y, np.nan)
    yield 1, "unsupported", np.where(supported, np.nan, x), np.where(supported, np.nan, y)
    half = 0.5 / (len(x) - 1)
    for row, (name, share) in enumerate(tables["shares"].itertuples(index=False)):
        hit = result.reached[name] > 0
        assert hit.mean() == share
        first = [k for k in np.flatnonzero(hit) if k == 0 or not hit[k - 1]]
        last = [k for k in np.flatnonzero(hit) if k == len(hit) - 1 or not hit[k + 1]]
        for start, end in zip(first, last, strict=True):
            yield 2, f"{name} from {start} to {end}", [x[start] - half, x[end] + half], [row, row]


def weight_cells(tables, result):
    w = np.array([0.0, 1.0])
    for (a, b), label in (((0.0, 1.0), "A"), ((0.3, 0.4), "B"), ((1.0, 0.0), "C")):
        yield 0, label, w, a * w + b * (1 - w)
    shares, cells = tables["shares"], tables["cells"]
    for k, (m, name) in enumerate(((2, "two objectives"), (3, "three objectives"))):
        yield 2, name, shares["width"], shares[name.replace(" ", "_")]
        yield 2, k + 2, [0.02], [cells.loc[cells["objectives"] == m, "certified_share"].sum()]


def breast_cancer(tables, result):
    models, errors = tables["models"], tables["errors_by_size"]
    optimal, found = models["truly_optimal"], models["on_empirical_front"]
    rates = models[["true_false_negative_rate", "true_false_positive_rate"]]
    for label, mask in (
        ("selected, not optimal", found & ~optimal),
        ("optimal, missed", optimal & ~found),
        ("optimal, selected", optimal & found),
    ):
        part = rates[mask]
        yield 0, f"{len(part)} {label}", part.iloc[:, 0], part.iloc[:, 1]
    yield from _errors(1, errors)
    yield 1, "bound on coverage error", errors["size"], errors["bound"]
    yield 2, "size of the true front", [0, 1], [optimal.sum()] * 2


def data_sets(tables, result):
    for panel, column in enumerate(("coverage_error", "purity_error")):
        for name, part in tables["errors_by_size"].groupby("data_set"):
            yield panel, name, part["size"], part[column]


def three_objectives(tables, result):
    models = tables["models"]
    optimal = models["truly_optimal"]
    left = [0.0, 0.0, 0.0]
    groups = {}
    for size in (300, 30_000):
        found = models[f"selected_at_{size}"]
        groups[size] = [int(mask.sum()) for mask in (optimal & found, optimal & ~found, found & ~optimal)]
    for k in (0, 1):  # columns of five marks; blocks do not touch
        left[k + 1] = left[k] + max(2.4, *(-(-counts[k] // 5) for counts in groups.values())) + 1.1
    for block, (size, counts) in enumerate(groups.items()):
        for k, label in enumerate(("optimal, found", "optimal, missed", "spurious")):
            places = np.arange(counts[k])
            yield 0, f"{label} at {size}", left[k] + places // 5, -7.6 * block - places % 5
    yield 1, 0, [0, 0], [0, 1]


def hypervolume(tables, result):
    yield 0, 0, [0.5] * 10, np.linspace(0.1, 1.0, 10)
    yield 0, 1, [0.5], [0]
    for panel, problem in ((1, "tilted_line"), (2, "breast_cancer")):
        part = tables["means"][tables["means"]["problem"] == problem]
        for label, column in (("purity\nerror", "purity_error"), ("hypervolume\nlost", "lost_share")):
            yield panel, label, part["size"], part[column]


def least_squares(tables, result):
    front, errors = tables["true_front"], tables["errors_by_size"]
    for panel, n in enumerate((20, 200)):
        for k in (0, 59):
            yield panel, k, *result.fronts[n][k].T
        yield panel, 60, front["risk_1"], front["risk_2"]
    labels = {column: label.replace(" ", "\n") for label, column in ERRORS}
    yield from _errors(2, errors, labels | {"coverage_error": "coverage error\n(levels off:\ngrid of weights)"})


def finite_infinite(tables, result):
    for panel, column in enumerate(("exact", "purity_error")):
        least = 2e-4 if panel else 0.0
        for name, part in tables["errors"].groupby("class"):
            yield panel, name, part["size"], np.maximum(part[column], least)
        first = tables["errors_by_draw"].query("`class` == '10 models'")
        for draw, part in first.groupby("draw"):
            yield panel, draw, part["size"], np.maximum(part[column], least)


def infinite_classes(tables, result):
    labels = {"uniform_deviation": "deviation"}
    for panel, case in enumerate(("mu = 1", "mu = 0 (flat)")):
        part = tables["disk"][tables["disk"]["case"] == case]
        yield from _errors(panel, part, labels)
        yield panel, "purity error if both\nweights ≥ 0.2", part["size"], part["interior_purity"]
    yield from _errors(2, tables["groups"], labels)
    excess = tables["excess"]
    for name in ("weights (.5, .5)", "weights (.9, .1)"):
        part = excess[excess["scalarization"] == name]
        yield 3, name.replace("weights ", "excess, "), part["size"], part["excess"]
        yield 3, "bound, 95%", part["size"], part["bound"]
    yield 3, "twice the\ndeviation", part["size"], part["twice_deviation"]


def intervals(tables, result):
    names = {"hoeffding": "Hoeffding", "empirical-bernstein": "empirical\nBernstein", "kl": "Chernoff-kl"}
    names |= {"hoeffding-bentkus": "Hoeffding-\nBentkus", "clopper-pearson": "Clopper-\nPearson", "betting": "betting"}
    failures, widths = tables["failure_probability"], tables["widths"]
    half = widths[widths["rate"] <= 0.5]
    worst = failures.iloc[:, 1:].max().sort_values()
    for row, (method, largest) in enumerate(worst.items()):
        yield 0, names[method].replace("-\n", "-").replace("\n", " "), [largest], [row]
        # After the line of the promise, a bar and a mark for each method.
        yield 0, 1 + 2 * row, np.maximum([failures[method].min(), largest], 1e-6), [row, row]
        exact = "\n(exact)" if method == "clopper-pearson" else ""
        yield 1, names[method] + exact, half["rate"], half[method]
    for method, part in tables["skewed_losses"].groupby("method"):
        yield 2, names[method], part["size"], part["width"]


def price(tables, result):
    table = tables["price"]
    yield 0, 0, table["n_objectives"], table["sample_size"]
    yield 0, 1, table["n_objectives"].iloc[[0, -1]], table["sample_size"].iloc[[0, -1]]
    for column, label in (
        ("cover", "cover of all\nmixtures"),
        ("objective_union", "union bound\nover objectives"),
        ("union_class", "one class of\nall losses"),
    ):
        yield 1, label, table["n_objectives"], table[column]


def between(tables, result):
    for panel, (name, learners) in enumerate(
        (
            ("finite", {"mirrored": "mirrored pairs", "independent": 2}),
            ("linear", {"one_pass": "one pass of\nsubgradients", "minimiser": 2}),
            ("labels", {"supervised": "labels only", "pseudo_labels": "pseudo-labels"}),
        )
    ):
        table = tables[name]
        yield panel, "upper bound", table["size"], table["upper"]
        for column, line in learners.items():
            yield panel, line, table["size"], table[column]
        yield panel, 3, table["size"], table["lower"]


def tightness(tables, result):
    for name, part in tables["deviations"].groupby("data_set"):
        yield 0, name.replace(" ", "\n"), part["size"], part["width"] / part["deviation"]
    levels = tables["levels"]
    ends = [levels["delta"].min(), levels["delta"].max()]
    yield 1, "promised", ends, ends
    for k, (_, part) in enumerate(levels.groupby("size")):
        yield 1, 1 + k, part["delta"], part["failure"].where(part["failure"] > 0)
    for name, part in tables["gains"].groupby("data_set"):
        for which in ("largest", "median"):
            yield 2, name.replace(" ", "\n") + f",\n{which}", part["size"], part[which]
    compared = (("posteriors", "method", "size", "factor"), ("members", "method", "risk", "factor"))
    for panel, (table, name, x, y) in enumerate((*compared, ("classes", "class", "size", "width")), start=3):
        for label, part in tables[table].groupby(name):
            yield panel, label.replace(" ", "\n", 1), part[x], part[y]


def solver_cost(tables, result):
    accuracy = tables["accuracy"]
    worst = accuracy.groupby("solver")["excess"].max()
    seconds = tables["seconds"].set_index("solver")["seconds"]
    searches = [name for name in seconds.index if name.startswith("NSGA")]
    for key, name in (("exact", "closed form"), (1, searches[0]), (2, searches[-1])):
        part = accuracy[accuracy["solver"] == name]
        yield 0, key, part["risk_1"], part["risk_2"]
    for name in ("closed form", "Newton", "cvxpy (Clarabel)"):
        # What is below rounding stands on its line.
        yield 1, name, [seconds[name]], [max(worst[name], 1e-16)]
    yield 1, "NSGA-II (search)", seconds[searches], worst[searches]


def certified(tables, result):
    claims = tables["claims"]
    # The first panel: see test_certified.
    place = dict(zip(["certify", "boxes, Clopper-Pearson", "boxes, Hoeffding", "bootstrap"], range(4), strict=True))
    labels = ["certify", "boxes\n(Clopper", "boxes\n(Hoeffding", "bootstrap"]
    for method, part in claims.groupby("method"):
        k = place[method]
        yield 1, labels[k], part["n"], part["decided_share"]
        yield 2, labels[k], part["n"] * 1.12 ** (k - 1.5), part["failed"] / part["samples"]


def claims(tables, result):
    verdicts = tables["verdicts"]
    part = verdicts[verdicts["world"] == "trade-off"]
    decided = part.groupby("procedure", sort=False)["settled"].mean()
    order = list(decided.sort_values(ascending=False, kind="stable").index)
    assert len(verdicts) == 12 * len(order)
    for name, rows in verdicts.groupby("procedure"):
        place = order.index(name)
        yield 0, name, rows["wrong"] / rows["runs"], [place] * 12
        # After the marks of the worlds: the interval, then the mark of all runs.
        yield 0, 1 + 3 * place + 2, [rows["wrong"].sum() / rows["runs"].sum()], [place]
        mine = part[part["procedure"] == name].sort_values("objectives")
        yield 1, name, mine["settled"], [place] * 2


def limit_power(tables, result):
    table = tables["certified"]
    names = {
        "fixed sequence": "fixed sequence",
        "graph": "graph",
        "pilot": "pilot",
        "Holm": "Holm",
        "Holm, Hoeffding-Bentkus": "Holm with\nHoeffding-Bentkus",
        "limits after looking": "limits after\nlooking",
    }
    assert set(names) == set(table["procedure"])
    for panel, (_, part) in enumerate(table.groupby("world", sort=False)):
        for name, label in names.items():
            curve = part[part["procedure"] == name]
            yield panel, label, curve["n"], curve["certified"] / curve["meet"]


def wrong_uses(tables, result):
    uses = (
        ("looks", "certificate computed again", "certify, computed\nagain at every look"),
        ("looks", "stream", "CertificateStream"),
        ("limits", "order from the tested examples", "order from the\ntested examples"),
        ("limits", "limits after looking", "limits chosen after\nlooking at the tests"),
        ("limits", "order from a pilot", "order from a pilot"),
        ("limits", "boxes, any limits", "boxes,\nany limits"),
    )
    for name, use, label in uses:
        part = tables[name][tables[name]["use"] == use]
        yield name == "limits", label, part.iloc[:, 0], part["wrong"] / part["runs"]
