"""Prints the public names of torch.nn.functional, split into functions and the rest, as JSON."""

import inspect
import json

import torch.nn.functional as F

names = [name for name in dir(F) if not name.startswith("_")]
callables = [name for name in names if callable(getattr(F, name)) and not inspect.isclass(getattr(F, name))]
print(json.dumps({"functions": callables, "others": [name for name in names if name not in callables]}))
