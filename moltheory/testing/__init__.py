"""Checkers of the contracts that objects from outside keep: they name what is wrong.

A scalarization, measure, problem or source of losses of your own works everywhere once its checker passes.
"""

__all__: list[str] = []
