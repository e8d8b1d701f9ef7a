"""Writes Parquet files of many encodings into a folder and prints the values that pyarrow reads from them, as JSON."""
import datetime
import json
import os
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

folder = sys.argv[1]
random = np.random.default_rng(5)
rows = 3000


def with_nulls(values):
    return [None if i % 7 == 3 or 1000 <= i < 1200 else value for i, value in enumerate(values)]


text = [f"text {i % 50} ü" for i in range(rows)]
columns = {
    "text": pa.array(with_nulls(text), pa.string()),
    "plain": pa.array(with_nulls([f"{i * 7919}" for i in range(rows)]), pa.string()),
    "whole": pa.array(with_nulls(random.integers(-(2**63), 2**63, rows, dtype=np.int64).tolist()), pa.int64()),
    "few": pa.array((random.integers(0, 5, rows) - 2).tolist(), pa.int64()),
    "one": pa.array([9] * rows, pa.int32()),
    "int8": pa.array(random.integers(-128, 128, rows).tolist(), pa.int8()),
    "uint8": pa.array(random.integers(0, 256, rows).tolist(), pa.uint8()),
    "int16": pa.array(random.integers(-(2**15), 2**15, rows).tolist(), pa.int16()),
    "uint16": pa.array(random.integers(0, 2**16, rows).tolist(), pa.uint16()),
    "uint32": pa.array(random.integers(0, 2**32, rows).tolist(), pa.uint32()),
    "uint64": pa.array(random.integers(0, 2**63, rows, dtype=np.uint64).tolist(), pa.uint64()),
    "float": pa.array(random.standard_normal(rows).astype(np.float32), pa.float32()),
    "double": pa.array(with_nulls(random.standard_normal(rows).tolist()), pa.float64()),
    "bool": pa.array((random.random(rows) < 0.5).tolist(), pa.bool_()),
    "day": pa.array([datetime.date(1969, 12, 1) + datetime.timedelta(i) for i in range(rows)], pa.date32()),
    "clock": pa.array(random.integers(0, 86_400_000, rows).tolist(), pa.time32("ms")),
    "ms": pa.array(random.integers(-(2**40), 2**40, rows).tolist(), pa.timestamp("ms")),
    "us": pa.array(random.integers(-(2**50), 2**50, rows).tolist(), pa.timestamp("us", "UTC")),
    "ns": pa.array(random.integers(-(2**60), 2**60, rows).tolist(), pa.timestamp("ns")),
}
table = pa.table(columns)
units = {"day": "days", "clock": "ms", "ms": "ms", "us": "us", "ns": "ns"}
dtypes = {"day": "int32", "clock": "int32", "uint16": "int32", "uint32": "int64", "uint64": "int64", "float": "float32"}
dtypes |= {"text": "string", "plain": "string", "double": "float64", "one": "int32", "bool": "bool"}
dtypes |= {name: name for name in ("int8", "uint8", "int16")}

delta = {
    "whole": "DELTA_BINARY_PACKED",
    "one": "DELTA_BINARY_PACKED",
    "few": "DELTA_BINARY_PACKED",
    "text": "DELTA_BYTE_ARRAY",
    "plain": "DELTA_LENGTH_BYTE_ARRAY",
    "float": "BYTE_STREAM_SPLIT",
    "double": "BYTE_STREAM_SPLIT",
}
forms = {
    "default.parquet": {},
    "plain.parquet": {"use_dictionary": False, "compression": "none"},
    "pages.parquet": {"data_page_size": 500, "dictionary_pagesize_limit": 2000, "row_group_size": 1100},
    "v2.parquet": {"data_page_version": "2.0", "data_page_size": 900, "compression": "gzip"},
    "delta.parquet": {"use_dictionary": False, "column_encoding": delta, "compression": "brotli"},
    "int96.parquet": {"use_deprecated_int96_timestamps": True},
}


def shown(name, value):
    if value is None:
        return {"whole": "-7", "text": "<null>", "plain": "<null>"}.get(name, "NaN")
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else value


def exact(name, array):
    if name == "day" or name == "clock":
        array = array.cast(pa.int32())
    elif name in ("ms", "us", "ns"):
        array = array.cast(pa.int64())
    values = array.to_pylist()
    if name in ("float", "double"):
        return [shown(name, value) if value is None else None for value in values], values
    return [value if isinstance(value, str) else str(value) for value in (shown(name, each) for each in values)], None


# JavaScript's shortest digits of a number: Python's, but for the form of exponents.
def digits(value):
    if value == int(value):
        return str(int(value))
    text = repr(value)
    mantissa, _, exponent = text.partition("e")
    if not exponent:
        if abs(value) >= 1e-6:
            return text
        return text
    if int(exponent) >= -6:
        return np.format_float_positional(value, trim="-")
    return f"{mantissa}e{int(exponent)}"


result = {}
for form, options in forms.items():
    path = os.path.join(folder, form)
    pq.write_table(table, path, **options)
    read = pq.read_table(path)
    result[form] = {}
    for name in table.column_names:
        texts, floats = exact(name, read[name].combine_chunks())
        if floats is not None:
            texts = [digits(value) if value is not None else text for text, value in zip(texts, floats)]
        column = {"dtype": dtypes.get(name, "int64"), "values": texts}
        unit = units.get(name)
        if form == "int96.parquet" and name in ("ms", "us", "ns"):
            unit = "ns"
            scale = {"ms": 10**6, "us": 10**3, "ns": 1}[name]
            column["values"] = [str(value * scale) for value in columns[name].cast(pa.int64()).to_pylist()]
        if unit is not None:
            column["unit"] = unit
        result[form][name] = column

json.dump(result, sys.stdout)
