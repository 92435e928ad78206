"""Source papers as multi-objective problems: closed forms, training experiments, fronts and what was found."""

from moltheory.studies.base import Study
from moltheory.studies.catalog import get_study, study_names
from moltheory.studies.running import run_study

__all__ = ["Study", "get_study", "run_study", "study_names"]
