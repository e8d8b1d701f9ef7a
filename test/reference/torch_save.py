"""Exchanges files of torch.save: `write FILE` makes one of every kind of data, `read FILE` prints what is in one."""

import json
import sys
from collections import OrderedDict

import torch

DTYPES = [
    "float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "uint16", "uint32", "uint64",
    "bool", "complex64", "complex128", "float8_e4m3fn", "float8_e5m2",
]  # fmt: skip


def write(file):
    torch.manual_seed(0)
    base = torch.arange(12.0).reshape(3, 4)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    model(torch.randn(5, 3)).sum().backward()
    optimizer.step()
    complex_ = torch.tensor([1 + 2j, 3 - 4j])
    value = {
        "dtypes": {name: torch.arange(3).to(getattr(torch, name)) for name in DTYPES},
        "views": [base, base.t(), base[1], base[:, ::2]],
        "empty": torch.empty(0, 3),
        "scalar": torch.tensor(2.5),
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "plain": [1, -2.5, None, True, "é\n", 10**12, 2**70, -(2**70), float("inf")],
        "nested": (1, (2, [3, {"a": ()}])),
        "numbered": {2: "b", 1: "a", -3: "c"},
        "bothKeys": {1: "number", "1": "text"},
        "conjugate": [complex_, complex_.conj(), complex_.reshape(1, 2).mH],
        "negative": torch.tensor([1 + 2j, 3 - 4j]).conj().imag,
        "mixed": {(1, 2): "tuple", None: "none"},
        "bytes": b"\x00ab\xff",
        "set": {1, 2},
        "complex": 1 + 2j,
        "size": base.shape,
        "dtype": torch.float32,
        "device": torch.device("cpu"),
        "ordered": OrderedDict([("z", 1), ("__proto__", 2)]),
    }
    torch.save(value, file)


def describe(value):
    if isinstance(value, torch.Tensor):
        data = value.detach()
        data = data.to(torch.complex128) if data.is_complex() else data
        text = torch.view_as_real(data).tolist() if data.is_complex() else data.to(torch.float64).tolist()
        return {
            "dtype": str(value.dtype),
            "shape": list(value.shape),
            "stride": list(value.stride()),
            "grad": value.requires_grad,
            "values": text,
        }
    if isinstance(value, dict):
        return {"dict": [[type(key).__name__, str(key), describe(item)] for key, item in value.items()]}
    if isinstance(value, (list, tuple)):
        return [describe(item) for item in value]
    return [type(value).__name__, repr(value)]


def read(file):
    value = torch.load(file)
    views = value.get("views") if isinstance(value, dict) else None
    shared = None if views is None else len({view.untyped_storage().data_ptr() for view in views})
    json.dump({"value": describe(value), "storages": shared}, sys.stdout)


def train(file):
    """Loads model and optimizer, takes three more steps, and writes the result over the file."""
    saved = torch.load(file)
    model = torch.nn.Linear(3, 2)
    model.load_state_dict(saved["model"])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1.0)
    optimizer.load_state_dict(saved["optimizer"])
    for _ in range(3):
        optimizer.zero_grad()
        model(saved["x"]).square().mean().backward()
        optimizer.step()
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "x": saved["x"]}, file)


torch.set_num_threads(1)
{"write": write, "read": read, "train": train}[sys.argv[1]](sys.argv[2])
