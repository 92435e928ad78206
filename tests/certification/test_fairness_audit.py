"""A fairness audit of a user's table: rates and gaps against pandas, and certificates against the truth."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

import moltheory as mt
from moltheory.certification import from_estimators, from_predictions

_COMPAS = Path(__file__).parents[3] / "shared" / "data" / "compas_two_years.csv"
_OBJECTIVES = ["false_negative_rate", "false_positive_rate", "false_positive_gap"]
_NUMBERS = ["age", "juv_fel_count", "juv_misd_count", "juv_other_count", "priors_count"]


class Cut:
    """A risk score as a classifier: positive above a number."""

    def __init__(self, column, cut):
        self.column, self.cut = column, cut

    def predict(self, features):
        return (features[self.column] > self.cut).astype(int).to_numpy()


@pytest.fixture(scope="module")
def audit():
    if not _COMPAS.exists():
        pytest.skip(f"the COMPAS table is not at {_COMPAS}; it is not part of the package")
    frame = pd.read_csv(_COMPAS)
    frame = frame[frame["race"].isin(["African-American", "Caucasian"])].reset_index(drop=True)
    train = np.random.default_rng(0).random(len(frame)) < 0.5
    models = {f"decile > {cut}": Cut("decile_score", cut) for cut in (2, 4, 6, 8)}
    for k in (2, 5):
        columns = _NUMBERS[-1:] + _NUMBERS[: k - 1]
        for name, model in {
            "logistic": make_pipeline(StandardScaler(), LogisticRegression()),
            "tree": DecisionTreeClassifier(max_depth=4, random_state=0),
            "naive Bayes": GaussianNB(),
        }.items():
            model.fit(frame.loc[train, columns], frame.loc[train, "two_year_recid"])
            models[f"{name} on {k}"] = _On(model, columns)
    return frame[~train], models


class _On:
    """A model that takes some columns."""

    def __init__(self, model, columns):
        self.model, self.columns = model, columns

    def predict(self, features):
        return self.model.predict(features[self.columns])


def _rates(frame, predicted):
    table = pd.DataFrame({"y": frame["two_year_recid"], "race": frame["race"], "p": predicted})
    negative = table[table["y"] == 0]
    by_race = negative.groupby("race")["p"].mean()
    return [1 - table[table["y"] == 1]["p"].mean(), negative["p"].mean(), by_race.max() - by_race.min()]


def test_rates_per_group_and_gap_against_pandas(audit):
    frame, models = audit
    evaluated = from_estimators(
        models, frame, frame["two_year_recid"], group=frame["race"], objectives=_OBJECTIVES, costs=[]
    )
    certificate = evaluated.certify()
    assert certificate.objectives == tuple(_OBJECTIVES)
    for name, estimates, boxes in zip(certificate.names, certificate.estimates, certificate.boxes, strict=True):
        expected = _rates(frame, models[name].predict(frame))
        assert estimates == pytest.approx(expected, abs=1e-12)
        assert (boxes[:, 0] <= expected).all()
        assert (boxes[:, 1] >= expected).all()


def test_claims_of_an_audit_hold_where_the_truth_is_known(audit):
    """The test rows are the population; samples of them are certified, and no claim may be false too often."""
    frame, models = audit
    predictions = np.column_stack([model.predict(frame) for model in models.values()])
    y, race = frame["two_year_recid"].to_numpy(), frame["race"].to_numpy()
    truth = mt.nondominated(np.array([_rates(frame, column) for column in predictions.T]))
    rng, wrong, settled = np.random.default_rng(1), 0, 0
    for _ in range(8):
        rows = rng.integers(len(frame), size=4000)
        sample = from_predictions(predictions[rows], y[rows], group=race[rows], objectives=_OBJECTIVES)
        certificate = sample.certify(delta=0.05)
        settled += int((certificate.sure | certificate.excluded).sum())
        wrong += bool((certificate.sure & ~truth).any() or (certificate.excluded & truth).any())
    assert wrong <= 1
    assert settled > 0


def test_the_score_of_the_table_is_harder_on_one_group(audit):
    """The known finding about this table, as a certified statement: the gap's interval is away from zero."""
    frame, models = audit
    evaluated = from_estimators(
        {name: model for name, model in models.items() if name.startswith("decile")},
        frame,
        frame["two_year_recid"],
        group=frame["race"],
        objectives=["error", "false_positive_gap", "false_negative_gap"],
        costs=[],
    )
    certificate = evaluated.certify()
    middle = certificate.names.index("decile > 4")
    assert certificate.boxes[middle, 1, 0] > 0.03
    assert certificate.boxes[middle, 2, 0] > 0.03
