"""Indexing, conversion and what users write for autograd, as node/conversions.mjs has them."""

import torch
from torch import nn


def indexing():
    x = torch.randn(8, 8)
    mask = x > 0
    return {"row": lambda: x[1], "block": lambda: x[1:5, ::2], "mask": lambda: x[mask]}


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.mul(x)

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return x.mul(gradient).mul(2)


def custom_function():
    x = torch.randn(16, requires_grad=True)
    return lambda: Square.apply(x).sum().backward()


def gradcheck():
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2)).double()
    x = torch.rand(3, 4, dtype=torch.float64, requires_grad=True)
    return lambda: torch.autograd.gradcheck(model, [x])


def tolist():
    x = torch.randn(100, 100)
    return x.tolist


# row: how it is built, iterations a round, iterations before the first round of the process
CONVERSIONS = {
    "index_row": (lambda: indexing()["row"], 1000, 10000),
    "index_block": (lambda: indexing()["block"], 1000, 10000),
    "index_mask": (lambda: indexing()["mask"], 1000, 10000),
    "tolist": (tolist, 10, 200),
    "custom_function": (custom_function, 100, 2000),
    "gradcheck": (gradcheck, 1, 5),
}
