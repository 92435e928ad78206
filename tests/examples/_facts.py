"""What the prose of each script says, as assertions on what it computed."""

import numpy as np


def _between(value, low, high):
    assert low <= value <= high, value


def _verdicts(certificate, sure, excluded, undecided):
    counts = certificate.sure.sum(), certificate.excluded.sum(), certificate.undecided.sum()
    assert counts == (sure, excluded, undecided), counts


def fronts(run):
    assert abs(run.names["probability"] - 1) < 1e-12  # "in every sample"


def fronts_of_many(run):
    assert len(run.names["problem"].true.risks()) == 300
    title = run.pictures[0].get_title("left")
    assert "decoys" in title
    assert "missed" in title


def fronts_infinite(run):
    assert "from the true front" in run.pictures[0].get_title("left").replace("\n", " ")


def asymmetry(run):
    exact, simulated = run.names["exact"], run.names["simulated"]
    assert (exact["coverage_error"] == 0).all()
    assert (simulated["coverage_error"] == 0).all()
    assert np.allclose(exact["purity_error"], 1, rtol=0, atol=1e-12)
    assert (np.diff(exact["uniform_deviation"]) < 0).all()


def asymmetry_real(run):
    assert run.shown[-1] is True
    means = run.names["table"].groupby("size")[["coverage_error", "purity_error"]].mean()
    assert means["coverage_error"].iloc[-1] < 0.02 * means["coverage_error"].iloc[0]
    assert means["purity_error"].iloc[-1] > means["purity_error"].iloc[0]


def certificate(run):
    found = run.names["certificate"]
    _verdicts(found, 3, 2, 1)
    assert found.delta == 0.05
    assert len(found) == 6


def certificate_costs(run):
    found = run.names["certificate"]
    assert found.status[found.names.index("ultra")] == "undecided"
    assert "only pro may still dominate it" in run.printed
    # What paired tests decide although the intervals overlap.
    base, pro = (found.boxes[found.names.index(name), 0] for name in ("base", "pro"))
    assert base[0] < pro[1]
    assert found.status[found.names.index("pro")] == "sure"


def certificate_rows(run):
    found = run.names["certificate"]
    assert len(found.objectives) == 3
    assert "excluded" in found.status


def certificate_dark(run):
    found = run.names["certificate"]
    assert len(found) == 12
    undecided = [number for number, status in enumerate(found.status) if status == "undecided"]
    assert undecided == list(range(len(undecided)))  # "only the lower part is certain"


def bounds(run):
    table = run.names["table"]
    assert len(table) >= 5


def bounds_curves(run):
    low, high = run.pictures[0].get_ylim()
    assert low < 1 < high  # some half-widths are vacuous


def bounds_infinite(run):
    ratios, stable = run.names["ratios"], list(run.names["stable"].values())
    assert min(min(line) for line in ratios.values()) > 1
    assert (np.divide(ratios["linear, by chaining"], ratios["linear"]) > 3).all()
    assert np.allclose(np.diff(np.log(stable)).sum() / np.log(300), 0.5, atol=0.1)


def three_way(run):
    means = run.names["means"]
    for steps in (30, 100, 300):
        part = means.loc[steps]
        assert 3e-4 < part["conflict"].loc[1e-4:0.1].idxmin() < 3e-2
        assert part["conflict"].loc[1e-3] < part["conflict"].loc[0.0] < part["conflict"].loc[0.1]
        assert part["stability"].loc[1e-2] > 1.5 * part["stability"].loc[0.0]
    assert (means.loc[300, "optimization"] < means.loc[30, "optimization"]).all()
    assert (means.loc[300, "generalization"] > means.loc[30, "generalization"]).all()


def sweep(run):
    sums, chebyshev = run.names["sums"], run.names["chebyshev"]
    assert len(sums.status) == len(chebyshev.status) == 21
    assert [len(np.unique(found.front().points, axis=0)) for found in (sums, chebyshev)] == [2, 3]


def sweep_three(run):
    assert run.names["sweep"].points.shape == (28, 3)


def cells(run):
    assert "3 of 4 points" in run.pictures[0].get_title("left")


def cells_three(run):
    assert "of 40 points" in run.pictures[0].get_title("left")


def theorem(run):
    left, right = run.shown[0]
    assert "within its" in left.get_title("left")
    assert "holds in every" in right.get_title("left").replace("\n", " ")


def attack(run):
    assert run.names["attack"].falsified
    assert not run.shown[-1].falsified


def attainment(run):
    assert run.names["surfaces"].n_sets == 200
    _between(run.names["optimistic"], 0.55, 0.95)


def tolerance(run):
    counts = run.names["counts"]
    assert (counts.sum(axis=1) == 20).all()
    assert counts[0, 1] > counts[-1, 1] == 0
    assert (np.diff(counts[:, 0]) >= 0).all()


def stream(run):
    found, decided_at = run.names["certificate"], run.names["decided_at"]
    assert len(found) == 8
    assert not found.undecided.any()
    assert found.status[0] == "sure"
    assert (np.diff(decided_at[1:]) <= 0).all()  # worse models are excluded earlier


def explorer(run):
    html = run.shown[0]._repr_html_()
    assert html.startswith("<iframe")
    assert "http://" not in html.replace("http://www.w3.org", "")
    assert "src=&quot;http" not in html


def leaderboard(run):
    found, quality = run.names["certificate"], run.names["quality"]
    assert len(found) == 8
    assert found.status[found.names.index("aster")] == "undecided"
    assert (~quality.excluded).sum() > 1  # "the top of the leaderboard is open"
    assert not quality.sure.any()


def compas(run):
    rates, found = run.names["rates"], run.names["certificate"]
    first, second = rates.to_numpy()
    assert first[0] > second[0] + 0.1
    assert first[1] < second[1] - 0.1
    assert len(found) == 9
    assert not found.excluded.any()  # "these data show that of no rule"
    assert found.boxes[found.names.index("decile > 4"), 1, 0] > 0.03
    table = run.names["table"]
    for race, base_rate in (("African-American", 0.51), ("Caucasian", 0.39)):
        assert abs(table.loc[table["race"] == race, "two_year_recid"].mean() - base_rate) < 0.03


def digits(run):
    found = run.names["certificate"]
    assert len(found) == 40
    assert run.names["test"].sum() == 899
    assert found.excluded.sum() > 12  # "many models are certainly not on it"
    front = run.names["on_front"]
    assert (found.sure & front).sum() < front.sum() / 2 + 1  # "most of it is not certain"
    assert run.names["tolerant"].sure.sum() > found.sure.sum()


def cascades(run):
    assert run.names["naive_wrong"] > 100
    _between(run.names["certificate_wrong"], 0, 10)
    assert run.names["decided"] > 0


def _report(check):
    def of_run(run):
        figure, result = run.names["figure"], run.names["result"]
        assert figure.caption(result) in run.printed
        check(figure.tables(result), result)

    return of_run


@_report
def worlds(tables, result):
    assert (tables["simulated"]["coverage_error"] <= 2 * tables["simulated"]["uniform_deviation"] + 1e-12).all()


@_report
def tilted_line(tables, result):
    assert np.allclose(tables["exact"]["purity_error"], 0.5)
    assert (tables["exact"]["coverage_error"] == 0).all()


@_report
def reach(tables, result):
    shares = tables["shares"].set_index(tables["shares"].columns[0]).iloc[:, 0]
    assert shares.min() < 0.5
    assert shares.max() == 1


@_report
def data_sets(tables, result):
    assert (tables["staying"]["staying"] > 0).all()
    assert tables["staying"]["exact_ties"].sum() > 0


@_report
def three_objectives(tables, result):
    assert len(tables["models"]) == 179


@_report
def least_squares(tables, result):
    errors = tables["errors_by_size"]
    assert errors["purity_error"].iloc[-1] < 0.2 * errors["purity_error"].iloc[0]
    assert errors["coverage_error"].iloc[-1] < 0.2 * errors["coverage_error"].iloc[0]


@_report
def price(tables, result):
    first, last = tables["price"].iloc[0], tables["price"].iloc[-1]
    assert (first.iloc[0], last.iloc[0]) == (1, 1000)
    assert last.iloc[1] < 2 * first.iloc[1]


@_report
def between(tables, result):
    for name in ("finite", "linear", "labels"):
        assert (tables[name]["lower"] < tables[name]["upper"]).all()


@_report
def wrong_uses(tables, result):
    for table, wrong, right in (
        ("looks", ["certificate computed again"], ["stream"]),
        (
            "limits",
            ["order from the tested examples", "limits after looking"],
            ["order from a pilot", "boxes, any limits"],
        ),
    ):
        last = tables[table].groupby("use").last()["share"]
        assert last[wrong].min() > 0.1 >= last[right].max()


@_report
def limit_power(tables, result):
    certified = tables["certified"].query("world == 'thresholds' and n == 1000").set_index("procedure")["certified"]
    assert certified["fixed sequence"] > certified["Holm"]


@_report
def seen(tables, result):
    """What is seen is said by the caption, whose numbers tests of the figures hold."""
    assert tables


_ELSEWHERE = ("near_tie", "weights", "hypervolume", "finite_infinite", "infinite_classes", "intervals", "tightness")
FACTS = {
    name: check
    for name, check in list(globals().items())
    if callable(check) and not name.startswith("_") and name != "seen"
} | dict.fromkeys(_ELSEWHERE, seen)
