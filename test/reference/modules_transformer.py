"""What PyTorch's Transformers compute: a case for each combination of options and masks; see module_cases.py.

A mask is a list, or the size of a causal one.
"""

import itertools

import torch
from torch import nn

from module_cases import MODES, main, run

CAUSAL = [[False, True, True, True], [False, False, True, True], [False, False, False, True], [False] * 4]
ADDED = [[0.0, -1.5, 0.25, 0.5], [0.5, 0.0, 0.0, -2.0], [1.0, 0.0, 0.0, 0.0], [0.0, 0.5, 0.0, -0.5]]
PADDED = [[False, False, False, True], [False, False, False, False], [False, True, True, True]]
HOLES = [[False, True, False, False], [False] * 4, [True, False, False, True]]
CROSS = [[False, False, True, False], [True, False, False, False]]

LAYER = {"dim_feedforward": 6}
VARIANTS = [
    {},
    {"batch_first": True},
    {"batch_first": True, "norm_first": True, "activation": "gelu", "layer_norm_eps": 1e-3},
    {"batch_first": True, "bias": False, "dropout": 0.5},
    {"norm_first": True, "dropout": 0.0},
]
MASKS = [
    {},
    {"src_mask": CAUSAL},
    {"src_mask": 4, "is_causal": True},
    {"src_mask": ADDED, "src_key_padding_mask": PADDED},
    {"src_key_padding_mask": PADDED},
    {"src_key_padding_mask": HOLES},
]
DECODER_MASKS = [
    {},
    {"tgt_mask": 2, "memory_mask": CROSS},
    {"tgt_mask": [[False, True], [False, False]], "memory_key_padding_mask": PADDED},
    {"tgt_key_padding_mask": [[False, True], [False, False], [False, False]], "tgt_mask": 2},
]


def renamed(masks):
    return {"mask" if name == "src_mask" else name: value for name, value in masks.items()}


def given(masks):
    def value(mask):
        if isinstance(mask, list):
            return torch.tensor(mask)
        return mask if isinstance(mask, bool) else nn.Transformer.generate_square_subsequent_mask(mask)

    return {name: value(mask) for name, mask in masks.items()}


def make(module, heads, options, stack):
    if module == "Transformer":
        return nn.Transformer(4, heads, 2, 2, **options)
    if "Layer" in module:
        return getattr(nn, module)(4, heads, **options)
    layer = getattr(nn, f"{module}Layer")(4, heads, **options)
    return getattr(nn, module)(layer, 2, norm=nn.LayerNorm(4), **stack)


def cases_of(module, masks, lengths, heads=2, variants=VARIANTS, stack={}, batched=True):
    for options, mask, (mode, training, grads) in itertools.product(variants, masks, MODES):
        options = {**LAYER, **options}
        first = options.get("batch_first", False)
        shapes = [[n, 4] if not batched else [3, n, 4] if first else [n, 3, 4] for n in lengths]
        case = {"module": module, "heads": heads, "options": options, "stack": stack, "masks": mask, "mode": mode}
        call = lambda layer, inputs: layer(*inputs, **given(mask))
        yield {**case, **run(lambda: make(module, heads, options, stack), training, grads, shapes, call)}


FAST = [{"batch_first": True}]


def cases():
    yield from cases_of("TransformerEncoderLayer", MASKS, [4])
    yield from cases_of("TransformerEncoderLayer", MASKS, [4], heads=1, variants=FAST)
    yield from cases_of("TransformerEncoderLayer", MASKS[:3], [4], variants=[{}, *FAST], batched=False)
    stacked = [renamed(mask) for mask in MASKS]
    yield from cases_of("TransformerEncoder", stacked, [4])
    yield from cases_of("TransformerEncoder", stacked[3:], [4], variants=FAST, stack={"enable_nested_tensor": False})
    yield from cases_of("TransformerEncoder", stacked[4:5], [4], variants=FAST, stack={"mask_check": False})
    yield from cases_of("TransformerDecoderLayer", [{}, DECODER_MASKS[2]], [2, 4])
    yield from cases_of("TransformerDecoder", DECODER_MASKS, [2, 4])
    both = [{}, {"tgt_mask": 2, "src_mask": ADDED}, {"src_key_padding_mask": PADDED, "memory_key_padding_mask": PADDED}]
    yield from cases_of("Transformer", both, [4, 2])
    yield from cases_of("Transformer", both[:2], [4, 2], variants=FAST, batched=False)


if __name__ == "__main__":
    main(cases())
