"""What regions of torch.autocast on the CPU give: `autocast.py` prints output and gradients of each case. One thread."""

import json
from contextlib import nullcontext

import torch

from recording import exact


class Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return x @ w

    @staticmethod
    def backward(ctx, gradient):
        x, w = ctx.saved_tensors
        return (gradient @ w.t().to(gradient.dtype)).float(), x.t().float() @ gradient.float()


def autocast(dtype="bfloat16", **options):
    return torch.autocast("cpu", dtype=getattr(torch, dtype), **options)


def regions(body, *contexts):
    with contexts[0] if contexts else nullcontext():
        return body() if len(contexts) < 2 else regions(body, *contexts[1:])


def softmax_of_products(x, w):
    return torch.softmax(x @ w @ w, 1)


def inner_off(x, w):
    def body():
        y = x @ w
        return y.float() + regions(lambda: y.float() @ w, autocast(enabled=False)) @ w

    return regions(body, autocast())


def other_dtype_inside(x, w):
    def body():
        y = regions(lambda: x @ w, autocast("float16"))
        return [y, x @ w, y @ w]

    return regions(body, autocast())


def without_gradients_first(x, w):
    def body():
        with torch.no_grad():
            y = x @ w
        return [y, x @ w]

    return regions(body, autocast())


def backward_inside(x, w):
    def body():
        y = torch.tanh(x @ w)
        y.float().square().sum().backward()
        return [y.detach()]

    return regions(body, autocast())


def in_place(x, w):
    def body():
        y = (x @ w).add_(1)
        return y.relu_().addmm(x, w)

    return regions(body, autocast())


CASES = {
    "cached": lambda x, w: regions(lambda: softmax_of_products(x, w), autocast()),
    "cached_float16": lambda x, w: regions(lambda: softmax_of_products(x, w), autocast("float16")),
    "not_cached": lambda x, w: regions(lambda: softmax_of_products(x, w), autocast(cache_enabled=False)),
    "off": lambda x, w: regions(lambda: softmax_of_products(x, w), autocast(enabled=False)),
    "twice": lambda x, w: regions(lambda: softmax_of_products(x, w), autocast(), autocast()),
    "float64": lambda x, w: regions(lambda: x.double() @ w.double(), autocast()),
    "function": lambda x, w: regions(lambda: Product.apply(Product.apply(x, w), w.to(torch.bfloat16)), autocast()),
    "inner_off": inner_off,
    "other_dtype_inside": other_dtype_inside,
    "without_gradients_first": without_gradients_first,
    "backward_inside": backward_inside,
    "in_place": in_place,
}


def run(case):
    x = torch.linspace(-2, 2, 12).reshape(3, 4).requires_grad_()
    w = (torch.arange(16) * 7 % 16 / 11 - 0.6).reshape(4, 4).requires_grad_()
    found = case(x, w)
    outputs = found if isinstance(found, list) else [found]
    learning = [output for output in outputs if output.requires_grad]
    if learning:
        sum(output.float().square().sum() for output in learning).backward()
    dtypes = [str(output.dtype).removeprefix("torch.") for output in outputs]
    return [dtypes, [exact(output.float()) for output in outputs], exact(x.grad), exact(w.grad)]


torch.set_num_threads(1)
print(json.dumps({name: run(case) for name, case in CASES.items()}))
