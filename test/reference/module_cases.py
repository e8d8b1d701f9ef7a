"""How the scripts for modules run a case and print all of them as JSON.

A case starts from `torch.manual_seed(0)`, builds the module, draws its inputs in the order listed, runs it, sends the
gradient of the sum of squares back where gradients are recorded, and last draws `torch.rand(1)`, which shows that exactly
as many random numbers were used.
"""

import json
import warnings

import torch
from torch.nn.utils.rnn import PackedSequence

from recording import exact

# name, training, whether gradients are recorded
MODES = [("train", True, True), ("eval", False, True), ("infer", False, False)]


def tensors_in(value):
    if isinstance(value, PackedSequence):
        return tensors_in(value.data)
    return [value] if isinstance(value, torch.Tensor) else [t for item in value for t in tensors_in(item)]


def run(make, training, grads, shapes, call):
    torch.manual_seed(0)
    layer = make().train(training)
    inputs = [torch.randn(shape, requires_grad=grads) for shape in shapes]
    with torch.set_grad_enabled(grads):
        outputs = tensors_in(call(layer, inputs))
    state = layer.state_dict()
    found = [*state.values(), *outputs]
    if grads:
        sum((output * output).sum() for output in outputs).backward()
        found += [t.grad for t in [*inputs, *layer.parameters()]]
    return {
        "training": training,
        "grads": grads,
        "inputs": shapes,
        "repr": repr(layer),
        "keys": list(state),
        "found": [exact(t) for t in [*found, torch.rand(1)]],
    }


def main(cases):
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    print(json.dumps(list(cases)))
