"""Records where PyTorch's optimizers lead after 20 steps of a small fixed problem, for `test/fixtures/optim.json`.

Each step minimises `((x @ w + b) * s - y).square().mean()` over `[w, b, s]`. A case has what the default implementation gives
and, under `fused`, what the fused one does.
"""

import torch

import recording
from recording import exact

STEPS = 20

SGD = [
    {},
    {"momentum": 0.9},
    {"momentum": 0.9, "dampening": 0.1},
    {"momentum": 0.9, "nesterov": True},
    {"weight_decay": 0.01},
    {"momentum": 0.9, "weight_decay": 0.01, "dampening": 0.5},
    {"momentum": 0.9, "weight_decay": 0.01, "nesterov": True},
    {"lr": 1e-3, "momentum": 0.9, "maximize": True},
]
ADAM = [
    {},
    {"betas": [0.8, 0.95]},
    {"eps": 1e-4},
    {"weight_decay": 0.1},
    {"amsgrad": True},
    {"maximize": True},
    {"amsgrad": True, "weight_decay": 0.1, "betas": [0.8, 0.99]},
]
CASES = [
    *[("SGD", {"lr": 0.05, **options}) for options in SGD],
    *[("Adam", {"lr": 0.01, **options}) for options in ADAM],
    *[("AdamW", {"lr": 0.01, **options}) for options in [*ADAM, {"weight_decay": 0.0}]],
]
torch.manual_seed(0)
X, Y, *INITIAL = [torch.rand(shape) * 4 - 2 for shape in [(8, 5), (8, 3), (5, 3), (3,), ()]]


def optimize(name, options):
    parameters = [parameter.clone().requires_grad_() for parameter in INITIAL]
    optimizer = getattr(torch.optim, name)(parameters, **options)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        w, b, s = parameters
        loss = ((X @ w + b) * s - Y).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    state = [optimizer.state[parameter] for parameter in parameters]
    return {
        "losses": exact(torch.stack(losses)),
        "final": [exact(parameter) for parameter in parameters],
        "state": [{key: exact(value) for key, value in entry.items() if value is not None} for entry in state],
    }


def record(name, options):
    fused = optimize(name, {**options, "fused": True})
    return {"optimizer": name, "options": options, **optimize(name, options), "fused": fused}


def make():
    return {
        "x": exact(X),
        "y": exact(Y),
        "initial": [exact(parameter) for parameter in INITIAL],
        "cases": [record(name, options) for name, options in CASES],
    }


if __name__ == "__main__":
    recording.main("optim.json", make, __doc__, rounds=True)
