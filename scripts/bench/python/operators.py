"""Thirty common operators on small tensors, as node/operators.mjs calls them."""

import torch
import torch.nn.functional as F

from device import there


def operators():
    a, b = there(torch.randn(4, 4), torch.randn(4, 4))
    batch, positive, mask = there(torch.randn(2, 4, 4), a.abs() + 1, a > 0)
    weight, bias, index = there(torch.ones(4), torch.ones(4), torch.tensor([0, 2]))
    return {
        "add": lambda: a.add(b),
        "sub": lambda: a.sub(b),
        "mul": lambda: a.mul(b),
        "mul_scalar": lambda: a.mul(2),
        "div": lambda: a.div(b),
        "matmul": lambda: a.matmul(b),
        "mm": lambda: a.mm(b),
        "bmm": lambda: batch.bmm(batch),
        "linear": lambda: F.linear(a, b, bias),
        "layer_norm": lambda: F.layer_norm(a, [4], weight, bias),
        "sum": lambda: a.sum(),
        "sum_dim": lambda: a.sum(1),
        "mean_dim": lambda: a.mean(1),
        "max": lambda: a.max(),
        "argmax": lambda: a.argmax(1),
        "softmax": lambda: a.softmax(1),
        "relu": lambda: a.relu(),
        "gelu": lambda: F.gelu(a),
        "sigmoid": lambda: a.sigmoid(),
        "exp": lambda: a.exp(),
        "log": lambda: positive.log(),
        "transpose": lambda: a.transpose(0, 1),
        "reshape": lambda: a.reshape([2, 8]),
        "permute": lambda: a.permute([1, 0]),
        "unsqueeze": lambda: a.unsqueeze(0),
        "cat": lambda: torch.cat([a, b], 0),
        "stack": lambda: torch.stack([a, b]),
        "gt_scalar": lambda: a.gt(0),
        "where": lambda: torch.where(mask, a, b),
        "index_select": lambda: a.index_select(0, index),
    }
