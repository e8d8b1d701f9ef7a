"""Turns arguments and results into JSON and raw bytes; frames.mjs and values.mjs read them."""

import json
import math
import random
import struct
import zlib

import numpy
import torch

SAFE = 2**53 - 1


def seed_everything(text):
    seed = zlib.crc32(text.encode())
    torch.manual_seed(seed)
    random.seed(seed)
    numpy.random.seed(seed)


def is_differentiable(tensor):
    return tensor.requires_grad and (tensor.is_floating_point() or tensor.is_complex())


def as_leaves(value, made):
    """The value with leaves for the tensors that are views of other leaves, whose gradients would go elsewhere."""
    if isinstance(value, torch.Tensor):
        if not value.requires_grad or (value.is_leaf and value._base is None):
            return value
        return made.setdefault(id(value), value.detach().requires_grad_())
    if type(value) in (list, tuple):
        return type(value)(as_leaves(item, made) for item in value)
    if isinstance(value, dict):
        return {key: as_leaves(item, made) for key, item in value.items()}
    return value


def tensors_in(value):
    """The tensors of nested lists, tuples and dicts, in order."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from tensors_in(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from tensors_in(item)


def name_of(value):
    return str(value).removeprefix("torch.")


def number(value):
    """A float as JSON has it: NaN and the infinities as text."""
    return value if math.isfinite(value) else repr(value)


def raw_bytes(storage):
    if storage.nbytes() == 0:
        return b""
    return bytes(torch.empty(0, dtype=torch.uint8).set_(storage).numpy())


class Encoder:
    """One frame's tensors. Arguments keep their storage, so views, strides and overlaps arrive as they are."""

    def __init__(self):
        self.tensors = []
        self.storages = []
        self.blob = []
        self.size = 0
        self.known = {}
        self.described = {}

    def finish(self):
        return self.tensors, self.storages, self.blob

    def begin_sample(self):
        """Forgets what the last sample's arguments shared: an operator may have changed them in place."""
        self.known.clear()
        self.described.clear()

    def store(self, data):
        padding = -self.size % 8
        self.blob.append(bytes(padding) + data)
        self.storages.append([self.size + padding, len(data)])
        self.size += padding + len(data)
        return len(self.storages) - 1

    def storage_of(self, tensor):
        storage = tensor.untyped_storage()
        key = storage.data_ptr(), storage.nbytes()
        if key[0] == 0:
            return self.store(b"")
        if key not in self.known:
            # The storage is kept too: the address of a freed one may come again.
            self.known[key] = self.store(raw_bytes(storage)), storage
        return self.known[key][0]

    def sparse(self, tensor):
        parts = {
            torch.sparse_coo: lambda: (tensor._indices(), tensor._values()),
            torch.sparse_csr: lambda: (tensor.crow_indices(), tensor.col_indices(), tensor.values()),
            torch.sparse_bsr: lambda: (tensor.crow_indices(), tensor.col_indices(), tensor.values()),
            torch.sparse_csc: lambda: (tensor.ccol_indices(), tensor.row_indices(), tensor.values()),
            torch.sparse_bsc: lambda: (tensor.ccol_indices(), tensor.row_indices(), tensor.values()),
        }[tensor.layout]()
        return {"layout": name_of(tensor.layout), "parts": [self.result(part) for part in parts]}

    def add(self, tensor, described):
        described.update(dtype=name_of(tensor.dtype), shape=list(tensor.shape), requiresGrad=tensor.requires_grad)
        self.tensors.append(described)
        return {"$": "tensor", "index": len(self.tensors) - 1}

    def tensor_argument(self, tensor):
        if id(tensor) not in self.described:
            self.described[id(tensor)] = self.new_argument(tensor), tensor
        return self.described[id(tensor)][0]

    def new_argument(self, tensor):
        if tensor.layout != torch.strided:
            return self.add(tensor, self.sparse(tensor.detach()))
        if tensor.is_meta:
            return self.add(tensor, {"meta": True, "stride": list(tensor.stride())})
        return self.add(
            tensor,
            {
                "storage": self.storage_of(tensor),
                "stride": list(tensor.stride()),
                "offset": tensor.storage_offset(),
                "conj": tensor.is_conj(),
                "neg": tensor.is_neg(),
            },
        )

    def tensor_result(self, tensor):
        if tensor.layout != torch.strided:
            return self.add(tensor, self.sparse(tensor.detach()))
        dense = tensor.detach().resolve_conj().resolve_neg().contiguous()
        # A fresh copy: what outputs share with inputs may change before the frame is written.
        data = dense.clone().untyped_storage() if dense.numel() > 0 else None
        return self.add(tensor, {"storage": self.store(raw_bytes(data) if data else b""), "stride": list(tensor.stride())})

    def argument(self, value):
        return self.value(value, self.tensor_argument)

    def result(self, value):
        return self.value(value, self.tensor_result)

    def value(self, value, tensor):
        if value is None or isinstance(value, (bool, str)):
            return value
        if isinstance(value, torch.Tensor):
            return tensor(value)
        if isinstance(value, int):
            return value if abs(value) <= SAFE else {"$": "int", "value": str(value)}
        if isinstance(value, float):
            return {"$": "float", "value": number(value)}
        if isinstance(value, complex):
            return {"$": "complex", "re": number(value.real), "im": number(value.imag)}
        if isinstance(value, dict):
            return {"$": "dict", "items": {key: self.value(item, tensor) for key, item in value.items()}}
        if isinstance(value, list):
            return [self.value(item, tensor) for item in value]
        if isinstance(value, tuple):
            names = list(getattr(value, "_fields", [])) or [
                key for key in dir(value) if hasattr(type(value), "n_fields") and not key.startswith(("_", "n_")) and key not in ("count", "index")
            ]
            return {"$": "tuple", "items": [self.value(item, tensor) for item in value], "names": names}
        if isinstance(value, slice):
            return {"$": "slice", "parts": [self.value(part, tensor) for part in (value.start, value.stop, value.step)]}
        if value is Ellipsis:
            return {"$": "ellipsis"}
        if isinstance(value, (torch.dtype, torch.layout, torch.memory_format, torch.device)):
            return {"$": type(value).__name__, "name": name_of(value)}
        plain = {key: getattr(value, key) for key in dir(value) if not key.startswith("_")}
        fields = {key: item for key, item in plain.items() if isinstance(item, (int, float, str, bool, type(None)))}
        return {"$": "object", "type": type(value).__name__, "fields": {k: self.value(v, tensor) for k, v in fields.items()}}


def write_frame(stream, header, encoder=None):
    header["tensors"], header["storages"], blob = encoder.finish() if encoder else ([], [], [])
    text = json.dumps(header, allow_nan=False).encode()
    stream.write(struct.pack("<QQ", len(text), sum(len(part) for part in blob)))
    stream.write(text)
    for part in blob:
        stream.write(part)
    stream.flush()
