"""Records where PyTorch's optimizers lead after 20 steps of a small fixed problem, for `test/fixtures/optim.json`.

The problem: from `torch.manual_seed(0)`, draw `x = torch.randn(8, 5)`, `y = torch.randn(8, 3)`, `w = torch.randn(5, 3)`,
`b = torch.randn(3)`, `s = torch.randn(())`; each step minimises `((x @ w + b) * s - y).square().mean()` over `[w, b, s]`.
`implementations` of a case says, by Adam's `foreach` and `fused` options, whose final bytes equal the default's.
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
    {"momentum": 0.9, "maximize": True},
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
IMPLEMENTATIONS = {"foreach": {"foreach": True}, "single": {"foreach": False, "fused": False}, "fused": {"fused": True}}


def problem():
    torch.manual_seed(0)
    x, y = torch.randn(8, 5), torch.randn(8, 3)
    parameters = [torch.randn(5, 3), torch.randn(3), torch.randn(())]
    return x, y, [parameter.requires_grad_() for parameter in parameters]


def optimize(name, options):
    x, y, parameters = problem()
    optimizer = getattr(torch.optim, name)(parameters, **options)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        w, b, s = parameters
        loss = ((x @ w + b) * s - y).square().mean()
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
    """The default's numbers, and the fused implementation's where their bits differ."""
    default = optimize(name, options)
    others = {key: optimize(name, {**options, **extra}) for key, extra in IMPLEMENTATIONS.items()}
    equal = {key: other["final"] == default["final"] for key, other in others.items()}
    case = {"optimizer": name, "options": options, **default, "implementations": equal}
    return case if equal["fused"] else {**case, "fused": others["fused"]}


def make():
    x, y, parameters = problem()
    return {
        "x": exact(x),
        "y": exact(y),
        "initial": [exact(parameter) for parameter in parameters],
        "cases": [record(name, options) for name, options in CASES],
    }


if __name__ == "__main__":
    recording.main("optim.json", make, __doc__)
