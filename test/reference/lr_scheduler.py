"""Records the learning rates and momenta that PyTorch's schedulers give, for `test/fixtures/lr_scheduler.json`.

A case names an optimizer with its groups and a scheduler: `[name, positional arguments, options]`, where a string that begins
with `@` among the arguments or options is one of FUNCTIONS and a list of such triples under `schedulers` are schedulers.
`calls` says what is given to each `step`; null is nothing. After each call all rates (and momenta) are noted: `digest` is the
SHA-256 of their bytes as float64, `samples` are every fortieth, `sums` those of each column, plain and weighted by 1, 2, 3, …,
which C's libraries with other last bits of `cos`, `log` and `pow` keep within rounding. `half` is the scheduler's state after half of the calls, and
`half_optimizer` the optimizer's groups. Numbers that JSON lacks are `{"float": "inf"}`.
"""

import hashlib
import math
import warnings

import numpy
import torch
from torch.optim import lr_scheduler, swa_utils

import recording

STEPS = 200
SGD = {"name": "SGD", "options": {"momentum": 0.9}, "groups": [{"lr": 0.1}, {"lr": 0.0137}]}
ADAM = {"name": "Adam", "options": {}, "groups": [{"lr": 0.003, "betas": [0.8, 0.99]}, {"lr": 0.7}]}
PLAIN = {"name": "SGD", "options": {}, "groups": [{"lr": 0.05}, {"lr": 1 / 3}, {"lr": 7.0}]}
# The rate as a tensor of one element, from the start.
TENSOR = {"name": "SGD", "options": {"momentum": 0.9}, "groups": [{"lr": 0.1}, {"lr": 0.0137}], "tensor": "float32"}
TENSOR64 = {**TENSOR, "tensor": "float64"}
# Groups as a loaded optimizer has them: 17 epochs are done.
RESUMED = {
    "name": "SGD",
    "options": {"momentum": 0.9},
    "groups": [
        {"lr": 0.07, "initial_lr": 0.1, "max_lr": 0.9, "min_lr": 0.001, "max_momentum": 0.95, "base_momentum": 0.85},
        {"lr": 0.01, "initial_lr": 0.0137, "max_lr": 0.8, "min_lr": 0.002, "max_momentum": 0.96, "base_momentum": 0.86},
    ],
}


class Decay:
    def __init__(self):
        self.calls = 0

    def __call__(self, epoch):
        self.calls += 1
        return 1 / (1 + epoch / 8 + self.calls / 64)


FUNCTIONS = {
    "hyperbola": lambda: lambda epoch: 1 / (epoch + 1),
    "saw": lambda: lambda epoch: (epoch % 7 + 1) / 6,
    "near": lambda: lambda epoch: 1 - (epoch % 5) / 97,
    "object": Decay,
}

METRICS = [
    {"seed": seed, "values": [(math.fmod(i * seed, 1.7) - 0.4) / (1 + i * slope) for i in range(STEPS)]}
    for seed, slope in [(0.731, 0.05), (0.613, 0.0), (1.007, 0.3)]
]
FRACTIONS = [i * 0.37 for i in range(STEPS)]
WHOLE = [(i * 37) % 101 for i in range(STEPS)]

S = {
    name: [[name, args, options] for args, options in variants]
    for name, variants in {
        "LambdaLR": [(["@hyperbola"], {}), ([["@saw", "@object"]], {}), ([["@object", "@hyperbola"]], {})],
        "MultiplicativeLR": [(["@near"], {}), ([["@saw", "@object"]], {})],
        "StepLR": [([30], {}), ([7], {"gamma": 0.37}), ([1], {"gamma": 0.99}), ([1000], {"gamma": 0.5})],
        "MultiStepLR": [([[30, 80]], {}), ([[80, 30, 30, 30, 31, 0]], {"gamma": 0.7}), ([[]], {})],
        "ConstantLR": [([], {}), ([], {"factor": 0.7, "total_iters": 40}), ([], {"factor": 1.0, "total_iters": 0})],
        "LinearLR": [
            ([], {}),
            ([], {"start_factor": 0.013, "end_factor": 0.9, "total_iters": 73}),
            ([], {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 190}),
            ([], {"start_factor": 0.5, "end_factor": 0.5, "total_iters": 3}),
        ],
        "ExponentialLR": [([0.95], {}), ([0.1], {}), ([1.01], {})],
        "PolynomialLR": [
            ([], {}),
            ([], {"total_iters": 150, "power": 0.9}),
            ([], {"total_iters": 199, "power": 2.37}),
            ([], {"total_iters": 300, "power": 0.5}),
        ],
        "CosineAnnealingLR": [
            ([50], {}),
            ([200], {"eta_min": 1e-5}),
            ([7], {"eta_min": 0.02}),
            ([1], {"eta_min": 0.01}),
            ([333], {}),
        ],
        "CosineAnnealingWarmRestarts": [
            ([10], {}),
            ([10], {"T_mult": 2, "eta_min": 1e-4}),
            ([1], {"T_mult": 3}),
            ([37], {"T_mult": 1, "eta_min": 0}),
        ],
    }.items()
}
CYCLIC = [
    ["CyclicLR", [0.001, 0.1], {"step_size_up": 20}],
    ["CyclicLR", [[0.001, 0.013], [0.1, 0.7]], {"step_size_up": 13, "step_size_down": 29, "mode": "triangular2"}],
    ["CyclicLR", [0.01, 0.3], {"step_size_up": 17, "mode": "exp_range", "gamma": 0.987}],
    [
        "CyclicLR",
        [0.01, 0.3],
        {"step_size_up": 7, "scale_fn": "@hyperbola", "scale_mode": "iterations", "base_momentum": 0.7},
    ],
    ["CyclicLR", [0.01, 0.3], {"step_size_up": 7, "scale_fn": "@object", "max_momentum": 0.99}],
    ["CyclicLR", [0.01, 0.3], {"cycle_momentum": False}],
]
ONE_CYCLE = [
    ["OneCycleLR", [0.9], {"total_steps": 200}],
    ["OneCycleLR", [[0.9, 0.13]], {"total_steps": 211, "three_phase": True, "pct_start": 0.27}],
    ["OneCycleLR", [0.9], {"epochs": 23, "steps_per_epoch": 11, "anneal_strategy": "linear", "pct_start": 0.41}],
    ["OneCycleLR", [0.9], {"total_steps": 199, "div_factor": 7, "final_div_factor": 33, "base_momentum": 0.6}],
    ["OneCycleLR", [0.9], {"total_steps": 250, "three_phase": True, "anneal_strategy": "linear"}],
    ["OneCycleLR", [0.9], {"total_steps": 250, "cycle_momentum": False}],
]
PLATEAU = [
    {"patience": 2},
    {"mode": "max", "factor": 0.7, "patience": 1, "cooldown": 3},
    {"threshold_mode": "abs", "threshold": 0.01, "patience": 4, "min_lr": 0.003},
    {"mode": "max", "threshold_mode": "abs", "threshold": 0.2, "patience": 0, "eps": 1e-5, "factor": 0.5},
]
WARMUP = ["LinearLR", [], {"start_factor": 0.1, "total_iters": 10}]
STEPPED = ["StepLR", [9], {"gamma": 0.7}]
COSINE = ["CosineAnnealingLR", [60], {"eta_min": 1e-3}]
CHAIN = ["ChainedScheduler", [{"schedulers": [["ConstantLR", [], {"factor": 0.1, "total_iters": 20}], STEPPED]}], {}]
SEQUENCE = ["SequentialLR", ["&", {"schedulers": [WARMUP, COSINE]}, [10]], {}]
COMPOSED = [
    SEQUENCE,
    CHAIN,
    ["SequentialLR", ["&", {"schedulers": [WARMUP, ["ExponentialLR", [0.97], {}], STEPPED]}, [10, 90]], {}],
    ["SequentialLR", ["&", {"schedulers": [CHAIN, COSINE]}, [31]], {}],
    ["SequentialLR", ["&", {"schedulers": [SEQUENCE, ["PolynomialLR", [], {"total_iters": 90}]]}, [75]], {}],
    ["SequentialLR", ["&", {"schedulers": [WARMUP, ["CosineAnnealingWarmRestarts", [20], {"T_mult": 2}]]}, [10]], {}],
    ["SequentialLR", ["&", {"schedulers": [WARMUP, ["StepLR", [4], {}]]}, [0]], {}],
    ["ChainedScheduler", [{"schedulers": [SEQUENCE, ["MultiplicativeLR", ["@near"], {}]]}], {}],
    ["ChainedScheduler", [{"schedulers": [CHAIN, ["ExponentialLR", [0.99], {}]]}], {}],
]
SWALR = [
    ["SWALR", [0.05], {}],
    ["SWALR", [[0.05, 0.5]], {"anneal_epochs": 37, "anneal_strategy": "linear"}],
    ["SWALR", [0.05], {"anneal_epochs": 0}],
    ["SWALR", [0.05], {"anneal_epochs": 150}],
]
CLOSED = ["StepLR", "MultiStepLR", "ConstantLR", "LinearLR", "ExponentialLR", "PolynomialLR", "CosineAnnealingLR"]


def with_epoch(spec, epoch):
    return [spec[0], spec[1], {**spec[2], "last_epoch": epoch}]


def cases():
    plain = [spec for variants in S.values() for spec in variants]
    for spec in plain:
        yield SGD, spec, None
    for spec in [*S["StepLR"][:2], *S["CosineAnnealingLR"], *S["PolynomialLR"], *COMPOSED]:
        yield ADAM, spec, None
    for spec in [*S["CosineAnnealingLR"], *S["ExponentialLR"], *S["LinearLR"]]:
        yield PLAIN, spec, None
    for spec in [*plain, *CYCLIC[:3], *ONE_CYCLE[:3], *COMPOSED, *SWALR]:
        yield TENSOR, spec, None
    for spec in [*S["CosineAnnealingLR"], *S["LinearLR"]]:
        yield TENSOR64, spec, None
    for optimizer in (SGD, ADAM):
        for spec in [*CYCLIC, *ONE_CYCLE, *SWALR]:
            yield optimizer, spec, None
    for options in PLATEAU:
        for metrics in METRICS:
            yield SGD, ["ReduceLROnPlateau", [], options], metrics["values"]
    yield SGD, ["ReduceLROnPlateau", [], {"patience": 0, "min_lr": [0.01, 0.001]}], METRICS[0]["values"]
    yield TENSOR, ["ReduceLROnPlateau", [], {"patience": 1}], METRICS[0]["values"]
    for spec in COMPOSED:
        yield SGD, spec, None
    # The closed forms, epochs out of order.
    for name in CLOSED:
        for spec in S[name]:
            if name == "ConstantLR" and spec[2].get("total_iters") == 0:
                continue
            yield SGD, spec, WHOLE
    for name in ["LambdaLR", "MultiplicativeLR"]:
        yield SGD, S[name][0], WHOLE
    for spec in S["CosineAnnealingWarmRestarts"]:
        yield SGD, spec, FRACTIONS
        yield SGD, spec, WHOLE
    # Taken up after epoch 17.
    for spec in [*plain, CYCLIC[0], *ONE_CYCLE[:3], *SWALR[:2]]:
        yield RESUMED, with_epoch(spec, 17), [None] * 150


def build_optimizer(spec):
    groups = [{**group, "params": [torch.zeros(2)]} for group in spec["groups"]]
    optimizer = getattr(torch.optim, spec["name"])(groups, **spec["options"])
    if "tensor" in spec:
        for group in optimizer.param_groups:
            group["lr"] = torch.tensor(group["lr"], dtype=getattr(torch, spec["tensor"]))
    return optimizer


def build(spec, optimizer):
    name, args, options = spec

    def value(given):
        if given == "&":
            return optimizer
        if isinstance(given, str) and given.startswith("@"):
            return FUNCTIONS[given[1:]]()
        if isinstance(given, list):
            return [value(item) for item in given]
        if isinstance(given, dict):
            return [build(inner, optimizer) for inner in given["schedulers"]]
        return given

    positional = [value(given) for given in args]
    keywords = {key: value(given) for key, given in options.items()}
    module = swa_utils if name == "SWALR" else lr_scheduler
    if name in ("SequentialLR", "ChainedScheduler"):
        return getattr(module, name)(*positional, **keywords)
    return getattr(module, name)(optimizer, *positional, **keywords)


def rates(optimizer):
    row = []
    for group in optimizer.param_groups:
        row.append(float(group["lr"]))
        if "momentum" in group:
            row.append(group["momentum"])
        if "betas" in group:
            row.append(group["betas"][0])
    return row


def plain(value):
    """What JSON can hold."""
    if isinstance(value, torch.Tensor):
        return {"tensor": value.item()}
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def groups_of(optimizer):
    return plain([{k: v for k, v in group.items() if k != "params"} for group in optimizer.param_groups])


def step(scheduler, call):
    scheduler.step() if call is None else scheduler.step(call)


def digest(rows):
    return hashlib.sha256(numpy.array(rows, dtype="float64").tobytes()).hexdigest()


def sums(column):
    return [math.fsum(column), math.fsum((i + 1) * rate for i, rate in enumerate(column))]


def record(optimizer_spec, spec, calls):
    warnings.simplefilter("ignore")
    given = calls or [None] * STEPS
    optimizer = build_optimizer(optimizer_spec)
    scheduler = build(spec, optimizer)
    rows = [rates(optimizer)]
    half = {}
    for i, call in enumerate(given):
        if name_of(spec) == "OneCycleLR" and scheduler.last_epoch >= scheduler.total_steps:
            break
        if i == len(given) // 2:
            half = {"half": plain(scheduler.state_dict()), "half_optimizer": groups_of(optimizer)}
        step(scheduler, call)
        rows.append(rates(optimizer))
    return {
        "optimizer": optimizer_spec,
        "scheduler": spec,
        "calls": calls,
        "digest": digest(rows),
        "samples": rows[::40],
        "sums": [sums(column) for column in zip(*rows)],
        **half,
    }


def name_of(spec):
    return spec[0]


def halves(path):
    """Saves the states that all cases have after half of their calls."""
    torch.save([half_of(*case) for case in cases()], path)


def half_of(optimizer_spec, spec, calls):
    warnings.simplefilter("ignore")
    given = calls or [None] * STEPS
    optimizer = build_optimizer(optimizer_spec)
    scheduler = build(spec, optimizer)
    for call in given[: len(given) // 2]:
        step(scheduler, call)
    return {"scheduler": scheduler.state_dict(), "optimizer": optimizer.state_dict()}


def go_on(path, rests):
    """Loads the states that another implementation had after half of the calls, and gives the digests of the rest."""
    warnings.simplefilter("ignore")
    results = []
    for case, saved, rest in zip(cases(), torch.load(path), rests, strict=True):
        optimizer = build_optimizer(case[0])
        scheduler = build(case[1], optimizer)
        optimizer.load_state_dict(saved["optimizer"])
        scheduler.load_state_dict(saved["scheduler"])
        rows = []
        for call in rest:
            step(scheduler, call)
            rows.append(rates(optimizer))
        results.append(digest(rows))
    return results


def make():
    return {"cases": [record(*case) for case in cases()]}


if __name__ == "__main__":
    recording.main("lr_scheduler.json", make, __doc__)
