"""Public callables that are not in the table of growth, by the reason."""

from __future__ import annotations

__all__ = ["NOT_IN_TABLE"]

NOT_IN_TABLE = {
    "a few numbers in, a few numbers out: the work does not depend on a size": (
        *("bounds.bernstein_excess", "bounds.relative_scales"),
        *("bounds.dudley_complexity", "bounds.fat_shattering_dimension"),
        *("bounds.coverage_lower_bound", "bounds.expected_coverage", "bounds.expected_linear_excess"),
        *("bounds.linear_excess_lower_bound", "bounds.pseudo_label_excess"),
        *("bounds.applicable_bounds", "bounds.pac_bayes_constant", "bounds.required_sample_size"),
        *("bounds.required_sample_size_linear", "bounds.required_sample_size_vc", "inference.interval_methods"),
        "bounds.required_sample_size_minimax",
        *("oracle.count_types", "problems.near_tie_limit", "solvers.chebyshev_weights"),
        *("runs.as_seed_sequence", "runs.block_stream", "runs.check_jobs", "runs.check_recordable"),
        *("runs.check_memory", "runs.prepare_folder", "runs.show_versions"),
    ),
    "a fixed object, or one out of a fixed list": (
        *("evaluation.named_objectives", "evaluation.readers", "evaluation.register_reader"),
        *("problems.from_dataset", "problems.logistic_groups", "problems.mirrored_decoys", "problems.reference_world"),
        *("problems.small_world", "problems.two_coins", "theorems.ledger", "theorems.proof_setting"),
        "theorems.proofs",
        *("figures.figure_names", "figures.get_figure", "studies.get_study", "studies.study_names"),
        "images.digit_images",
    ),
    "at most 200 hypotheses and 200,000 losses, others are refused": (
        *("explorer.explore", "explorer.explorer_page", "explorer.explorer_section"),
    ),
    "a record of arguments, or a result as large as what made it": (
        *("bounds.Complexity", "bounds.LowerBound", "bounds.MixtureBound", "bounds.MixtureTable"),
        *("bounds.GaussianPosterior", "bounds.SlackGuarantee"),
        *("certification.AmongBest", "certification.BestWithin", "certification.Better", "certification.ClaimResults"),
        "certification.BaselineComparison",
        *("certification.Choice", "certification.Comparisons", "certification.LimitTests"),
        *("certification.LimitVerdicts", "certification.ModelGroups", "certification.RaceResult"),
        *("explorer.ExplorerSection", "reports.Extra"),
        *("images.Clutter", "images.ImageSource", "studies.Claim"),
        *("evaluation.NamedObjective", "evaluation.Reader", "evaluation.Request", "evaluation.Timings"),
        *("objectives.WeightedFront", "pareto.AttainmentSurfaces"),
        *("problems.FittedSupports", "problems.FrontGrid", "problems.L1Path"),
        *("reports.Opening", "reports.Reproduction", "reports.Section", "reports.Settings"),
        *("runs.RunRecord", "runs.Versions", "solvers.RefinedFront", "solvers.Status", "solvers.WeightCells"),
        *("theorems.Assumption", "theorems.Attack", "theorems.CheckResult", "theorems.FailureProbability"),
        *("theorems.Input", "theorems.Ledger", "theorems.PairResult", "theorems.Slack", "theorems.Theorem"),
        *("theorems.Proof", "theorems.Proofs", "reports.latex_table"),
    ),
    "a base class, or what a solver asks of one: the work is that of the subclass": (
        *("certification.Claim", "evaluation.LossSource", "evaluation.Tail", "objectives.Measure"),
        *("problems.FiniteProblem", "problems.InfiniteProblem", "problems.Problem", "problems.ProblemLike"),
        *("reports.Figure", "studies.Study", "solvers.WeightedSumProblem"),
        *("scalarization.ConstrainedForm", "scalarization.Form", "scalarization.LinearForm"),
        *("scalarization.MaximumForm", "scalarization.SmoothForm"),
        *("scalarization.Scalarization", "scalarization.WeightedScalarization"),
    ),
    "fixed figures with a fixed budget, measured by benchmarks/studies.py and the tables of `moltheory reproduce`": (
        *("figures.reproduce", "reports.write_report", "studies.run_study"),
    ),
    "errors, warnings and types": (
        *("runs.RandomSource", "scalarization.Optimality", "solvers.SupportKind", "solvers.PartialFrontWarning"),
        *("testing.ContractError", "theorems.NotApplicableError"),
    ),
}
