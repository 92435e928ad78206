"""About 150 scikit-learn models of many kinds on digits and breast cancer: which are really on the front?

Trains them on one half, records on the other half 0/1 losses per example, worst-class error, size and prediction
time, and certifies.
"""

from __future__ import annotations

from moltheory.certification import Certificate, from_estimators
from moltheory.figures._zoo import Zoo, model_zoo
from moltheory.pareto import nondominated

from ._protocol import Benchmark, Budget, Part, Table, Times, seconds_of

_OBJECTIVES = ["error", "worst_class_error"]
_COST_SETS = {
    "size": ["size_in_bytes"],
    "size and parameters": ["size_in_bytes", "n_parameters"],
}
_COLUMNS = (
    *("estimated", "known", "models", "examples", "empirical front", "sure", "excluded", "undecided"),
    *("undecided on the empirical front", "time"),
)


def _row(objectives: list[str], costs: str, seconds: float, certificate: Certificate) -> list[object]:
    front = nondominated(certificate.estimates)
    undecided = certificate.undecided
    counted = (front, certificate.sure, certificate.excluded, undecided, front & undecided)
    sums = [int(one.sum()) for one in counted]
    return [" + ".join(objectives), costs, len(certificate), certificate.n_examples, *sums, Times((seconds,))]


def _certified(name: str, budget: Budget) -> Part:
    trained, zoo = seconds_of(lambda: model_zoo(name, quick=budget.pick(False, True)))
    rows, least = [], list(_COST_SETS.values())[-1]
    for objectives in (["error"], _OBJECTIVES):
        models = from_estimators(zoo.estimators, zoo.features, zoo.target, objectives=objectives, costs=least)
        known = dict(zip(models.cost_names, models.costs.T, strict=True))
        for label, names in _COST_SETS.items():
            seconds, certificate = seconds_of(lambda m=models, c={one: known[one] for one in names}: m.certify(costs=c))
            rows.append(_row(objectives, label, seconds, certificate))
    notes = [
        "Confidence 95 % for all statements of a row together; both costs are known exactly.",
        f"Training and evaluation: {_trained(zoo)}, {trained:.1f} s.",
    ]
    return Part([Table(_COLUMNS, rows, notes)])


def _trained(zoo: Zoo) -> str:
    return f"{len(zoo.estimators)} models"


BENCHMARK = Benchmark(
    name="model_zoo",
    title="A model zoo, certified",
    compares="Which of about 150 scikit-learn models are on the front for sure, and how long the certificate takes.",
    parts={
        "digits": lambda budget: _certified("digits", budget),
        "breast cancer": lambda budget: _certified("breast_cancer", budget),
    },
    seconds=(15, 6),
)
