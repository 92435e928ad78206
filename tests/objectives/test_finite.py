import numpy as np
import pytest

from moltheory.objectives import FiniteObjectives


def test_batches_and_selection(rng):
    table = rng.random((5, 4, 3, 2))
    objectives = FiniteObjectives(table)
    assert objectives.batch_shape == (5, 4)
    assert (objectives.n_hypotheses, objectives.n_objectives) == (3, 2)
    assert objectives.names == ("objective_1", "objective_2")
    assert np.array_equal(objectives.risks(), table)
    assert np.array_equal(objectives.risks([2, 0, 2]), table[:, :, [2, 0, 2]])
    assert objectives.data_dependent.all()
    assert not objectives.undefined.any()


def test_undefined_replicates_are_marked():
    table = np.zeros((3, 2, 2))
    table[1, :, 0] = np.nan
    assert FiniteObjectives(table).undefined.tolist() == [False, True, False]


def test_results_are_read_only(rng):
    table = rng.random((3, 2))
    objectives = FiniteObjectives(table)
    before = objectives.risks().copy()
    table[:] = 0
    assert np.array_equal(objectives.risks(), before)
    with pytest.raises(ValueError, match="read-only"):
        objectives.risks()[0, 0] = 1


def test_refusals(refuses):
    good = [[0.1, 0.2], [0.3, 0.4]]
    refuses("risks", FiniteObjectives, [0.1, 0.2])
    refuses("risks", FiniteObjectives, np.empty((0, 2)))
    refuses("risks", FiniteObjectives, [[0.1, np.inf], [0.3, 0.4]])
    refuses("risks", FiniteObjectives, [[np.nan, 0.2], [0.3, 0.4]])
    refuses("names", FiniteObjectives, good, names=["a"])
    refuses("names", FiniteObjectives, good, names=["a", "a"])
    refuses("data_dependent", FiniteObjectives, good, data_dependent=[1, 0])
    objectives = FiniteObjectives(good)
    refuses("hypotheses", objectives.risks, [])
    refuses("hypotheses", objectives.risks, [2])
    refuses("hypotheses", objectives.risks, [-1])
    refuses("hypotheses", objectives.risks, [0.5])
