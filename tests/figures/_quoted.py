"""What each caption must quote, computed anew from the tables that a figure writes: numbers with the words beside them.

A phrase may stand in a caption more often than once; what is left of a caption without its phrases holds no digit.
"""

import math

import numpy as np


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
        f"over {len(result.simulation) // len(errors)} samples per size up to n = {int(last['size']):,}",
        "is 0 in every sample",
        "is 1 in every sample",
        f"deviation {last['uniform_deviation_mean']:.4f} on average at n = {int(last['size']):,}",
        "holds 90 %",
    ]


def worlds(tables, result):
    exact, simulated = tables["exact"], tables["simulated"]
    last = exact[exact["size"] == exact.groupby("world")["size"].transform("max")].set_index("world")
    purity, size = last["purity_error"], last["size"]
    return [
        f"up to {exact['n_types'].max():,} sample types",
        "95 % normal intervals",
        f"all {simulated['replicates'].sum():,} simulated samples",
        f"({simulated['violations'].sum()} violations)",
        f"at most {100 * exact['worst_ratio'].max():.0f}% of it",
        "bound 2C",
        "total failure probability 5 %",
        f"{simulated['above_bound'].sum()} samples above it",
        *(
            f"{title} {purity[world]:.3g} at n = {size[world]:,}"
            for world, title in (
                ("two_coins", "two coins"),
                ("mirrored_decoys", "mirrored decoys"),
                ("tilted_line", "tilted line (101 models)"),
                ("reference_world", "four models, no near-tie"),
            )
        ),
    ]


def tilted_line(tables, result):
    last = tables["exact"].iloc[-1]
    tilted = [bool(np.all(np.diff(risks[:, 0]) < 0)) for risks in result.risks]
    return [
        "h in [0, 1] have true error 1/2 and cost h, so h = 0",
        f"in {sum(tilted)} of the {len(tilted)} samples shown",
        f"purity error is {last['purity_error']:.3g} at n = {int(last['size']):,}",
        f"is {last['uniform_deviation']:.2g} on average",
        f"coverage error {last['coverage_error']:g}",
    ]


def near_tie(tables, result):
    table = tables["by_size"]
    n = table["size"].max()
    last = table[table["size"] == n].set_index("gap")["probability"]
    # Two binomials that differ by half a standard deviation of their difference: P(Z >= 1/(2 sqrt(2 p (1 - p)))).
    limit = 0.5 * math.erfc(0.5 / math.sqrt(2 * 0.3 * 0.7) / math.sqrt(2))
    return [
        "model with error 0.3",
        f"decoy {last['γ = 0.05']:.2g} at n = {n:,} for γ = 0.05",
        "a gap of 1/(2√n)",
        f"with probability {last['γ = 1/(2√n)']:.4f}, limit {limit:.4f}",
        "simulations of 2,000 samples",
        f"largest difference {(table['simulated'] - table['probability']).abs().max():.4f}",
        f"was {table['largest_coverage_error'].max():g} in every sample",
    ]


def weights(tables, result):
    table = tables["purity"]
    at = table[table["n"] == 101]
    weight = min(set(at["smallest_weight"]), key=lambda w: abs(w - 0.2))
    row = at[at["smallest_weight"] == weight].set_index("scalarization")["purity_error"]
    # Two-sided Hoeffding and a union over three models: 2 (1 - w) C = w.
    width = {n: math.sqrt(math.log(2 * 3 / 0.05) / (2 * n)) for n in (11, 101, 1001)}
    return [
        f"at n = 101 and smallest weight {weight:.3f}",
        f"decoy with probability {row['Chebyshev']:.3f}",
        f"augmented one with {row['augmented, ρ = 0.05']:.3f} (ρ = 0.05)",
        f"weighted sum with {row['weighted sum']:.1e}",
        "weight of 1/3",
        "2 Σ w_j C_j / w_i",
        "below 1",
        "confidence 95 %",
        *(f"{2 * c / (1 + 2 * c):.3f} at n = {n:,}" for n, c in width.items()),
    ]


def reach(tables, result):
    three, curve, shares = (tables[name] for name in ("three_points", "curve", "shares"))
    low, high = sorted(float(name.split()[-1]) for name in shares["scalarization"] if "augmented" in name)
    assert low == float(f"{0.9 * curve['largest_augmentation'].min():.2f}") < high
    return [
        "1/(y − z), z = (-0.1, -0.1)",
        f"ρ* = {three['largest_augmentation'][1]:.6f}",
        *(f"{name}: {'' if 1 in rows else 'never '}returns it" for name, rows in result.returned.items()),
        f"a front of {len(curve)} points, {100 * curve['supported'].mean():.0f}% of them supported",
        *(f"{row.scalarization} {100 * row.share_reached:.0f}%" for row in shares.itertuples()),
        f"at most {low:.2f}, below",
    ]


def weight_cells(tables, result):
    cells, shares = tables["cells"], tables["shares"]
    two, three = (cells[cells["objectives"] == m] for m in (2, 3))
    left = shares[shares["two_objectives"] == 0]["width"]
    return [
        # Neighbors tie where w a + (1 - w) b is equal: at 2/3 and at 4/11.
        "(0.0, 1.0) for the first weight in [2/3, 1]",
        "(0.3, 0.4) for the first weight in [4/11, 2/3]",
        "(1.0, 0.0) for the first weight in [0, 4/11]",
        "c = 0.02 of the true",
        "exceeds 2c",
        f"83/99 = {two['certified_share'].sum():.3f}",
        "the cells 1/3, 10/33, 4/11",
        # 2 exp(-2 n c^2) 3 * 2 = 0.05.
        f"3 models and 2 objectives gives that width from n = {math.ceil(math.log(12 / 0.05) / (2 * 0.02**2)):,} on",
        "losses in [0, 1], confidence 95 %",
        f"from c = {left.min():.3f} on",
        f"{len(three)} points with three objectives; {(three['share'] > 0).sum()} have a cell",
        f"c = 0.02 is {100 * three['certified_share'].sum():.1f}% of all weights",
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
        f"Breast cancer, {len(models)} models",
        "285 tumors",
        "one sample of 200",
        f"has {models['on_empirical_front'].sum()} members",
        f"{(models['on_empirical_front'] & ~optimal).sum()} are not truly optimal",
        f"{optimal.sum()} models are truly optimal",
        f"in {errors['replicates'].sum():,} samples",
        f"largest deviation {errors['violations'].sum()} times",
        "the 5 % to the 95 % quantile",
        "the former is 0",
        f"At n = {int(last['size']):,} the mean coverage error is {last['coverage_error']:.2g}",
        f"purity error {last['purity_error']:.2g}",
        f"{len(stay)} models that are not optimal",
        "at least 5 % of 400 samples",
        f"{len(stay) - sum(improved)} of them tie exactly",
        f"{errors['undefined'].sum()} samples had no tumor",
    ]


def data_sets(tables, result):
    from scipy.stats import linregress, t

    errors, staying = tables["errors_by_size"], tables["staying"].set_index("data_set")
    phrases = [
        f"In {errors['replicates'].sum():,} samples",
        f"largest deviation {errors['violations'].sum()} times",
        "beyond 140",
        "95 % intervals",
        f"At n = {errors['size'].max():,}",
    ]
    for name, part in errors.groupby("data_set"):
        used = part[part["coverage_error"] > 0]
        fit = linregress(np.log(used["size"]), np.log(used["coverage_error"]))
        half = t.ppf(0.975, len(used) - 2) * fit.stderr
        phrases += [
            f"{name} {fit.slope:.2f} [{fit.slope - half:.2f}, {fit.slope + half:.2f}]",
            f"{name}: purity error {part['purity_error'].iloc[-1]:.2g}",
            f"{staying['staying'][name]} models that are not optimal selected in at least 5% of samples, "
            f"{staying['exact_ties'][name]} of them in exact ties",
        ]
    return phrases


def three_objectives(tables, result):
    models = tables["models"]
    optimal = models["truly_optimal"]
    phrases = [f"{len(models)} classifiers", "Over 200 samples"]
    for size in (300, 30_000):
        found = models[f"selected_at_{size}"]
        phrases += [
            f"at n = {size:,} the front has {found.sum()} members, {(found & ~optimal).sum()} of them not optimal, and "
            f"misses {(optimal & ~found).sum()} of {optimal.sum()} optimal models",
            f"{result.mean_spurious[size]:.1f} at n = {size:,}",
        ]
    return phrases


def hypervolume(tables, result):
    last = tables["means"].groupby("problem").last()
    line, cancer = last.loc["tilted_line"], last.loc["breast_cancer"]
    return [
        f"it loses {100 * line['lost_share']:.1f}% while the mean purity error is {line['purity_error']:.2g}",
        "expectation is 1/2",
        f"at n = {int(cancer['size']):,}",
        f"mean share lost (below the axis) is {cancer['lost_share']:.1e}",
        f"purity error is {cancer['purity_error']:.2g} and {100 * cancer['spurious_share']:.1f}% of the members",
    ]


def least_squares(tables, result):
    from scipy.stats import linregress, t

    errors = tables["errors_by_size"]
    last = errors.iloc[-1]
    fit = linregress(np.log(errors["size"]), np.log(errors["purity_error"]))
    half = t.ppf(0.975, len(errors) - 2) * fit.stderr
    return [
        "what 5 to 95 % of samples",
        f"in {errors['replicates'].sum():,} samples",
        f"the discretization {errors['violations'].sum()} times",
        f"to {last['purity_error']:.2g} at n = {int(last['size']):,}",
        f"power of n of {fit.slope:.2f} [{fit.slope - half:.2f}, {fit.slope + half:.2f}]",
        f"at most {last['discretization']:.2g} (dashed)",
    ]


def finite_infinite(tables, result):
    table = tables["errors"]
    largest = table["size"].max()
    last, whole = table[table["size"] == largest], table[table["class"] == "all predictors"]
    ended = last[(last["coverage_error"] == 0) & (last["purity_error"] == 0)]
    return [
        "means over 100 samples",
        f"at n = {largest:,} they have ended in every sample for: {' and '.join(ended['class']) or 'none'}.",
        f"power {_fit(whole['size'], whole['purity_error']):.2f} (fitted)",
        f"at most {result.discretization:.1e}, dotted",
        *(f"{row[1]} {row.coverage_error:.1e} and {row.purity_error:.1e}" for row in last.itertuples()),
    ]


def infinite_classes(tables, result):
    from scipy.stats import linregress, t

    disk, groups, excess = tables["disk"], tables["groups"], tables["excess"]
    curved = disk[disk["case"] == "mu = 1"]
    flat = disk[(disk["case"] == "mu = 0 (flat)") & (disk["size"] == disk["size"].max())].iloc[0]
    fit = linregress(np.log(curved["size"]), np.log(curved["purity_error"]))
    half = t.ppf(0.975, len(curved) - 2) * fit.stderr
    end, last = groups.iloc[-1], excess[excess["size"] == excess["size"].max()]
    per_sample = result.disk
    broken = (per_sample["squared_distance"] > per_sample["convexity_bound"] * (1 + 1e-9)).sum()
    broken += (per_sample["interior_purity"] > per_sample["interior_bound"] * (1 + 1e-9)).sum()
    above = (result.excess["excess"] > result.excess["deviation"] + result.excess["gap"] + 1e-12).sum()
    return [
        "With curvature 1 in the tilted",
        f"power {fit.slope:.2f} [{fit.slope - half:.2f}, {fit.slope + half:.2f}]",
        f"curvature 0 it is {flat['purity_error']:.2f} at n = {int(flat['size']):,}",
        f"largest deviation is {flat['uniform_deviation']:.1e}",
        "at least 0.2",
        "the 60 weights",
        f"failed in {broken} of {len(per_sample)} samples",
        f"n = {int(end['size']):,} per group purity error is {end['purity_error']:.1e}",
        f"coverage error {end['coverage_error']:.1e}, of which the grid of weights can miss {end['discretization']:.1e}",
        f"{groups['violations'].sum()} of {groups['replicates'].sum()} samples above twice",
        *(f"{row.excess:.1e} ({row.scalarization})" for row in last.itertuples()),
        f"in {above} of {len(result.excess)} cases",
        "(95 %)",
        f"is {last['bound'].mean():.2g} there",
        "losses of up to 16",
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
    widths = ", ".join(f"{labels[row.method]} {row.width:.2g}" for row in last.itertuples())
    return [
        "failure probability 0.05 per mean",
        "for n = 100 0/1 losses",
        "for 0/1 losses",
        "losses between 0 and 1 (Beta(0.5, 9.5))",
        *(f"{labels[name]} {failures[name].max():.2g}" for name in failures.columns[1:]),
        f"widths at n = {skewed['size'].max():,}: {widths}",
    ]


def price(tables, result):
    table = tables["price"]
    one, many = table.iloc[0], table.iloc[-1]
    return [
        "100 hypotheses, failure probability 0.05 in all",
        f"at n = 1,000 the width for all objectives at once grows from {one['width']:.4f} for one to "
        f"{many['width']:.4f} for {int(many['n_objectives']):,}",
        f"at most 0.1 grow from {one['sample_size']:,.0f} to {many['sample_size']:,.0f}",
    ]


def tightness(tables, result):
    table = tables["deviations"]
    ratio = table["width"] / table["deviation"]
    return [
        "95 % quantile",
        "probability 95 %",
        f"between {ratio.min():.1f} and {ratio.max():.1f}",
        f"at most {table['failures'].max():.2g}.",
    ]


def solver_cost(tables, result):
    accuracy, logistic = tables["accuracy"], tables["logistic"]
    seconds = tables["seconds"].set_index("solver")["seconds"]
    phrases = []
    for name, part in accuracy.groupby("solver"):
        gap = f"certified gap {part['gap'].max():.1e}" if part["rigorous"].all() else "no certificate"
        phrases.append(f"{name} {seconds[name]:.2g} s, excess {part['excess'].max():.1e}, {gap}")
    sure = accuracy[accuracy["rigorous"]]
    values = logistic.pivot(index="first_weight", columns="solver", values="value")
    return [
        *phrases,
        "in 4 parameters on 300 examples",
        f"over {accuracy['first_weight'].nunique()} weights",
        "plus 1e-16",
        f"for {(sure['excess'] > sure['gap'] + 1e-16).sum()} of {len(sure)} weights",
        *(f"{part['gap'].max():.1e} ({name})" for name, part in logistic.groupby("solver")),
        f"differ by at most {(values.max(axis=1) - values.min(axis=1)).max():.1e}",
    ]


def certified(tables, result):
    models, claims = tables["models"], tables["claims"]
    status, front = models["status"], models["on_empirical_front"]
    last = claims[claims["n"] == claims["n"].max()]
    sums = claims.groupby("method")[["failed", "samples"]].sum()
    boot = claims[claims["method"] == "bootstrap"]
    worst = boot.loc[boot["failed_share"].idxmax()]
    return [
        f"{len(models)} classifiers",
        "0/1 error on the 899 images",
        "the 899 images as",
        f"has {front.sum()} members; with confidence 95%",
        f"{(status == 'sure').sum()} models are surely on the true front",
        f"{(status == 'excluded').sum()} surely not",
        f"{(status == 'undecided').sum()} stay undecided",
        f"{(front & (status == 'undecided')).sum()} of the empirical front",
        f"decided at n = {claims['n'].max():,}",
        *(f"{row.method} {100 * row.settled:.0f}%" for row in last.itertuples()),
        "at least 95% of resamples",
        "at most 5%",
        f"at n = {int(worst['n'])} at least one of its claims was false in {int(worst['failed'])} of "
        f"{int(worst['samples'])} samples",
        *(f"{method} {row['failed']} of {row['samples']}" for method, row in sums.iterrows()),
    ]


def claims(tables, result):
    verdicts = tables["verdicts"]
    sums = verdicts.groupby("procedure")[["runs", "wrong", "two_wrong"]].sum()
    trade_off = verdicts[verdicts["world"] == "trade-off"].groupby("procedure")["settled"].mean()
    share = verdicts.loc[verdicts["procedure"] == "certify, false share", "false_share"].max()
    return [
        "20 models",
        "n = 1,000 examples",
        "confidence 95%",
        "6 worlds",
        "the line 5%",
        *(f"{name} {100 * settled:.0f}%" for name, settled in trade_off.items()),
        f"of {sums['runs'].iloc[0]:,} over all worlds",
        *(f"{name} {row['wrong']}" for name, row in sums.iterrows()),
        f"{sums['two_wrong']['certify, one error']} had more",
        f"at most {100 * share:.1f}% in any world",
    ]
