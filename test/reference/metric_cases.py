"""What the scripts of metrics share: cases as JSON, `{name: {"batches": [[item, ...], ...], "value": ...}}`.

A tensor of a batch is `{"dtype": "float64", "shape": [...], "values": [...]}`, whose values are in one list. NaN is null, and
Infinity a number that is too large.
"""

import json
import warnings

import torch

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)
warnings.simplefilter("ignore")


def case(metric, batches):
    metric = metric.set_dtype(torch.float64)
    for batch in batches:
        metric.update(*(item.clone() if isinstance(item, torch.Tensor) else item for item in batch))
    return of_value(batches, metric.compute())


def of_value(batches, value):
    return {"batches": [[recorded(item) for item in batch] for batch in batches], "value": plain(value)}


def recorded(item):
    if not isinstance(item, torch.Tensor):
        return item
    dtype = str(item.dtype).removeprefix("torch.")
    return {"dtype": dtype, "shape": list(item.shape), "values": item.flatten().tolist()}


def plain(value):
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return value.tolist() if isinstance(value, torch.Tensor) else value


def write(cases):
    print(json.dumps(cases).replace("-Infinity", "-1e999").replace("Infinity", "1e999").replace("NaN", "null"))
