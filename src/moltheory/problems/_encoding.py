"""Reading a user's table: what is refused, and how columns become numbers."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._containers import pandas_frame
from moltheory._core._validation import FloatArray
from moltheory.errors import InvalidInputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "MOST_LEVELS",
    "EncodedColumns",
    "Table",
    "encode",
    "hint_of_numbers",
    "numbers_of",
    "of_categories",
    "read_table",
]

# A column of text with more levels than this is taken for free text.
MOST_LEVELS = 30
_MOST_NAMED = 5


@dataclass(frozen=True)
class Table:
    """A checked table: no missing values, no infinities.

    `features` are all columns but target and group, `others` all but the target; `group` (n,) indexes `group_names`.
    """

    features: pd.DataFrame
    others: pd.DataFrame
    target: pd.Series[Any]
    group: npt.NDArray[np.int64] | None
    group_names: tuple[str, ...]


@dataclass(frozen=True)
class EncodedColumns:
    """Numbers (n, q), and which of the table's columns each of the q stems from."""

    matrix: FloatArray
    owner: npt.NDArray[np.int64]

    @property
    def n_columns(self) -> int:
        """Number of columns of the table."""
        return int(self.owner[-1]) + 1


def read_table(frame: Any, target: Hashable, group: Hashable | None) -> Table:
    """Check a table and take it apart; the columns' kinds are left to `encode`."""
    import pandas as pd

    frame = pandas_frame("frame", frame)
    if frame.empty:
        raise InvalidInputError(f"`frame` must have rows and columns, got shape {frame.shape}.")
    repeated = frame.columns[frame.columns.duplicated()]
    if repeated.size:
        raise InvalidInputError(f"`frame` must have distinct column names, got {repeated[0]!r} twice: rename one.")
    for argument, column in (("target", target), ("group", group)):
        if column is not None and not (isinstance(column, Hashable) and column in frame.columns):
            raise InvalidInputError(f"`{argument}` must name a column of the frame ({_listed(frame)}), got {column!r}.")
    if target is None:
        raise InvalidInputError(f"`target` must name a column of the frame ({_listed(frame)}), got None.")
    if group is not None and group == target:
        raise InvalidInputError(f"`group` must be another column than the target, got {group!r} for both.")
    others = frame.drop(columns=[target])
    features = others if group is None else others.drop(columns=[group])
    if features.shape[1] == 0:
        raise InvalidInputError("`frame` must have a feature column besides target and group, got none.")
    missing = [(column, count) for column, count in frame.isna().sum().items() if count > 0]
    if missing:
        told = [f"{count} in column {column!r}" for column, count in missing[:_MOST_NAMED]]
        if len(missing) > _MOST_NAMED:
            told.append(f"some in {len(missing) - _MOST_NAMED} more columns")
        found = " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)
        raise InvalidInputError(
            f"`frame` must have no missing values, got {found}: drop these rows, for example with frame.dropna(), or "
            f"fill them in."
        )
    if group is None:
        return Table(features, others, frame[target], None, ())
    codes, names = pd.factorize(frame[group], sort=True)
    labels = tuple(str(name) for name in names)
    _check_groups(codes, labels, group)
    return Table(features, others, frame[target], codes.astype(np.int64), labels)


def _check_groups(codes: npt.NDArray[Any], names: tuple[str, ...], column: Hashable) -> None:
    if len(names) > MOST_LEVELS:
        raise InvalidInputError(
            f"`group` must have at most {MOST_LEVELS} values, got {len(names)} in column {column!r}: bin it, for "
            f"example with pandas.cut."
        )
    if len(names) < 2:
        raise InvalidInputError(
            f"`group` must have at least two values, got {len(names)} in column {column!r}: name another column."
        )
    sizes = np.bincount(codes)
    if sizes.min() < 2:
        raise InvalidInputError(
            f"`group` must have at least two rows in each group, got one row of {names[int(sizes.argmin())]!r} in "
            f"column {column!r}: merge it with another group or drop it."
        )


def encode(features: pd.DataFrame) -> EncodedColumns:
    """Return the columns of a table one-hot encoded.

    Numbers and bools are taken as they are. Text and categories become one 0/1 column per level, in sorted order; two
    levels become one column. Free text, mixtures of text and numbers, infinities and other kinds of columns are refused.
    """
    blocks = [_encode_column(features[column], column) for column in features.columns]
    owner = np.repeat(np.arange(len(blocks)), [block.shape[1] for block in blocks])
    return EncodedColumns(np.concatenate(blocks, axis=1), owner)


def _encode_column(column: pd.Series[Any], name: Hashable) -> FloatArray:
    import pandas as pd
    from sklearn.preprocessing import OneHotEncoder

    numbers = numbers_of(column)
    if numbers is not None:
        if not np.isfinite(numbers).all():
            raise InvalidInputError(
                f"`frame` must be finite, got an infinity in column {name!r}: drop or cap such rows."
            )
        return numbers[:, None]
    kinds = {type(entry) for entry in column}
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    elif not all(issubclass(kind, str) for kind in kinds):
        found = " and ".join(sorted(kind.__name__ for kind in kinds)[:3])
        raise InvalidInputError(
            f"`frame` must have columns of numbers, bools or text, got {found} in column {name!r}"
            f"{hint_of_numbers(column)}: turn it into numbers or drop it."
        )
    levels = column.unique()
    if len(levels) > MOST_LEVELS or 2 * len(levels) > len(column):
        raise InvalidInputError(
            f"`frame` must have columns of text with at most {MOST_LEVELS} levels and two rows per level, got "
            f"{len(levels)} levels in column {name!r}{hint_of_numbers(column)}: group its levels, turn it into "
            f"numbers, or drop it."
        )
    encoder = OneHotEncoder(drop="if_binary", sparse_output=False, dtype=np.float64)
    return np.asarray(encoder.fit_transform(column.to_numpy(dtype=object)[:, None]))


def of_categories(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a target whose categories are numbers or bools as these; any other as it is."""
    import pandas as pd

    if not isinstance(column.dtype, pd.CategoricalDtype):
        return column
    plain = column.astype(object).infer_objects()
    return plain if pd.api.types.is_numeric_dtype(plain.dtype) else column


def numbers_of(column: pd.Series[Any]) -> FloatArray | None:
    """Return a column of numbers or bools as floats, or None where it is of another kind."""
    import pandas as pd

    kinds = pd.api.types
    if column.dtype == object and column.map(lambda entry: isinstance(entry, int | float | np.number | np.bool_)).all():
        column = column.infer_objects()
        if column.dtype == object:
            column = column.astype(np.float64)
    if kinds.is_bool_dtype(column.dtype) and not isinstance(column.dtype, pd.CategoricalDtype):
        return np.asarray(column.astype(bool), dtype=np.float64)
    if kinds.is_numeric_dtype(column.dtype) and not kinds.is_complex_dtype(column.dtype):
        return np.asarray(column.to_numpy(dtype=np.float64))
    return None


def hint_of_numbers(column: pd.Series[Any]) -> str:
    """Return a hint, in parentheses, where at least half of a column of text reads as numbers; else nothing."""
    import pandas as pd

    texts = column.astype(object)
    texts = texts[texts.map(lambda entry: isinstance(entry, str | int | float))]
    count = int(pd.to_numeric(texts, errors="coerce").notna().sum())
    if 2 * count < len(column):
        return ""
    return f" ({count} of {len(column)} values are numbers: read it with pandas.to_numeric)"


def _listed(frame: pd.DataFrame) -> str:
    names = [repr(column) for column in frame.columns[:10]]
    return ", ".join(names) + (", ..." if frame.shape[1] > 10 else "")
