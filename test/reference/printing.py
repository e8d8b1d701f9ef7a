"""Records how PyTorch prints tensors, for `test/fixtures/printing.json`: `{name: {code, text}}`.

`code` is the JavaScript expression that makes the same tensor with aiforge's functions in scope. `--random SEED COUNT`
prints random cases instead: `{dtype, shape, hex | pattern, layout, options, requiresGrad, text}`, where a pattern `[a, m, d]`
stands for the elements `(i * a % m - m // 2) / d`.
"""

import json
import math
import random
import sys
import warnings

import torch

import recording


def grad(tensor):
    return tensor.requires_grad_()


nan, inf = float("nan"), float("inf")

CASES = {
    "scalar_float": ("tensor(1.5)", lambda: torch.tensor(1.5)),
    "scalar_whole": ("tensor(3, { dtype: 'float32' })", lambda: torch.tensor(3.0)),
    "scalar_int": ("tensor(-7)", lambda: torch.tensor(-7)),
    "scalar_bool": ("tensor(true)", lambda: torch.tensor(True)),
    "scalar_zero": ("tensor(0, { dtype: 'float32' })", lambda: torch.tensor(0.0)),
    "scalar_tiny": ("tensor(0.00001)", lambda: torch.tensor(0.00001)),
    "ints": ("tensor([1, -20, 300])", lambda: torch.tensor([1, -20, 300])),
    "int8": ("tensor([1, -2], { dtype: 'int8' })", lambda: torch.tensor([1, -2], dtype=torch.int8)),
    "beyond_2_53": ("tensor([9007199254740993n, 1])", lambda: torch.tensor([9007199254740993, 1])),
    "whole_floats": ("tensor([1, 2, -3], { dtype: 'float32' })", lambda: torch.tensor([1.0, 2.0, -3.0])),
    "whole_floats_wide": ("tensor([1, 2000], { dtype: 'float32' })", lambda: torch.tensor([1.0, 2000.0])),
    "whole_float_large": ("tensor([200000000], { dtype: 'float32' })", lambda: torch.tensor([2e8])),
    "negative": ("tensor([-0.5, 1.25])", lambda: torch.tensor([-0.5, 1.25])),
    "negative_zero": ("tensor([-0, 1])", lambda: torch.tensor([-0.0, 1.0])),
    "mixed_magnitude": ("tensor([0.001, 1000.5])", lambda: torch.tensor([0.001, 1000.5])),
    "ties": (
        "tensor([0.03125, 0.09375, 1.5], { dtype: 'float64' })",
        lambda: torch.tensor([0.03125, 0.09375, 1.5], dtype=torch.float64),
    ),
    "scientific_tie": (
        "tensor([123455000, 1], { dtype: 'float64' })",
        lambda: torch.tensor([123455000, 1], dtype=torch.float64),
    ),
    "nan_inf": ("tensor([NaN, Infinity, -Infinity, 1.5])", lambda: torch.tensor([nan, inf, -inf, 1.5])),
    "nan_and_whole": ("tensor([NaN, 0, 10])", lambda: torch.tensor([nan, 0.0, 10.0])),
    "only_nan": ("tensor([NaN, 0])", lambda: torch.tensor([nan, 0.0])),
    "matrix": ("tensor([[1.5, -2], [30, 4]])", lambda: torch.tensor([[1.5, -2.0], [30.0, 4.0]])),
    "three_dimensions": ("arange(12).view(2, 3, 2)", lambda: torch.arange(12).view(2, 3, 2)),
    "four_dimensions": ("arange(8).view(2, 2, 1, 2)", lambda: torch.arange(8).view(2, 2, 1, 2)),
    "wrapped_line": ("arange(40).mul(1000)", lambda: torch.arange(40).mul(1000)),
    "wrapped_floats": ("arange(25).div(7)", lambda: torch.arange(25).div(7)),
    "summarised": ("arange(2000)", lambda: torch.arange(2000)),
    "summarised_floats": ("arange(1001).div(8)", lambda: torch.arange(1001).div(8)),
    "summarised_matrix": ("arange(3000).view(30, 100)", lambda: torch.arange(3000).view(30, 100)),
    "summarised_narrow": ("arange(2000).view(2, 1000)", lambda: torch.arange(2000).view(2, 1000)),
    "summarised_three": ("arange(8000).view(20, 20, 20)", lambda: torch.arange(8000).view(20, 20, 20)),
    "just_not_summarised": ("zeros([1, 1000]).to('int64')", lambda: torch.zeros(1, 1000).long()),
    "empty": ("tensor([])", lambda: torch.tensor([])),
    "empty_matrix": ("zeros([2, 0])", lambda: torch.zeros(2, 0)),
    "empty_int": ("zeros([0, 3], { dtype: 'int64' })", lambda: torch.zeros(0, 3, dtype=torch.int64)),
    "requires_grad": ("tensor([1.5, 2], { requiresGrad: true })", lambda: grad(torch.tensor([1.5, 2]))),
    "grad_fn": ("tensor([1.5], { requiresGrad: true }).exp()", lambda: grad(torch.tensor([1.5])).exp()),
    "float64": ("tensor([0.1], { dtype: 'float64' })", lambda: torch.tensor([0.1], dtype=torch.float64)),
    "float16": ("tensor([0.1, 7], { dtype: 'float16' })", lambda: torch.tensor([0.1, 7], dtype=torch.float16)),
    "bfloat16": ("tensor([0.1, 7], { dtype: 'bfloat16' })", lambda: torch.tensor([0.1, 7], dtype=torch.bfloat16)),
    "bools": ("tensor([[true, false], [false, true]])", lambda: torch.tensor([[True, False], [False, True]])),
    "complex": (
        "tensor([{ re: 1.5, im: -2 }, { re: 0, im: 100.25 }])",
        lambda: torch.tensor([1.5 - 2j, 100.25j]),
    ),
    "complex_whole": ("tensor([{ re: 1, im: 0 }, { re: -3, im: 4 }])", lambda: torch.tensor([1 + 0j, -3 + 4j])),
    "complex128_scalar": (
        "tensor({ re: 1, im: -1 }, { dtype: 'complex128' })",
        lambda: torch.tensor(1 - 1j, dtype=torch.complex128),
    ),
    "meta": ("zeros([3], { device: 'meta' })", lambda: torch.zeros(3, device="meta")),
    "meta_int": ("zeros([], { dtype: 'int64', device: 'meta' })", lambda: torch.zeros([], dtype=torch.int64, device="meta")),
    "float8": (
        "tensor([0.1, 7], { dtype: 'float8_e4m3fn' })",
        lambda: torch.tensor([0.1, 7], dtype=torch.float8_e4m3fn),
    ),
    "uint64": ("tensor([2n ** 64n - 1n, 1], { dtype: 'uint64' })", lambda: torch.tensor([2**64 - 1, 1], dtype=torch.uint64)),
    "complex32": (
        "tensor([{ re: 1.5, im: -2 }], { dtype: 'complex32' })",
        lambda: torch.tensor([1.5 - 2j], dtype=torch.complex32),
    ),
    "conjugate": ("tensor([{ re: 1.5, im: -2 }]).conj()", lambda: torch.tensor([1.5 - 2j]).conj()),
    "sparse": ("tensor([[0, 1.5], [2, 0]]).toSparse()", lambda: torch.tensor([[0, 1.5], [2, 0]]).to_sparse()),
    "sparse_hybrid": (
        "tensor([[0, 1.5], [2, 0]]).toSparse(1)",
        lambda: torch.tensor([[0, 1.5], [2, 0]]).to_sparse(1),
    ),
    "sparse_empty": ("zeros([2, 3]).toSparse()", lambda: torch.zeros(2, 3).to_sparse()),
    "sparse_csr": ("tensor([[0, 1.5], [2, 0]]).toSparseCsr()", lambda: torch.tensor([[0, 1.5], [2, 0]]).to_sparse_csr()),
    "sparse_csc": ("tensor([[0, 1], [2, 0]]).toSparseCsc()", lambda: torch.tensor([[0, 1], [2, 0]]).to_sparse_csc()),
    "sparse_bsr": ("ones([4, 4]).toSparseBsr([2, 2])", lambda: torch.ones(4, 4).to_sparse_bsr((2, 2))),
    "quantized": (
        "quantizePerTensor(tensor([0.5, -1, 2.25]), 0.05, 10, 'quint8')",
        lambda: torch.quantize_per_tensor(torch.tensor([0.5, -1, 2.25]), 0.05, 10, torch.quint8),
    ),
    "quantized_channels": (
        "quantizePerChannel(tensor([[0.5, -1], [2, 3]]), tensor([0.1, 0.01]), tensor([10, 0]), 0, 'qint8')",
        lambda: torch.quantize_per_channel(
            torch.tensor([[0.5, -1], [2, 3]]), torch.tensor([0.1, 0.01]), torch.tensor([10, 0]), 0, torch.qint8
        ),
    ),
    "long_note": (
        "tensor([[1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5]], { dtype: 'float64', requiresGrad: true }).neg()",
        lambda: grad(torch.tensor([[1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5]], dtype=torch.float64)).neg(),
    ),
}


DTYPES = ["float32", "float32", "float64", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz"]
DTYPES += ["float8_e5m2fnuz", "int64", "int32", "int8", "uint8", "uint16", "uint64", "bool", "complex64", "complex128"]


def element(rng, style):
    if style == "whole":
        return float(rng.randint(-2000, 2000))
    if style == "tie":
        return rng.randint(-4000, 4000) / 32
    if style == "wild":
        return rng.choice([nan, inf, -inf, 0.0, -0.0, 1.0, rng.uniform(-1, 1) * 10 ** rng.randint(-12, 12)])
    if style == "small":
        return rng.uniform(-1, 1) * 1e-4
    return rng.uniform(-10, 10)


def some_values(rng, dtype, count):
    style = rng.choice(["whole", "tie", "wild", "small", "plain", "plain"])
    if dtype.is_complex:
        return [complex(element(rng, style), element(rng, rng.choice([style, "plain"]))) for _ in range(count)]
    if dtype == torch.bool:
        return [rng.random() < 0.5 for _ in range(count)]
    if not dtype.is_floating_point:
        info = torch.iinfo(dtype)
        low, high = rng.choice([(0, 9), (0, 127), (info.min, info.max)])
        return [rng.randint(low, high) for _ in range(count)]
    return [element(rng, style) for _ in range(count)]


def pattern_tensor(pattern, shape, dtype):
    a, m, d = pattern
    count = math.prod(shape)
    return ((torch.arange(count, dtype=torch.float64) * a) % m - m // 2).div(d).to(dtype).reshape(shape)


def random_options(rng):
    options = {}
    if rng.random() < 0.6:
        return options
    if rng.random() < 0.3:
        options["profile"] = rng.choice(["default", "short", "full"])
    for name, choices in (
        ("precision", [0, 1, 2, 6, 10]),
        ("threshold", [0, 5, 20, 100]),
        ("edgeitems", [0, 1, 2, 4]),
        ("linewidth", [10, 40, 60, 120]),
        ("sci_mode", [True, False]),
    ):
        if rng.random() < 0.35:
            options[name] = rng.choice(choices)
    return options


def as_layout(tensor, layout):
    if layout == "sparse_coo":
        return tensor.to_sparse()
    if layout == "sparse_csr":
        return tensor.to_sparse_csr()
    if layout == "sparse_csc":
        return tensor.to_sparse_csc()
    return tensor


def random_case(rng):
    name = rng.choice(DTYPES)
    dtype = getattr(torch, name)
    case = {"dtype": name, "layout": "strided", "requiresGrad": False}
    if rng.random() < 0.25 and not dtype.is_complex:
        case["shape"] = rng.choice([[1500], [40, 30], [3, 500], [500, 3], [12, 10, 11], [7, 2, 3, 30], [1, 1200]])
        case["pattern"] = [rng.choice([1, 3, 7]), rng.choice([1, 10, 101, 255]), rng.choice([1, 1, 3, 8])]
        tensor = pattern_tensor(case["pattern"], case["shape"], dtype)
    else:
        case["shape"] = [rng.choice([0, 1, 2, 3, 5, 9]) if i else rng.randint(1, 20) for i in range(rng.randint(0, 3))]
        values = some_values(rng, dtype, math.prod(case["shape"]))
        tensor = torch.tensor(values, dtype=torch.float64 if "float8" in name else dtype).to(dtype)
        case["hex"] = bytes(tensor.view(torch.uint8).tolist()).hex()
        tensor = tensor.reshape(case["shape"])
    if name in ("float32", "float64", "int64") and rng.random() < 0.15:
        case["layout"] = rng.choice(["sparse_coo", "sparse_csr", "sparse_csc"])
        if case["layout"] != "sparse_coo" and tensor.dim() != 2:
            case["layout"] = "strided"
    tensor = as_layout(tensor, case["layout"])
    if (dtype.is_floating_point or dtype.is_complex) and rng.random() < 0.2:
        case["requiresGrad"] = True
        tensor.requires_grad_()
    case["options"] = random_options(rng)
    torch.set_printoptions(profile="default")
    torch.set_printoptions(**case["options"])
    case["text"] = str(tensor)
    return case


def make_random(seed, count):
    rng = random.Random(seed)
    warnings.simplefilter("ignore")
    return {"cases": [random_case(rng) for _ in range(count)]}


def make():
    return {"cases": {name: {"code": code, "text": str(tensor())} for name, (code, tensor) in CASES.items()}}


if __name__ == "__main__":
    if sys.argv[1:2] == ["--random"]:
        print(json.dumps(make_random(*map(int, sys.argv[2:4]))))
    else:
        recording.main("printing.json", make, __doc__)
