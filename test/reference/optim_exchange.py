"""Hands training runs over: `begin FOLDER` takes 10 steps with each optimizer, saves it there, and prints where 10 more lead;
`go_on FOLDER` takes 10 steps with what is saved there, and prints where they lead. CASES: the name of the optimizer, with what
tells it from others after a comma, and options, as JSON."""

import json
import sys
import warnings
from pathlib import Path

import torch

from capturable_on_cpu import capturable_on_cpu
from recording import exact

STEPS = 10


def class_of(name):
    return getattr(torch.optim, name.split(",")[0])


def parameters_of(optimizer):
    shapes = [[2, 3], [3, 2]] if optimizer in ("Muon", "SparseAdam") else [[2, 3], [3], []]
    return [torch.nn.Parameter(torch.linspace(-1, 1, shape.numel()).reshape(shape)) for shape in map(torch.Size, shapes)]


def take(optimizer, parameters, step):
    def closure():
        optimizer.zero_grad()
        loss = sum(((parameter - 1).square() * (parameter + 2).square()).sum() for parameter in parameters)
        loss.backward()
        return loss

    if isinstance(optimizer, torch.optim.LBFGS):
        optimizer.step(closure)
        return
    for parameter in parameters:
        grad = parameter.detach() * 0.5 + 0.1 * (step % 3 - 1)
        if isinstance(optimizer, torch.optim.SparseAdam):
            grad = torch.sparse_coo_tensor(torch.tensor([[0, 1]]), grad[:2], grad.shape)
        parameter.grad = grad
    optimizer.step()


def left(optimizer, parameters):
    def plain(value):
        if isinstance(value, torch.Tensor):
            return exact(value)
        return [plain(item) for item in value] if isinstance(value, list) else value

    state = optimizer.state_dict()["state"]
    states = [[str(i), {key: plain(value) for key, value in own.items()}] for i, own in sorted(state.items())]
    return {"parameters": [exact(parameter) for parameter in parameters], "state": states}


def begin(name, options, folder):
    parameters = parameters_of(name)
    optimizer = class_of(name)(parameters, **options)
    for step in range(2 * STEPS):
        if step == STEPS:
            saved = {"parameters": [p.detach().clone() for p in parameters], "optimizer": optimizer.state_dict()}
            torch.save(saved, folder / f"{name}.pt")
        take(optimizer, parameters, step)
    return left(optimizer, parameters)


def go_on(name, options, folder):
    saved = torch.load(folder / f"{name}.pt")
    parameters = [torch.nn.Parameter(value) for value in saved["parameters"]]
    # With default options: those of the state dict take their place.
    optimizer = class_of(name)(parameters)
    optimizer.load_state_dict(saved["optimizer"])
    for step in range(STEPS, 2 * STEPS):
        take(optimizer, parameters, step)
    return left(optimizer, parameters)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    run = {"begin": begin, "go_on": go_on}[sys.argv[1]]
    cases = json.loads(sys.argv[3])
    with capturable_on_cpu():
        print(json.dumps({name: run(name, options, Path(sys.argv[2])) for name, options in cases}))
