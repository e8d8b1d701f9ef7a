"""Records what PyTorch's function transforms give, for `test/fixtures/transforms.json`.

    python test/reference/transforms.py --write

Each entry of `results` is a nested list: what the case gives, its tensors as nested lists. The same cases, under the same
names, are in `test/func/cases.mts`. Random numbers come from `torch.manual_seed(0)`.
"""

import torch
from torch import nn
from torch.autograd import functional
from torch.func import functional_call, grad, grad_and_value, hessian, jacfwd, jacrev, jvp, stack_module_state, vjp, vmap

import recording

X = torch.tensor([[0.5, -1.25, 2.0], [1.5, 0.75, -0.5]], dtype=torch.float64)
Y = torch.tensor([[1.0, 0.25, -0.5], [2.0, -1.0, 3.0]], dtype=torch.float64)
V = torch.tensor([0.5, 2.0, -1.0], dtype=torch.float64)
W = torch.tensor([1.0, -0.5, 0.25], dtype=torch.float64)


def plain(value):
    if isinstance(value, torch.Tensor):
        return value.detach().tolist()
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return [plain(item) for item in value]


def seeded(run):
    torch.manual_seed(0)
    return run()


def wave(x):
    return (x.sin() * x).sum()


def pair(a, b):
    return (a * b).exp(), (a.sin() * b).sum()


def linear(inputs, outputs):
    return nn.Linear(inputs, outputs, dtype=torch.float64)


def model():
    torch.manual_seed(0)
    return nn.Sequential(linear(3, 4), nn.Tanh(), linear(4, 2))


def per_sample():
    net = model()

    def loss(params, x, y):
        return nn.functional.mse_loss(functional_call(net, params, (x,)), y)

    params = {name: p.detach() for name, p in net.named_parameters()}
    return vmap(grad(loss), in_dims=(None, 0, 0))(params, X, Y[:, :2])


def ensemble():
    nets = [seeded(lambda: linear(3, 2)), linear(3, 2)]
    params, buffers = stack_module_state(nets)
    return vmap(lambda p, x: functional_call(nets[0], p, (x,)), in_dims=(0, None))(params, X)


def dropped(randomness):
    return seeded(lambda: vmap(lambda x: x * torch.rand(3, dtype=torch.float64), randomness=randomness)(X))


CASES = {
    "vmap dot": lambda: vmap(torch.dot)(X, Y),
    "vmap in and out dims": lambda: vmap(lambda a, b: a + b, in_dims=(1, None), out_dims=1)(X, Y[:, 0]),
    "vmap nested": lambda: vmap(vmap(lambda a, b: a * b, in_dims=(0, None)), in_dims=(0, 0))(X, Y[:, 1]),
    "vmap tree": lambda: vmap(lambda t: {"sum": t["a"].sum(), "both": (t["a"] * t["b"], t["b"])})({"a": X, "b": Y}),
    "vmap chunks": lambda: vmap(lambda a: a.cumsum(0), in_dims=1, chunk_size=2)(X),
    "vmap linalg": lambda: vmap(torch.linalg.inv)(torch.stack([X[:, :2], Y[:, :2]])),
    "vmap sort": lambda: vmap(lambda a: tuple(a.sort()))(X),
    "vmap unused": lambda: vmap(lambda a: V)(X),
    "vmap random different": lambda: dropped("different"),
    "vmap random same": lambda: dropped("same"),
    "grad": lambda: grad(wave)(X),
    "grad argnums": lambda: grad(lambda a, b: (a * b.exp()).sum(), argnums=(1, 0))(X, Y),
    "grad of grad": lambda: grad(lambda v: (grad(wave)(v) * W).sum())(V),
    "grad and value": lambda: grad_and_value(wave)(V),
    "grad aux": lambda: grad(lambda v: (wave(v), v.cos()), has_aux=True)(V),
    "grad tree": lambda: grad(lambda p: (p["w"] * V + p["b"][0]).pow(2).sum())({"w": W, "b": [V]}),
    "vmap grad": lambda: vmap(grad(wave))(X),
    "grad vmap": lambda: grad(lambda x: vmap(wave)(x).prod())(X),
    "vjp": lambda: vjp(pair, V, W)[1]((V, torch.tensor(2.0, dtype=torch.float64))),
    "vjp output": lambda: vjp(pair, V, W)[0],
    "jvp": lambda: jvp(pair, (V, W), (W, V)),
    "jvp of jvp": lambda: jvp(lambda v: jvp(wave, (v,), (W,))[1], (V,), (V,)),
    "jacrev": lambda: jacrev(pair, argnums=(0, 1))(V, W),
    "jacrev chunks": lambda: jacrev(lambda x: x.sin().reshape(-1), chunk_size=4)(X),
    "jacfwd": lambda: jacfwd(pair, argnums=(0, 1))(V, W),
    "jacfwd aux": lambda: jacfwd(lambda v: (v.sin(), v.cos()), has_aux=True)(V),
    "hessian": lambda: hessian(wave)(V),
    "hessian argnums": lambda: hessian(lambda a, b: (a.sin() * b.exp()).sum(), argnums=(0, 1))(V, W),
    "vmap jacrev": lambda: vmap(jacrev(lambda v: v.sin() * v.sum()))(X),
    "vmap hessian": lambda: vmap(hessian(wave))(X),
    "jacfwd of jacrev": lambda: jacfwd(jacrev(wave))(V),
    "jacrev of jacfwd": lambda: jacrev(jacfwd(wave))(V),
    "per-sample gradients": per_sample,
    "ensemble": ensemble,
    "functional.jacobian": lambda: functional.jacobian(pair, (V, W)),
    "functional.jacobian vectorized": lambda: functional.jacobian(pair, (V, W), vectorize=True),
    "functional.jacobian forward": lambda: functional.jacobian(pair, (V, W), vectorize=True, strategy="forward-mode"),
    "functional.jacobian of one": lambda: functional.jacobian(torch.sin, V),
    "functional.hessian": lambda: functional.hessian(lambda a, b: (a.sin() * b.exp()).sum(), (V, W)),
    "functional.hessian vectorized": lambda: functional.hessian(wave, V, vectorize=True),
    "functional.hessian forward": lambda: functional.hessian(
        wave, V, vectorize=True, outer_jacobian_strategy="forward-mode"
    ),
    "functional.vjp": lambda: functional.vjp(pair, (V, W), (V, torch.tensor(2.0, dtype=torch.float64))),
    "functional.jvp": lambda: functional.jvp(pair, (V, W), (W, V)),
    "functional.vhp": lambda: functional.vhp(lambda a, b: (a.sin() * b.exp()).sum(), (V, W), (W, V)),
    "functional.hvp": lambda: functional.hvp(lambda a, b: (a.sin() * b.exp()).sum(), (V, W), (W, V)),
}


def make():
    return {"results": {name: plain(run()) for name, run in CASES.items()}}


if __name__ == "__main__":
    recording.main("transforms.json", make, __doc__)
