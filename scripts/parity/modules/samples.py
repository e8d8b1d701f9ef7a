"""Samples of our own: of the classes that PyTorch's module database lacks, and of options that it leaves out.

Each is a class's name, what it is constructed with (`new`), and what its forward gets (`on`), if it has a forward.
"""

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence
from torch.testing import make_tensor
from torch.testing._internal.common_modules import FunctionInput as new
from torch.testing._internal.common_modules import FunctionInput as on
from torch.testing._internal.common_modules import ModuleInput


def x(*shape, low=None, high=None):
    return make_tensor(shape, device="cpu", dtype=torch.float32, low=low, high=high, requires_grad=True)


def whole(*shape, below):
    return torch.randint(below, shape)


def dropouts():
    shapes = {"Dropout": (4, 5), "Dropout1d": (2, 3, 4), "Dropout2d": (2, 3, 4, 4), "Dropout3d": (2, 3, 2, 3, 2)}
    for name, shape in {**shapes, "AlphaDropout": (4, 5), "FeatureAlphaDropout": (2, 3, 4, 4)}.items():
        yield name, new(), on(x(*shape))
        yield name, new(0.3), on(x(*shape))
        yield name, new(0.3, inplace=True), on(x(*shape))
        yield name, new(0.0), on(x(*shape))
        yield name, new(1.0), on(x(*shape))
    yield "Dropout1d", new(), on(x(3, 4))
    yield "Dropout2d", new(), on(x(3, 4, 4))
    yield "Dropout3d", new(), on(x(3, 2, 3, 2))


def shapes():
    yield "Identity", new(), on(x(2, 3))
    yield "Flatten", new(), on(x(2, 3, 4))
    yield "Flatten", new(0), on(x(2, 3, 4))
    yield "Flatten", new(1, 2), on(x(2, 3, 4, 5))
    yield "Flatten", new(end_dim=1), on(x(2, 3, 4))
    yield "Unflatten", new(1, (2, 3)), on(x(4, 6))
    yield "Unflatten", new(-1, (2, -1)), on(x(4, 6))
    yield "Fold", new((4, 5), (2, 2)), on(x(2, 12, 12))
    yield "Fold", new((4, 5), (2, 2)), on(x(12, 12))
    yield "Fold", new(6, 2, stride=2, padding=1, dilation=2), on(x(1, 8, 9))
    yield "Unfold", new((2, 3)), on(x(2, 3, 5, 6))
    yield "Unfold", new(2, dilation=2, padding=1, stride=2), on(x(2, 3, 5, 6))
    yield "PixelShuffle", new(2), on(x(1, 8, 3, 3))
    yield "PixelShuffle", new(3), on(x(9, 2, 3))
    yield "PixelUnshuffle", new(2), on(x(1, 2, 4, 6))
    yield "ChannelShuffle", new(2), on(x(2, 4, 3, 3))


def upsampling():
    data = {1: (2, 3, 4), 2: (2, 3, 4, 5), 3: (1, 2, 3, 4, 2)}
    modes = {"nearest": 3, "nearest-exact": 3, "linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}
    for mode, dims in modes.items():
        yield "Upsample", new(scale_factor=2, mode=mode), on(x(*data[dims]))
        yield "Upsample", new(size=6, mode=mode), on(x(*data[dims]))
        if "linear" in mode or mode == "bicubic":
            yield "Upsample", new(scale_factor=2, mode=mode, align_corners=True), on(x(*data[dims]))
    yield "Upsample", new((3, 7)), on(x(*data[2]))
    yield "Upsample", new(scale_factor=(1.5, 2.3)), on(x(*data[2]))
    yield "Upsample", new(scale_factor=1.7, mode="bilinear", recompute_scale_factor=True), on(x(*data[2]))
    yield "Upsample", new(scale_factor=1.7, mode="bilinear", align_corners=False), on(x(*data[2]))
    for name in ("UpsamplingNearest2d", "UpsamplingBilinear2d"):
        yield name, new(scale_factor=2), on(x(*data[2]))
        yield name, new(size=(5, 6)), on(x(*data[2]))


def pooling():
    for dims in (1, 2, 3):
        shape = (2, 3, *(6, 8, 4)[:dims])
        pool = getattr(F, f"max_pool{dims}d")
        pooled, indices = pool(x(*shape), 2, return_indices=True)
        yield f"MaxUnpool{dims}d", new(2), on(pooled, indices)
        yield f"MaxUnpool{dims}d", new(2, stride=2), on(pooled, indices, output_size=list(shape))
        yield f"MaxPool{dims}d", new(2, return_indices=True), on(x(*shape))
        yield f"MaxPool{dims}d", new(3, stride=2, padding=1, ceil_mode=True), on(x(*shape))
        yield f"MaxPool{dims}d", new(2, stride=1, dilation=2), on(x(*shape))
        yield f"AdaptiveMaxPool{dims}d", new(2, return_indices=True), on(x(*shape))
        yield f"AvgPool{dims}d", new(3, stride=2, padding=1, ceil_mode=True, count_include_pad=False), on(x(*shape))
        yield f"LPPool{dims}d", new(2, 2, stride=1), on(x(*shape, low=0.1, high=1))
    yield "MaxUnpool2d", new(2), on(*F.max_pool2d(x(3, 4, 6), 2, return_indices=True))
    yield "AdaptiveAvgPool2d", new((None, 3)), on(x(2, 3, 4, 5))
    yield "AvgPool2d", new(2, divisor_override=3), on(x(2, 3, 4, 6))
    # The regions are random.
    yield "FractionalMaxPool2d", new(2, output_size=3), on(x(2, 3, 7, 7))
    yield "FractionalMaxPool2d", new((2, 3), output_ratio=(0.5, 0.6), return_indices=True), on(x(2, 3, 8, 9))
    yield "FractionalMaxPool3d", new(2, output_ratio=0.5), on(x(2, 3, 6, 6, 6))


def distances():
    yield "CosineSimilarity", new(), on(x(4, 5), x(4, 5))
    yield "CosineSimilarity", new(dim=0, eps=1e-6), on(x(4, 5), x(4, 5))
    yield "PairwiseDistance", new(), on(x(4, 5), x(4, 5))
    yield "PairwiseDistance", new(p=1.0, eps=1e-4, keepdim=True), on(x(4, 5), x(4, 5))


def losses():
    def triple():
        return on(x(4, 5), x(4, 5), x(4, 5))

    yield "TripletMarginLoss", new(), triple()
    yield "TripletMarginLoss", new(margin=0.5, p=1.0, swap=True, reduction="sum"), triple()
    yield "TripletMarginLoss", new(reduction="none"), triple()
    yield "TripletMarginWithDistanceLoss", new(), triple()
    yield "TripletMarginWithDistanceLoss", new(distance_function=F.pairwise_distance, margin=2.0, swap=True), triple()
    yield "TripletMarginWithDistanceLoss", new(reduction="none"), triple()
    yield "AdaptiveLogSoftmaxWithLoss", new(8, 20, [4, 10]), on(x(6, 8), whole(6, below=20))
    construction = new(8, 20, [4, 10], div_value=2.0, head_bias=True)
    yield "AdaptiveLogSoftmaxWithLoss", construction, on(x(6, 8), whole(6, below=20))
    yield "AdaptiveLogSoftmaxWithLoss", new(8, 20, [4]), on(x(8), whole(below=20))
    classes = whole(4, below=5)
    yield "CrossEntropyLoss", new(label_smoothing=0.1), on(x(4, 5), classes)
    yield "CrossEntropyLoss", new(ignore_index=int(classes[0]), reduction="sum"), on(x(4, 5), classes)
    yield "SmoothL1Loss", new(beta=0.5), on(x(4, 5), x(4, 5))
    yield "MultiMarginLoss", new(p=2, margin=0.5), on(x(4, 5), classes)


def embeddings():
    offsets, flat = torch.tensor([0, 2, 2, 5]), whole(7, below=10)
    for mode in ("sum", "mean", "max"):
        yield "EmbeddingBag", new(10, 3, mode=mode), on(whole(2, 4, below=10))
        yield "EmbeddingBag", new(10, 3, mode=mode), on(flat, offsets)
        yield "EmbeddingBag", new(10, 3, mode=mode, padding_idx=2), on(flat, offsets)
    yield "EmbeddingBag", new(10, 3, mode="sum"), on(flat, offsets, x(7))
    yield "EmbeddingBag", new(10, 3, mode="sum", sparse=True), on(flat, offsets)
    yield "EmbeddingBag", new(10, 3, max_norm=0.5, scale_grad_by_freq=True), on(flat, offsets)
    yield "EmbeddingBag", new(10, 3, include_last_offset=True), on(flat, torch.tensor([0, 2, 7]))
    yield "Embedding", new(10, 3, padding_idx=2), on(whole(2, 4, below=10))
    yield "Embedding", new(10, 3, padding_idx=-1, scale_grad_by_freq=True), on(whole(2, 4, below=10))
    yield "Embedding", new(10, 3, max_norm=0.5, norm_type=1.0), on(whole(2, 4, below=10))
    yield "Embedding", new(10, 3, sparse=True), on(whole(2, 4, below=10))


def activations():
    for name in "ReLU ReLU6 SELU CELU ELU SiLU Mish Hardswish Hardsigmoid Hardtanh LeakyReLU".split():
        yield name, new(inplace=True), on(x(3, 4))
    yield "Hardsigmoid", new(), on(x(3, 4))
    yield "RReLU", new(), on(x(3, 4))
    yield "RReLU", new(0.2, 0.4), on(x(3, 4))
    yield "RReLU", new(lower=0.2, inplace=True), on(x(3, 4))
    yield "GELU", new(approximate="tanh"), on(x(3, 4))
    yield "PReLU", new(num_parameters=3, init=0.1), on(x(2, 3, 4))
    yield "Threshold", new(0.1, 20.0, inplace=True), on(x(3, 4))
    yield "Hardtanh", new(-0.5, 0.7), on(x(3, 4))
    yield "CELU", new(alpha=2.0), on(x(3, 4))
    yield "Softplus", new(beta=2.0, threshold=1.0), on(x(3, 4))
    yield "Softmax", new(dim=1), on(x(3, 4))
    yield "Softmax", new(), on(x(3, 4))
    yield "GLU", new(1), on(x(3, 4))


def norms():
    for dims in (1, 2, 3):
        shape = (4, 3, *(5, 4, 2)[:dims])
        most = ({}, {"affine": False}, {"track_running_stats": False}, {"momentum": None})
        for options in (*most, {"eps": 1e-3, "bias": False}):
            yield f"LazyBatchNorm{dims}d", new(**options), on(x(*shape))
            yield f"BatchNorm{dims}d", new(3, **options), on(x(*shape))
        for options in ({}, {"affine": True}, {"track_running_stats": True, "momentum": 0.3}):
            yield f"LazyInstanceNorm{dims}d", new(**options), on(x(*shape))
            yield f"InstanceNorm{dims}d", new(3, **options), on(x(*shape))
    yield "BatchNorm1d", new(3), on(x(4, 3))
    yield "SyncBatchNorm", new(3), on(x(4, 3, 5))
    yield "SyncBatchNorm", new(3, affine=False), on(x(4, 3))
    yield "LayerNorm", new((3, 4), bias=False), on(x(2, 3, 4))
    yield "LayerNorm", new(4, elementwise_affine=False, eps=1e-3), on(x(2, 3, 4))
    yield "GroupNorm", new(2, 4, affine=False), on(x(2, 4, 3))
    yield "GroupNorm", new(2, 4, bias=False), on(x(2, 4, 3))
    yield "RMSNorm", new(4, eps=1e-3, elementwise_affine=False), on(x(2, 3, 4))
    yield "CrossMapLRN2d", new(3), on(x(2, 5, 3, 3))
    yield "CrossMapLRN2d", new(5, alpha=1e-2, beta=0.5, k=2), on(x(2, 7, 3, 3))
    yield "LocalResponseNorm", new(3, alpha=1e-2, beta=0.5, k=2.0), on(x(2, 5, 3, 3))


def convolutions():
    for dims in (1, 2, 3):
        shape = (2, 4, *(7, 6, 5)[:dims])
        for transposed in ("Conv", "LazyConv"):
            first = () if transposed.startswith("Lazy") else (4,)
            for mode in ("reflect", "replicate", "circular"):
                yield f"{transposed}{dims}d", new(*first, 6, 3, padding=1, padding_mode=mode), on(x(*shape))
            yield f"{transposed}{dims}d", new(*first, 6, 3, groups=2, bias=False, dilation=2), on(x(*shape))
        size = [2 * n for n in shape[2:]]
        yield f"ConvTranspose{dims}d", new(4, 6, 3, stride=2, padding=1), on(x(*shape), output_size=size)
        yield f"ConvTranspose{dims}d", new(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2), on(x(*shape))
    yield "LazyLinear", new(3), on(x(2, 4))
    yield "LazyLinear", new(3, bias=False), on(x(4))


def recurrent():
    lengths = torch.tensor([3, 5, 1])

    def packed(is_sorted):
        chosen = lengths.sort(descending=True).values if is_sorted else lengths
        return pack_padded_sequence(x(5, 3, 4), chosen, enforce_sorted=is_sorted)

    for name in ("RNN", "GRU", "LSTM"):
        many = {"num_layers": 2, "bidirectional": True}
        state = (x(4, 3, 6), x(4, 3, 6)) if name == "LSTM" else x(4, 3, 6)
        yield name, new(4, 6), on(packed(True))
        yield name, new(4, 6, **many), on(packed(False))
        yield name, new(4, 6, **many), on(packed(False), state)
        yield name, new(4, 6, **many), on(x(5, 3, 4), state)
        yield name, new(4, 6, num_layers=2, dropout=0.4, batch_first=True), on(x(3, 5, 4))
        yield name, new(4, 6, dropout=0.4, **many), on(packed(False))
        yield name, new(4, 6, bias=False), on(x(5, 4))
        yield f"{name}Cell", new(4, 6, bias=False), on(x(3, 4))
    yield "RNN", new(4, 6, nonlinearity="relu"), on(x(5, 3, 4))
    yield "RNNCell", new(4, 6, nonlinearity="relu"), on(x(3, 4))
    yield "LSTM", new(4, 6, proj_size=2, bidirectional=True), on(x(5, 3, 4))
    yield "LSTM", new(4, 6, proj_size=2), on(packed(False))


def attention():
    yield "MultiheadAttention", new(8, 2, batch_first=True, dropout=0.2), on(*[x(3, 5, 8)] * 3)
    yield "MultiheadAttention", new(8, 2, add_bias_kv=True, add_zero_attn=True), on(x(4, 2, 8), x(5, 2, 8), x(5, 2, 8))
    yield "MultiheadAttention", new(8, 2, kdim=4, vdim=6, bias=False), on(x(4, 2, 8), x(5, 2, 4), x(5, 2, 6))
    yield "MultiheadAttention", new(8, 2), on(*[x(4, 2, 8)] * 3, need_weights=False)
    yield "MultiheadAttention", new(8, 2), on(*[x(4, 2, 8)] * 3, average_attn_weights=False)
    causal = nn.Transformer.generate_square_subsequent_mask(4)
    yield "MultiheadAttention", new(8, 2), on(*[x(4, 2, 8)] * 3, attn_mask=causal, is_causal=True, need_weights=False)


def transformers():
    causal = nn.Transformer.generate_square_subsequent_mask(4)
    for activation in ("relu", "gelu", F.silu):
        options = {"dim_feedforward": 16, "dropout": 0.2, "activation": activation}
        yield "TransformerEncoderLayer", new(8, 2, **options), on(x(4, 2, 8))
        yield "TransformerEncoderLayer", new(8, 2, batch_first=True, norm_first=True, **options), on(x(2, 4, 8))
        construction = new(8, 2, bias=False, **options)
        yield "TransformerEncoderLayer", construction, on(x(4, 2, 8), src_mask=causal, is_causal=True)
        construction = new(8, 2, **options)
        yield "TransformerDecoderLayer", construction, on(x(4, 2, 8), x(3, 2, 8), tgt_mask=causal, tgt_is_causal=True)
        construction = new(8, 2, norm_first=True, batch_first=True, **options)
        yield "TransformerDecoderLayer", construction, on(x(2, 4, 8), x(2, 3, 8))
    decoder = nn.TransformerDecoderLayer(8, 2, 16)
    yield "TransformerDecoder", new(decoder, 2), on(x(4, 2, 8), x(3, 2, 8))
    yield "TransformerDecoder", new(decoder, 2, norm=nn.LayerNorm(8)), on(x(4, 2, 8), x(3, 2, 8), tgt_mask=causal)
    encoder = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    padding = torch.tensor([[False] * 4, [False, False, True, True]])
    yield "TransformerEncoder", new(encoder, 2, norm=nn.LayerNorm(8)), on(x(2, 4, 8), src_key_padding_mask=padding)
    yield "TransformerEncoder", new(encoder, 2, enable_nested_tensor=False), on(x(2, 4, 8), mask=causal, is_causal=True)
    sizes = {"num_encoder_layers": 1, "num_decoder_layers": 2, "dim_feedforward": 16}
    yield "Transformer", new(8, 2, **sizes), on(x(4, 2, 8), x(3, 2, 8))
    construction = new(8, 2, batch_first=True, norm_first=True, activation="gelu", **sizes)
    yield "Transformer", construction, on(x(2, 4, 8), x(2, 4, 8), tgt_mask=causal)


def containers():
    def linear():
        return nn.Linear(4, 4)

    yield "Sequential", new(linear(), nn.ReLU(), nn.Linear(4, 2, bias=False)), on(x(3, 4))
    yield "Sequential", new(nn.Sequential(linear(), nn.Tanh()), nn.Dropout(0.3), nn.LayerNorm(4)), on(x(3, 4))
    yield "Sequential", new(OrderedDict(first=linear(), act=nn.ReLU())), on(x(3, 4))
    yield "ModuleList", new([linear(), linear(), nn.ReLU()]), None
    yield "ModuleList", new(), None
    yield "ModuleDict", new({"first": linear(), "second_one": nn.Dropout(0.1)}), None
    yield "ParameterList", new([nn.Parameter(x(2, 3)), nn.Parameter(x(4))]), None
    yield "ParameterDict", new({"left": nn.Parameter(x(2, 3)), "right_one": nn.Parameter(x(4))}), None


FAMILIES = [
    dropouts,
    shapes,
    upsampling,
    pooling,
    distances,
    losses,
    embeddings,
    activations,
    norms,
    convolutions,
    recurrent,
    attention,
    transformers,
    containers,
]


def samples_of(name):
    """The samples of a class; those of all families are made, so that what one draws does not depend on the others."""
    made = []
    for family in FAMILIES:
        torch.manual_seed(0)
        mine = [(constructor, forward) for cls, constructor, forward in family() if cls == name]
        for i, (constructor, forward) in enumerate(mine):
            made.append(ModuleInput(constructor, forward, desc=f"{family.__name__} {i}"))
    return made
