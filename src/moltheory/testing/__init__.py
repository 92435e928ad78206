"""Checkers of the contracts that objects from outside keep: they name what is wrong.

A scalarization, measure, problem or source of losses of your own works everywhere once its checker passes.
"""

from moltheory._core._listing import public_names
from moltheory.testing._errors import ContractError
from moltheory.testing._measure import check_measure
from moltheory.testing._problem import check_problem
from moltheory.testing._scalarization import check_scalarization
from moltheory.testing._source import check_source

__all__ = ["ContractError", "check_measure", "check_problem", "check_scalarization", "check_source"]

__dir__ = public_names(__name__)
