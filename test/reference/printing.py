"""Records how PyTorch prints tensors, for `test/fixtures/printing.json`: `{name: {code, text}}`.

`code` is the JavaScript expression that makes the same tensor with aiforge's functions in scope.
"""

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
    "long_note": (
        "tensor([[1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5]], { dtype: 'float64', requiresGrad: true }).neg()",
        lambda: grad(torch.tensor([[1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5]], dtype=torch.float64)).neg(),
    ),
}


def make():
    return {"cases": {name: {"code": code, "text": str(tensor())} for name, (code, tensor) in CASES.items()}}


if __name__ == "__main__":
    recording.main("printing.json", make, __doc__)
