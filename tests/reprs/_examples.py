"""One object, or some, of every public class; by the name of the class, in order."""

import tempfile
from pathlib import Path

import numpy as np

import moltheory as mt

# Classes of which no object is ever the last line of a cell, or which show themselves well.
NOT_SHOWN = {
    "PartialFrontWarning": "a warning: Python prints it",
    "Status": "an enumeration: its own representation names member and number",
    "ProblemLike": "a protocol: it has no objects",
    "WeightedSumProblem": "a protocol: it has no objects",
}


def _losses() -> np.ndarray:
    losses = np.zeros((1000, 3), dtype=bool)
    losses[:200, 0] = losses[10:215, 1] = losses[:400, 2] = True
    return losses


def certificate(**options):
    return mt.certify(_losses(), names=["a", "b", "c"], **options)


def _world(n_hypotheses: int = 4) -> mt.FiniteWorld:
    return mt.problems.tilted_line(n_points=n_hypotheses)


def _sweep():
    objectives = mt.objectives.FiniteObjectives([[0.0, 1.0], [0.3, 0.3], [1.0, 0.0]])
    weights = mt.scalarization.simplex_grid(2, 4)
    return mt.solve_front(objectives, scalarizations=[mt.scalarization.WeightedSum(w) for w in weights])


def _least_squares():
    eye = np.eye(2)
    return mt.problems.MultiTaskLeastSquares([eye, eye], [[1.0, 0.0], [0.0, 1.0]], [0.5, 0.5])


def _mixture():
    return mt.problems.GaussianMixture([0.5, 0.5], [[-1.0, 0.0], [1.0, 0.0]], [np.eye(2)] * 2, [0, 1])


def _run_folder():
    folder = Path(tempfile.mkdtemp()) / "run"
    return mt.runs.RunFolder.open(folder, parameters={"what": "squares", "n": 1000}, rng=0, keys=["a", "b"])


def _tables():
    losses = np.random.default_rng(0).random((50, 2, 2))
    return mt.evaluation.LossTable(losses, ["a", "b"], ["error", "gap"], costs=[[1.0], [2.0]], cost_names=["size"])


def _comparisons():
    p = np.full((2, 2), 0.5)
    return mt.certification.Comparisons(("a", "b"), ("error",), (False,), {}, {("error", 0.0): p})


class _Claim(mt.certification.Claim):
    def comparisons(self):
        return ()

    def p_value(self, comparisons):
        return 1.0

    def __str__(self):
        return "a claim"


def _study_claim():
    return mt.studies.Claim(
        "Robustness costs accuracy.", "abstract", "experiment", "Agrees if it falls in every run.", "9 of 9", "agrees"
    )


def _frame():
    import pandas as pd

    return pd.DataFrame({"x": [1, 2]})


def _table_result(module, name):
    """A record of a study whose fields hold tables, made without running it."""
    import dataclasses
    from importlib import import_module

    kind = getattr(import_module(f"moltheory.studies.{module}"), name)
    return kind(**{field.name: _frame() for field in dataclasses.fields(kind)})


def _classifier():
    from moltheory.studies.smoothing import SmoothedClassifier

    return SmoothedClassifier(lambda x: np.zeros(len(x), dtype=int), 0.5, classes=[0, 1])


def _laplace():
    from moltheory.studies.gradient_outer_product import LaplaceRegression

    return LaplaceRegression(np.zeros((5, 2)), np.zeros(5), 1.0, np.zeros((5, 5)))


def _reduced_loss():
    from moltheory.studies.unconstrained_features import ReducedLoss

    return ReducedLoss(2, 3, 0.01)


def _stream():
    stream = mt.CertificateStream(["old", "new"], ["error"], 0.05)
    stream.update(np.zeros((3, 2, 1)))
    return stream


def _conjecture():
    return mt.Theorem(
        id="mine", statement="L = Lhat", source="a note", provenance="conjecture",
        violation=lambda true, empirical, widths: abs(true - empirical).max(axis=(-2, -1)),
    )  # fmt: skip


def _reproduction():
    section = mt.reports.Section("a", "A figure", "It shows.", b"0" * 1000, b"0" * 1000, {"t": _frame()}, 1.5)
    return mt.reports.Reproduction(Path("out"), Path("out/index.html"), (Path("out/index.html"),), 2.0, (section,))


def _cell():
    return mt.objectives.Cell(np.zeros((5, 2), dtype=bool), np.ones(5, dtype=bool))


def _smooth():
    return mt.objectives.SmoothObjectives(
        lambda x: (x**2).sum(axis=-1, keepdims=True),
        lambda x: 2 * x[..., None, :],
        lambda x: np.broadcast_to(2 * np.eye(2), (*x.shape[:-1], 1, 2, 2)),
        n_objectives=1,
        dimension=2,
    )


_RATE = ([[0, 1], [1, 0]], [True, True])
_CONVEX = ([np.eye(2)] * 2, [np.ones(2)] * 2)
_FORM = mt.scalarization.WeightedSum([0.5, 0.5])

FACTORIES = {
    "AUCError": lambda: mt.evaluation.AUCError(np.random.default_rng(0).random((6, 2)), [True, False] * 3),
    "AmongBest": lambda: mt.certification.AmongBest("a", "error", k=2),
    "Assumption": lambda: mt.theorems.ledger()["forward"].assumptions[0],
    "Attack": lambda: mt.theorems.falsify(_conjecture(), budget=100),
    "AttainmentSurfaces": lambda: mt.pareto.attainment_surfaces([[0, 1], [1, 0]], [0, 1], percentiles=[50, 100]),
    "Average": lambda: mt.objectives.Average([mt.objectives.Rate(*_RATE), mt.objectives.Rate(*_RATE)]),
    "BestWithin": lambda: mt.certification.BestWithin("a", "error", "size", 2.0),
    "BaselineComparison": lambda: mt.certification.compare_to_baseline(_losses(), "a", names=["a", "b", "c"]),
    "Better": lambda: mt.certification.Better("a", "b", "error"),
    "BlackBoxObjectives": lambda: mt.objectives.BlackBoxObjectives(lambda x: x, [0.0] * 2, [1.0] * 2, n_objectives=2),
    "Bound": lambda: mt.bounds.finite_class([10, 10_000], n_hypotheses=10**6, delta=0.05, n_objectives=2),
    "CVaR": lambda: mt.evaluation.CVaR(np.random.default_rng(0).random((20, 2)), share=0.1),
    "CappedMean": lambda: mt.evaluation.CappedMean(np.ones((5, 2)), 0.5),
    "Cell": _cell,
    "CellTasks": lambda: mt.problems.cell_tasks(8, n_blocks=2),
    "Certificate": certificate,
    "CertificateStream": _stream,
    "Chebyshev": lambda: mt.scalarization.Chebyshev([0.5, 0.5]),
    "CheckResult": lambda: mt.theorems.ledger()["forward"].check(mt.problems.two_coins(), n=5),
    "Choice": lambda: certificate().choose("objective_1"),
    "ClaimResults": lambda: mt.certification.certify_claims(
        _losses(), [mt.certification.Better("a", "c", "error")], names=["a", "b", "c"], objectives=["error"]
    ),
    "Clutter": lambda: mt.images.Clutter(),
    "Comparisons": _comparisons,
    "Complexity": lambda: mt.bounds.linear_complexity(np.eye(3), weight_norm=1.0),
    "ConstrainedForm": lambda: mt.scalarization.ConstrainedForm(0, (1.0, 1.0)),
    "ConvexObjectives": lambda: mt.objectives.ConvexObjectives(*_CONVEX, losses="squared"),
    "EpsilonConstraint": lambda: mt.scalarization.EpsilonConstraint([1.0, 0.5]),
    "Event": lambda: mt.bounds.finite_class(10, n_hypotheses=5, delta=0.1).identity,
    "ExceedanceRate": lambda: mt.evaluation.ExceedanceRate(np.ones((5, 2)), 0.5),
    "ExchangeableDecoys": lambda: mt.problems.exchangeable_decoys(3),
    "ExplorerSection": lambda: mt.explorer.explorer_section(),
    "Extra": lambda: mt.reports.Extra("Heading", "<p>text</p>"),
    "F1Error": lambda: mt.objectives.F1Error(np.eye(2, dtype=bool), [True, False]),
    "FailureProbability": lambda: mt.theorems.FailureProbability(0.01, 0.005, 0.02),
    "Figure": lambda: mt.figures.get_figure("mechanism"),
    "FiniteObjectives": lambda: mt.problems.two_coins().sample(5, replicates=3, rng=0),
    "FinitePopulation": lambda: mt.problems.FinitePopulation(
        [0.5, 0.5], [mt.objectives.Mean([[0, 1], [1, 0]]), mt.objectives.Known([0, 1])]
    ),
    "FiniteProblem": lambda: mt.problems.near_tie(0.2, 0.1),
    "FiniteWorld": _world,
    "FittedSupports": lambda: mt.problems.SparseRegression(np.eye(2), [2.0, 1.0], 1.0).fits(20, rng=0),
    "Form": lambda: _FORM.form(),
    "Front": lambda: mt.pareto_front([[3, 1], [2, 2], [3, 3], [1, 4]]),
    "FrontComparison": lambda: mt.experiments.FrontComparison(_world()),
    "FrontGrid": lambda: mt.problems.FrontGrid(25, 6, 4),
    "FullyConnected": lambda: mt.studies.get_study("fully-connected"),
    "FullyConnectedResult": lambda: _table_result("fully_connected", "FullyConnectedResult"),
    "Gap": lambda: mt.objectives.Gap(mt.objectives.Rate(*_RATE), mt.objectives.Rate(*_RATE)),
    "GaussianDesigns": lambda: mt.problems.GaussianDesigns(
        [np.eye(2)] * 2, [[1.0, 0.0], [0.0, 1.0]], losses="squared", noise=0.1
    ),
    "GaussianMixture": _mixture,
    "GaussianMixtureClassifiers": lambda: mt.problems.GaussianMixtureClassifiers(
        _mixture(), [[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]], objectives=("error", "n_features")
    ),
    "GaussianPosterior": lambda: _posterior(),
    "GradientOuterProduct": lambda: mt.studies.get_study("average-gradient-outer-product"),
    "GradientOuterProductResult": lambda: _table_result("gradient_outer_product", "GradientOuterProductResult"),
    "ImageData": lambda: mt.images.ImageSource().load(),
    "ImageSource": lambda: mt.images.ImageSource(),
    "InfiniteProblem": _least_squares,
    "Input": lambda: mt.theorems.ledger()["forward"].inputs["widths"],
    "Interval": lambda: mt.bounds.binomial_interval([0, 10], 100, delta=0.05),
    "Known": lambda: mt.objectives.Known([1.0, 2.0]),
    "L1Path": lambda: mt.problems.L1Path(np.ones(2), np.ones((2, 3)), np.ones(2), np.zeros(2)),
    "LaplaceRegression": _laplace,
    "Ledger": mt.theorems.ledger,
    "LimitTests": lambda: mt.certification.certify_limits(_losses(), {"objective_1": 0.3}),
    "LimitVerdicts": lambda: certificate().within({"objective_1": 0.3}),
    "LinearForm": lambda: mt.scalarization.LinearForm((0.5, 0.5)),
    "LinearPopulation": lambda: mt.problems.LinearPopulation(
        [0.5 * np.eye(2)] * 2, [[1, -1], [-1, 1]], losses="logistic", radius=1.0, input_norm=1.0
    ),
    "LogisticGroups": lambda: mt.problems.LogisticGroups(
        np.random.default_rng(0).normal(size=(20, 2)), [0, 1] * 10, ["a"] * 10 + ["b"] * 10
    ),
    "LossSource": lambda: _tables(),
    "LossTable": _tables,
    "LowerBound": lambda: mt.bounds.coverage_lower_bound(100, n_hypotheses=8, probability=0.5),
    "LowRankBias": lambda: mt.studies.get_study("low-rank-bias"),
    "LowRankResult": lambda: _table_result("low_rank_bias", "LowRankResult"),
    "MaximumForm": lambda: mt.scalarization.MaximumForm((0.5, 0.5), (0.0, 0.0)),
    "Mean": lambda: mt.objectives.Mean([[0, 1], [1, 0]]),
    "Measure": lambda: mt.objectives.Mean([[0, 1], [1, 0]]),
    "Measured": lambda: mt.Measured([1.0, 2.0], [0.9, 1.9], [1.1, 2.1], delta=0.01, models=["a", "b"]),
    "MixtureBound": lambda: _mixtures().cover,
    "MixtureTable": lambda: _mixtures(),
    "ModelGroups": lambda: mt.certification.indistinguishable_groups(certificate()),
    "MultiTaskLeastSquares": _least_squares,
    "NamedObjective": lambda: _first(mt.evaluation.named_objectives()),
    "NearTie": lambda: mt.problems.near_tie(0.2, 0.1),
    "NormBall": lambda: mt.objectives.NormBall(2.0),
    "Opening": lambda: mt.reports.Opening("Heading", "<p>text</p>"),
    "PNorm": lambda: mt.scalarization.PNorm([0.5, 0.5], 2),
    "PairResult": lambda: mt.theorems.ledger()["forward"].check_pair([[0.5], [1.0]], [[0.25], [1.0]]),
    "PlantedBest": lambda: mt.problems.planted_best(3, 0.1, n_groups=2, best=[0, 2]),
    "Problem": _least_squares,
    "Proof": lambda: mt.theorems.proofs()["forward"],
    "Proofs": mt.theorems.proofs,
    "QuadraticObjectives": lambda: _least_squares().true,
    "Quantile": lambda: mt.evaluation.Quantile(np.ones((5, 2)), 0.9),
    "RaceResult": lambda: mt.certification.race(["a", "b", "c"], _losses()[:, :, None]),
    "Rate": lambda: mt.objectives.Rate(*_RATE),
    "Reader": lambda: _first(mt.evaluation.readers()),
    "ReducedLoss": _reduced_loss,
    "RefinedFront": lambda: mt.solvers.refine_front(_least_squares().true, tolerance=0.1),
    "Reproduction": _reproduction,
    "Request": lambda: mt.evaluation.Request(),
    "RunFolder": _run_folder,
    "RunRecord": lambda: _run_folder().record,
    "Scalarization": lambda: _FORM,
    "Section": lambda: _reproduction().sections[0],
    "Settings": lambda: mt.figures.Settings(quick=True),
    "Slack": lambda: mt.theorems.ledger()["forward"].check(mt.problems.two_coins(), n=5).slack,
    "SlackGuarantee": lambda: mt.bounds.SlackGuarantee(0.5, 0.75, 0.75),
    "SmoothChebyshev": lambda: mt.scalarization.SmoothChebyshev([0.5, 0.5], 0.1),
    "SmoothForm": lambda: mt.scalarization.SmoothChebyshev([0.5, 0.5], 0.1).form(),
    "SmoothObjectives": _smooth,
    "SmoothedClassifier": _classifier,
    "Smoothing": lambda: mt.studies.get_study("smoothing"),
    "SmoothingResult": lambda: _table_result("smoothing", "SmoothingResult"),
    "SparseRegression": lambda: mt.problems.SparseRegression(np.eye(2), [2.0, 1.0], 1.0),
    "Spread": lambda: mt.objectives.Spread([mt.objectives.Rate(*_RATE), mt.objectives.Rate(*_RATE)]),
    "Study": lambda: mt.studies.get_study("smoothing"),
    "Sweep": _sweep,
    "Tail": lambda: mt.evaluation.CVaR(np.ones((20, 2)), share=0.1),
    "Theorem": lambda: mt.theorems.ledger()["forward"],
    "Timings": lambda: mt.evaluation.Timings(("a", "b"), np.array([[0.5, 0.25], [1.0, 2.0]])),
    "TypeEnumeration": lambda: mt.problems.two_coins().exact(5),
    "UnconstrainedFeatures": lambda: mt.studies.get_study("unconstrained-features"),
    "UnconstrainedResult": lambda: _table_result("unconstrained_features", "UnconstrainedResult"),
    "Versions": mt.show_versions,
    "WeightCells": lambda: mt.solvers.weight_cells([[0.0, 1.0], [0.3, 0.4], [1.0, 0.0]]),
    "WeightDecay": lambda: mt.studies.get_study("weight-decay"),
    "WeightDecayResult": lambda: _table_result("weight_decay", "WeightDecayResult"),
    "WeightedFront": lambda: mt.objectives.WeightedFront(np.eye(2), np.eye(2), np.eye(2), np.array(0.1)),
    "WeightedFrontComparison": lambda: mt.experiments.WeightedFrontComparison(_least_squares()),
    "WeightedScalarization": lambda: _FORM,
    "WeightedSum": lambda: _FORM,
    "WinRate": lambda: mt.evaluation.WinRate(np.ones((5, 2)), np.ones(5)),
    "Worst": lambda: mt.objectives.Worst([mt.objectives.Rate(*_RATE), mt.objectives.Rate(*_RATE)]),
    # Two classes of one name, told apart by their homes.
    "certification.Claim": _Claim,
    "studies.Claim": _study_claim,
}


def _first(found):
    return next(iter(found.values() if hasattr(found, "values") else found))


def _posterior():
    inputs = np.random.default_rng(0).normal(size=(200, 2)) + [[2.0, 0.0]] * 200
    return mt.bounds.gaussian_posterior(inputs, np.ones(200), delta=0.05)


def _mixtures():
    return mt.bounds.mixture_bounds(10_000, n_objectives=3, delta=0.05, complexities=0.01)


__all__ = ["FACTORIES", "NOT_SHOWN", "certificate"]
