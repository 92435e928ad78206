"""Names and signatures that outside code relies on: they exist, with these parameters, and may only be added to."""

import inspect

import pytest

import moltheory as mt

# Function: parameters before "/", and names of those that only keywords reach.
_SIGNATURES = {
    "nondominated": ("points / maximise weak"),
    "pareto_front": ("points / maximise"),
    "pareto_rank": ("points / maximise"),
    "coverage_error": ("selected truth / scale maximise"),
    "purity_error": ("selected truth / scale maximise"),
    "hypervolume": ("points / reference maximise"),
    "solve_front": ("objectives | scalarizations method on_failure"),
    "certify": ("losses / delta costs objectives names loss_range maximise epsilon clusters method"),
    "bounds.mean_interval": ("losses / method delta side loss_range axis"),
    "bounds.binomial_interval": ("errors n / method delta side"),
    "bounds.boxes": ("losses / delta loss_range"),
    "bounds.finite_class": ("n | n_hypotheses delta n_objectives loss_range"),
    "bounds.vc": ("n | dimension delta n_objectives"),
    "bounds.rademacher": ("n | complexity empirical delta n_objectives loss_range"),
    "bounds.linear_class": ("n | lipschitz weight_norm input_norm delta n_objectives loss_range"),
    "bounds.kl_inverse": ("p budget / side"),
    "bounds.required_sample_size": ("| excess n_hypotheses delta n_objectives loss_range"),
    "theorems.falsify": ("theorem problems | budget rng"),
    "experiments.asymmetry": ("problem | sizes replicates rng delta n_jobs store progress"),
    "problems.from_predictions": ("predictions target | group costs objectives"),
    "problems.from_table": ("frame | target group objectives models train_share rng"),
    "problems.exchangeable_decoys": ("m"),
    "problems.near_tie": ("p gamma"),
    "problems.tilted_line": ("| n_points"),
    "FiniteWorld": ("probabilities losses | names"),
    "FiniteWorld.from_examples": ("losses"),
    "FiniteWorld.sample_risks": ("self n | replicates rng"),
    "FiniteWorld.sample_losses": ("self n | rng"),
    "FiniteWorld.sample": ("self n | replicates rng"),
    "FiniteWorld.true_front": ("self | n_points"),
    "problems.MultiTaskLeastSquares": ("covariances targets noise"),
    "scalarization.WeightedSum": ("weights"),
    "scalarization.PNorm": ("weights p"),
    "scalarization.Chebyshev": ("weights | ideal augmentation"),
    "scalarization.SmoothChebyshev": ("weights smoothing"),
    "scalarization.EpsilonConstraint": ("bounds | objective"),
    "CertificateStream": ("models objectives delta"),
    "show_versions": (""),
    "theorems.ledger": (""),
}
_ATTRIBUTES = {
    "Front": ("points", "members", "maximise", "ideal", "nadir", "to_json", "from_json"),
    "Sweep": ("points", "solutions", "values", "gap", "status", "front"),
    "Interval": ("lower", "upper", "delta"),
    "Bound": ("width", "__array__", "to_json", "from_json"),
    "Certificate": (
        *("sure", "excluded", "undecided", "excluded_by", "boxes"),
        *("to_frame", "plot", "to_json", "from_json"),
    ),
    "Theorem": (
        *("statement", "source", "provenance", "assumptions", "inputs"),
        *("evaluate", "check", "check_pair"),
    ),
    "FiniteWorld": ("true_risks", "exact", "true", "sample", "objective_names", "is_exact", "is_lattice"),
    "scalarization.WeightedSum": ("width", "is_monotone", "is_subadditive", "modulus", "__call__"),
}
_COLUMNS = (
    "size, replicate, coverage_error, purity_error, n_front, n_spurious, hypervolume_deficit, uniform_deviation, bound, "
    "undefined, discretization"
)


def _found(name):
    value = mt
    for part in name.split("."):
        value = getattr(value, part)
    return value


@pytest.mark.parametrize("name", _SIGNATURES)
def test_signatures(name):
    parameters = inspect.signature(_found(name)).parameters
    before, _, after = _SIGNATURES[name].replace("/", "|").partition("|")
    for word in before.split():
        assert word in parameters, word
        if "/" in _SIGNATURES[name]:
            assert parameters[word].kind is inspect.Parameter.POSITIONAL_ONLY
    for word in after.split():
        assert word in parameters, word
        assert parameters[word].kind in (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@pytest.mark.parametrize("name", _ATTRIBUTES)
def test_attributes(name):
    kind = _found(name)
    fields = set(getattr(kind, "__dataclass_fields__", ())) | set(dir(kind))
    instance = mt.problems.two_coins() if name == "FiniteWorld" else None
    missing = [one for one in _ATTRIBUTES[name] if one not in fields and not hasattr(instance, one)]
    assert not missing


def test_columns_of_asymmetry():
    table = mt.experiments.asymmetry(mt.problems.two_coins(), sizes=[3], replicates=2, rng=0)
    assert set(_COLUMNS.split(", ")) <= set(table.columns)


def test_populations_and_constants_by_name():
    for name in ("two_coins", "mirrored_decoys", "tilted_line", "reference_world", "from_dataset"):
        assert callable(getattr(mt.problems, name))
    methods = ("hoeffding", "kl", "clopper-pearson", "empirical-bernstein", "hoeffding-bentkus", "betting", "auto")
    for method in methods:
        assert mt.bounds.mean_interval([0.0, 1.0, 1.0], method=method, delta=0.1).upper <= 1.0
    assert mt.scalarization.Chebyshev([1.0, 1.0]).ideal == (0.0, 0.0)
