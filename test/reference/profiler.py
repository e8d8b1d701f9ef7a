"""The operators that torch.profiler records of fixed programs, and what FlopCounterMode counts of fixed models, as JSON."""

import json
from collections import Counter

import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop, sdpa_flop

# FlopCounterMode has no formula for attention on the CPU: it counts nothing for it. These are its own, of attention on a GPU.
sdpa_flop._get_raw = sdpa_backward_flop._get_raw = True  # they take shapes from tensors by themselves
ATTENTION = {
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: sdpa_flop,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: sdpa_backward_flop,
}


GRADIENT = torch.ones(())


def mlp():
    return nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4)), [torch.ones(8, 16)]


def conv():
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1),
        nn.BatchNorm2d(8),
        nn.GELU(),
        nn.Conv2d(8, 8, 3, groups=4),
        nn.ConvTranspose2d(8, 4, 2, stride=2),
        nn.Flatten(),
        nn.LazyLinear(5),
    )
    x = torch.ones(2, 3, 16, 16)
    model(x)
    return model, [x]


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(16, 48)
        self.out = nn.Linear(16, 16)

    def forward(self, x):
        q, k, v = (part.reshape(2, 6, 4, 4).transpose(1, 2) for part in self.qkv(x).chunk(3, -1))
        y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(y.transpose(1, 2).reshape(2, 6, 16))


def attention():
    return Attention(), [torch.ones(2, 6, 16)]


def transformer():
    layer = nn.TransformerEncoderLayer(16, 4, 32, dropout=0.0, batch_first=True)
    return nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), [torch.ones(2, 6, 16)]


def lstm():
    return nn.LSTM(8, 16, batch_first=True), [torch.ones(2, 5, 8)]


def first(output):
    return output[0] if isinstance(output, tuple) else output


def step(model, inputs):
    # Python itself makes the first gradient in the layout of the loss, and LibTorch a contiguous one.
    first(model(*inputs)).pow(2).mean().backward(GRADIENT)


def recorded(model, inputs):
    step(model, inputs)
    model.zero_grad()
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        step(model, inputs)
    return dict(Counter(event.name for event in profiled.events()))


def counted(run):
    with FlopCounterMode(display=False, custom_mapping=ATTENTION) as mode:
        run()
    return {
        module: {str(name).replace("aten.", "aten::"): flops for name, flops in counts.items()}
        for module, counts in mode.get_flop_counts().items()
    }


def main():
    result = {}
    for make in (mlp, conv, attention, transformer, lstm):
        model, inputs = make()
        # A module's part of the backward pass is known to Python only where its input has a gradient.
        inputs = [x.requires_grad_() for x in inputs]
        result[make.__name__] = {
            "operators": recorded(model, inputs),
            "forward": counted(lambda: first(model(*inputs))),
            "step": counted(lambda: step(model, inputs)),
        }
    print(json.dumps(result))


main()
