"""Reads each distinct text of a column once: what repeats a million times is thought about once.

The machinery between pandas and Arrow that the readers of cells, dates and places share.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

_STR = pd.StringDtype(na_value=np.nan)


def distinct(values: pd.Series) -> tuple[Any, pa.Array]:
    """Give each cell the number of its text, and the texts.

    Returns
    -------
    codes : array of int64
        One per cell.
    texts : Arrow array of large_string
        Each text once; a missing cell is ``""``.

    Examples
    --------
    >>> codes, texts = distinct(pd.Series(["b", None, "b"]))
    >>> codes.tolist(), texts.to_pylist()
    ([0, 1, 0], ['b', ''])
    """
    array = pa.array(values.astype(_STR), pa.large_string(), from_pandas=True)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if array.null_count:
        array = array.fill_null("")
    coded = array.dictionary_encode()
    return coded.indices.to_numpy(zero_copy_only=False).astype("int64"), coded.dictionary


def words(codes: Any, vocabulary: Sequence[str | None], index: pd.Index | None = None) -> pd.Series:
    """Turn numbers into words: a Series of ``str`` from places in *vocabulary*.

    Examples
    --------
    >>> words(np.array([1, 0]), ["day", "year"]).tolist()
    ['year', 'day']
    """
    array = pa.array(list(vocabulary), pa.large_string()).take(pa.array(codes))
    return pd.Series(_STR.__from_arrow__(array), index=index)


def texts_at(places: Any, texts: Sequence[str | None], length: int) -> Any:
    """Give an object array of *length* with *texts* at *places* and None elsewhere."""
    out = np.full(length, None, dtype=object)
    out[places] = texts
    return out
