"""Writes files of NumPy, pandas and others into a folder, and prints what these libraries read of them.

`--write` writes the files of test/fixtures instead.
"""

import gzip
import json
import os
import struct
import sys
import types

import numpy as np
import pandas as pd

random = np.random.default_rng(7)


def told(array):
    shape = list(array.shape)
    array = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("="), copy=False)
    return {"dtype": str(array.dtype), "shape": shape, "bytes": array.tobytes().hex()}


def write_fixtures():
    np.save("test/fixtures/rows.npy", np.arange(12, dtype="float32").reshape(4, 3))
    images, labels = np.arange(6, dtype="uint8").reshape(2, 3), np.array([1, 0])
    np.savez_compressed("test/fixtures/arrays.npz", images=images, labels=labels)
    np.savez("test/fixtures/stored.npz", images=images, labels=labels)


def arrays():
    dtypes = ["?", "u1", "i1", "u2", "u4", "u8", "i2", "i4", "i8", "f2", "f4", "f8", "c8", "c16"]
    for dtype in dtypes:
        for shape in [(), (5,), (0, 3), (3, 4), (2, 3, 2)]:
            count = int(np.prod(shape))
            size = np.dtype(dtype).itemsize
            raw = random.integers(0, 2 if dtype == "?" else 256, count * size, dtype="uint8")
            yield dtype, raw.view(dtype).reshape(shape)


def npy(folder):
    found = {}
    for i, (dtype, array) in enumerate(arrays()):
        for order in "CF":
            for end in "<>":
                name = f"{i}{order}{'lb'[end == '>']}.npy"
                stored = np.asarray(array.astype(array.dtype.newbyteorder(end)), order=order)
                with open(os.path.join(folder, name), "wb") as file:
                    np.lib.format.write_array(file, stored, version=(1 + i % 3, 0))
                loaded = np.load(os.path.join(folder, name))
                found[name] = {**told(loaded), "strides": [s // loaded.itemsize for s in loaded.strides]}
    return found


def npz(folder):
    named = {"a": np.arange(1000.0), "b/c": np.asfortranarray(np.arange(6).reshape(2, 3)), "é": np.array(True)}
    np.savez(os.path.join(folder, "stored.npz"), **named)
    np.savez_compressed(os.path.join(folder, "deflated.npz"), **named)
    return {name: told(array) for name, array in named.items()}


def idx(folder):
    sys.path.insert(0, os.path.join(sys.prefix, "transforms"))
    sys.modules["torchvision._meta_registrations"] = types.ModuleType("torchvision._meta_registrations")
    from torchvision.datasets.mnist import read_sn3_pascalvincent_tensor

    found = {}
    for code, dtype in {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}.items():
        for shape in [(7,), (4, 3, 2)]:
            name = f"{code}-{len(shape)}.idx"
            array = random.integers(0, 127, shape).astype(dtype)
            content = struct.pack(">BBBB", 0, 0, code, len(shape)) + struct.pack(f">{len(shape)}I", *shape) + array.tobytes()
            path = os.path.join(folder, name)
            with open(path, "wb") as file:
                file.write(content)
            with gzip.open(f"{path}.gz", "wb") as file:
                file.write(content)
            found[name] = told(read_sn3_pascalvincent_tensor(path, strict=False).numpy())
    return found


def text_folder(folder):
    from torchvision.datasets import DatasetFolder

    root = os.path.join(folder, "texts")
    for name in ["b/2.txt", "b/10.TXT", "b/deep/1.txt", "b/deep-er/0.txt", "B/x.txt", "é/1.txt", "b/no.md", "z/𝒳.txt", "z/\uffee.txt"]:
        os.makedirs(os.path.dirname(os.path.join(root, name)), exist_ok=True)
        with open(os.path.join(root, name), "w") as file:
            file.write(f"text of {name}\n")
    read = DatasetFolder(root, loader=lambda path: open(path).read(), extensions=(".txt",))
    return {"classes": read.classes, "samples": [list(read[i]) for i in range(len(read))]}


def columns(frame, texts):
    return {
        str(name): texts[name].tolist() if frame[name].dtype.kind in "OT" or str(frame[name].dtype) == "str" else told(frame[name].to_numpy())
        for name in frame.columns
    }


def pandas_columns(path, **options):
    texts = pd.read_csv(path, dtype=str, keep_default_na=False, **options)
    return columns(pd.read_csv(path, **options), texts)


def csv(folder):
    count = 500
    bits = random.integers(0, 2**63, count, dtype="int64")
    frame = pd.DataFrame(
        {
            "bits": bits.view("float64"),
            "whole": bits - 2**62,
            "gaps": np.where(random.random(count) < 0.2, np.nan, random.integers(0, 9, count)),
            "flag": random.random(count) < 0.5,
            "text, quoted": [f'"{i}"\n{chr(0x3B1 + i % 20)},' for i in range(count)],
        }
    )
    frame = frame[np.isfinite(frame["bits"])]
    path = os.path.join(folder, "table.csv")
    frame.to_csv(path, index=False)
    frame.to_csv(f"{path}.gz", index=False)
    frame.to_csv(os.path.join(folder, "table.tsv"), index=False, sep="\t")
    data = "node_modules/vega-datasets/data/"
    names = ["weather.csv", "seattle-weather.csv", "stocks.csv", "airports.csv", "la-riots.csv", "sp500.csv"]
    names += ["github.csv", "birdstrikes.csv", "gapminder-health-income.csv", "species.csv", "disasters.csv"]
    return {path: pandas_columns(path), **{data + name: pandas_columns(data + name) for name in names}}


def json_lines(folder):
    from pyarrow import json as arrow_json

    path = os.path.join(folder, "table.jsonl")
    with open(path, "w") as file:
        for i in range(300):
            row = {"x": float(random.standard_normal()) * 10.0 ** int(random.integers(-300, 300)), "n": 2**62 + i * 7919}
            row |= {"ok": i % 3 == 0, "t": f'é\n"{i}"', "gap": None if i % 4 == 0 else i / 7}
            file.write(json.dumps(row, ensure_ascii=i % 2 == 0) + "\n")
    table = arrow_json.read_json(path)
    numbers = {name: table[name].to_numpy() for name in ["x", "n", "ok", "gap"]}
    return {"t": table["t"].to_pylist(), **{name: told(array) for name, array in numbers.items()}}


if sys.argv[1] == "--write":
    write_fixtures()
else:
    parts = [npy, npz, idx, text_folder, csv, json_lines]
    print(json.dumps({part.__name__: part(sys.argv[1]) for part in parts}))
