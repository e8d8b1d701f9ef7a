"""Prints what PyTorch's losses, embeddings, bilinear layers and initialisers compute, over their options, as JSON.

Every case starts from `torch.manual_seed(0)` and builds the module; its inputs are drawn apart and printed with it. The
upstream gradient of output element i is ((i % 7) - 3) / 4.
"""

import itertools
import json
import sys
import warnings

import torch
from torch import nn

warnings.simplefilter("ignore")
torch.set_num_threads(1)
source = torch.Generator().manual_seed(1)


def exact(tensor):
    if tensor is None:
        return None
    dense = tensor.detach().to_dense() if tensor.is_sparse else tensor.detach()
    data = dense.contiguous()
    dtype = str(data.dtype).removeprefix("torch.")
    found = {"shape": list(data.shape), "dtype": dtype, "hex": data.reshape(-1).view(torch.uint8).numpy().tobytes().hex()}
    return {**found, "sparse": True} if tensor.is_sparse else found


def encode(value):
    if isinstance(value, torch.Tensor):
        return {"tensor": exact(value), "grad": value.requires_grad}
    if isinstance(value, nn.LinearCrossEntropyOptions):
        names = ("allow_retain_graph", "batch_chunk_size", "chunking_method", "acc_policy", "acc_dtype")
        fields = {name: getattr(value, name) for name in names}
        return {"settings": {**fields, "acc_dtype": value.acc_dtype and str(value.acc_dtype).removeprefix("torch.")}}
    return value


def normal(*shape, dtype=torch.float32):
    return torch.randn(shape, generator=source).to(dtype).requires_grad_()


def uniform(*shape):
    return torch.rand(shape, generator=source)


def ints(high, *shape):
    return torch.randint(high, shape, generator=source)


def signs(*shape):
    return ints(2, *shape).mul(2).sub(1).float()


def grid(**options):
    return [dict(zip(options, values)) for values in itertools.product(*options.values())]


ALL = ("none", "mean", "sum")


def losses():
    """Module, arguments, options, forward's arguments."""
    for options in grid(reduction=ALL):
        for shape in ((), (3,), (2, 3, 4)):
            for name in ("L1Loss", "MSELoss"):
                yield name, [], options, [normal(*shape), normal(*shape)]
            yield "SoftMarginLoss", [], options, [normal(*shape), signs(*shape)]
        yield "MSELoss", [], options, [normal(4, 1), normal(3)]
        for shape in ((4,), (3, 4)):
            listed = torch.tensor([3, 0, -1, 1]).expand(shape).contiguous()
            yield "MultiLabelMarginLoss", [], options, [normal(*shape), listed]
        for weight in (None, uniform(4)):
            yield "MultiLabelSoftMarginLoss", [], {**options, "weight": weight}, [normal(3, 4), ints(2, 3, 4).float()]
    for options in grid(reduction=ALL, beta=(0.0, 0.5, 1.0)):
        yield "SmoothL1Loss", [], options, [normal(3, 4), normal(3, 4)]
    for options in grid(reduction=ALL, delta=(0.5, 1.0, 2)):
        yield "HuberLoss", [], options, [normal(3, 4), normal(3, 4)]
    for options in grid(reduction=ALL, log_input=(True, False), full=(True, False), eps=(1e-8, 0.1)):
        yield "PoissonNLLLoss", [], options, [uniform(3, 4).requires_grad_(), ints(5, 3, 4).float()]
    for options in grid(reduction=ALL, full=(True, False), eps=(1e-6, 0.5)):
        for shape in ((3, 4), (3, 1), (3,)):
            yield "GaussianNLLLoss", [], options, [normal(3, 4), normal(3, 4), uniform(*shape).requires_grad_()]
        yield "GaussianNLLLoss", [], options, [normal(3, 4), normal(3, 4), 0.25]
    for options in grid(reduction=ALL, weight=(None, uniform(5)), ignore_index=(-100, 2)):
        yield "NLLLoss", [], options, [normal(4, 5), ints(5, 4)]
        yield "NLLLoss", [], options, [normal(5), torch.tensor(3)]
        yield "NLLLoss2d", [], options, [normal(2, 5, 3, 2), ints(5, 2, 3, 2)]
    for options in grid(reduction=ALL, weight=(None, uniform(5)), ignore_index=(-100, 2), label_smoothing=(0.0, 0.1)):
        yield "CrossEntropyLoss", [], options, [normal(4, 5), ints(5, 4)]
        yield "CrossEntropyLoss", [], options, [normal(5), torch.tensor(3)]
        yield "CrossEntropyLoss", [], options, [normal(2, 5, 3), ints(5, 2, 3)]
        if options["ignore_index"] < 0:
            yield "CrossEntropyLoss", [], options, [normal(4, 5), uniform(4, 5).requires_grad_()]
    for options in grid(reduction=ALL, weight=(None, uniform(4), uniform(3, 4))):
        yield "BCELoss", [], options, [uniform(3, 4).requires_grad_(), uniform(3, 4)]
        for pos_weight in (None, uniform(4)):
            yield "BCEWithLogitsLoss", [], {**options, "pos_weight": pos_weight}, [normal(3, 4), uniform(3, 4)]
    for options in grid(reduction=(*ALL, "batchmean"), log_target=(True, False)):
        target = uniform(3, 4).log() if options["log_target"] else uniform(3, 4)
        yield "KLDivLoss", [], options, [normal(3, 4), target]
        yield "KLDivLoss", [], options, [normal(), target[0, 0]]
    for options in grid(reduction=ALL, margin=(0.0, 0.5, 1.0)):
        yield "HingeEmbeddingLoss", [], options, [normal(3, 4), signs(3, 4)]
        yield "CosineEmbeddingLoss", [], options, [normal(3, 4), normal(3, 4), signs(3)]
        yield "CosineEmbeddingLoss", [], options, [normal(4), normal(4), signs()]
        yield "MarginRankingLoss", [], options, [normal(5), normal(5), signs(5)]
    for options in grid(reduction=ALL, p=(1, 2), margin=(0.5, 1.0), weight=(None, uniform(4))):
        yield "MultiMarginLoss", [], options, [normal(3, 4), ints(4, 3)]
    for options in grid(reduction=ALL, margin=(0.5, 2.0), swap=(True, False)):
        points = [normal(3, 4), normal(3, 4), normal(3, 4)]
        yield "TripletMarginWithDistanceLoss", [], options, points
        for p in (1, 2.0, 3):
            yield "TripletMarginLoss", [], {**options, "p": p, "eps": 1e-5}, points
    for options in grid(reduction=ALL, blank=(0, 3), zero_infinity=(True, False)):
        labels = ints(3, 3, 4) + (options["blank"] == 0)
        for lengths in (torch.tensor([6, 5, 2]), torch.tensor([4, 2, 3])), ([6, 6, 6], [4, 1, 3]):
            yield "CTCLoss", [], options, [normal(6, 3, 4), labels, *lengths]
        yield "CTCLoss", [], options, [normal(6, 4), labels[0], torch.tensor(6), torch.tensor(4)]


def linear_cross_entropy():
    Options = nn.LinearCrossEntropyOptions
    name = "LinearCrossEntropyLoss"
    chunked = [None, Options(), Options(batch_chunk_size=2), Options(chunking_method="aspect_ratio")]
    chunked += [Options(batch_chunk_size=3, acc_policy=policy) for policy in ("accurate", "balanced")]
    for options in grid(reduction=ALL, weight=(None, uniform(7)), ignore_index=(None, 2), bias=(False, True), options=chunked):
        yield name, [5, 7], options, [normal(8, 5), ints(7, 8)]
    for options in grid(reduction=ALL, options=chunked[:3]):
        yield name, [5, 3], options, [normal(5), torch.tensor(2)]
        yield name, [5, 3], options, [normal(0, 5), ints(3, 0)]
        yield name, [5, 3], {**options, "label_smoothing": 0.1}, [normal(4, 5), ints(3, 4)]
        yield name, [5, 3], {**options, "out_features": (2, 2), "bias": True}, [normal(4, 5), ints(3, 4, 2, 2)]
        yield name, [5, 3], options, [normal(4, 5), uniform(4, 3)]
    for dtype in (torch.bfloat16, torch.float16, torch.float64):
        single = [Options(batch_chunk_size=3, acc_policy=policy) for policy in ("auto", "accurate", "balanced", "compact")]
        if dtype != torch.float64:
            single += [Options(batch_chunk_size=3, acc_policy=policy, acc_dtype=torch.float32) for policy in ("accurate", "balanced", "compact")]
        for options in grid(reduction=ALL, dtype=(dtype,), bias=(True,), options=single):
            yield name, [5, 7], options, [normal(8, 5, dtype=dtype), ints(7, 8)]


def embeddings():
    for options in grid(padding_idx=(None, 2, -1), max_norm=(None, 1.0), norm_type=(2.0, 1.0), scale_grad_by_freq=(False, True)):
        yield "Embedding", [6, 3], options, [ints(6, 2, 4)]
    yield "Embedding", [6, 3], {"sparse": True, "padding_idx": 1}, [ints(6, 2, 4)]
    flat = [ints(6, 9), torch.tensor([0, 2, 2, 7])]
    for options in grid(mode=("sum", "mean", "max"), padding_idx=(None, 2), max_norm=(None, 1.0), include_last_offset=(False, True)):
        yield "EmbeddingBag", [6, 3], options, [ints(6, 2, 4)]
        ends = [0, 2, 2, 7, 9] if options["include_last_offset"] else [0, 2, 2, 7]
        yield "EmbeddingBag", [6, 3], options, [flat[0], torch.tensor(ends)]
    for options in grid(mode=("sum", "mean"), scale_grad_by_freq=(False, True), sparse=(False, True), norm_type=(2.0, 1.0)):
        if not (options["sparse"] and options["scale_grad_by_freq"]):
            yield "EmbeddingBag", [6, 3], options, flat
    for shape in ((2, 4), (9,)):
        rows = [ints(6, *shape), None if len(shape) == 2 else flat[1]]
        yield "EmbeddingBag", [6, 3], {"mode": "sum"}, [*rows, uniform(*shape).requires_grad_()]


def layers():
    for bias in (True, False):
        yield "Bilinear", [3, 4, 5], {"bias": bias}, [normal(2, 6, 3), normal(2, 6, 4)]
        yield "Bilinear", [3, 4, 5], {"bias": bias}, [normal(3), normal(4)]
        for div_value in (2.0, 4.0):
            options = {"head_bias": bias, "div_value": div_value}
            yield "AdaptiveLogSoftmaxWithLoss", [8, 20, [5, 10, 15]], options, [normal(12, 8), ints(20, 12)]
            yield "AdaptiveLogSoftmaxWithLoss", [8, 20, [5, 10, 15]], options, [normal(6, 8), ints(5, 6)]
            yield "AdaptiveLogSoftmaxWithLoss", [8, 20, [5]], options, [normal(8), torch.tensor(7)]
            yield "AdaptiveLogSoftmaxWithLoss", [8, 20, [5]], options, [normal(1, 8), torch.tensor([1])]


def ramp(like):
    return (torch.arange(like.numel(), dtype=torch.float32) % 7 - 3).div(4).reshape(like.shape).to(like.dtype)


def run(name, args, options, inputs):
    torch.manual_seed(0)
    dtype = options.get("dtype")
    module = getattr(nn, name)(*args, **options)
    state = {key: exact(value) for key, value in module.state_dict().items()}
    leaves = [value.detach().requires_grad_() if getattr(value, "requires_grad", False) else value for value in inputs]
    output = module(*leaves)
    outputs = output if isinstance(output, tuple) else (output,)
    torch.autograd.backward(outputs, [ramp(each) for each in outputs])
    return {
        "module": name,
        "args": args,
        "options": {key: encode(value) for key, value in options.items() if key != "dtype"},
        **({} if dtype is None else {"dtype": str(dtype).removeprefix("torch.")}),
        "inputs": [encode(value) for value in leaves],
        "repr": repr(module),
        "state": state,
        "outputs": [exact(each) for each in outputs],
        "input_grads": [exact(each.grad) if isinstance(each, torch.Tensor) else None for each in leaves],
        "parameter_grads": {key: exact(value.grad) for key, value in module.named_parameters()},
        "after": {key: exact(value) for key, value in module.state_dict().items()},
        "next": exact(torch.rand(1)),
    }


def initialisers():
    """Name, shape, options: what is refused is recorded as an error."""
    shapes = [(4, 3), (3, 5), (6, 2, 3), (4, 4, 2, 3), (2, 3, 1, 2, 3), (5,), (), (0, 3), (3, 0), (1, 1)]
    tables = {
        "uniform_": [{}, {"a": -3.0}, {"a": -1.0, "b": 2.0}],
        "normal_": [{}, {"mean": 2.0, "std": 0.5}],
        "trunc_normal_": [
            {}, {"std": 0.02}, {"a": 0.0, "b": 0.5}, {"mean": 1.0, "a": 1.5, "b": 1.6}, {"mean": 5.0}, {"std": 3.0, "a": -1.0}
        ],
        "constant_": [{"val": 0.3}],
        "ones_": [{}],
        "zeros_": [{}],
        "eye_": [{}],
        "dirac_": [{}, {"groups": 2}, {"groups": 3}],
        "xavier_uniform_": [{}, {"gain": 2.0}],
        "xavier_normal_": [{}, {"gain": 2.0}],
        "kaiming_uniform_": [{}, {"a": 0.3}, {"mode": "fan_out", "nonlinearity": "relu"}, {"nonlinearity": "selu"}],
        "kaiming_normal_": [{}, {"a": 0.3}, {"mode": "fan_out", "nonlinearity": "tanh"}],
        "orthogonal_": [{}, {"gain": 1.5}],
        "sparse_": [{"sparsity": 0.4}, {"sparsity": 1.0, "std": 2.0}, {"sparsity": 0.0}],
    }
    draws = {"uniform_", "normal_", "trunc_normal_", "orthogonal_", "sparse_"}
    for name, table in tables.items():
        drawn = name in draws or "_uniform_" in name or "_normal_" in name
        for options, shape, dtype in itertools.product(table, shapes, ("float32", "float64", "bfloat16")):
            if name == "orthogonal_" and dtype == "bfloat16":
                continue
            for seed in (None, 7) if drawn else (None,):
                yield initialise(name, shape, dtype, options, seed)


def initialise(name, shape, dtype, options, seed):
    torch.manual_seed(0)
    made = torch.zeros(shape, dtype=getattr(torch, dtype))
    record = {"init": name, "shape": list(shape), "dtype": dtype, "options": options, "seed": seed}
    generator = {} if seed is None else {"generator": torch.Generator().manual_seed(seed)}
    try:
        result = getattr(nn.init, name)(made, **options, **generator)
    except (ValueError, RuntimeError, ZeroDivisionError, IndexError):
        return {**record, "made": None}
    return {**record, "made": exact(result), "next": exact(torch.rand(1))}


if sys.argv[1] == "initialisers":
    print(json.dumps(list(initialisers())))
    sys.exit()

tables = {"losses": losses, "linear_cross_entropy": linear_cross_entropy, "embeddings": embeddings, "layers": layers}
print(json.dumps([run(*case) for case in tables[sys.argv[1]]()]))
