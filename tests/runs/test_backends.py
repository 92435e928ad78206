"""Which engine computes blocks, what travels to its workers, and which of them are refused; without an engine."""

import os
import threading

import joblib
import numpy as np
import pytest

from moltheory.errors import InvalidInputError, TooLargeError, WorkerError
from moltheory.experiments import excess
from moltheory.problems import MultiTaskLeastSquares
from moltheory.runs import _backends as backends
from moltheory.runs import _remote as remote
from moltheory.runs import check_memory, run_blocks
from moltheory.scalarization import WeightedSum


class _Threads(joblib.parallel.ThreadingBackend):
    """Stands in for an engine with workers elsewhere; its threads are of this process."""

    supports_sharedmem = False

    def effective_n_jobs(self, n_jobs):
        return 2


class _AllAtOnce(_Threads):
    """Gives results all together, as Ray's backend does."""

    supports_return_generator = False


joblib.register_parallel_backend("moltheory-test", _Threads)
joblib.register_parallel_backend("moltheory-test-list", _AllAtOnce)


def _where(index):
    return index, threading.current_thread().name, joblib.effective_n_jobs(3)


def test_the_backend_that_was_chosen():
    assert backends.chosen_backend() is None
    for name in ("threading", "sequential"):
        # Threads never compute blocks: linear algebra has one number of threads for the process.
        with joblib.parallel_config(backend=name, n_jobs=3):
            assert backends.chosen_backend() is None
    with joblib.parallel_config(backend="loky", n_jobs=3):
        assert backends.chosen_backend()[1] == 3
    with joblib.parallel_config(backend="multiprocessing"), pytest.raises(InvalidInputError, match="use 'loky'"):
        run_blocks(pow, [(2, 3), (2, 4)])


@pytest.mark.parametrize("backend", ["moltheory-test", "moltheory-test-list"])
def test_blocks_go_to_the_backend_unless_there_is_one_process(backend):
    own = threading.current_thread().name
    assert {name for _, name, _ in run_blocks(_where, [(i,) for i in range(5)])} == {own}
    with joblib.parallel_config(backend=backend, n_jobs=2):
        assert {name for _, name, _ in run_blocks(_where, [(i,) for i in range(5)], n_jobs=1)} == {own}
        for n_jobs in (None, 2, -1):
            found = run_blocks(_where, [(i,) for i in range(40)], n_jobs=n_jobs)
            assert [index for index, _, _ in found] == list(range(40))
            assert own not in {name for _, name, _ in found}
            # What a block asks of joblib stays inside of it.
            assert {count for _, _, count in found} == {1}


@pytest.mark.parametrize("backend", ["moltheory-test", "moltheory-test-list"])
def test_what_the_engine_loses_is_computed_again_and_given_up_in_one_sentence(backend, monkeypatch):
    plain, times = backends._numbered, []

    def lost(group, *parcel):
        if 3 in group and len(times) < most:
            times.append(group)
            raise EOFError("its process has ended")
        return plain(group, *parcel)

    monkeypatch.setattr(backends, "_numbered", lost)
    with joblib.parallel_config(backend=backend, n_jobs=2):
        for most in (1, 4):
            times.clear()
            assert run_blocks(pow, [(2, i) for i in range(9)]) == [2**i for i in range(9)]
            assert len(times) == most
        most = 9
        times.clear()
        with pytest.raises(WorkerError, match=r"of block 4 of 9 5 ended \(EOFError\): use a smaller `n_jobs`"):
            run_blocks(pow, [(2, i) for i in range(9)])


def _divided(a, b):
    return a // b


def test_what_a_block_raises_arrives_with_its_traceback():
    with (
        joblib.parallel_config(backend="moltheory-test", n_jobs=2),
        pytest.raises(ZeroDivisionError) as caught,
    ):
        run_blocks(_divided, [(1, 1), (1, 0), (1, 2)])
    assert "in _divided" in str(caught.value.__cause__)


def test_what_cannot_travel_is_refused_at_once():
    with (
        joblib.parallel_config(backend="moltheory-test", n_jobs=2),
        pytest.raises(TypeError, match="cannot pickle"),
    ):
        run_blocks(_layout, [(threading.Lock(),), (threading.Lock(),)])


def _layout(array):
    return array.tobytes(), array.strides, array.flags.writeable


def test_large_arrays_travel_as_they_lie_and_once():
    square = np.arange(160_000.0).reshape(400, 400)
    for array in (square, np.asfortranarray(square), square[::1, ::-1], square[:, ::2].repeat(2, axis=1)):
        send = remote.Sender()
        first, second = (send([(_layout, (array,))]) for _ in range(2))
        # Engines know an object by its identity.
        assert len(first[3]) == 1
        assert first[3][0] is second[3][0]
        assert len(first[1]) < 10_000
        content, strides, writeable = remote.answered(remote.computed(*first[:3], *first[3])[1][0])
        assert content == array.tobytes()
        assert not writeable
        if array.flags.c_contiguous or array.flags.f_contiguous:
            assert strides == array.strides


def test_a_worker_of_another_kind_refuses_in_one_sentence():
    wanted, *rest, memory = remote.Sender()([(pow, (2, 5))])
    assert remote.answered(remote.computed(wanted, *rest, *memory)[1][0]) == 32
    for name, value in (("processor", "m68k"), ("BLAS of numpy", "slow"), ("version of scipy", "0.1")):
        with pytest.raises(WorkerError, match=rf"whose {name} is .* and not {value}: use machines of one kind"):
            remote.answered(remote.computed({**wanted, name: value}, *rest, *memory)[1][0])
    # These lay out, draw or distribute results.
    assert not {"version of tqdm", "version of joblib"} & set(wanted)


def test_short_blocks_travel_in_groups():
    groups = remote.Groups()
    assert groups.size(10_000, 2) == 1
    groups.took(0.002, 1)
    assert groups.size(10_000, 2) == 250
    # Toward the end few at a time, so that workers finish together.
    assert [groups.size(left, 2) for left in (400, 40, 3)] == [100, 10, 1]
    groups.took(60.0, 1)
    assert groups.size(10_000, 2) == 1


def test_a_run_that_would_not_fit_is_refused_before_it_starts(tmp_path, monkeypatch):
    problem = MultiTaskLeastSquares([np.eye(2), np.eye(2)], [[1, 0], [0, 1]], [0.5, 0.5])
    folder = tmp_path / "run"
    message = (
        r"^`replicates` = 1,000,000,000 of all sizes together, on 1 process: this needs about .* GB of memory, got"
    )
    monkeypatch.setattr("moltheory._core._memory_estimate.available_memory", lambda: 10**10)
    with pytest.raises(TooLargeError, match=message) as caught:
        excess(
            problem, scalarizations={"s": WeightedSum([1, 1])}, sizes=[9, 19], replicates=5 * 10**8, rng=0, store=folder
        )
    assert str(caught.value).endswith("read them part by part with `moltheory runs export`.")
    assert not os.path.exists(folder)
    check_memory(10**6, row_bytes=81, block_bytes=1e8, n_jobs=20)
    with pytest.raises(TooLargeError, match="on 80 processes"):
        check_memory(10**6, row_bytes=81, block_bytes=1e8, n_jobs=80)
    # Blocks of a cluster are computed in memory that is not known here.
    with joblib.parallel_config(backend="moltheory-test"):
        check_memory(10**6, row_bytes=81, block_bytes=1e8, n_jobs=80)
