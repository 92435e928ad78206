"""Benchmarks of moltheory beside its peers: `python -m benchmarks --list` says which."""
