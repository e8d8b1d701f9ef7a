"""Writes Arrow files into a folder and prints their values, as JSON."""
import datetime
import json
import os
import sys

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather

folder = sys.argv[1]
random = np.random.default_rng(6)
rows = 300


def with_nulls(values):
    return [None if i % 7 == 3 else value for i, value in enumerate(values)]


def halves():
    return (random.integers(-1000, 1000, rows) / 4).tolist()


words = with_nulls([f"text {i % 50} ü" for i in range(rows)])
arrays = {
    "text": (pa.array(words, pa.string()), "string"),
    "few": (pa.array(with_nulls([f"w{i % 3}" for i in range(rows)])).dictionary_encode(), "string"),
    "large": (pa.array([f"l{i}" for i in range(rows)], pa.large_string()), "string"),
    "int8": (pa.array(random.integers(-128, 128, rows).tolist(), pa.int8()), "int8"),
    "uint8": (pa.array(random.integers(0, 256, rows).tolist(), pa.uint8()), "uint8"),
    "int16": (pa.array(random.integers(-(2**15), 2**15, rows).tolist(), pa.int16()), "int16"),
    "uint16": (pa.array(random.integers(0, 2**16, rows).tolist(), pa.uint16()), "int32"),
    "int32": (pa.array(random.integers(-(2**31), 2**31, rows).tolist(), pa.int32()), "int32"),
    "uint32": (pa.array(random.integers(0, 2**32, rows).tolist(), pa.uint32()), "int64"),
    "int64": (pa.array(random.integers(-(2**63), 2**63, rows, dtype=np.int64).tolist(), pa.int64()), "int64"),
    "uint64": (pa.array(random.integers(0, 2**63, rows, dtype=np.uint64).tolist(), pa.uint64()), "int64"),
    "half": (pa.array(np.array(halves(), np.float16), pa.float16()), "float32"),
    "float": (pa.array(halves(), pa.float32()), "float32"),
    "double": (pa.array(with_nulls(halves()), pa.float64()), "float64"),
    "bool": (pa.array((random.random(rows) < 0.5).tolist(), pa.bool_()), "bool"),
    "day": (pa.array([datetime.date(1969, 12, 1) + datetime.timedelta(i) for i in range(rows)], pa.date32()), "int32"),
    "clock": (pa.array(random.integers(0, 86_400, rows).tolist(), pa.time32("s")), "int32"),
    "at": (pa.array(random.integers(-(2**60), 2**60, rows).tolist(), pa.timestamp("ns")), "int64"),
    "span": (pa.array(random.integers(-(2**40), 2**40, rows).tolist(), pa.duration("ms")), "int64"),
}
units = {"day": "days", "clock": "s", "at": "ns", "span": "ms"}
table = pa.table({name: array for name, (array, _) in arrays.items()})


def shown(name, value):
    if value is None:
        return "NaN" if name == "double" else "<null>"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    return str(value)


def column(name):
    array, dtype = arrays[name]
    if name in ("day", "clock"):
        array = array.cast(pa.int32())
    elif name in ("at", "span"):
        array = array.cast(pa.int64())
    found = {"dtype": dtype, "values": [shown(name, value) for value in array.to_pylist()]}
    return {**found, "unit": units[name]} if name in units else found


# A slice begins in the middle of bytes of bits.
with pa.OSFile(os.path.join(folder, "stream.arrows"), "wb") as sink:
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.slice(0, 101))
        writer.write_table(table.slice(101), max_chunksize=90)
feather.write_feather(table, os.path.join(folder, "lz4.feather"), compression="lz4", chunksize=130)
feather.write_feather(table, os.path.join(folder, "plain.feather"), compression="uncompressed")

columns = {name: column(name) for name in arrays}
json.dump({name: columns for name in ("stream.arrows", "lz4.feather", "plain.feather")}, sys.stdout)
