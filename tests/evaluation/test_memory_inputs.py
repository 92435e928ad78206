"""The same numbers in any container give what the plain array gives, at every door."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import moltheory as mt
from moltheory._core._validation import real_or_missing
from moltheory.bounds import boxes, mean_interval
from moltheory.evaluation import LossTable, from_long_table, from_predictions
from moltheory.objectives import FiniteObjectives, Known, Mean
from moltheory.problems import FiniteWorld, from_table
from moltheory.problems import from_predictions as population
from tests.evaluation._containers import CONTAINERS, NAMED, UNTYPED, OnlyInterchange

_NAMES = ("small", "large", "huge")
_MISSING = np.array([[0, 1, 1], [1, 0, np.nan], [0, 0, 1], [np.nan, 1, 0]] * 6)


def _losses(kind):
    values = np.random.default_rng(0).random((24, 3))
    return {"floats": values, "bools": values > 0.4, "integers": (values > 0.4).astype(np.int64), "gaps": _MISSING}[
        kind
    ]


def _certified(losses):
    certificate = mt.certify(losses)
    return certificate.estimates, certificate.boxes, certificate.adjusted_p_value, certificate.methods


def _tabled(losses):
    table = LossTable(losses)
    return table.losses, table.losses.dtype.kind, table.certify().boxes


def _streamed(losses):
    stream = mt.CertificateStream(24, _NAMES, 0.1)
    for _ in range(2):
        stream.update(losses)
    return (stream.certificate().boxes,)


# Door: (what it returns, whether it takes missing values).
_DOORS = {
    "certify": (_certified, True),
    "LossTable": (_tabled, True),
    "CertificateStream": (_streamed, True),
    "nondominated": (lambda x: (mt.nondominated(x),), False),
    "pareto_front": (lambda x: (mt.pareto_front(x).points, mt.pareto_front(x).members), False),
    "pareto_rank": (lambda x: (mt.pareto_rank(x),), False),
    "hypervolume": (lambda x: (mt.hypervolume(x, reference=[2, 2, 2]),), False),
    "coverage_error": (lambda x: (mt.coverage_error(x, x),), False),
    "mean_interval": (lambda x: (mean_interval(x, delta=0.1).lower, mean_interval(x, delta=0.1).upper), False),
    "boxes": (lambda x: (boxes(x, delta=0.1).lower,), False),
    "Mean": (lambda x: (Mean(x).cells[0].losses,), False),
    "Known": (lambda x: (Known(real_or_missing("values", x)[:, 0]).values,), False),
    "FiniteObjectives": (lambda x: (FiniteObjectives(x).risks(),), False),
}


@pytest.mark.parametrize("door", _DOORS)
@pytest.mark.parametrize("container", [*CONTAINERS, *UNTYPED])
def test_a_container_is_the_array_that_it_holds(door, container):
    read, missing_allowed = _DOORS[door]
    for kind in ("floats", "bools", "integers", "gaps"):
        values = _losses(kind)
        make = (CONTAINERS | UNTYPED)[container]
        plain = values.astype(float) if container in UNTYPED else values
        held = make(values, _NAMES)
        if kind == "gaps" and not missing_allowed:
            with pytest.raises(mt.errors.InvalidInputError):
                read(held)
            continue
        for found, right in zip(read(held), read(plain), strict=True):
            np.testing.assert_array_equal(found, right)


@pytest.mark.parametrize("container", NAMED)
def test_columns_name_the_models(container):
    held = CONTAINERS[container](_losses("bools"), _NAMES)
    assert mt.certify(held).names == LossTable(held).model_names == _NAMES
    predictions = from_predictions(held, [True, False] * 12, objectives=["error"])
    assert predictions.model_names == _NAMES
    assert mt.certify(held, names=["a", "b", "c"]).names == ("a", "b", "c")


@pytest.mark.parametrize("container", [name for name in (*CONTAINERS, *UNTYPED) if name != "__dlpack__"])
@pytest.mark.parametrize("kind", ["bools", "integers"])
def test_predictions_in_any_container(container, kind):
    values = _losses(kind)
    held = (CONTAINERS | UNTYPED)[container](values, _NAMES)
    if kind == "bools" and container in UNTYPED:
        values = values.astype(float)
    target = values[:, 0].copy()
    target[:5] = target[5:10]
    objectives = ["error", "worst_class_error", "false_negative_rate"]
    right = from_predictions(values, target, objectives=objectives)
    found = from_predictions(held, pd.Series(target), objectives=objectives)
    np.testing.assert_array_equal(found.losses, right.losses)
    assert found.certify(names=_NAMES) == right.certify(names=_NAMES)
    problem = population(held, pl.Series(target.tolist()), objectives=["error"])
    np.testing.assert_array_equal(problem.true.risks(), population(values, target, objectives=["error"]).true.risks())


@pytest.mark.parametrize("dtype", ["boolean", "Int64", "Float64", "bool[pyarrow]", "int64[pyarrow]", "double[pyarrow]"])
def test_a_missing_value_of_a_nullable_column_is_missing(dtype):
    frame = pd.DataFrame(_MISSING, columns=list(_NAMES)).astype("Int64").astype(dtype)
    assert mt.certify(frame) == mt.certify(pd.DataFrame(_MISSING, columns=list(_NAMES)))
    assert mt.certify(pl.from_pandas(frame)) == mt.certify(frame)


@pytest.mark.parametrize("make", ["xarray", "torch", "masked"])
def test_worlds_of_labelled_and_masked_arrays(make, refuses):
    losses = np.random.default_rng(0).integers(0, 2, (4, 3, 2)).astype(float)
    library, name = {
        "xarray": ("xarray", "DataArray"),
        "torch": ("torch", "from_numpy"),
        "masked": ("numpy.ma", "array"),
    }[make]
    maker = getattr(pytest.importorskip(library), name)
    found = FiniteWorld.from_examples(maker(losses)).true_risks
    np.testing.assert_array_equal(found, FiniteWorld.from_examples(losses).true_risks)
    if make == "masked":
        refuses("losses", FiniteWorld.from_examples, np.ma.array(losses, mask=losses > 0))


def test_names_of_a_labelled_array_of_three_dimensions():
    import xarray as xr

    values = np.random.default_rng(0).random((24, 2, 2))
    held = xr.DataArray(values, dims=("e", "m", "o"), coords={"m": ["a", "b"], "o": ["error", "seconds"]})
    certificate = mt.certify(held)
    assert (certificate.names, certificate.objectives) == (("a", "b"), ("error", "seconds"))
    assert LossTable(held).objective_names == ("error", "seconds")


_ENTRIES = {
    "bools": st.booleans(),
    "integers": st.integers(0, 1),
    "floats": st.floats(0, 1, width=32),
    "gaps": st.one_of(st.none(), st.floats(0, 1), st.sampled_from([0.0, 1.0])),
}


@st.composite
def frames(draw):
    """A small frame of one kind of losses, as lists with None where a value is missing; no column is missing all."""
    entries = _ENTRIES[draw(st.sampled_from(sorted(_ENTRIES)))]
    rows, columns = draw(st.integers(1, 5)), draw(st.integers(2, 3))
    table = {f"m{j}": draw(st.lists(entries, min_size=rows, max_size=rows)) for j in range(columns)}
    for column in table.values():
        if all(entry is None for entry in column):
            column[0] = 0.0
    return table


def _arrays(table):
    columns = [np.array([np.nan if entry is None else entry for entry in column]) for column in table.values()]
    return np.column_stack(columns)


_FRAMES = ("masked", "pandas", "pandas, nullable", "pandas, of Arrow", "polars", "pyarrow", "__dataframe__")


@given(table=frames(), container=st.sampled_from(_FRAMES))
def test_any_small_frame_gives_the_certificate_of_its_array(table, container):
    values = _arrays(table)
    found = mt.certify(CONTAINERS[container](values, list(table)), names=list(table))
    assert found == mt.certify(values, names=list(table))


@pytest.mark.parametrize(
    "make", [pl.from_pandas, pa.Table.from_pandas, lambda f: OnlyInterchange(pa.Table.from_pandas(f))]
)
def test_tables_of_rows_of_any_library(make, refuses):
    rng = np.random.default_rng(0)
    long = pd.DataFrame({"model": list("ab") * 10, "example": np.repeat(range(10), 2), "loss": rng.integers(0, 2, 20)})
    found, right = from_long_table(make(long)), from_long_table(long)
    np.testing.assert_array_equal(found.losses, right.losses)
    assert found.losses.dtype == right.losses.dtype
    assert (found.model_names, found.examples) == (right.model_names, right.examples)
    wide = pd.DataFrame({"x": rng.normal(size=60), "city": rng.choice(["A", "B"], 60), "y": rng.integers(0, 2, 60)})
    objectives = ["error", "false_negative_rate"]
    found, right = (from_table(one, target="y", objectives=objectives).true.risks() for one in (make(wide), wide))
    np.testing.assert_array_equal(found, right)
    refuses("frame", from_long_table, pl.from_pandas(long).lazy())
    refuses("frame", from_table, wide.to_numpy(), target="y", objectives=objectives)


@pytest.mark.parametrize("dtype", ["Int64", "boolean", "int64[pyarrow]", "category", "object", "float32"])
def test_losses_of_a_long_table_in_any_type(dtype, refuses):
    long = pd.DataFrame({"model": list("ab"), "example": [0, 0], "loss": pd.Series([1, 0]).astype(dtype)})
    assert from_long_table(long).losses[0, :, 0].tolist() == [1, 0]
    if dtype != "float32":
        refuses("frame", from_long_table, long.assign(loss=long["loss"].where([True, False])))
    refuses("frame", from_long_table, long.assign(loss=["1", "0"]))
