"""A user's own table: true risks against pandas, splits, models, and every refusal."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

import moltheory as mt
from moltheory.objectives import Gap, Rate, Spread, Worst
from moltheory.problems import from_predictions, from_table
from moltheory.problems._encoding import encode

_COMPAS = Path(__file__).parents[3] / "shared" / "data" / "compas_two_years.csv"
_RATES = ["error", "false_negative_rate", "false_positive_rate", "demographic_parity_gap", "equal_opportunity_gap"]


@pytest.fixture(scope="module")
def compas():
    if not _COMPAS.exists():
        pytest.skip(f"the COMPAS table is not at {_COMPAS}; it is not part of the package")
    return pd.read_csv(_COMPAS)


@pytest.fixture
def frame():
    rng = np.random.default_rng(5)
    n = 300
    table = pd.DataFrame(
        {
            "age": rng.integers(18, 80, n),
            "city": rng.choice(["Bern", "Linz", "Graz"], n),
            "member": rng.random(n) < 0.4,
            "group": rng.choice(["x", "y", "z"], n, p=[0.2, 0.3, 0.5]),
        }
    )
    table["cost"] = table["age"] + 20.0 * (table["city"] == "Linz") + rng.normal(0, 10, n)
    table["high"] = (table["cost"] + rng.normal(0, 10, n) > 55).astype(int)
    return table


class Threshold:
    """A model without fitting: positive above a cut of one column."""

    n_features_in_ = 1

    def __init__(self, column, cut):
        self.column, self.cut, self.feature_names_in_ = column, cut, [column]

    def predict(self, features):
        assert list(features.columns) == [self.column]
        return (features[self.column] > self.cut).astype(int)


def _expected(frame, target, group, predict):
    """Risks by pandas, one model at a time."""
    table = pd.DataFrame({"guess": predict, "y": frame[target].astype(int), "g": frame[group]})
    table["wrong"] = table["guess"] != table["y"]
    positive = table[table["y"] == 1]
    by_group, by_positive = table.groupby("g")["guess"].mean(), positive.groupby("g")["guess"].mean()
    return [
        table["wrong"].mean(),
        (1 - positive["guess"]).mean(),
        table[table["y"] == 0]["guess"].mean(),
        by_group.max() - by_group.min(),
        by_positive.max() - by_positive.min(),
        table.groupby("g")["wrong"].mean().max(),
    ]


@pytest.mark.parametrize("group", ["race", "sex"])
def test_compas_given_models_against_pandas(compas, group):
    cuts = {
        f"{column} > {cut}": Threshold(column, cut) for column in ("decile_score", "priors_count") for cut in (1, 4, 7)
    }
    names = [*_RATES, "worst_group_error", "n_features"]
    problem = from_table(compas, target="two_year_recid", group=group, objectives=names, models=cuts)
    assert len(problem.probabilities) == len(compas) == 7214
    assert problem.hypothesis_names == tuple(cuts)
    for risks, model in zip(problem.true.risks(), cuts.values(), strict=True):
        guess = (compas[model.column] > model.cut).astype(int)
        assert risks == pytest.approx([*_expected(compas, "two_year_recid", group, guess), 1], abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(("group", "stratify"), [("sex", False), ("race", True)])
def test_compas_default_models_hold_the_asymmetry(compas, group, stratify):
    problem = from_table(
        compas, target="two_year_recid", group=group, objectives=[*_RATES, "n_features"], stratify=stratify
    )
    assert 200 <= problem.n_hypotheses <= 300
    assert len(problem.probabilities) == 3607
    truth = problem.true.risks()
    assert truth[:, 0].min() < 0.35
    assert truth[:, -1].min() == 1
    assert truth[:, -1].max() == 8
    assert 20 < len(problem.true_front()) < problem.n_hypotheses
    table = mt.experiments.asymmetry(problem, sizes=[100, 1000], replicates=100, rng=0)
    claims = table[~table["undefined"]]
    assert len(claims) == 200
    assert (claims["coverage_error"] <= 2 * claims["uniform_deviation"] + 1e-12).all()
    assert (claims["coverage_error"] <= claims["bound"]).all()


def test_compas_small_groups_are_undefined_unless_stratified(compas):
    problem = from_table(compas, target="two_year_recid", group="race", objectives=["equal_opportunity_gap"])
    assert problem.sample(100, replicates=50, rng=0).undefined.mean() > 0.8


@pytest.mark.parametrize("group", ["group", "member"])
def test_default_models_against_pandas(frame, group):
    """A callable sees the training half; refitting its model outside gives the true risks of the other half."""
    seen = {}

    def train(features, target):
        seen["rows"] = features.index
        assert "high" not in features
        assert group not in features
        return [
            LogisticRegression().fit(features[["age", "cost"]], target),
            DecisionTreeClassifier(max_depth=2).fit(features[["age"]], target),
        ]

    before = frame.copy()
    problem = from_table(
        frame, target="high", group=group, objectives=[*_RATES, "worst_group_error", "share_of_features"], models=train
    )
    pd.testing.assert_frame_equal(frame, before)
    rest, half = frame.drop(seen["rows"]), frame.loc[seen["rows"]]
    assert len(rest) == len(half) == len(problem.probabilities) == 150
    models = train(half.drop(columns=["high", group]), half["high"])
    for risks, model, k in zip(problem.true.risks(), models, (2, 1), strict=True):
        guess = model.predict(rest[list(model.feature_names_in_)])
        assert risks == pytest.approx([*_expected(rest, "high", group, guess), k / 4], abs=1e-12)


def test_the_split_keeps_groups_and_classes(frame):
    seen = {}

    def train(features, target):
        seen["rows"] = features.index
        return [Threshold("age", 50)]

    for share in (0.2, 0.5, 0.8):
        from_table(frame, target="high", group="group", objectives=["error"], models=train, train_share=share)
        whole, half = frame.groupby(["group", "high"]).size(), frame.loc[seen["rows"]].groupby(["group", "high"]).size()
        assert ((half - share * whole).abs() < 1).all()


def test_same_seed_same_problem(frame):
    def risks(rng):
        problem = from_table(frame, target="high", objectives=["error", "norm"], rng=rng)
        return problem.true.risks()

    assert np.array_equal(risks(3), risks(3))
    assert np.array_equal(risks(3), risks(np.random.SeedSequence(3)))
    assert not np.array_equal(risks(3)[:10], risks(4)[:10])


@pytest.mark.parametrize("change", ["nullable", "category", "object", "bool target", "index"])
def test_dtypes_do_not_matter(frame, change):
    other = frame.copy()
    if change == "nullable":
        other = other.convert_dtypes()
    elif change == "category":
        other["city"] = other["city"].astype("category").cat.add_categories(["never"])
        other["group"] = other["group"].astype("category")
    elif change == "object":
        other = other.astype(object)
    elif change == "bool target":
        other["high"] = other["high"].astype(bool)
    else:
        other.index = [7] * len(other)
    names = ["error", "equal_opportunity_gap", "n_features", "norm"]
    one, two = (from_table(table, target="high", group="group", objectives=names) for table in (frame, other))
    assert np.array_equal(one.true.risks(), two.true.risks())


def test_encoding_rules():
    table = pd.DataFrame(
        {"n": [1, 2, 3, 4], "yes": [True, False, True, False], "two": list("baab"), "none": list("aaaa")}
    )
    encoded = encode(pd.concat([table, table], ignore_index=True).assign(three=list("cabcabaa")))
    assert encoded.owner.tolist() == [0, 1, 2, 3, 4, 4, 4]
    assert encoded.n_columns == 5
    assert encoded.matrix[:, 2].tolist() == [1, 0, 0, 1] * 2
    assert encoded.matrix[:, 4:].argmax(axis=1).tolist() == [2, 0, 1, 2, 0, 1, 0, 0]
    assert (encoded.matrix[:, 4:].sum(axis=1) == 1).all()


def test_more_than_two_classes_with_names(frame):
    problem = from_table(frame, target="city", objectives=["worst_class_error", "error", "norm"])
    assert problem.objective_names == ("worst_class_error", "error", "norm")
    assert problem.true.data_dependent.tolist() == [True, True, False]
    assert 30 <= problem.n_hypotheses <= 80
    truth = problem.true.risks()
    assert (truth[:, 0] >= truth[:, 1]).all()
    # named labels of given models are matched by name; one the target never takes is always wrong

    class Constant:
        def __init__(self, label):
            self.label = label

        def predict(self, features):
            return np.full(len(features), self.label)

    problem = from_table(frame, target="city", objectives=["error"], models=[Constant("Linz"), Constant("Rome")])
    assert problem.true.risks()[:, 0] == pytest.approx([(frame["city"] != "Linz").mean(), 1])


def test_regressions_in_units_of_the_target(frame):
    names = ["squared_error", "absolute_error", "worst_group_squared_error", "n_features", "norm"]
    models = {
        "line": LinearRegression().fit(frame[["age", "high"]], frame["cost"]),
        "lasso": Lasso(alpha=5.0).fit(frame[["age", "high"]], frame["cost"]),
        "pipe": make_pipeline(StandardScaler(), LinearRegression()).fit(frame[["age", "high"]], frame["cost"]),
    }
    problem = from_table(frame, target="cost", group="group", objectives=names, models=models)
    scale = frame["cost"].std(ddof=0)
    for risks, model in zip(problem.true.risks(), models.values(), strict=True):
        residual = (frame["cost"] - model.predict(frame[["age", "high"]])) / scale
        worst = (residual**2).groupby(frame["group"]).mean().max()
        assert risks[:3] == pytest.approx([(residual**2).mean(), residual.abs().mean(), worst], abs=1e-6)
    assert problem.true.risks()[:, 3].tolist() == [2, 1, 2]
    assert problem.true.risks()[0, 4] == pytest.approx(np.linalg.norm(models["line"].coef_))
    assert problem.is_lattice
    default = from_table(frame, target="cost", group="group", objectives=names)
    assert default.true.risks()[:, 0].min() < 0.5
    assert default.true.risks()[:, 0].max() < 1.1
    # heavier penalties shrink
    norms = default.true.risks()[-24:, 4]
    assert (np.diff(norms) < 0).all()
    sample = default.sample(200, replicates=200, rng=0)
    assert (np.abs(sample.risks() - default.true.risks()) <= default.widths(sample, delta=0.05)[:, None]).all()


def test_largest_gap_is_the_worst_of_all_gaps(rng):
    """Value, interval and width agree with Worst over Gaps; each rate is one cell."""
    losses, group = rng.integers(0, 2, (40, 6)).astype(float), np.arange(40) % 4
    rates = [Rate(losses, group == g) for g in range(4)]
    spread = Spread(rates)
    worst = Worst([Gap(a, b) for i, a in enumerate(rates) for b in rates[:i]])
    assert len(spread.cells) == 4

    def repeat(values):
        return [values[k] for i in range(4) for j in range(i) for k in (i, j)]

    for _ in range(50):
        middle, width = rng.random((4, 6)), rng.random((4, 1))
        assert np.array_equal(spread.value(middle), worst.value(repeat(middle)))
        low, high = middle - width, middle + width
        for found, expected in zip(spread.interval(low, high), worst.interval(repeat(low), repeat(high)), strict=True):
            assert np.array_equal(found, expected)
        assert np.allclose(spread.width(width), worst.width(repeat(width)))
    table = from_predictions(losses, group % 2, group=group, objectives=["demographic_parity_gap"])
    means = np.stack([losses[group == g].mean(axis=0) for g in range(4)])
    assert table.true.risks()[:, 0] == pytest.approx(means.max(axis=0) - means.min(axis=0))


def _message(function, *args, **kwargs):
    with pytest.raises(ValueError, match=r".") as caught:
        function(*args, **kwargs)
    return str(caught.value)


_BAD = {
    # what is changed: (argument named first, words of the sentence, how)
    "missing value": (
        "frame",
        ["2 in column 'age'", "dropna"],
        lambda f: f.assign(age=f["age"].where(np.arange(300) > 1)),
    ),
    "missing text": ("frame", ["1 in column 'city'"], lambda f: f.assign(city=[None, *f["city"][1:]])),
    "infinity": ("frame", ["infinity", "'age'"], lambda f: f.assign(age=[np.inf, *f["age"][1:]])),
    "free text": ("frame", ["300 levels", "'city'"], lambda f: f.assign(city=[f"note {i}" for i in range(300)])),
    "dates": ("frame", ["'age'", "numbers"], lambda f: f.assign(age=pd.Timestamp("2020-01-01"))),
    "mixed kinds": ("frame", ["int and str", "'city'"], lambda f: f.assign(city=[1, *f["city"][1:]])),
    "one row in a group": (
        "group",
        ["one row of 'w'", "'group'", "merge"],
        lambda f: f.assign(group=["w", *f["group"][1:]]),
    ),
    "one group": ("group", ["two values", "'group'"], lambda f: f.assign(group="x")),
    "many groups": ("group", ["got 60", "'group'", "cut"], lambda f: f.assign(group=np.arange(300) // 5)),
    "no positive in a group": (
        "group",
        ["'x'", "'high'", "merge"],
        lambda f: f.assign(high=f["high"].where(f["group"] != "x", 0)),
    ),
    "constant target": ("target", ["only", "1", "'high'"], lambda f: f.assign(high=1)),
    "named classes": (
        "target",
        ["'no', 'yes'", "'high'", "recode"],
        lambda f: f.assign(high=np.where(f["high"], "yes", "no")),
    ),
    "three classes": ("target", ["0 and 1", "'high'"], lambda f: f.assign(high=f["high"] + (f["age"] > 60))),
    "target missing": ("frame", ["'high'"], lambda f: f.assign(high=f["high"].where(f["age"] > 30))),
    "unknown target": ("target", ["'high'", "'age'"], lambda f: f.drop(columns="high")),
    "unknown group": ("group", ["'group'", "'age'"], lambda f: f.drop(columns="group")),
    "no features": ("frame", ["feature"], lambda f: f[["high", "group"]]),
    "no rows": ("frame", ["(0, 6)"], lambda f: f.iloc[:0]),
    "repeated column": ("frame", ["'age' twice"], lambda f: pd.concat([f, f[["age"]]], axis=1)),
    "not a frame": ("frame", ["dict"], lambda f: f.to_dict()),
    "class with one row": ("train_share", ["class"], lambda f: f.assign(high=[1] + [0] * 299)),
}


@pytest.mark.parametrize("case", _BAD)
def test_bad_tables_are_refused_with_what_to_do(frame, refuses, case):
    argument, words, change = _BAD[case]
    names = ["error"] if case == "class with one row" else ["error", "equal_opportunity_gap"]
    call = {"target": "high", "group": "group", "objectives": names}
    refuses(argument, from_table, change(frame), **call)
    message = _message(from_table, change(frame), **call)
    assert message.count(". ") == 0, message
    for word in words:
        assert word in message, message


def test_bad_arguments_are_refused(frame, refuses):
    refuses("target", from_table, frame, target=None, objectives=["error"])
    refuses("target", from_table, frame, target=["high"], objectives=["error"])
    refuses("group", from_table, frame, target="high", group="high", objectives=["error"])
    refuses("group", from_table, frame, target="high", objectives=["worst_group_error"])
    for wrong in ([], "error", ["accuracy"], ["error", "error"], ["n_features"], ["error", "squared_error"], {}):
        refuses("objectives", from_table, frame, target="high", objectives=wrong)
    refuses("target", from_table, frame, target="cost", objectives=["error"])
    refuses("target", from_table, frame, target="city", objectives=["squared_error"])
    for share in (0, 1, 0.0001, 0.9999, "half"):
        refuses("train_share", from_table, frame, target="high", objectives=["error"], train_share=share)
    rare = frame.assign(group=["w", "w", "w", *frame["group"][3:]])
    refuses("train_share", from_table, rare, target="high", group="group", objectives=["error"], train_share=0.05)
    refuses("rng", from_table, frame, target="high", objectives=["error"], rng="seed")
    refuses("stratify", from_table, frame, target="high", objectives=["error"], stratify=None)


def test_bad_models_are_refused(frame, refuses):
    def build(models, objectives=("error", "false_negative_rate"), target="high"):
        return from_table(frame, target=target, objectives=list(objectives), models=models)

    class Bad:
        def __init__(self, answer):
            self.answer = answer

        def predict(self, features):
            return self.answer

    for models in ([], {}, 7, "tree", ["tree"], [LogisticRegression()], [Bad(np.zeros(3))], [Bad(np.full(300, 2))]):
        refuses("models", build, models)
    refuses("models", build, [Threshold("height", 3)])
    refuses("models", build, lambda features, target: None)
    refuses("models", build, [Bad(np.full(300, "a"))], ["squared_error"], "cost")
    refuses("models", build, [Bad(np.zeros(300))], ["error", "norm"])
    refuses("models", build, [Bad(np.zeros(300))], ["error", "n_features"])


def test_strata_are_group_by_class(frame):
    problem = from_table(
        frame, target="high", group="group", objectives=["false_positive_rate", "equal_opportunity_gap"], stratify=True
    )
    # three groups of positives, and the negatives
    assert problem.n_strata == 4
    assert not problem.sample(4, replicates=100, rng=0).undefined.any()


def _gaps(frame, n_columns):
    return frame.assign(**{f"gap{i}": [np.nan] * (i + 1) + [1.0] * (len(frame) - i - 1) for i in range(n_columns)})


def test_all_columns_with_missing_values_are_named(frame, refuses):
    message = refuses("frame", from_table, _gaps(frame, 3), target="high", objectives=["error"])
    assert "got 1 in column 'gap0', 2 in column 'gap1' and 3 in column 'gap2': drop" in message
    message = refuses("frame", from_table, _gaps(frame, 7), target="high", objectives=["error"])
    assert "5 in column 'gap4' and some in 2 more columns: drop" in message


@pytest.mark.parametrize("kind", [object, "str"])
def test_columns_that_are_nearly_numbers_are_told(frame, refuses, kind):
    cost = frame["cost"].astype(object)
    if kind == "str":
        cost = cost.map(str)
    cost[:3] = "n/a"
    hint = "in column 'cost' (297 of 300 values are numbers: read it with pandas.to_numeric)"
    nearly = frame.assign(cost=cost)
    assert hint in refuses("frame", from_table, nearly, target="high", objectives=["error"])
    assert hint in refuses("target", from_table, nearly, target="cost", objectives=["squared_error"])
    free = frame.assign(city=[f"note {i}" for i in range(300)])
    assert "numeric" not in refuses("frame", from_table, free, target="high", objectives=["error"])


def test_targets_that_do_not_fit_get_a_remedy_that_does(frame, refuses):
    message = refuses("target", from_table, frame.assign(high=1), target="high", objectives=["error"])
    assert "got only 1 in column 'high'" in message
    message = refuses("target", from_table, frame, target="cost", objectives=["false_negative_rate"])
    assert "(frame['cost'] > threshold).astype(int), or ask for squared_error" in message
    assert "np." not in message
    message = refuses("target", from_table, frame, target="cost", objectives=["error"])
    assert message.endswith("bin it, for example with pandas.cut, or ask for squared_error.")
    names = frame.assign(cost=[f"name {i}" for i in range(300)])
    message = refuses("target", from_table, names, target="cost", objectives=["error"])
    assert message.endswith("group its values.")
    message = refuses(
        "target",
        from_table,
        frame.assign(cost=np.inf).assign(cost=[*frame["cost"][1:], np.inf]),
        target="cost",
        objectives=["squared_error"],
    )
    assert "got an infinity in column 'cost': drop" in message


def test_squared_error_of_classes_is_a_brier_score_over_their_variance(frame):
    class Probability:
        def predict(self, features):
            return np.asarray(features["age"]) / 100

    found = from_table(frame, target="high", objectives=["squared_error"], models=[Probability()]).true.risks()[0, 0]
    brier = ((frame["age"] / 100 - frame["high"]) ** 2).mean()
    assert found == pytest.approx(brier / frame["high"].var(ddof=0), abs=1e-6)


@pytest.mark.parametrize("objective", ["error", "false_negative_rate"])
def test_models_that_predict_probabilities_are_told_to_cut(frame, refuses, objective):
    class Probability:
        def predict(self, features):
            return np.full(len(features), 0.3)

    message = refuses("models", from_table, frame, target="high", objectives=[objective], models=[Probability()])
    assert f"for {objective}, got 0.3 from 'model 0': cut probabilities at a threshold" in message


def test_one_column_is_one_column(frame):
    names = from_table(frame, target="high", objectives=["error"]).hypothesis_names
    assert {name.split(",")[0] for name in names} == {"1 column", *(f"{k} columns" for k in range(2, 6))}
