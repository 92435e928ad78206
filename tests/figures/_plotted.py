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
    for line, row in ((1, 0), (2, 1), (3, 2)):
        yield 1, line, seen.iloc[row : row + 1, 0], seen.iloc[row : row + 1, 1]
    for label, column in (
        ("purity error: is what we found real?", "purity_error_mean"),
        ("coverage error: did we find what is real?", "coverage_error_mean"),
        ("largest deviation of any risk", "uniform_deviation_mean"),
    ):
        yield 2, label, errors["size"], errors[column]


def worlds(tables, result):
    for panel, world in enumerate(("two_coins", "mirrored_decoys", "tilted_line", "reference_world")):
        exact = tables["exact"][tables["exact"]["world"] == world]
        simulated = tables["simulated"][tables["simulated"]["world"] == world]
        yield panel, "bound 2C on coverage", simulated["size"], simulated["bound"]
        for label, column in ERRORS:
            # A logarithmic axis has no zero.
            shown = exact[exact[column] > 0]
            yield panel, label, shown["size"], shown[column]


def tilted_line(tables, result):
    yield 0, "truth: all errors are 1/2", [0.5, 0.5], [0, 1]
    costs = np.linspace(0, 1, result.risks.shape[1])
    for k, risks in enumerate(result.risks):
        yield 0, 1 + k, risks[:, 0], costs
    yield from _errors(1, tables["exact"])


def near_tie(tables, result):
    for k, (gap, part) in enumerate(tables["by_size"].groupby("gap")):
        yield 0, gap, part["size"], part["probability"]
        yield 0, 2 * k + 1, part["size"], part["simulated"]
    for size, part in tables["rescaled"].groupby("size"):
        yield 1, f"n = {size:,}", part["scaled_gap"], part["probability"]


def weights(tables, result):
    table = tables["purity"]
    for family, part in table[table["n"] == 101].groupby("scalarization"):
        yield 0, family, part["smallest_weight"], np.maximum(part["purity_error"], 1e-9)
    for k, (n, part) in enumerate(table[table["scalarization"] == "weighted sum"].groupby("n")):
        yield 1, f"n = {n:,}", part["smallest_weight"], np.maximum(part["purity_error"], 1e-9)
        yield 1, 2 * k + 1, [result.certified_from[n]] * 2, [0, 1]


def reach(tables, result):
    supported = tables["curve"]["supported"].to_numpy()
    x = np.linspace(0, 1, len(supported))
    y = 1 - x - 0.14 * np.sin(2 * np.pi * x)
    yield 1, "lower convex hull", x[supported], y[supported]
    yield 1, "supported", np.where(supported, x, np.nan), np.where(supported, y, np.nan)
    yield 1, "unsupported", np.where(supported, np.nan, x), np.where(supported, np.nan, y)
    for row, (name, share) in enumerate(tables["shares"].itertuples(index=False)):
        hit = result.reached[name] > 0
        assert hit.mean() == share
        yield 2, 2 * row, x[hit], np.full(hit.sum(), row)
        yield 2, 2 * row + 1, x[~hit], np.full((~hit).sum(), row)


def weight_cells(tables, result):
    w = np.array([0.0, 1.0])
    for (a, b), label in (((0.0, 1.0), "(0, 1)"), ((0.3, 0.4), "(0.3, 0.4)"), ((1.0, 0.0), "(1, 0)")):
        yield 0, label, w, a * w + b * (1 - w)
    shares, cells = tables["shares"], tables["cells"]
    yield 1, "two objectives", shares["width"], shares["two_objectives"]
    yield 1, "three objectives", shares["width"], shares["three_objectives"]
    yield 1, 2, [0.02], [cells.loc[cells["objectives"] == 2, "certified_share"].sum()]


def breast_cancer(tables, result):
    models, errors = tables["models"], tables["errors_by_size"]
    optimal, found = models["truly_optimal"], models["on_empirical_front"]
    for label, mask in (
        ("other models", ~optimal & ~found),
        ("truly optimal, missed", optimal & ~found),
        ("truly optimal, found", optimal & found),
        ("found, not optimal", ~optimal & found),
    ):
        part = models[mask]
        yield 0, f"{label} ({len(part)})", part["true_false_negative_rate"], part["true_false_positive_rate"]
    yield from _errors(1, errors)
    yield 1, "bound 2C on coverage", errors["size"], errors["bound"]
    yield 2, "size of the true front", [0, 1], [optimal.sum()] * 2


def data_sets(tables, result):
    for panel, column in enumerate(("coverage_error", "purity_error")):
        for name, part in tables["errors_by_size"].groupby("data_set"):
            yield panel, name, part["size"], np.maximum(part[column], 3e-7)


def three_objectives(tables, result):
    models = tables["models"]
    risks = models[["error", "worst_class_error", "model_size"]].to_numpy()
    optimal = models["truly_optimal"].to_numpy()
    selected = {size: models[f"selected_at_{size}"].to_numpy() for size in (300, 30_000)}
    shown = risks[optimal | selected[300] | selected[30_000]]
    low, high = shown.min(axis=0), shown.max(axis=0)
    for panel, size in enumerate(selected):
        found = selected[size]
        groups = ((optimal & ~found), (optimal & found), (found & ~optimal))
        line = 0
        for mask in groups:
            for row in risks[mask]:
                yield panel, line, range(3), np.sqrt((row - low) / (high - low))
                line += 1


def hypervolume(tables, result):
    for panel, problem in enumerate(("tilted_line", "breast_cancer")):
        part = tables["means"][tables["means"]["problem"] == problem]
        for label, column in (
            ("purity error", "purity_error"),
            ("share of spurious members", "spurious_share"),
            ("share of hypervolume lost", "lost_share"),
        ):
            shown = part[part[column] > 1e-5]
            yield panel, label, shown["size"], shown[column]


def least_squares(tables, result):
    front, errors = tables["true_front"], tables["errors_by_size"]
    yield 0, "true front", front["risk_1"], front["risk_2"]
    yield 0, "60 empirical fronts", *result.fronts[0].T
    yield 0, 59, *result.fronts[59].T
    yield from _errors(1, errors)
    yield 1, "discretization", errors["size"], errors["discretization"]


def finite_infinite(tables, result):
    for panel, column in enumerate(("coverage_error", "purity_error")):
        for name, part in tables["errors"].groupby("class"):
            yield panel, name, part["size"], np.maximum(part[column], 2e-6)
        yield panel, "discretization", [0, 1], [result.discretization] * 2


def infinite_classes(tables, result):
    for panel, case in enumerate(("mu = 1", "mu = 0 (flat)")):
        part = tables["disk"][tables["disk"]["case"] == case]
        yield from _errors(panel, part)
        yield panel, "purity error, all weights ≥ 0.2", part["size"], part["interior_purity"]
    yield from _errors(2, tables["groups"])
    excess = tables["excess"]
    for k, name in enumerate(("weights (.5, .5)", "weights (.9, .1)")):
        part = excess[excess["scalarization"] == name]
        yield 3, f"excess, {name}", part["size"], part["excess"]
        yield 3, 2 * k + 1, part["size"], part["twice_deviation"]
        yield 3, "2U(C), C a bound for the ball", part["size"], part["bound"]


def intervals(tables, result):
    names = {"hoeffding": "Hoeffding", "empirical-bernstein": "empirical Bernstein", "kl": "Chernoff-kl"}
    names |= {"hoeffding-bentkus": "Hoeffding-Bentkus", "clopper-pearson": "Clopper-Pearson", "betting": "betting"}
    failures, widths = tables["failure_probability"], tables["widths"]
    for method in failures.columns[1:]:
        yield 0, names[method], failures["p"], np.maximum(failures[method], 1e-7)
        yield 1, names[method], widths["rate"], widths[method]
    for method, part in tables["skewed_losses"].groupby("method"):
        yield 2, names[method], part["size"], part["width"]


def price(tables, result):
    table = tables["price"]
    yield 0, 0, table["n_objectives"], table["width"]
    yield 1, 0, table["n_objectives"], table["sample_size"]
    for column, label in (
        ("cover", "cover of the mixtures"),
        ("objective_union", "union over objectives"),
        ("union_class", "class of the union"),
    ):
        yield 2, label, table["n_objectives"], table[column]


def tightness(tables, result):
    for k, (name, part) in enumerate(tables["deviations"].groupby("data_set")):
        yield 0, 2 * k, part["size"], part["width"]
        yield 0, name, part["size"], part["deviation"]
        yield 1, name, part["size"], part["width"] / part["deviation"]
    for size, part in tables["levels"].groupby("size"):
        yield 2, f"n = {size}", part["delta"], np.maximum(part["failure"], 1e-12)


def solver_cost(tables, result):
    worst = tables["accuracy"].groupby("solver")["excess"].max()
    seconds = tables["seconds"].set_index("solver")["seconds"]
    for name in ("closed form", "Newton", "cvxpy (Clarabel)"):
        yield 0, name, [seconds[name]], [worst[name]]
    searches = [name for name in seconds.index if name.startswith("NSGA")]
    yield 0, "NSGA-II, by evaluations", seconds[searches], worst[searches]
    for name, part in tables["logistic"].groupby("solver"):
        yield 1, name, part["first_weight"], part["gap"]


def certified(tables, result):
    models, claims = tables["models"], tables["claims"]
    for status in ("excluded", "undecided", "sure"):
        part = models[models["status"] == status]
        yield 0, f"{status} ({len(part)})", part["error"], part["size_in_bytes"] / 1024
    for method, part in claims.groupby("method"):
        yield 1, method, part["n"], part["settled"]
        yield 2, method, part["n"], part["failed_share"]


def claims(tables, result):
    verdicts = tables["verdicts"]
    for panel, objectives in enumerate((1, 2)):
        part = verdicts[verdicts["objectives"] == objectives]
        assert len(part) == 6 * part["procedure"].nunique()
        for name, rows in part.groupby("procedure"):
            yield panel, name, rows["settled"], rows["wrong"] / rows["runs"]
        # The large marks, in order of the share settled, follow the small ones of the same procedure.
        large = part[part["world"] == "trade-off"].sort_values("settled", kind="stable")
        for k, row in enumerate(large.itertuples()):
            yield panel, 2 + 3 * k, [row.settled], [row.wrong / row.runs]
