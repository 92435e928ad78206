"""Checks of arguments, rational arithmetic and the small helpers that every subpackage uses."""
