"""What each caption must quote, computed anew from the tables that a figure writes: numbers with the words beside them.

A phrase may stand in a caption more often than once; what is left of a caption without its phrases holds no digit.
"""

import math

import numpy as np

from moltheory._core._numbers import number_text, percent_text


def _fit(x, y):
    return np.polyfit(np.log(x), np.log(y), 1)[0]


def mechanism(tables, result):
    draw, errors = tables["one_draw"], tables["errors_by_size"]
    last = errors.iloc[-1]
    assert (errors["coverage_error_max"] == 0).all()
    assert (errors["purity_error_min"] == 1).all()
    lucky = draw["empirical_error"][1:].min()
    return [
        "a sample of 25 examples",
        f"errs on {100 * lucky:.0f}%",
        f"Up to n = {int(last['size']):,}",
        "coverage error is 0 in every sample",
        "purity error is 1 in every sample",
        f"deviation is {last['uniform_deviation_mean']:.3g} on average at n = {int(last['size']):,}",
        f"over {len(result.simulation) // len(errors):,} samples per size",
        "holds 90% of the samples",
    ]


def worlds(tables, result):
    exact, simulated = tables["exact"], tables["simulated"]
    last = exact[exact["size"] == exact.groupby("world")["size"].transform("max")].set_index("world")
    purity, size = last["purity_error"], last["size"]
    assert len({size[world] for world in ("two_coins", "mirrored_decoys", "tilted_line")}) == 1
    return [
        f"all {simulated['replicates'].sum():,} samples",
        f"({simulated['violations'].sum()} violations)",
        f"at n = {size['two_coins']:,} it is still",
        *(
            f"{purity[world]:.3g} ({title})"
            for world, title in (
                ("two_coins", "two coins"),
                ("mirrored_decoys", "mirrored decoys"),
                ("tilted_line", "tilted line"),
            )
        ),
        f"up to {exact['n_types'].max():,} sample types",
        "95% normal intervals",
        f"at most {100 * exact['worst_ratio'].max():.0f}% of twice",
        "bound 2C with total failure probability 5%",
        f"; {simulated['above_bound'].sum()} samples were above",
        f"size enumerated is {number_text(float(exact['purity_error'].iloc[-1]))}.",
    ]


def tilted_line(tables, result):
    last = tables["exact"].iloc[-1]
    tilted = [bool(np.all(np.diff(risks[:, 0]) < 0)) for risks in result.risks]
    return [
        "true error 1/2",
        f"in {sum(tilted)} of {len(tilted)} samples shown",
        f"stays: {last['purity_error']:.3g} at n = {int(last['size']):,}",
        f"coverage error is {last['coverage_error']:g}",
        "Models h in [0, 1] have true error 1/2 and cost h, so h = 0 alone",
        f"is {last['uniform_deviation']:.2g} on average at n = {int(last['size']):,}",
    ]


def near_tie(tables, result):
    table, by_gap = tables["by_size"], tables["by_gap"]
    n = table["size"].max()
    last = table[table["size"] == n].set_index("gap")["probability"]
    # Two binomials that differ by half a standard deviation of their difference: P(Z >= 1/(2 sqrt(2 p (1 - p)))).
    limit = 0.5 * math.erfc(0.5 / math.sqrt(2 * 0.3 * 0.7) / math.sqrt(2))
    marked = by_gap[np.isclose(by_gap["gamma"], 0.5 / np.sqrt(by_gap["size"]), rtol=1e-12)]
    shares = [f"{100 * value:.0f}%" for value in marked["probability"]]
    return [
        f"at n = {n:,} a decoy with γ = 0.05",
        f"with probability {number_text(last['γ = 0.05'], 2)}.",
        "γ = 1/(2√n)",
        f"it is {shares[0]}, {shares[1]} and {shares[2]} at n = 25, 400 and 10,000",
        "has error 0.3 and cost 0, the decoy error 0.3 + γ and cost 1",
        f"simulations of {result.replicates:,} samples",
        f"largest difference {number_text((table['simulated'] - table['probability']).abs().max(), 2)}",
        f"tends to {limit:.4f}",
        "tends to 0",
        "near 50%",
        f"was {table['largest_coverage_error'].max():g} in every sample",
    ]


def weights(tables, result):
    table = tables["purity"]
    at = table[(table["n"] == 101) & ((table["smallest_weight"] - 0.2).abs() < 1e-9)]
    row = at.set_index("scalarization")["purity_error"]
    # Two-sided Hoeffding and a union over three models: 2 (1 - w) C = w.
    width = {n: math.sqrt(math.log(2 * 3 / 0.05) / (2 * n)) for n in (11, 101, 1001)}
    return [
        "At w = 0.2, n = 101",
        f"a decoy with probability {row['Chebyshev']:.0f}",
        f"weighted sum with {number_text(row['weighted sum'], 2)}",
        "95% confidence",
        *(f"{number_text(2 * c / (1 + 2 * c), 2)} (n = {n:,})" for n, c in width.items()),
        "true error 1/2",
        "costs 0",
        "costs 1",
        "less than 1/2",
        "error is 1 where",
        "at w = 1/3",
        "(1 − w)/2",
        "and 1 − w times",
        "Below 1/3",
        "above 1/3",
        f"at w = 0.2 the probability is {number_text(row['augmented, ρ = 0.05'], 2)} for ρ = 0.05 and "
        f"{number_text(row['augmented, ρ = 0.2'], 2)} for ρ = 0.2",
        "2 Σ w_j C_j / w_i",
        "3 models",
        "below 1 it",
    ]


def reach(tables, result):
    three, curve, shares = (tables[name] for name in ("three_points", "curve", "shares"))
    low, high = sorted(float(name.split()[-1]) for name in shares["scalarization"] if "augmented" in name)
    assert low == float(f"{0.9 * curve['largest_augmentation'].min():.2f}") < high
    share = {row.scalarization: f"{100 * row.share_reached:.0f}%" for row in shares.itertuples()}
    return [
        f"returns {share['weighted sum']} of the {len(curve)} points",
        f"({share['p-norm, p = 4']} for p = 4)",
        f"{share[f'augmented, ρ = {low:.2f}']} for ρ = {low:.2f}, {share[f'augmented, ρ = {high:.2f}']} for ρ = {high:.2f}",
        "1/(y − z)",
        "z = (−0.1, −0.1)",
        f"ρ* = {three['largest_augmentation'][1]:.6f}",
        *(f"{name}: {'' if 1 in rows else 'never '}returned" for name, rows in result.returned.items()),
        f"{100 * curve['supported'].mean():.0f}% of the points are supported",
        f"ρ = {low:.2f} is below",
    ]


def weight_cells(tables, result):
    cells, shares = tables["cells"], tables["shares"]
    two, three = (cells[cells["objectives"] == m] for m in (2, 3))
    left = shares[shares["two_objectives"] == 0]["width"]
    return [
        f"With c = 0.02 that is safe at {100 * two['certified_share'].sum():.0f}% of the weights",
        f"{100 * three['certified_share'].sum():.0f}% with three",
        "more than 2c",
        # Neighbors tie where w a + (1 - w) b is equal: at 2/3 and at 4/11.
        "A = (0, 1) for a first weight in [2/3, 1]",
        "B = (0.3, 0.4) for a first weight in [4/11, 2/3]",
        "C = (1, 0) for a first weight in [0, 4/11]",
        "shares 1/3, 10/33, 4/11",
        "sums to 83/99",
        f"from c = {left.min():.3g} on",
        f"{len(three)} points with three objectives, of which {(three['share'] > 0).sum()} have a cell",
        # 2 exp(-2 n c^2) 3 * 2 = 0.05.
        f"3 models and 2 objectives gives c = 0.02 from n = {math.ceil(math.log(12 / 0.05) / (2 * 0.02**2)):,} on",
        "losses in [0, 1] and 95% confidence",
    ]


def breast_cancer(tables, result):
    models, errors = tables["models"], tables["errors_by_size"]
    last, optimal = errors.iloc[-1], models["truly_optimal"]
    stay = models[~optimal & (models["share_of_samples_on_front"] >= 0.05)]
    rates = models[["true_false_negative_rate", "true_false_positive_rate"]].to_numpy()
    cost = models["true_share_of_features"].to_numpy()
    improved = [
        bool(((rates < rates[k]).all(axis=1) & (cost <= cost[k])).any()) for k in stay["model"]
    ]  # strictly better in both rates
    return [
        f"A sample of 200 selects {models['on_empirical_front'].sum()} of {len(models)} models",
        f"{(models['on_empirical_front'] & ~optimal).sum()} of them not optimal",
        f"At n = {int(last['size']):,} the mean coverage error is {number_text(last['coverage_error'], 2)}",
        f"purity error still {number_text(last['purity_error'], 2)}",
        f"{last['mean_n_spurious']:.1f} of {last['mean_n_front']:.0f} members",
        f"The {len(models)} models were",
        "285 tumors",
        f"In {errors['replicates'].sum():,} samples",
        f"largest deviation {errors['violations'].sum()} times",
        f"{errors['undefined'].sum()} samples had no tumor",
        f"At n = {int(last['size']):,}, {len(stay)} models that are not optimal",
        "at least 5% of 400 samples",
        f"{len(stay) - sum(improved)} of them tie exactly",
    ]


def data_sets(tables, result):
    from scipy.stats import linregress, t

    errors, staying = tables["errors_by_size"], tables["staying"].set_index("data_set")
    last = errors[errors["size"] == errors["size"].max()]
    phrases = [
        f"At n = {errors['size'].max():,} the mean coverage error is at most "
        f"{number_text(last['coverage_error'].max(), 2)}",
        f"purity error up to {number_text(last['purity_error'].max(), 2)}",
        f"{staying['staying'].sum()} models that are not optimal",
        "at least 5% of samples",
        f"{staying['exact_ties'].sum()} of them because of exact ties",
        "beyond 140",
        "Between 0 and 0.0001",
        f"In {errors['replicates'].sum():,} samples",
        f"largest deviation {errors['violations'].sum()} times",
        "95% intervals",
    ]
    for name, part in errors.groupby("data_set"):
        used = part[part["coverage_error"] > 0]
        fit = linregress(np.log(used["size"]), np.log(used["coverage_error"]))
        half = t.ppf(0.975, len(used) - 2) * fit.stderr
        ends = (number_text(end, 2) for end in (fit.slope - half, fit.slope + half))
        phrases += [
            f"{name} {number_text(fit.slope, 2)} [{', '.join(ends)}]",
            f"{name}: purity error {number_text(part['purity_error'].iloc[-1], 2)}, {staying['staying'][name]} models "
            f"stay, {staying['exact_ties'][name]} of them in exact ties",
        ]
    return phrases


def three_objectives(tables, result):
    models, spurious = tables["models"], tables["spurious"]
    risks = models[["error", "worst_class_error", "model_size"]].to_numpy()
    optimal = models["truly_optimal"]
    assert spurious["model"].tolist() == models.index[models["selected_at_30000"] & ~optimal].tolist()
    phrases = [f"{len(models)} classifiers of handwritten digits, {optimal.sum()} of them optimal", "over 200 samples"]
    for size in (300, 30_000):
        found = models[f"selected_at_{size}"]
        phrases += [
            f"A sample of {size:,} finds {(found & optimal).sum()}, misses {(optimal & ~found).sum()} and adds "
            f"{(found & ~optimal).sum()} spurious ones"
        ]
    first, last = (number_text(result.mean_spurious[size], 2) for size in (300, 30_000))
    for model, other in spurious.itertuples(index=False):
        gaps = risks[model] - risks[other]
        assert (gaps >= 0).all()
        phrases += [f"Model {model} is worse than model {other}"]
        names = ("error", "worst class error", "model size")
        phrases += [f"{number_text(gap, 2)} in {name}" for gap, name in zip(gaps, names, strict=True) if gap > 0]
    return [*phrases, f"{first} members are spurious at n = 300 and {last} at n = 30,000"]


def hypervolume(tables, result):
    last = tables["means"].groupby("problem").last()
    line, cancer = last.loc["tilted_line"], last.loc["breast_cancer"]
    assert line["lost_share"] == 0
    assert 0 < cancer["lost_share"] < 5e-4
    return [
        f"At n = {int(cancer['size']):,} the empirical front loses 0% of it",
        "under 0.1% on breast cancer",
        f"purity error is {number_text(line['purity_error'], 2)} and {number_text(cancer['purity_error'], 2)}",
        f"{100 * line['spurious_share']:.0f}% and {100 * cancer['spurious_share']:.0f}% of the members",
        "error is 1/2 for odd n",
        f"at the largest n is {number_text(cancer['lost_share'], 2)}",
    ]


def least_squares(tables, result):
    from scipy.stats import linregress, t

    errors = tables["errors_by_size"]
    last = errors.iloc[-1]
    fit = linregress(np.log(errors["size"]), np.log(errors["purity_error"]))
    half = t.ppf(0.975, len(errors) - 2) * fit.stderr
    ends = [number_text(fit.slope + side, 2) for side in (-half, half)]
    return [
        f"like n to the power {number_text(fit.slope, 2)} [{', '.join(ends)}]",
        f"to {number_text(last['purity_error'], 2)} at n = {int(last['size']):,}",
        f"{len(result.fronts[20])} samples per panel",
        "hold 90% of the samples",
        f"at most {number_text(last['discretization'], 2)}.",
        f"In {errors['replicates'].sum():,} samples",
        f"the discretization {errors['violations'].sum()} times",
    ]


def finite_infinite(tables, result):
    table, draws = tables["errors"], tables["errors_by_draw"]
    largest = table["size"].max()
    last, whole = table[table["size"] == largest].set_index("class"), table[table["class"] == "all models"]
    # Means of means over blocks of one length.
    parts = draws[draws["size"] == largest].groupby("class")[["coverage_error", "purity_error", "exact"]].mean()
    np.testing.assert_allclose(parts.loc[last.index], last[parts.columns], rtol=1e-12, atol=1e-15)
    names = ["10 models", "100 models", "1,000 models", "all models"]
    shares = [f"{percent_text(last['exact'][name])} for {name.removesuffix(' models')}" for name in names]
    return [
        f"the share of exact fronts is {shares[0]}, {shares[1]}, {shares[2]} and {shares[3]}",
        "5 draws of each size",
        f"At n = {largest:,}",
        f"power {number_text(_fit(whole['size'], whole['purity_error']), 2)}.",
        "Means over 100 samples per size, 20 for each draw",
        "errors are 0",
        f"at most {number_text(result.discretization, 2)}",
        "below 0.0002 are drawn at 0.0002",
        f"Coverage and purity error at n = {largest:,}",
        *(
            f"{name} {number_text(row['coverage_error'], 2)} and {number_text(row['purity_error'], 2)}"
            for name, row in last.iterrows()
        ),
    ]


def infinite_classes(tables, result):
    from scipy.stats import linregress, t

    disk, groups, excess = tables["disk"], tables["groups"], tables["excess"]
    curved = disk[disk["case"] == "mu = 1"]
    flat = disk[(disk["case"] == "mu = 0 (flat)") & (disk["size"] == disk["size"].max())].iloc[0]
    fit = linregress(np.log(curved["size"]), np.log(curved["purity_error"]))
    half = t.ppf(0.975, len(curved) - 2) * fit.stderr
    interval = [number_text(fit.slope + side) for side in (-half, half)]
    end, last = groups.iloc[-1], excess[excess["size"] == excess["size"].max()]
    per_sample = result.disk
    broken = (per_sample["squared_distance"] > per_sample["convexity_bound"] * (1 + 1e-9)).sum()
    broken += (per_sample["interior_purity"] > per_sample["interior_bound"] * (1 + 1e-9)).sum()
    above = (result.excess["excess"] > result.excess["deviation"] + result.excess["gap"] + 1e-12).sum()
    return [
        f"like n to the power {number_text(fit.slope, 2)};",
        f"still {number_text(flat['purity_error'], 2)} at n = {int(flat['size']):,}",
        "at least 0.2",
        f"falls in both, to {number_text(curved['coverage_error'].iloc[-1], 2)} and "
        f"{number_text(flat['coverage_error'], 2)}.",
        f"first kind: {number_text(end['purity_error'], 2)} at n = {int(end['size']):,}.",
        "With curvature 1 in the tilted",
        "with curvature 0 purity",
        f"power of n is {number_text(fit.slope)} [{', '.join(interval)}] (95% interval)",
        f"largest deviation is {number_text(flat['uniform_deviation'], 2)}",
        "distances to continuous fronts",
        f"failed in {broken} of {len(per_sample)} samples",
        "hold 90% of the samples",
        f"At n = {int(end['size']):,} per group coverage error is {number_text(end['coverage_error'], 2)}, of which the "
        f"grid of weights explains at most {number_text(end['discretization'], 2)}",
        f"{groups['violations'].sum()} of {groups['replicates'].sum()} samples above twice",
        *(f"{number_text(row.excess, 2)} ({row.scalarization})" for row in last.itertuples()),
        f"at confidence 95%: {number_text(last['bound'].mean(), 2)} there",
        "losses of up to 16",
        f"in {above} of {len(result.excess):,} cases",
    ]


def intervals(tables, result):
    failures, skewed = tables["failure_probability"], tables["skewed_losses"]
    labels = {
        "hoeffding": "Hoeffding",
        "empirical-bernstein": "empirical Bernstein",
        "kl": "Chernoff-kl",
        "hoeffding-bentkus": "Hoeffding-Bentkus",
        "clopper-pearson": "Clopper-Pearson",
        "betting": "betting",
    }
    last = skewed[skewed["size"] == skewed["size"].max()].sort_values("width")
    best, second = last["method"].iloc[:2]
    width = last.set_index("method")["width"].map(lambda value: number_text(value, 2))
    widths = ", ".join(f"{labels[name]} {text}" for name, text in width.items())
    worst = {name: f"{number_text(100 * failures[name].max())}%" for name in failures.columns[1:]}
    return [
        "with probability 5%",
        "On 100 losses of 0 or 1 none fails more often",
        f"comes closest ({worst['clopper-pearson']})",
        "between 0 and 1 with mean 0.05",
        f"{labels[best]} has width {width[best]} at n = {skewed['size'].max():,}",
        f"the next method ({labels[second]}) {width[second]}",
        "grid of p: " + ", ".join(f"{labels[name]} {text}" for name, text in worst.items()),
        "symmetric about 0.5",
        "Beta(0.5, 9.5)",
        f"widths at n = {skewed['size'].max():,}: {widths}",
    ]


def price(tables, result):
    table = tables["price"]
    one, many = table.iloc[0], table.iloc[-1]
    vacuous = table.loc[table["cover"] > 1, "n_objectives"].min()
    return [
        "100 hypotheses, confidence 95%",
        f"at most 0.1 needs {one['sample_size']:,.0f} examples for one objective and {many['sample_size']:,.0f} for "
        f"{int(many['n_objectives']):,}",
        f"says nothing from {vacuous:,} objectives on",
        f"At n = 1,000 the width for all objectives at once grows from {one['width']:.4f} for one to "
        f"{many['width']:.4f} for {int(many['n_objectives']):,}",
        "excess at most 0.1 is",
        "(Cortes et al. 2020)",
    ]


def between(tables, result):
    finite, linear, labels = (tables[name].iloc[-1] for name in ("finite", "linear", "labels"))
    n = f"{int(finite['size']):,}"
    return [
        f"at n = {n} the upper bound is {number_text(finite['upper'] / finite['lower'], 2)} times",
        f"{number_text(linear['upper'] / linear['lower'], 2)} times for a linear one",
        f"{n} of them give an excess of {number_text(labels['pseudo_labels'], 2)} with pseudo-labels and "
        f"{number_text(labels['supervised'], 2)} without",
        "First panel: 32 pairs",
        f"({number_text(finite['gap_independent'], 2)} at the last)",
        "mean of 2 objectives",
        "the ball of radius 1 and inputs of norm 1",
        "200 cells, each constant on 4 blocks of them; 1,000,000 unlabeled",
        f"is at {number_text(labels['large_classes'], 2)} at the last n",
        f"Means of {result.replicates[0]:,} samples, {result.replicates[1]:,} in the third panel",
    ]


def tightness(tables, result):
    table, levels = tables["deviations"], tables["levels"]
    ratio = table["width"] / table["deviation"]
    largest = levels[levels["size"] == levels["size"].max()]
    row = largest.loc[np.log(largest["delta"] / 0.05).abs().idxmin()]
    gains = tables["gains"]
    most = gains.groupby("data_set")["largest"].max()

    def named(table, name, value, at):
        rows = tables[table]
        kept = rows[at(rows)]
        return [f"{number_text(row[value], 2)} ({row[name]})" for _, row in kept.iterrows() if row[name] != "kl"]

    least = tables["members"][tables["members"]["risk"] == tables["members"]["risk"].min()].set_index("method")[
        "factor"
    ]
    return [
        *named("posteriors", "method", "factor", lambda rows: rows["size"] == rows["size"].max()),
        *named("members", "method", "factor", lambda rows: rows["risk"] == rows["risk"].min()),
        *named("classes", "class", "width", lambda rows: rows["size"] == rows["size"].max()),
        f"{number_text(least['kl'], 2)} (kl)",
        "losses that are 1/2 but for 5% of the examples, half of which are 0 and half 1",
        "with divergence 3 from its prior",
        "one member of a class of 100, with n = 100,000 and 0/1 losses",
        "weights and inputs have norm 1.",
        f"up to {most['breast cancer']:.1f} times (breast cancer) and {most['digits']:.1f} times (digits) narrower.",
        f"Smallest factor: {gains['smallest'].min():.3f}. Share of samples in which some rate is outside of its limits: at "
        f"most {number_text(gains['failures'].max(), 2)}.",
        f"width is {ratio.min():.1f} to {ratio.max():.1f} times the largest deviation (95% quantile)",
        f"at every n from {table['size'].min():,} to {table['size'].max():,}",
        f"promised {number_text(row['delta'], 2)}, it is {number_text(row['failure'], 1)} at n = {int(row['size'])}",
        "First panel: 95% quantile",
        "at confidence 95%",
        f"at most {number_text(table['failures'].max(), 2)}.",
        f"for n = {', '.join(map(str, sorted(set(levels['size']))[:-1]))} and {levels['size'].max()};",
        "where it is 0",
        "multiples of 1/n",
    ]


def solver_cost(tables, result):
    accuracy, logistic = tables["accuracy"], tables["logistic"]
    seconds = tables["seconds"].set_index("solver")["seconds"]

    def took(name):
        value = seconds[name]
        return f"{value:.2g} s" if value >= 0.995 else f"{float(f'{1000 * value:.2g}'):g} ms"

    phrases = []
    for name, part in accuracy.groupby("solver"):
        worst = part["excess"].max()
        gap = f"certified gap {number_text(part['gap'].max(), 2)}" if part["rigorous"].all() else "no certified gap"
        excess = "excess at rounding" if worst <= 1e-16 else f"excess {number_text(worst, 2)}"
        phrases.append(f"{name}: {took(name)}, {excess}, {gap}")
    sure = accuracy[accuracy["rigorous"]]
    values = logistic.pivot(index="first_weight", columns="solver", values="value")
    last = seconds.index[-1]
    exact = ", ".join(f"{name} ({took(name)})" for name in ("closed form", "Newton"))
    return [
        *phrases,
        f"tasks, {accuracy['first_weight'].nunique()} weighted sums",
        f"{exact} and cvxpy (Clarabel) ({took('cvxpy (Clarabel)')})",
        f"{last}, takes {took(last)} and is still off by "
        f"{number_text(accuracy.loc[accuracy['solver'] == last, 'excess'].max(), 2)} for some weight",
        "4 parameters, 300 examples per task",
        f"over {accuracy['first_weight'].nunique()} weights",
        "below 10⁻¹⁶,",
        f"for {(sure['excess'] > sure['gap'] + 1e-16).sum()} of {len(sure)} weights",
        *(f"{number_text(part['gap'].max(), 2)} ({name})" for name, part in logistic.groupby("solver")),
        f"differ by at most {number_text((values.max(axis=1) - values.min(axis=1)).max(), 2)}",
    ]


def certified(tables, result):
    models, claims = tables["models"], tables["claims"]
    first = claims[(claims["method"] == "bootstrap") & (claims["n"] == claims["n"].min())]
    mine = claims[claims["method"] == "certify"]
    now, before = (models[column].value_counts() for column in ("verdict", "verdict_from_test_set"))
    last = claims[claims["n"] == claims["n"].max()]
    false = (models["verdict"] == "sure") & ~models["on_true_front_to_tolerance"]
    false |= (models["verdict"] == "excluded") & models["on_true_front"]
    return [
        f"{len(models)} classifiers",
        "From 10,000 images",
        f"decides {models['verdict'].isin(['sure', 'excluded']).sum()} of them",
        "confidence 95%",
        "tolerance 0.5 percentage points",
        f"{mine['failed'].sum()} of {mine['samples'].sum():,} samples had a false claim",
        f"false in {100 * first['failed'].sum() / first['samples'].sum():.0f}% of samples of {first['n'].iloc[0]}",
        "the 899 images of the other half",
        f"{now.get('sure', 0)} models are on the front to within the tolerance",
        f"{now.get('excluded', 0)} are not on the front",
        f"{now.get('undecided', 0)} cannot be told yet; {false.sum()} of these verdicts are false",
        f"The 899 images alone, without a tolerance, put {before.get('sure', 0)} on the front",
        f"{before.get('excluded', 0)} not on it: {before.get('undecided', 0)} cannot be told yet",
        f"{mine['samples'].iloc[0]} samples per n",
        "one-sided 95% Clopper-Pearson limit",
        f"at most {100 * mine['failed_upper'].max():.1f}% for certify at every n",
        "proves 3/m",
        f"Decided at n = {last['n'].iloc[0]:,}",
        *(f"{row.method} {100 * row.decided_share:.0f}%" for row in last.itertuples()),
        "in 95% of resamples",
    ]


def claims(tables, result):
    from scipy.stats import beta

    verdicts = tables["verdicts"]
    sums = verdicts.groupby("procedure")[["runs", "wrong", "two_wrong"]].sum()
    part = verdicts[verdicts["world"] == "trade-off"]
    decided = {name: 100 * part.loc[part["procedure"] == name, "settled"].mean() for name in sums.index}
    mine = verdicts[verdicts["procedure"] == "certify"]
    worst = mine.loc[mine["wrong"].idxmax()]
    k, n = worst["wrong"], worst["runs"]
    low = 100 * beta.ppf(0.025, k, n - k + 1) if k else 0.0
    high = 100 * beta.ppf(0.975, k + 1, n - k)
    share = 100 * verdicts.loc[verdicts["procedure"] == "certify, false share", "false_share"].max()
    return [
        "20 models",
        "1,000 examples",
        "6 worlds",
        f"bootstrap fronts decide {decided['bootstrap fronts']:.0f}%",
        f"certify {decided['certify']:.0f}%",
        f"boxes alone {decided['boxes alone']:.0f}%",
        f"{sums['wrong']['bootstrap fronts']:,} of {sums['runs']['bootstrap fronts']:,} bootstrap runs",
        f"of certify's, {sums['wrong']['certify']:,}",
        f"the 12 worlds, {n} runs each",
        "95% Clopper-Pearson interval",
        f"{worst['world']}, {k} of {n} runs, an interval from {low:.1f}% to {high:.1f}%",
        f"of {sums['runs'].iloc[0]:,} over all worlds",
        *(f"{name} {row['wrong']}" for name, row in sums.iterrows()),
        "with probability 95%",
        f"{sums['two_wrong']['certify, one error']} runs had more",
        "at most 5% of the verdicts on average",
        f"at most {share:.1f}% in any world",
    ]


def limit_power(tables, result):
    table = tables["certified"]
    at = table[table["n"] == 1000].set_index(["procedure", "world"])
    share = {key: f"{100 * row['certified'] / row['meet']:.0f}%" for key, row in at.iterrows()}
    most = table.groupby("procedure", sort=False)["wrong"].max()
    order = ("fixed sequence", "graph", "pilot", "Holm", "Holm, Hoeffding-Bentkus", "limits after looking")
    return [
        "Of 1,000 examples",
        f"certifies {share['fixed sequence', 'thresholds']} of those",
        f"Holm {share['Holm', 'thresholds']}. In",
        f"it certifies {share['fixed sequence', 'no order']}, a pilot",
        f"its front alone, {share['pilot', 'no order']}. Where",
        f"Holm certifies {share['Holm, Hoeffding-Bentkus', 'small variance']} with Hoeffding-Bentkus",
        f"{share['Holm', 'small variance']} with bets",
        f"chosen after looking {share['limits after looking', 'small variance']}.",
        f"Means of {table['runs'].iloc[0]} runs at a confidence of 95%",
        "risks from 0.02 to 0.3, limit 0.1, 0/1 losses",
        "risks from 0.1 to 0.3, losses within 0.05 of them, limit 0.2.",
        "binomial for 0/1 losses",
        "takes 25% of the examples",
        *(f"{name} {most[name]}" for name in order),
    ]


def wrong_uses(tables, result):
    looks, limits = tables["looks"], tables["limits"]
    last = looks[looks["looks"] == looks["looks"].max()].set_index("use")
    many = limits[limits["models"] == 20].set_index("use")

    def share(table, use):
        return f"{100 * table.loc[use, 'wrong'] / table.loc[use, 'runs']:.0f}%"

    return [
        "Confidence 95%",
        f"each of {looks['looks'].max()} looks until it decides",
        f"is false in {share(last, 'certificate computed again')} of the runs, a stream in {share(last, 'stream')}",
        f"With 20 configurations, an order from the tested examples is in {share(many, 'order from the tested examples')}",
        f"chosen after testing in {share(many, 'limits after looking')}",
        f"from a pilot in {share(many, 'order from a pilot')}, boxes in {share(many, 'boxes, any limits')}",
        f"is. {looks['runs'].iloc[0]} runs; one",
        f"1,000 examples, 0/1 losses, {limits['runs'].iloc[0]} runs",
        "risks from 0.1 to 0.9",
        "95% Clopper-Pearson intervals",
    ]
