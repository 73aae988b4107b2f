"""The trades table as a Parquet file; apart, so that only who wants one loads pyarrow."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from workers.reports.report import Report
from workers.reports.trades import COLUMNS, MAPS, NUMBERS

# Exact and understood by every engine: up to 20 digits before the point and 18 after it.
_NARROW = pa.decimal128(38, 18)
_WIDE_DIGITS = 76


def write_parquet(report: Report, path: Path) -> None:
    """Write the trades table: decimals as decimals, `time` as microseconds in UTC, fees as maps.

    Decimals rather than text, so that a query can add and compare them exactly. A column is
    decimal128(38, 18), the same in every file, unless one of its values would not fit exactly; it
    is then decimal256 with as many places as it needs. Raises OSError, and ValueError for a column
    that 76 digits cannot hold.
    """
    columns = {name: _arrow(name, report.trades[name].tolist()) for name in COLUMNS}
    table = pa.table(columns)
    # pyarrow removes what it was given the name of when it cannot be written, whatever that was.
    with path.open("wb") as file:
        pq.write_table(table, file)


def _arrow(name: str, values: list[Any]) -> pa.Array:
    if name == "time":
        return pa.array(values, pa.timestamp("us", "UTC"))
    if name in NUMBERS:
        return pa.array(values, _decimal_type(name, [value for value in values if value]))
    if name in MAPS:
        kind = _decimal_type(name, [fee for fees in values for fee in fees.values()])
        return pa.array([list(fees.items()) for fees in values], pa.map_(pa.string(), kind))
    return pa.array(values, pa.string())


def _decimal_type(name: str, numbers: list[Decimal]) -> pa.DataType:
    """The narrow decimal if it holds all numbers exactly, else the wide one with their places."""
    before = max((number.adjusted() + 1 for number in numbers), default=0)
    after = max((_places(number) for number in numbers), default=0)
    if before <= _NARROW.precision - _NARROW.scale and after <= _NARROW.scale:
        return _NARROW
    if before + after > _WIDE_DIGITS:
        raise ValueError(f"{name}: {before} digits before and {after} after the point are too many")
    return pa.decimal256(_WIDE_DIGITS, after)


def _places(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0
