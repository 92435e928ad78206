"""Source papers as multi-objective problems: closed forms, training experiments, fronts and what was found."""

from moltheory.studies._base import Study
from moltheory.studies._catalog import get_study, study_names
from moltheory.studies._run_study import run_study

__all__ = ["Study", "get_study", "run_study", "study_names"]
