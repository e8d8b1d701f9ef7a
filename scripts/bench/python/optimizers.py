"""Optimizer steps on many parameters, as node/optimizers.mjs has them."""

import torch

PARAMETERS = 500
ELEMENTS = 64


def steps(make):
    """A step on 500 parameters of 64 elements, whose gradients stay."""

    def build():
        parameters = [torch.nn.Parameter(torch.randn(ELEMENTS)) for _ in range(PARAMETERS)]
        for parameter in parameters:
            parameter.grad = torch.randn(ELEMENTS)
        return make(parameters).step

    return build


OPTIMIZERS = {
    "adam_fused_500": (steps(lambda p: torch.optim.Adam(p, fused=True)), 5, 100),
    "adamw_fused_500": (steps(lambda p: torch.optim.AdamW(p, fused=True)), 5, 100),
    "sgd_fused_500": (steps(lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9, fused=True)), 5, 100),
}
