"""Gradients through three checkpointed layers with dropout, as JSON."""

import json

import torch
from torch.utils.checkpoint import checkpoint


def layer(weight):
    return lambda t: torch.relu(torch.dropout(t @ weight, 0.5, True))


torch.manual_seed(7)
weights = [torch.randn(8, 8, dtype=torch.float64).requires_grad_() for _ in range(3)]
x = torch.randn(4, 8, dtype=torch.float64).requires_grad_()
y = x
for weight in weights:
    y = checkpoint(layer(weight), y, use_reentrant=False)
loss = y.square().sum()
loss.backward()
print(
    json.dumps(
        {
            "loss": loss.item(),
            "gradients": [t.grad.flatten().tolist() for t in [x, *weights]],
            "next": torch.rand(3, dtype=torch.float64).tolist(),
        }
    )
)
