"""Records what PyTorch's averaged models hold, for `test/fixtures/swa.json`.

The model is `Sequential(Linear(4, 6), BatchNorm1d(6), Tanh(), Linear(6, 2))` with the state `initial`. Each step minimises the
mean squared error of `x[i]` with SGD (lr 0.1, momentum 0.9), then takes the model into every averaged one. `averaged` are their
states at the end, `updated` those after `update_bn` over `x`.
"""

import copy

import torch
from torch import nn
from torch.optim import swa_utils

import recording
from recording import exact, exact_map

STEPS = 12
CASES = {
    "equal": {},
    "equal with lists": {"multi_avg_fn": swa_utils.get_swa_multi_avg_fn()},
    "equal with a function": {"avg_fn": swa_utils.get_swa_avg_fn()},
    "exponential": {"multi_avg_fn": swa_utils.get_ema_multi_avg_fn(0.9)},
    "exponential by default": {"multi_avg_fn": swa_utils.get_ema_multi_avg_fn()},
    "exponential with a function": {"avg_fn": swa_utils.get_ema_avg_fn(0.9)},
    "exponential by default with a function": {"avg_fn": swa_utils.get_ema_avg_fn()},
    "equal with buffers": {"use_buffers": True},
    "exponential with buffers": {"use_buffers": True, "multi_avg_fn": swa_utils.get_ema_multi_avg_fn(0.9)},
    "a function with buffers": {"use_buffers": True, "avg_fn": swa_utils.get_ema_avg_fn(0.9)},
}

torch.manual_seed(0)
X, Y = torch.rand(STEPS, 16, 4) * 4 - 2, torch.rand(STEPS, 16, 2) * 4 - 2
MODEL = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Linear(6, 2))


def make():
    model = copy.deepcopy(MODEL)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    averaged = {name: swa_utils.AveragedModel(model, **options) for name, options in CASES.items()}
    for inputs, targets in zip(X, Y):
        optimizer.zero_grad()
        (model(inputs) - targets).square().mean().backward()
        optimizer.step()
        for other in averaged.values():
            other.update_parameters(model)
    states = {name: exact_map(other.state_dict().items()) for name, other in averaged.items()}
    for other in averaged.values():
        swa_utils.update_bn([(inputs, None) for inputs in X], other)
    updated = {name: exact_map(other.state_dict().items()) for name, other in averaged.items()}
    return {
        "x": exact(X),
        "y": exact(Y),
        "initial": exact_map(MODEL.state_dict().items()),
        "printed": str(averaged["equal"]),
        "averaged": states,
        "updated": updated,
    }


if __name__ == "__main__":
    recording.main("swa.json", make, __doc__, rounds=True)
