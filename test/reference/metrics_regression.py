"""Values of torchmetrics' regression metrics on random batches, as `{case: {"batches": [[predictions, targets], ...], "value": ...}}`.

Batches are nested lists; a case's name says which metric and options it is of.
"""

import json

import torch
import torchmetrics

torch.manual_seed(0)


def batches(*shape, count=3):
    return [(torch.randn(*shape, dtype=torch.float64), torch.randn(*shape, dtype=torch.float64)) for _ in range(count)]


def case(metric, given):
    metric = metric.set_dtype(torch.float64)
    for predictions, targets in given:
        metric.update(predictions, targets)
    return {"batches": [[p.tolist(), t.tolist()] for p, t in given], "value": metric.compute().tolist()}


flat, rows = batches(7), batches(5, 3)
print(
    json.dumps(
        {
            "MeanAbsoluteError": case(torchmetrics.MeanAbsoluteError(), flat),
            "MeanAbsoluteError outputs": case(torchmetrics.MeanAbsoluteError(num_outputs=3), rows),
            "MeanSquaredError": case(torchmetrics.MeanSquaredError(), flat),
            "MeanSquaredError root": case(torchmetrics.MeanSquaredError(squared=False), flat),
            "MeanSquaredError outputs": case(torchmetrics.MeanSquaredError(num_outputs=3), rows),
        }
    )
)
