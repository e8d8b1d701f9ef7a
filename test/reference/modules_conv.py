"""Builds PyTorch's layers of convolution, pooling, padding and images from one seed and prints, as JSON, what they give.

Every case: `torch.manual_seed(0)`, the layer, its inputs (`torch.randn`), the call, a gradient for the first output
(`torch.randn`), backward, and last `torch.rand(1)`, which shows that just as many random numbers were drawn.
"""

import json
import math
import warnings

import torch
from torch import nn

from recording import exact, exact_map

warnings.simplefilter("ignore")

F32, F64, C64 = "float32", "float64", "complex64"


def conv_cases(transposed):
    name = "ConvTranspose" if transposed else "Conv"
    sizes = {1: (9,), 2: (9, 8), 3: (7, 6, 5)}
    for d, size in sizes.items():
        many = tuple(range(1, d + 1))
        batch, single = (2, 4, *size), (4, *size)
        cls = f"{name}{d}d"
        yield cls, [4, 6, 3], {}, batch
        yield cls, [4, 6, 3], {"bias": False, "groups": 2}, single
        yield cls, [4, 4, many], {"stride": many, "padding": many[::-1], "groups": 4}, batch
        yield cls, [4, 2, 2], {"dilation": 2, "dtype": F64}, batch
        yield cls, [4, 2, 3], {"padding": 1, "dtype": C64}, batch
        yield f"Lazy{cls}", [6, 3], {"groups": 2, "stride": 2}, batch
        yield f"Lazy{cls}", [6, many], {"bias": False, "padding": 1, "dtype": F64}, single
        if transposed:
            yield cls, [4, 6, 3], {"stride": 2, "output_padding": 1, "padding": 1}, batch
            wanted = [2 * n for n in size]
            yield cls, [4, 6, 3], {"stride": 2, "padding": 1}, batch, {"call": {"output_size": wanted}}
            yield cls, [4, 6, 3], {"stride": 2, "padding": 1}, single, {"call": {"output_size": [6, *wanted]}}
            continue
        yield cls, [4, 6, 3], {"padding": "valid"}, batch
        yield cls, [4, 6, 4], {"padding": "same", "dilation": 2}, batch
        for mode in ("reflect", "replicate", "circular"):
            yield cls, [4, 6, 3], {"padding": many if d < 3 else 2, "padding_mode": mode}, batch
            yield cls, [4, 6, 4], {"padding": "same", "padding_mode": mode}, single
        if d > 1:
            yield cls, [4, 6, 3], {"padding": 1}, batch, {"channels_last": True, "reset": True}


def pooling_cases():
    sizes = {1: (9,), 2: (9, 8), 3: (7, 6, 5)}
    for d, size in sizes.items():
        batch, single = (2, 4, *size), (4, *size)
        many = (3, 2, 4)[:d]
        for indices in (False, True):
            extra = {"return_indices": True} if indices else {}
            yield f"MaxPool{d}d", [2], extra, batch
            yield f"MaxPool{d}d", [many], {"stride": 2, "padding": 1, "ceil_mode": True, **extra}, batch
            yield f"MaxPool{d}d", [2], {"dilation": 2, "stride": 1, **extra}, single
            yield f"AdaptiveMaxPool{d}d", [3], extra, batch
        yield f"AvgPool{d}d", [2], {}, batch
        yield f"AvgPool{d}d", [many], {"stride": 2, "padding": 1, "ceil_mode": True}, batch
        yield f"AvgPool{d}d", [3], {"stride": 1, "padding": 1, "count_include_pad": False}, single
        for norm in (1, 2, 1.5, math.inf, -math.inf):
            yield f"LPPool{d}d", [norm, 2], {}, batch
        yield f"LPPool{d}d", [2, 3], {"stride": 2, "ceil_mode": True}, batch
        whole, spatial = {"output_size": [2, 4, *size]}, {"output_size": list(size)}
        yield f"MaxUnpool{d}d", [2], {}, batch, {"pooled": True, "call": whole}
        yield f"MaxUnpool{d}d", [3], {"stride": 2, "padding": 1}, single, {"pooled": True, "call": spatial}
        yield f"MaxUnpool{d}d", [2], {}, (2, 4, 8, 6, 4)[: d + 2], {"pooled": True}
        yield f"AdaptiveAvgPool{d}d", [3], {}, batch
        yield f"AdaptiveAvgPool{d}d", [1], {}, single
        if d > 1:
            yield f"AvgPool{d}d", [3], {"divisor_override": 5, "padding": 1}, batch
            for extra in ({}, {"return_indices": True}):
                yield f"FractionalMaxPool{d}d", [2], {"output_size": 3, **extra}, batch
                yield f"FractionalMaxPool{d}d", [(3, 2, 2)[:d]], {"output_ratio": (0.5, 0.4, 0.4)[:d], **extra}, single
            keep = (None, 3, 2)[:d]
            yield f"AdaptiveAvgPool{d}d", [keep], {}, batch
            yield f"AdaptiveMaxPool{d}d", [keep], {}, batch
            for cls in ("MaxPool", "AdaptiveAvgPool"):
                yield f"{cls}{d}d", [2], {}, batch, {"channels_last": True}


def other_cases():
    yield "Flatten", [], {}, (2, 3, 4)
    yield "Flatten", [0, 1], {}, (2, 3, 4)
    yield "Unflatten", [1, (3, -1)], {}, (2, 12)
    yield "Unflatten", [-1, (2, 2)], {}, (3, 4)


def padding_cases():
    sizes = {1: (9,), 2: (9, 8), 3: (7, 6, 5)}
    for d, size in sizes.items():
        batch, single = (2, 3, *size), (3, *size)
        many = (1, 2, 3, 0, 2, 1)[: 2 * d]
        for kind in ("Zero", "Reflection", "Replication", "Circular"):
            for padding, shape in ((2, batch), (many, single)):
                yield f"{kind}Pad{d}d", [padding], {}, shape
        yield f"ConstantPad{d}d", [2, 0.5], {}, batch
        yield f"ConstantPad{d}d", [(-1, *many[1:]), -3], {}, single
        yield f"ConstantPad{d}d", [1, 1e-5], {}, batch, {"dtype": C64}


def image_cases():
    yield "ChannelShuffle", [3], {}, (2, 6, 4, 3)
    yield "PixelShuffle", [3], {}, (2, 18, 4, 3)
    yield "PixelUnshuffle", [3], {}, (2, 2, 9, 6)
    yield "Unfold", [(2, 3)], {}, (2, 3, 6, 5)
    yield "Unfold", [2], {"dilation": 2, "padding": (1, 0), "stride": 2}, (3, 6, 5)
    yield "Fold", [(4, 5), (2, 2)], {}, (2, 12, 12)
    yield "Fold", [6, 2], {"dilation": 2, "padding": 1, "stride": (2, 1)}, (12, 18)
    yield "UpsamplingNearest2d", [], {"scale_factor": 2}, (2, 3, 4, 5)
    yield "UpsamplingNearest2d", [], {"size": (7, 5)}, (2, 3, 4, 5)
    yield "UpsamplingBilinear2d", [], {"scale_factor": (1.5, 2.5)}, (2, 3, 4, 5)
    yield "UpsamplingBilinear2d", [], {"size": 7}, (2, 3, 4, 5)
    modes = {3: ["linear"], 4: ["bilinear", "bicubic"], 5: ["trilinear"]}
    for dims, smooth in modes.items():
        shape = (2, 3, 4, 5, 6)[:dims]
        for mode in ["nearest", "nearest-exact", "area", *smooth]:
            yield "Upsample", [], {"scale_factor": 1.7, "mode": mode}, shape
            yield "Upsample", [], {"size": 7, "mode": mode}, shape
        for mode in smooth:
            yield "Upsample", [], {"scale_factor": (2.3,) * (dims - 2), "mode": mode, "align_corners": True}, shape
            recompute = {"align_corners": False, "recompute_scale_factor": True}
            yield "Upsample", [], {"scale_factor": 1.9, "mode": mode, **recompute}, shape


def cases():
    yield from conv_cases(False)
    yield from conv_cases(True)
    yield from pooling_cases()
    yield from padding_cases()
    yield from image_cases()
    yield from other_cases()


def portable(value):
    """JSON has no infinities."""
    return str(value) if isinstance(value, float) and math.isinf(value) else value


def run(cls, args, options, shape, how={}):
    torch.manual_seed(0)
    dtype = getattr(torch, how.get("dtype", options.get("dtype", F32)))
    module = getattr(nn, cls)(*args, **{**options, **({"dtype": dtype} if "dtype" in options else {})})
    inputs = [torch.randn(shape, dtype=dtype)]
    if how.get("channels_last"):
        memory = torch.channels_last if len(shape) == 4 else torch.channels_last_3d
        inputs = [x.to(memory_format=memory) for x in inputs]
        module.to(memory_format=memory)
    if how.get("reset"):
        module.reset_parameters()
    if how.get("pooled"):
        pool = getattr(nn, cls.replace("Unpool", "Pool"))(*args, **options, return_indices=True)
        inputs = list(pool(inputs[0]))
    inputs[0].requires_grad_()
    output = module(*inputs, **how.get("call", {}))
    outputs = list(output) if isinstance(output, tuple) else [output]
    outputs[0].backward(torch.randn(outputs[0].shape, dtype=dtype))
    return {
        "name": cls,
        "args": [portable(value) for value in args],
        "options": options,
        "shape": shape,
        "how": how,
        "repr": repr(module),
        "outputs": [exact(output) for output in outputs],
        "strides": outputs[0].stride(),
        "state": exact_map(module.state_dict().items()),
        "inputGradient": exact(inputs[0].grad),
        "gradients": exact_map((name, p.grad) for name, p in module.named_parameters()),
        "next": exact(torch.rand(1)),
    }


print(json.dumps([run(*case) for case in cases()]))
