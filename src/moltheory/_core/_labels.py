"""Labels that come with data: a pandas index, coordinates of xarray, columns of a frame, keys of a mapping.

Two inputs that belong together are matched by their labels. An index that only numbers the rows is none: its owner is
then matched by position, unless the other input's labels are the same numbers in another order. These are matched, as
in pandas, where both have an index; beside a plain array nobody can read them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._inputs import labels_in, missing_entries
from moltheory._core._text import few
from moltheory.errors import InvalidInputError

__all__ = [
    "Labels",
    "Rows",
    "aligned_labels",
    "are_other",
    "axis_labels",
    "column_labels",
    "common_labels",
    "has_labels",
    "is_index",
    "labels_among",
    "matched_rows",
    "order_of",
    "row_labels",
]

Labels = list[Any]
# A range stands for an index that only numbers the rows, which a plain array lacks.
Rows = list[Any] | range

_INDEX = re.compile(r"unnamed(: ?\d+)?(_level_\d+)?|__index_level_\d+__|level_\d+|(.*[_ .-])?(id|idx|index)")


def axis_labels(value: Any, axis: int = 0) -> Labels | None:
    """Return the labels along an axis of a frame, series or labelled array; None if the entries are only numbered."""
    found = _index_along(value, axis)
    return None if found is None or (axis == 0 and _only_numbers(found)) else list(found)


def labels_among(value: Any, names: Collection[str] | None, axis: int = 0) -> list[str] | None:
    """Return labels along an axis as texts, also those that only number the entries if each of them is in `names`."""
    found = _index_along(value, axis)
    if found is None:
        return None
    texts = [str(label) for label in found]
    # Where names are numbers, an index from 0 may be these names in another order.
    named = bool(texts) and names is not None and set(texts) <= set(names)
    return None if not named and not isinstance(value, Mapping) and _only_numbers(found) else texts


def has_labels(value: Any, axis: int = 0) -> bool:
    """Whether an axis of a frame, series, labelled array or mapping has an index, be it one that only numbers."""
    return _index_along(value, axis) is not None


def is_index(name: str) -> bool:
    """Return whether a column is called like an index, such as ``"Unnamed: 0"`` or ``"run_id"``."""
    return _INDEX.fullmatch(name.casefold()) is not None


def _index_along(value: Any, axis: int) -> Any:
    if isinstance(value, Mapping):
        return list(value) if axis == 0 else None
    dims = getattr(value, "dims", None)
    indexes = getattr(value, "indexes", None)
    if isinstance(dims, tuple) and isinstance(indexes, Mapping):
        # Coordinates of xarray.
        return indexes.get(dims[axis]) if axis < len(dims) else None
    if axis == 1:
        return column_labels(value)
    found = getattr(value, "index", None)
    return None if found is None or callable(found) or not hasattr(found, "tolist") else found


def row_labels(value: Any) -> Rows | None:
    """Return the labels of the rows, as a range where an index only numbers them; None if there is no index."""
    found = _index_along(value, 0)
    if found is None or isinstance(value, Mapping):
        return None if found is None else list(found)
    return range(len(found)) if _only_numbers(found) else list(found)


def matched_rows(
    name: str, value: Any, rows: Rows | None, n: int, *, of: str | None, key: str
) -> tuple[Rows | None, str | None, npt.NDArray[np.intp] | None]:
    """Return the labels of the rows of a mapping's vectors, whose they are, and the order of one more vector.

    `of` is the entry that gave the labels, or None before the first entry.

    Raises
    ------
    InvalidInputError
        If the labels do not match those of the entries before, or only this vector says another order.
    """
    labels = row_labels(value)
    if of is None or labels is None:
        return labels if of is None else rows, key if of is None else of, None
    if rows is None:
        # Vectors before this one have no index: matched by position, unless this one says another order.
        order_of(name, labels, None, n, of=of)
        return labels, key, None
    if labels == rows:
        return rows, of, None
    if isinstance(rows, range) or isinstance(labels, range):
        # Two indexes, of which neither is left out.
        rows, labels = list(rows), list(labels)
    return rows, of, order_of(name, labels, rows, n, of=of)


def column_labels(value: Any) -> Labels | None:
    """Return the names of the columns of a frame of any library, or None."""
    if hasattr(type(value), "collect") or isinstance(getattr(value, "dims", None), tuple):
        # To ask a lazy frame may compute it; an array of xarray offers itself to Arrow as a long table.
        return None
    for attribute in ("column_names", "columns"):
        found = getattr(value, attribute, None)
        if callable(found):
            found = found() if hasattr(value, "__dataframe__") or attribute == "column_names" else None
        if found is not None and (isinstance(found, list | tuple) or hasattr(found, "tolist")):
            return [str(entry) for entry in found]
    if hasattr(value, "__dataframe__"):
        return [str(entry) for entry in value.__dataframe__().column_names()]
    schema = getattr(value, "schema", None)
    names = getattr(schema, "names", None)
    if names is None and hasattr(value, "__arrow_c_schema__"):
        import pyarrow as pa

        names = pa.schema(value).names
    return list(names) if isinstance(names, list | tuple) else None


def common_labels(values: Mapping[str, Any]) -> tuple[str, Labels] | None:
    """Return the first of some inputs that has labels, by its name, and these; None if none has."""
    for name, value in values.items():
        found = axis_labels(value)
        if found is not None:
            return name, found
    return None


def aligned_labels(name: str, value: Any, rows: Rows | None, n: int, *, of: str) -> npt.NDArray[Any]:
    """Return one label (or number) for each of n rows, in their order.

    Parameters
    ----------
    name, of : str
        The argument, and what it belongs to, for messages.
    value : array_like, Series or mapping
        With labels of its own (the keys of a mapping), it is matched to the rows by these.
    rows : list, range or None
        Labels of the rows; a range if their index only numbers them.
    n : int
        Number of rows.

    Raises
    ------
    InvalidInputError
        If the labels do not match, or there is not one entry for each row, or one is missing.
    """
    keys = row_labels(value)
    if isinstance(value, Mapping):
        value = list(value.values())
        # The keys of a mapping are labels, whatever they are.
        rows = list(range(n)) if rows is None else list(rows)
    found = labels_in(name, value)
    if found.shape != (n,):
        raise InvalidInputError(
            f"`{name}` must have shape ({n},), got shape {found.shape}: one entry for each row of `{of}`."
        )
    missing = int(missing_entries(found).sum())
    if missing:
        raise InvalidInputError(f"`{name}` must not contain missing values, got {missing} of them.")
    order = order_of(name, keys, rows, n, of=of)
    return found if order is None else found[order]


def order_of(name: str, keys: Rows | None, rows: Rows | None, n: int, *, of: str) -> npt.NDArray[np.intp] | None:
    """Return the places of the rows' labels among n keys; None if the order is the same, or one of the two has none.

    Raises
    ------
    InvalidInputError
        If they are not the same labels, some occur twice and stand elsewhere, or the numbers of the rows come in
        another order where `of` has no labels.

    Notes
    -----
    An index that only numbers the rows (a range) says something where the other labels are the same numbers: as in
    pandas, these are then matched.
    """
    if keys is None:
        return None
    if (isinstance(keys, range) and not _is_renumbered(rows, n)) or (
        isinstance(rows, range) and not _is_renumbered(keys, n)
    ):
        # One of the two says nothing.
        return None
    import pandas as pd

    theirs: Any = pd.Index(keys, dtype=object)
    mine: Any = pd.Index(range(n) if rows is None else rows, dtype=object)
    if theirs.equals(mine):
        return None
    if rows is not None and len(theirs) == len(mine) and not theirs.isin(mine).any():
        # Names are text: 1 and "1" are the same label where they stand apart.
        theirs, mine = (pd.Index([str(label) for label in labels], dtype=object) for labels in (keys, rows))
    same = len(theirs) == len(mine) and not theirs.symmetric_difference(mine, sort=False).size
    if rows is None:
        if same:
            raise InvalidInputError(
                f"`{name}` must be in the order of `{of}`, whose rows are only numbered, got the same numbers in another "
                f"order as its index: give `{of}` its index, or both as arrays."
            )
        return None
    if same and theirs.is_unique and mine.is_unique:
        return np.asarray(theirs.get_indexer(mine))
    if same:
        twice = list(dict.fromkeys(theirs[theirs.duplicated()]))
        raise InvalidInputError(
            f"`{name}` must have distinct labels, or those of `{of}` in the same order, got {few(twice)} more than once."
        )
    theirs, mine = pd.Index(keys, dtype=object), pd.Index(rows, dtype=object)
    extra, absent = (_only_in(a, b) for a, b in ((theirs, mine), (mine, theirs)))
    found = " and ".join([f"{few(extra)} that `{of}` lacks"] * bool(extra) + [f"none for {few(absent)}"] * bool(absent))
    raise InvalidInputError(
        f"`{name}` must have the labels of `{of}`, got {found}: give matching indexes, or both as arrays."
    )


def are_other(labels: Rows | None, rows: range) -> bool:
    """Whether labels say more than the numbers of the rows, in whatever order."""
    return isinstance(labels, list) and not _is_renumbered(labels, len(rows))


def _is_renumbered(labels: Rows | None, n: int) -> bool:
    """Whether labels, as numbers or texts, are 0 to n - 1 in another order."""
    if labels is None or isinstance(labels, range) or len(labels) != n:
        return False
    found = {str(int(label) if isinstance(label, float) and label.is_integer() else label) for label in labels}
    return found == {str(place) for place in range(n)}


def _only_in(some: Any, others: Any) -> list[Any]:
    return list(dict.fromkeys(some[~some.isin(others)]))


def _only_numbers(index: Any) -> bool:
    """Whether labels only number the entries, from 0."""
    kind = getattr(getattr(index, "dtype", None), "kind", "")
    size = len(index)
    if kind not in "iu" or (size and (index[0] != 0 or index[size - 1] != size - 1)):
        return size == 0
    return bool((np.asarray(index) == np.arange(size)).all())
