"""Gradients through recorded optimizer steps: of the first parameter, of its gradient and of the learning rate, or null where
Python refuses. CASES: [optimizer, options, whether the learning rate gets a gradient, steps], as JSON."""

import json
import sys

import torch

from capturable_on_cpu import capturable_on_cpu
from recording import exact


def gradients(name, options, with_rate, steps):
    start = torch.linspace(-1, 1, 6).reshape(2, 3).requires_grad_()
    gradient = torch.linspace(0.5, -0.7, 6).reshape(2, 3).requires_grad_()
    rate = torch.tensor(0.05, requires_grad=True)
    parameter = start.clone()
    parameter.grad = gradient
    lr = {"lr": rate} if with_rate else {}
    try:
        optimizer = getattr(torch.optim, name)([parameter], differentiable=True, **lr, **options)
        for _ in range(steps):
            optimizer.step()
        parameter.square().sum().backward()
    except (RuntimeError, AssertionError, TypeError, ValueError):
        return None
    return [exact(parameter), exact(start.grad), exact(gradient.grad), exact(rate.grad)]


if __name__ == "__main__":
    torch.set_num_threads(1)
    with capturable_on_cpu():
        print(json.dumps([gradients(*case) for case in json.loads(sys.argv[1])]))
