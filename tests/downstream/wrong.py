"""What a checker must refuse: exactly the lines that end with a mark, by mypy and by pyright."""

from __future__ import annotations

import moltheory as mt
from moltheory.bounds import vc
from moltheory.scalarization import WeightedSum


def mistakes(world: mt.FiniteWorld) -> None:
    """Never called."""
    count: int = mt.nondominated([[0.0, 1.0]])  # wrong
    mt.certify([[[0.0], [1.0]]], delta="0.05")  # wrong
    mt.certify([[[0.0], [1.0]]], confidence=0.95)  # wrong
    print(mt.certify([[[0.0], [1.0]]]).verdict)  # wrong
    print(mt.nothing_of_that_name)  # wrong
    vc(100, 3, delta=0.1)  # wrong
    mt.experiments.asymmetry(world, sizes=[11], replicates=10)  # wrong
    mt.solve_front(world, scalarizations=[WeightedSum([1.0, 1.0])])  # wrong
    print(count)
