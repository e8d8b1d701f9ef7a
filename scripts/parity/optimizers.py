"""The reference side of `npm run test:parity:optim`: runs PyTorch's optimizers and writes what every step left.

Cases are the samples of PyTorch's optimizer database (optim_db) with each implementation that they have, the inputs that it
expects to be refused, and random combinations of options, those with `capturable` also where they are taken on the CPU:
`optimizers.py N OPTIMIZER…` takes every N-th, of these optimizers
or of all. Each is a frame on file descriptor 3 (see frames.mjs).
"""

import itertools
import json
import os
import random
import struct
import sys
import warnings
from copy import deepcopy
from pathlib import Path

import torch
from torch.testing._internal.common_optimizers import _get_optim_inputs_including_global_cliquey_kwargs, optim_db

from encoding import Encoder

sys.path.append(str(Path(__file__).resolve().parents[2] / "test" / "reference"))

from capturable_on_cpu import capturable_on_cpu  # noqa: E402

STEPS = 32
RESUMED = 10
SEED = 42
RANDOM_CASES = 30  # for each optimizer
CAPTURABLE_CASES = 60  # for each optimizer that has it

SHAPES = {
    "dense": [[4, 3], [3], [], [2, 1, 5]],
    "complex": [[4, 3], [3]],
    "matrices": [[4, 3], [3, 4], [5, 5]],
    "sparse": [[6, 3]],
}
ROWS = 4  # of a sparse gradient, some of them the same


def draw(problem, dtype):
    """Parameters and what each step's gradients are made of; optimizers.mjs draws the same."""
    torch.manual_seed(SEED)
    shapes = SHAPES[problem]
    parameters = [torch.randn(shape, dtype=dtype) for shape in shapes]
    if problem != "sparse":
        return parameters, [[torch.randn(shape, dtype=dtype) for shape in shapes] for _ in range(STEPS)]
    noise = []
    for _ in range(STEPS):
        indices = torch.randint(0, 6, [1, ROWS])
        noise.append([torch.sparse_coo_tensor(indices, torch.randn([ROWS, 3], dtype=dtype), [6, 3])])
    return parameters, noise


def set_gradients(case, parameters, noise, step):
    for i, parameter in enumerate(parameters):
        if case["missing"] and i == 1 and step % 4 in (0, 2):
            parameter.grad = None
        elif case["problem"] == "sparse":
            parameter.grad = noise[i].clone()
        else:
            parameter.grad = noise[i] + parameter.detach() * 0.1


def closure_for(parameters, noise, optimizer):
    """A loss with curvature, for LBFGS."""

    def closure():
        optimizer.zero_grad()
        loss = 0
        for parameter, target in zip(parameters, noise):
            difference = parameter - target
            square = torch.view_as_real(difference).square() if parameter.is_complex() else difference.square()
            loss = loss + (square + square * square * 0.1).sum()
        loss.backward()
        return loss

    return closure


def groups_of(case, parameters):
    if case["second"] is None:
        return parameters
    return [{"params": parameters[:1]}, {"params": parameters[1:], **case["second"]}]


def run(case, encoder):
    """The frame's header; Python's options stay in `case`."""
    dtype = getattr(torch, case["dtype"])
    parameters, noise = draw(case["problem"], dtype)
    for parameter in parameters:
        # A recorded step changes its parameters in place, which leaves do not allow.
        parameter.requires_grad_(not case["options"].get("differentiable", False))
    header = {**case, "options": encoder.argument(case["options"]), "second": encoder.argument(case["second"])}
    steps = header["steps"] = []

    def make():
        return getattr(torch.optim, case["optimizer"])(groups_of(case, parameters), **deepcopy(case["options"]))

    def take(step):
        if case["optimizer"] == "LBFGS":
            optimizer.step(closure_for(parameters, noise[0], optimizer))
        else:
            set_gradients(case, parameters, noise[step], step)
            optimizer.step()

    def left():
        return {"parameters": parameters, "state": in_order(optimizer.state_dict()["state"])}

    try:
        header["refused"] = "when it is made"
        optimizer = make()
        header["repr"] = repr(optimizer)
        header["refused"] = "when it steps"
        for step in range(STEPS):
            take(step)
            steps.append(encoder.result(left()))
            if step + 1 == RESUMED:
                middle = [parameter.detach().clone() for parameter in parameters], deepcopy(optimizer.state_dict())
        header["groups"] = encoder.result(optimizer.state_dict()["param_groups"])
        # Once more from the middle: loading changes the dtypes of some state.
        for parameter, value in zip(parameters, middle[0]):
            parameter.data.copy_(value)
        optimizer = make()
        optimizer.load_state_dict(middle[1])
        for step in range(RESUMED, STEPS):
            take(step)
        header["resumed"] = encoder.result(left())
        header["refused"] = None
    except Exception as error:
        header["error"] = f"{type(error).__name__}: {error}"
    return header


def in_order(state):
    return [[index, entry] for index, entry in sorted(state.items())]


def case_of(name, optimizer, options, **others):
    problem = {"SparseAdam": "sparse", "Muon": "matrices"}.get(optimizer, "dense")
    return {
        "name": f"{optimizer}: {name}",
        "optimizer": optimizer,
        "options": options,
        "problem": problem,
        "dtype": "float32",
        "missing": False,
        "second": None,
        "capturable_on_cpu": False,
        **others,
    }


def database_cases():
    for info in optim_db:
        name = info.optim_cls.__name__
        for entry in info.optim_inputs_func(device="cpu", dtype=torch.float32):
            yield case_of(entry.desc, name, entry.kwargs)
        for entry in _get_optim_inputs_including_global_cliquey_kwargs("cpu", torch.float32, info):
            flags = {key: entry.kwargs[key] for key in ("foreach", "fused", "differentiable") if key in entry.kwargs}
            yield case_of(f"{entry.desc}, {flags}", name, entry.kwargs)
        for entry in info.optim_inputs_func(device="cuda", dtype=torch.float32):
            for foreach in (False, True) if entry.kwargs.get("capturable") else ():
                options = {**entry.kwargs, "foreach": foreach}
                yield case_of(f"{entry.desc}, foreach {foreach}, on the CPU", name, options, capturable_on_cpu=True)
        if info.supports_complex:
            for entry in info.optim_inputs_func(device="cpu", dtype=torch.complex64):
                yield case_of(f"{entry.desc}, complex", name, entry.kwargs, problem="complex", dtype="complex64")
        if info.supports_sparse:
            yield case_of("sparse", name, info.metadata_for_sparse[0], problem="sparse")
        for i, error in enumerate(info.optim_error_inputs_func("cpu", torch.float32)):
            entry = error.optimizer_error_input
            if entry.params is None:
                yield case_of(f"error {i}, {entry.desc}", name, entry.kwargs)


FOREACH = [None, None, True, False]
BETAS = [(0.9, 0.999), (0.8, 0.95), (0.0, 0.5)]
DECAY = [0, 0, 0.1, 0.01]
FLAGS = [False, False, True]
RATES = [0.1, 0.01, 1, "tensor"]
COMMON = {"maximize": FLAGS, "foreach": FOREACH, "differentiable": [False, False, False, True], "lr": RATES}
CAPTURABLE = {**COMMON, "capturable": [False] * 9 + [True]}
FUSED = [None, None, False, True]
ADAM = {**CAPTURABLE, "betas": BETAS, "eps": [1e-8, 1e-3], "weight_decay": DECAY, "amsgrad": FLAGS, "fused": FUSED}
SPACES = {
    "SGD": {**COMMON, "momentum": [0, 0.9, 0.5], "dampening": [0, 0, 0.3], "weight_decay": DECAY, "nesterov": FLAGS, "fused": FUSED},
    "Adam": {**ADAM, "decoupled_weight_decay": FLAGS},
    "AdamW": ADAM,
    "Adamax": {**CAPTURABLE, "betas": BETAS, "eps": [1e-8, 1e-3], "weight_decay": DECAY},
    "NAdam": {**CAPTURABLE, "betas": BETAS, "eps": [1e-8, 1e-3], "weight_decay": DECAY, "momentum_decay": [0.004, 0.1], "decoupled_weight_decay": FLAGS},
    "RAdam": {**CAPTURABLE, "betas": [(0.9, 0.999), (0.8, 0.95), (0.5, 0.9)], "eps": [1e-8, 1e-3], "weight_decay": DECAY, "decoupled_weight_decay": FLAGS},
    "Adagrad": {**COMMON, "lr_decay": [0, 0.1], "weight_decay": DECAY, "initial_accumulator_value": [0, 0.3], "eps": [1e-10, 1e-3], "fused": FUSED},
    "Adadelta": {**CAPTURABLE, "rho": [0.9, 0.5, 1.0], "eps": [1e-6, 1e-3], "weight_decay": DECAY},
    "RMSprop": {**CAPTURABLE, "alpha": [0.99, 0.5], "eps": [1e-8, 1e-3], "weight_decay": DECAY, "momentum": [0, 0.9], "centered": FLAGS},
    "Rprop": {**CAPTURABLE, "etas": [(0.5, 1.2), (0.3, 2.0)], "step_sizes": [(1e-6, 50), (1e-3, 0.1)]},
    "ASGD": {**CAPTURABLE, "lambd": [1e-4, 0.1], "alpha": [0.75, 0.5], "t0": [1e6, 5.0], "weight_decay": DECAY},
    "LBFGS": {"lr": RATES, "max_iter": [20, 4, 1], "max_eval": [None, 5], "tolerance_grad": [1e-7, 0.1], "tolerance_change": [1e-9, 1e-3], "history_size": [100, 2], "line_search_fn": [None, "strong_wolfe"]},
    "SparseAdam": {"lr": RATES, "betas": BETAS, "eps": [1e-8, 1e-3], "maximize": FLAGS},
    "Adafactor": {"lr": RATES, "beta2_decay": [-0.8, -0.5], "eps": [(None, 1e-3), (1e-4, 0.1)], "d": [1.0, 2.5], "weight_decay": DECAY, "foreach": FOREACH, "maximize": FLAGS},
    "Muon": {"lr": RATES, "weight_decay": DECAY, "momentum": [0.95, 0.5], "nesterov": [True, False], "ns_steps": [5, 2], "adjust_lr_fn": [None, "original", "match_rms_adamw"]},
}


def random_cases():
    generator = random.Random(SEED)
    for optimizer, space in SPACES.items():
        yield from random_cases_of(optimizer, space, RANDOM_CASES, "random", generator)
    for optimizer, space in SPACES.items():
        if "capturable" not in space:
            continue
        for case in random_cases_of(optimizer, space, CAPTURABLE_CASES, "capturable", generator):
            case["options"]["capturable"] = True
            yield {**case, "capturable_on_cpu": True}


COMPLEX = {info.optim_cls.__name__ for info in optim_db if info.supports_complex}


def random_cases_of(optimizer, space, count, name, generator):
    for i in range(count):
        chosen = generator.sample(sorted(space), generator.randint(1, len(space)))
        options = {key: generator.choice(space[key]) for key in chosen}
        if options.get("lr") == "tensor":
            options["lr"] = torch.tensor(0.05, dtype=generator.choice([torch.float32, torch.float64]))
        if "betas" in options and optimizer in ("Adam", "AdamW") and generator.random() < 0.2:
            options["betas"] = tuple(torch.tensor(beta) for beta in options["betas"])
        others = {"dtype": generator.choice(["float32", "float32", "float32", "float64", "bfloat16"])}
        if optimizer in COMPLEX and generator.random() < 0.25:
            others = {"dtype": generator.choice(["complex64", "complex128"]), "problem": "complex"}
        elif optimizer in ("SGD", "Adagrad") and generator.random() < 0.2:
            others = {"dtype": "float32", "problem": "sparse"}
        if optimizer != "LBFGS":
            others["missing"] = generator.random() < 0.4
            if generator.random() < 0.3 and others.get("problem") != "sparse" and optimizer != "SparseAdam":
                others["second"] = {"lr": 0.2}
        if optimizer == "LBFGS" and others["dtype"] == "bfloat16":
            others["dtype"] = "float32"
        yield case_of(f"{name} {i}", optimizer, options, **others)


def write_frame(stream, header, encoder):
    header["tensors"], header["storages"], blob = encoder.finish()
    text = json.dumps(header, allow_nan=False).encode()
    stream.write(struct.pack("<QQ", len(text), sum(len(part) for part in blob)))
    stream.write(text)
    for part in blob:
        stream.write(part)
    stream.flush()


def main():
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    stream = os.fdopen(3, "wb")
    every, wanted = int(sys.argv[1]), sys.argv[2:]
    for i, case in enumerate(itertools.chain(database_cases(), random_cases())):
        if i % every == 0 and (not wanted or case["optimizer"] in wanted):
            encoder = Encoder()
            with capturable_on_cpu(case["capturable_on_cpu"]):
                write_frame(stream, run(case, encoder), encoder)


main()
