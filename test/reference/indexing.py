"""Records what Python's `x[…]` and `x[…] = value` do with random indices, for `test/fixtures/indexing.json`.

A case is `{"shape", "dtype", "transposed", "indices", …}`: x is `arange` of that shape. An index is `{"int": 1}`,
`{"slice": [a, b, c]}`, `"none"`, `"ellipsis"`, `{"bool": true}`, `{"list": nested}` or `{"tensor": nested, "dtype"}`.
A case of get has `result`, `after` (x after `result.fill_(1)`, which tells views from copies) and, for float64, `grad`; one of
put has `value` and `after`; either has `error` instead when Python raised one.
`--random SEED COUNT` prints other cases instead.
"""

import json
import math
import random
import sys
import warnings

import torch

import recording

warnings.simplefilter("ignore")


def listed(tensor):
    return {
        "shape": list(tensor.shape),
        "dtype": str(tensor.dtype).removeprefix("torch."),
        "values": [float(v) for v in tensor.detach().reshape(-1).to(torch.float64).tolist()],
    }


def nested(rng, shape, item):
    if not shape:
        return item()
    return [nested(rng, shape[1:], item) for _ in range(shape[0])]


class Maker:
    """Random index expressions, mostly valid ones."""

    def __init__(self, rng):
        self.rng = rng

    def integer(self, size):
        if self.rng.random() < 0.05:
            return size + self.rng.randint(0, 2)
        return self.rng.randint(-size, size - 1) if size > 0 else 0

    def slice(self, size):
        bound = lambda: self.rng.choice([None, self.rng.randint(-size - 2, size + 2)])
        step = self.rng.choice([None, 1, 2, 3])
        return {"slice": [bound(), bound(), step]}

    def integers(self, size, shape):
        value = nested(self.rng, shape, lambda: self.integer(size))
        if shape and self.rng.random() < 0.4:
            return {"list": value}
        return {"tensor": value, "dtype": self.rng.choice(["int64", "int64", "int32"]), "shape": shape}

    def mask(self, shape):
        if self.rng.random() < 0.04 and shape:
            shape = [shape[0] + 1, *shape[1:]]
        value = nested(self.rng, shape, lambda: self.rng.random() < 0.5)
        if len(shape) == 1 and 0 not in shape and self.rng.random() < 0.4:
            return {"list": value}
        return {"tensor": value, "dtype": "bool", "shape": shape}

    def indices(self, shape):
        rng = self.rng
        common = rng.choice([[], [1], [2], [3], [2, 1], [2, 3], [0]])
        advanced = rng.random() < 0.55
        found, dim, has_ellipsis = [], 0, False
        while dim < len(shape) or rng.random() < 0.15:
            choice = rng.random()
            size = shape[dim] if dim < len(shape) else 1
            if choice < 0.08:
                found.append("none")
            elif choice < 0.13 and not has_ellipsis:
                found.append("ellipsis")
                has_ellipsis = True
                dim += rng.randint(0, max(0, len(shape) - dim))
            elif choice < 0.16 and advanced:
                found.append({"bool": rng.random() < 0.8})
            elif choice < 0.28 and advanced and dim < len(shape):
                rank = rng.randint(0, min(2, len(shape) - dim))
                found.append(self.mask(list(shape[dim : dim + rank])))
                dim += rank
            elif choice < 0.6 and advanced:
                own = common if rng.random() < 0.9 else rng.choice([[1], [3], [2, 2]])
                found.append(self.integers(size, own))
                dim += 1
            elif choice < 0.75:
                found.append({"int": self.integer(size)})
                dim += 1
            else:
                found.append(self.slice(size))
                dim += 1
            if rng.random() < 0.15:
                break
        return found


def index_of(entry):
    if entry == "none":
        return None
    if entry == "ellipsis":
        return ...
    if "int" in entry:
        return entry["int"]
    if "bool" in entry:
        return entry["bool"]
    if "slice" in entry:
        return slice(*entry["slice"])
    if "list" in entry:
        return entry["list"]
    return torch.tensor(entry["tensor"], dtype=getattr(torch, entry["dtype"])).reshape(entry["shape"])


def base(case):
    shape, dtype = case["shape"], getattr(torch, case["dtype"])
    x = torch.arange(math.prod(shape)).reshape(shape).to(dtype)
    return x.mT if case["transposed"] else x


def key_of(entries):
    indices = tuple(index_of(entry) for entry in entries)
    # One index alone takes another way in PyTorch; a list alone is no tensor there yet.
    return indices[0] if len(indices) == 1 and not isinstance(indices[0], list) else indices


def get(case):
    x = base(case)
    key = key_of(case["indices"])
    result = x[key]
    case["result"] = listed(result)
    if case["dtype"] == "float64":
        leaf = base(case).clone().requires_grad_()
        part = leaf[key]
        (part * torch.arange(part.numel()).reshape(part.shape)).sum().backward()
        case["grad"] = listed(leaf.grad)
    result.fill_(1)
    case["after"] = listed(x)


def put(case, maker):
    rng = maker.rng
    x = base(case)
    key = key_of(case["indices"])
    try:
        target = list(x[key].shape)
    except (IndexError, RuntimeError, ValueError):
        target = []
    kind = rng.random()
    if kind < 0.35:
        case["value"] = rng.choice([5, -1, 2.5, 0, True, 1e30])
        value = case["value"]
    else:
        shape = [1 if rng.random() < 0.25 else size for size in target[rng.randint(0, len(target)) :]]
        shape = [1] * rng.choice([0, 0, 1, 2]) + shape
        if rng.random() < 0.08:
            shape = [*shape, 3]
        dtype = case["dtype"] if rng.random() < 0.85 else rng.choice(["float32", "int64"])
        case["value"] = {"shape": shape, "dtype": dtype}
        value = (torch.arange(math.prod(shape)).reshape(shape) + 50).to(getattr(torch, dtype))
    x[key] = value
    case["after"] = listed(x)


def make(seed=0, count=400):
    maker = Maker(random.Random(seed))
    cases = []
    for number in range(count):
        rng = maker.rng
        shape = [rng.choice([1, 2, 3, 3, 4]) if rng.random() < 0.96 else 0 for _ in range(rng.choice([0, 1, 2, 2, 3, 3, 4]))]
        transposed = len(shape) >= 2 and rng.random() < 0.3
        seen = shape[:-2] + [shape[-1], shape[-2]] if transposed else shape
        case = {
            "action": "get" if number % 2 == 0 else "put",
            "shape": shape,
            "dtype": rng.choice(["float64", "float64", "float32", "int64", "bool"]),
            "transposed": transposed,
            "indices": maker.indices(seen),
        }
        try:
            get(case) if number % 2 == 0 else put(case, maker)
        except (IndexError, RuntimeError, ValueError, TypeError) as error:
            for name in ("result", "after", "grad"):
                case.pop(name, None)
            case["error"] = str(error)
        cases.append(case)
    return {"cases": cases}


if __name__ == "__main__":
    if sys.argv[1:2] == ["--random"]:
        print(json.dumps(make(*map(int, sys.argv[2:4]))))
    else:
        recording.main("indexing.json", make, __doc__)
