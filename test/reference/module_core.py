"""Prints what PyTorch's modules do, as JSON: hooks, containers, state dicts and lazy modules. Argument: the section."""

import copy
import json
import sys
import warnings
from collections import OrderedDict

import torch
from torch import nn

import recording

exact = recording.exact


def gradients(values):
    return [None if value is None else exact(value) for value in values]


class Two(nn.Module):
    """Several arguments and results, some of them no tensors or without a gradient."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([0.5, -1.5]))

    def forward(self, x, factor, y):
        return x * self.weight * factor + y, y * 2, x + 1


def hooks():
    log = []
    inner, outer = nn.Linear(2, 2), nn.Tanh()
    with torch.no_grad():
        inner.weight.copy_(torch.tensor([[0.25, -0.5], [1.5, 0.75]]))
        inner.bias.copy_(torch.tensor([0.1, -0.2]))
    model = nn.Sequential(inner, outer)
    for name, module in [("model", model), ("inner", inner), ("outer", outer)]:
        for i in range(2):
            tag = f"{name}{i}"
            module.register_forward_pre_hook(lambda m, a, t=tag: log.append([t + " pre", gradients(a)]), prepend=i == 1)
            module.register_forward_hook(lambda m, a, o, t=tag: log.append([t + " post", gradients([*a, o])]))
            module.register_full_backward_pre_hook(lambda m, go, t=tag: log.append([t + " backward pre", gradients(go)]))
            module.register_full_backward_hook(
                lambda m, gi, go, t=tag: log.append([t + " backward", gradients([*gi, *go])]), prepend=i == 1
            )
    inner.register_full_backward_hook(lambda m, gi, go: (gi[0] * 3,))
    outer.register_full_backward_pre_hook(lambda m, go: (go[0] * 2,))
    inner.register_forward_pre_hook(lambda m, a: a[0] + 1)
    outer.register_forward_hook(lambda m, a, o: o * 0.5)
    x = torch.tensor([[1.0, 2.0], [-0.5, 0.25]], requires_grad=True)
    y = model(x)
    y.sum().backward()
    return {"log": log, "output": exact(y), "grad": exact(x.grad), "weight": exact(inner.weight.grad)}


def several():
    log = []
    module = Two()
    module.register_full_backward_hook(lambda m, gi, go: log.append([gradients(gi), gradients(go)]))
    x, y = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([3.0, -4.0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module(x, 3.0, y)[0].sum().backward()
        module(y, 3.0, y)[0].sum().backward()
        a, _, c = module(x, 3.0, y.clone().requires_grad_())
        (a * c).sum().backward()
        create = module(x, 2.0, y)[0].sum()
        (g,) = torch.autograd.grad(create, x, create_graph=True)
        g.square().sum().backward()
    return {"log": log, "weight": exact(module.weight.grad)}


def containers():
    cases = {}
    cases["named"] = nn.Sequential(OrderedDict(conv=nn.Linear(2, 3), relu=nn.ReLU()))
    cases["appended"] = copy.deepcopy(cases["named"]).append(nn.Linear(3, 1))
    cases["slice"] = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))[1:]
    cases["deleted"] = copy.deepcopy(cases["appended"])
    del cases["deleted"][0]
    cases["inserted"] = nn.Sequential(nn.ReLU(), nn.Tanh()).insert(-1, nn.Linear(1, 2))
    cases["list"] = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2), nn.ReLU()])[0:2]
    cases["dict"] = nn.ModuleDict({"innerNet": nn.Linear(1, 2), "act": nn.ModuleDict({"a_B": nn.ReLU()})})
    cases["parameters"] = nn.ParameterList([torch.ones(2, 3), nn.Parameter(torch.tensor(1.0, dtype=torch.float64))])
    cases["one"] = nn.ParameterList([torch.ones(2)])
    cases["parameter_dict"] = nn.ParameterDict({"aB": torch.ones(2, 3), "c": torch.ones(3, dtype=torch.bfloat16)})
    cases["empty"] = nn.ModuleList([nn.ModuleDict(), nn.ParameterList(), nn.ParameterDict()])
    return {name: [repr(module), list(module.state_dict())] for name, module in cases.items()}


def lazy():
    torch.manual_seed(0)
    model = nn.Sequential(nn.LazyLinear(3), nn.ReLU(), nn.LazyLinear(2, bias=False))
    texts = [repr(model)]
    copied = copy.deepcopy(model)
    y = model(torch.ones(4, 5))
    texts += [repr(model), repr(copied)]
    copied.load_state_dict(model.state_dict())
    texts.append(repr(copied))
    z = copied(torch.ones(4, 5))
    texts.append(repr(copied))
    return {"texts": texts, "output": exact(y), "copied": exact(z)}


def train(module, shape, steps=3):
    """Losses of a few steps of plain gradient descent, and the state in the end."""
    losses = []
    for step in range(steps):
        x = (torch.arange(torch.Size(shape).numel(), dtype=torch.float32).sub(3).mul(0.25) * (step + 1)).reshape(shape)
        loss = module(x).square().sum()
        module.zero_grad()
        loss.backward()
        with torch.no_grad():
            for parameter in module.parameters():
                if parameter.grad is not None:
                    parameter -= 0.001 * parameter.grad
        losses.append(exact(loss))
    return [repr(module), losses, recording.exact_map(module.state_dict().items())]


def parametrized():
    import torch.nn.utils.parametrizations as p
    from torch.nn.utils import parametrize

    cases = {
        "weight norm": (lambda: p.weight_norm(nn.Linear(3, 2)), [2, 3]),
        "weight norm of all": (lambda: p.weight_norm(nn.Linear(3, 2), dim=None), [2, 3]),
        "weight norm of a convolution": (lambda: p.weight_norm(nn.Conv2d(2, 3, 2), dim=1), [1, 2, 3, 3]),
        "spectral norm": (lambda: p.spectral_norm(nn.Linear(3, 4), n_power_iterations=2), [2, 3]),
        "spectral norm of a transposed": (lambda: p.spectral_norm(nn.ConvTranspose2d(2, 3, 2)), [1, 2, 3, 3]),
        "spectral norm of a bias": (lambda: p.spectral_norm(nn.Linear(3, 4), "bias"), [2, 3]),
        "legacy weight norm": (lambda: nn.utils.weight_norm(nn.Linear(3, 2)), [2, 3]),
        "legacy spectral norm": (lambda: nn.utils.spectral_norm(nn.Linear(3, 2)), [2, 3]),
    }
    for map in ["matrix_exp", "cayley", "householder"]:
        for n, m in [(3, 3), (5, 3), (3, 5)]:
            for trivialization in [True, False]:
                cases[f"{map} {n} {m} {'triv' if trivialization else 'plain'}"] = (
                    lambda map=map, n=n, m=m, t=trivialization: p.orthogonal(
                        nn.Linear(m, n), orthogonal_map=map, use_trivialization=t
                    ),
                    [2, m],
                )
    result = {}
    for name, (make, shape) in cases.items():
        torch.manual_seed(5)
        module = make()
        result[name] = train(module, shape)
        remove = {
            "legacy weight norm": nn.utils.remove_weight_norm,
            "legacy spectral norm": nn.utils.remove_spectral_norm,
        }.get(name)
        if remove is not None:
            remove(module)
        else:
            tensor = next(iter(module.parametrizations))
            weight = getattr(module, tensor)  # read once: a spectral norm goes on at each use
            value = torch.arange(weight.numel()).reshape(weight.shape).add(1).float()
            assigned = None
            if "plain" not in name or name.startswith("householder"):
                setattr(module, tensor, value)
                assigned = recording.exact_map(module.state_dict().items())
            parametrize.remove_parametrizations(module, tensor)
            result[name].append(assigned)
        result[name] += [repr(module), recording.exact_map(module.state_dict().items())]
    return result


def pruned():
    from torch.nn.utils import prune

    result = {}

    def record(name, module, shape):
        result[name] = train(module, shape)
        result[name].append([prune.is_pruned(module), exact(module.weight)])
        prune.remove(module, "weight")
        result[name].append([prune.is_pruned(module), recording.exact_map(module.state_dict().items())])

    cases = {
        "identity": lambda m: prune.identity(m, "weight"),
        "random": lambda m: prune.random_unstructured(m, "weight", 0.3),
        "l1": lambda m: prune.l1_unstructured(m, "weight", 5),
        "scores": lambda m: prune.l1_unstructured(
            m, "weight", 0.25, importance_scores=torch.arange(20).reshape(4, 5).sub(7.5)
        ),
        "channels": lambda m: prune.random_structured(m, "weight", 2, 0),
        "norms": lambda m: prune.ln_structured(m, "weight", 0.5, 2, 1),
        "largest": lambda m: prune.ln_structured(m, "weight", 1, float("inf"), -1),
        "mask": lambda m: prune.custom_from_mask(m, "weight", torch.arange(20).reshape(4, 5).remainder(3).eq(0)),
        "twice": lambda m: prune.l1_unstructured(prune.ln_structured(m, "weight", 1, 1, 0), "weight", 0.3),
        "thrice": lambda m: prune.random_structured(
            prune.ln_structured(prune.random_unstructured(m, "weight", 4), "weight", 1, 2, 0), "weight", 2, 1
        ),
    }
    for name, make in cases.items():
        torch.manual_seed(6)
        module = nn.Linear(5, 4)
        make(module)
        record(name, module, [2, 5])
    torch.manual_seed(7)
    model = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    prune.l1_unstructured(model[0], "weight", 2)
    prune.global_unstructured([(model[0], "weight"), (model[1], "weight")], prune.L1Unstructured, amount=0.4)
    result["global"] = train(model, [2, 4])
    return result


def utils():
    result = {}

    def norm(layer):
        layer(torch.randn([4, layer.num_features] + [3] * {"BatchNorm1d": 0, "BatchNorm2d": 2}[type(layer).__name__]))
        return layer.eval()

    torch.manual_seed(1)
    conv, bn = nn.Conv2d(2, 3, 2).eval(), norm(nn.BatchNorm2d(3))
    result["conv"] = recording.exact_map(nn.utils.fuse_conv_bn_eval(conv, bn).state_dict().items())
    conv, bn = nn.ConvTranspose2d(2, 3, 2, bias=False).eval(), norm(nn.BatchNorm2d(3, affine=False))
    result["transposed"] = recording.exact_map(nn.utils.fuse_conv_bn_eval(conv, bn, True).state_dict().items())
    linear, bn = nn.Linear(4, 3).eval(), norm(nn.BatchNorm1d(3, eps=0.01))
    result["linear"] = recording.exact_map(nn.utils.fuse_linear_bn_eval(linear, bn).state_dict().items())
    result["vector"] = exact(nn.utils.parameters_to_vector(linear.parameters()))
    nn.utils.vector_to_parameters(torch.arange(15.0), linear.parameters())
    result["filled"] = recording.exact_map(linear.state_dict().items())
    layer = nn.utils.skip_init(nn.Linear, 3, 2)
    result["after"] = [list(layer.weight.shape), exact(torch.randn(2))]
    for parameter in layer.parameters():
        parameter.grad = torch.randn_like(parameter)
    grads = [parameter.grad for parameter in layer.parameters()]
    total = nn.utils.get_total_norm(grads, 3.0)
    nn.utils.clip_grads_with_norm_(layer.parameters(), 0.5, total)
    result["clipped"] = [exact(total), *map(exact, grads)]
    weight = nn.utils.convert_conv2d_weight_memory_format(nn.Conv2d(2, 3, 2), torch.channels_last).weight
    result["strides"] = list(weight.stride())
    return result


class Extra(nn.Module):
    _version = 3

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(2))
        self.register_buffer("count", torch.zeros(()))
        self.register_buffer("hidden", torch.zeros(1), persistent=False)
        self.extra = None

    def get_extra_state(self):
        return {"value": 7}

    def set_extra_state(self, state):
        self.extra = state


def state():
    log = []
    model = nn.Sequential(OrderedDict(first=Extra(), second=nn.Linear(2, 1)))
    for name, module in [("model", model), ("first", model.first), ("second", model.second)]:
        module.register_state_dict_pre_hook(lambda m, prefix, keep, n=name: log.append([n, "pre", prefix, keep]))
        module.register_state_dict_post_hook(
            lambda m, state, prefix, meta, n=name: log.append([n, "post", prefix, list(state), meta["version"]])
        )
        module.register_load_state_dict_pre_hook(
            lambda m, state, prefix, meta, strict, missing, unexpected, errors, n=name: log.append(
                [n, "load pre", prefix, list(state), meta.get("version")]
            )
        )
        module.register_load_state_dict_post_hook(
            lambda m, keys, n=name: log.append([n, "load post", list(keys.missing_keys), list(keys.unexpected_keys)])
        )
    saved = model.state_dict()
    model.load_state_dict(saved)
    prefixed = list(model.state_dict(prefix="net.", keep_vars=True))
    del saved["second.bias"]
    saved["second.more"] = torch.zeros(1)
    saved["third.weight"] = torch.zeros(1)
    keys = model.load_state_dict(saved, strict=False)
    plain = dict(saved)
    model.load_state_dict(plain, strict=False)
    return {
        "log": log,
        "prefixed": prefixed,
        "missing": keys.missing_keys,
        "unexpected": keys.unexpected_keys,
        "extra": model.first.extra,
    }


torch.set_num_threads(1)
print(json.dumps(globals()[sys.argv[1]]()))
