"""Arithmetic of 16-bit tensors with numbers, which kernels may round in different ways; as JSON of int16 bits."""

import json
import sys

import torch

torch.set_num_threads(1)
x = torch.arange(1, 65) * 0.37
found = {}
for dtype in ("bfloat16", "float16"):
    for name in ("add", "sub", "mul", "div"):
        for suffix in ("", "_"):
            tensor = x.to(getattr(torch, dtype)).clone()
            result = getattr(tensor, name + suffix)(0.9)
            found[f"{dtype} {name}{suffix}"] = result.view(torch.int16).tolist()
json.dump(found, sys.stdout)
