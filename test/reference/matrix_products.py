"""The products of groups and of narrow numbers, and their gradients, for test/nn/functional/matrixProducts.test.mts."""

import json

import torch
import torch.nn.functional as F
from torch.nn.functional import ScalingType

torch.set_num_threads(1)


def values(tensor):
    return tensor.to(torch.float64).tolist()


def grouped(dtype, rows, experts, offs):
    torch.manual_seed(0)
    a = torch.randn(rows, dtype=dtype).requires_grad_()
    b = torch.randn(experts, dtype=dtype).requires_grad_()
    made = F.grouped_mm(a, b, offs=None if offs is None else torch.tensor(offs, dtype=torch.int32))
    made.to(torch.float32).square().sum().backward()
    return [values(made), values(a.grad), values(b.grad)]


def scaled(kind, scale_a, scale_b, bias):
    torch.manual_seed(0)
    x = torch.randn(16, 32).to(torch.float8_e4m3fn)
    y = torch.randn(16, 32).to(torch.float8_e4m3fn).t()
    recipe = getattr(ScalingType, kind)
    given = torch.randn(16, dtype=torch.bfloat16) if bias else None
    return values(F.scaled_mm(x, y, scale_a, recipe, scale_b, recipe, bias=given, output_dtype=torch.bfloat16))


def main():
    found = {"grouped": [], "scaled": []}
    for dtype in (torch.bfloat16, torch.float32):
        found["grouped"].append(grouped(dtype, (8, 16), (2, 16, 8), [3, 8]))
        found["grouped"].append(grouped(dtype, (3, 4, 8), (3, 8, 16), None))
        found["grouped"].append(grouped(dtype, (8, 16), (16, 8), [8, 16]))
    for bias in (False, True):
        found["scaled"].append(scaled("TensorWise", torch.tensor(1.5), torch.tensor(0.3), bias))
        found["scaled"].append(scaled("RowWise", torch.arange(1, 17).div(8)[:, None], torch.arange(1, 17).div(4)[None], bias))
    print(json.dumps(found))


main()
