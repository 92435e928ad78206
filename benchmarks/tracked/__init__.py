"""Times followed over commits with asv, on request; see docs/benchmarks.md."""
