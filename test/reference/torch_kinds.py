"""Exchanges files of torch.save of every kind of value, one a file: `write FOLDER` makes them and tells what is in each as
Python loads it again, `read FOLDER` tells what is in those that are there. Both load weights only."""

import json
import pathlib
import sys
import warnings
from collections import Counter, OrderedDict

import torch

EYE = torch.eye(4) * 2
COMPLEX = torch.tensor([1 + 2j, 3 - 4j])


def with_attributes(tensor):
    tensor.note = "kept"
    tensor.places = [1, {"two": torch.ones(2)}]
    return tensor


def with_metadata(dictionary):
    dictionary._metadata = {"": {"version": 2}}
    return dictionary


def values():
    return {
        "conj": COMPLEX.conj(),
        "neg": COMPLEX.conj().imag,
        "conj_beside": [COMPLEX.conj(), COMPLEX],
        "coo": EYE.to_sparse(),
        "coo_uncoalesced": torch.sparse_coo_tensor([[0, 0], [1, 1]], [1.0, 2.0], (2, 3)),
        "coo_hybrid": torch.sparse_coo_tensor([[0, 2]], [[1.0, 2.0], [3.0, 4.0]], (3, 2)),
        "csr": EYE.to_sparse_csr(),
        "csc": EYE.to_sparse_csc(),
        "bsr": EYE.to_sparse_bsr((2, 2)),
        "bsc": EYE.to_sparse_bsc((2, 2)),
        "qint8": torch.quantize_per_tensor(EYE, 0.1, 2, torch.qint8),
        "quint8_view": torch.quantize_per_tensor(torch.arange(12.0).reshape(3, 4), 0.5, 3, torch.quint8).t()[1:],
        "qint32": torch.quantize_per_tensor(EYE, 0.25, 0, torch.qint32),
        "quint8_channels": torch.quantize_per_channel(
            EYE, torch.tensor([0.1, 0.2, 0.3, 0.4]), torch.tensor([0, 1, 2, 3]), 1, torch.quint8
        ),
        "buffer": torch.nn.Buffer(EYE.clone()),
        "attributes": with_attributes(EYE.clone()),
        "parameter_attributes": with_attributes(torch.nn.Parameter(EYE.clone())),
        "float8": {name: torch.tensor([0.5, -1, 2]).to(getattr(torch, name)) for name in FLOAT8},
        "float4": torch.tensor([[1, 2], [3, 4]], dtype=torch.uint8).view(torch.float4_e2m1fn_x2),
        "e8m0": torch.tensor([127, 128], dtype=torch.uint8).view(torch.float8_e8m0fnu),
        "meta": torch.ones(2, 3, device="meta"),
        "size": EYE.shape,
        "layout": [torch.strided, torch.sparse_csr],
        "dtype_keys": {torch.float32: 1, (torch.int8, 2): 3},
        "dtypes": [torch.float32, {torch.bool}],
        "metadata": with_metadata(OrderedDict(a=1)),
        "counter": Counter([1, 1, 2]),
        "number_and_text": {1: "a", "1": "b"},
        "bytearray": bytearray(b"\x00ab\xff"),
        "empty_bytearray": bytearray(),
        "surrogates": "a\ud800b\U0001f600",
        "typed_storage": torch.arange(3.0).storage(),
        "untyped_storage": torch.tensor([1, 2], dtype=torch.uint8).untyped_storage(),
        "deep": deep(400),
        "shared": [EYE, EYE.t(), EYE[1], torch.nn.Parameter(EYE)],
        "long": [2**31, -(2**31) - 1, 2**53, 2**62, -(2**2000)],
        "empty": [torch.empty(0), torch.empty(2, 0, 3)],
    }


FLOAT8 = ["float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz"]


def deep(levels):
    value = 1
    for _ in range(levels):
        value = [value]
    return value


def numbers(tensor):
    tensor = tensor.detach().resolve_conj().resolve_neg()
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    if tensor.layout in (torch.sparse_bsr, torch.sparse_bsc, torch.sparse_csc):
        tensor = tensor.to_dense()
    tensor = tensor.to_dense() if tensor.layout != torch.strided else tensor
    if tensor.dtype == torch.float4_e2m1fn_x2:
        tensor = tensor.view(torch.uint8)
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor)
    return tensor.to(torch.float64).tolist()


def describe(value):
    if isinstance(value, (torch.TypedStorage, torch.UntypedStorage)):
        untyped = value if isinstance(value, torch.UntypedStorage) else value.untyped()
        dtype = torch.uint8 if isinstance(value, torch.UntypedStorage) else value.dtype
        return describe(torch.tensor([], dtype=dtype).set_(untyped))
    if isinstance(value, torch.Tensor):
        found = {"dtype": name(value.dtype), "shape": list(value.shape), "layout": name(value.layout)}
        found["device"] = str(value.device)
        found["grad"] = value.requires_grad
        if value.device.type != "meta":
            found["numbers"] = numbers(value)
        return {"tensor": found, "attributes": {key: describe(item) for key, item in value.__dict__.items()}}
    if isinstance(value, dict):
        return {"dict": [[describe(key), describe(item)] for key, item in value.items()]}
    if isinstance(value, set):
        return {"set": [describe(item) for item in value]}
    if isinstance(value, (list, tuple)):
        return [describe(item) for item in value]
    if isinstance(value, (bytes, bytearray)):
        return {"bytes": list(value)}
    if isinstance(value, (torch.dtype, torch.layout)):
        return name(value)
    return {"int": str(value)} if type(value) is int and abs(value) >= 2**53 else value


def name(value):
    return str(value).removeprefix("torch.")


def write(folder):
    for key, value in values().items():
        torch.save(value, folder / f"{key}.pt")
        try:
            torch.save(value, folder / f"{key}.legacy.pt", _use_new_zipfile_serialization=False)
            torch.load(folder / f"{key}.legacy.pt")
        except Exception:  # What Python itself cannot exchange in that format.
            (folder / f"{key}.legacy.pt").unlink(missing_ok=True)


def read(folder):
    found = {}
    for file in sorted(folder.glob("*.pt")):
        try:
            found[file.name] = describe(torch.load(file))
        except Exception as error:
            found[file.name] = {"error": f"{type(error).__name__}: {error}"[:300]}
    return found


warnings.simplefilter("ignore")
torch.set_num_threads(1)
folder = pathlib.Path(sys.argv[2])
if sys.argv[1] == "write":
    write(folder)
json.dump(read(folder), sys.stdout)
