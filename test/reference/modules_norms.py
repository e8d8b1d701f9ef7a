"""Runs the layers that `test/nn/modules/cases.mts` lists, and prints what they compute, bit by bit.

The argument is a list of cases in JSON: the class, its positional arguments and options, and the shapes of the inputs. Each
starts from seed 0, trains for some steps (another input, forward, backward with a ramp as the gradient), runs once in evaluation,
and last draws a number, which shows that exactly as many were drawn.
"""

import inspect
import json
import re
import sys
import warnings

import torch
from torch import nn

from recording import exact


def snake(name):
    return re.sub(r"[A-Z]", lambda letter: "_" + letter[0].lower(), name)


def make(case):
    options = {snake(name): value for name, value in case.get("options", {}).items()}
    if "dtype" in options:
        options["dtype"] = getattr(torch, options["dtype"])
    layer = getattr(nn, case["module"])
    given = inspect.signature(layer).bind(*case.get("args", []), **options)
    for name, value in given.arguments.items():  # JavaScript writes 1.0 as 1
        if type(value) is int and "float" in str(given.signature.parameters[name].annotation):
            given.arguments[name] = float(value)
    return layer(*given.args, **given.kwargs)


def ramp(like):
    return (torch.arange(like.numel()) % 7 - 3).to(like.dtype).div(4).reshape(like.shape)


def step(module, case):
    dtype = getattr(torch, case.get("dtype", "float32"))
    inputs = [torch.randn(shape, dtype=dtype).requires_grad_() for shape in case["inputs"]]
    output = module(*[tensor.clone() for tensor in inputs])
    module.zero_grad()
    output.backward(ramp(output))
    gradients = [tensor.grad for tensor in [*inputs, *module.parameters()]]
    return [exact(tensor) for tensor in [output, *gradients, *module.buffers()]]


def run(case):
    torch.manual_seed(0)
    try:
        module = make(case)
    except Exception:
        return {"refused": "constructor"}
    is_lazy = case["module"].startswith("Lazy")
    tensors = [] if is_lazy else [exact(tensor) for tensor in module.state_dict().values()]
    try:
        for _ in range(case.get("steps", 1)):
            tensors += step(module, case)
        module.eval()
        tensors += step(module, case)
    except Exception:
        return {"refused": "forward"}
    tensors.append(exact(torch.rand(1)))
    return {"repr": repr(module), "keys": list(module.state_dict()), "tensors": tensors}


warnings.simplefilter("ignore")
torch.set_num_threads(1)
print(json.dumps([run(case) for case in json.loads(sys.argv[1])]))
