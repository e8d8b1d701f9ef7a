"""What PyTorch's recurrent layers and Transformers compute, as JSON: a case for each combination of options and inputs.

Every case starts from `torch.manual_seed(0)`, builds the module, draws its inputs in the order listed, runs it, sends the
gradient of the sum of squares back where gradients are recorded, and last draws `torch.rand(1)`, which shows that exactly
as many random numbers were used.
"""

import itertools
import json
import warnings

import torch
from torch import nn
from torch.nn.utils import rnn

from recording import exact

MODES = [("train", True, True), ("eval", False, True), ("infer", False, False)]


def tensors_in(value):
    if isinstance(value, rnn.PackedSequence):
        return tensors_in(value.data)
    return [value] if isinstance(value, torch.Tensor) else [t for item in value for t in tensors_in(item)]


def run(module, args, kwargs, training, grads, shapes, call):
    torch.manual_seed(0)
    layer = getattr(nn, module)(*args, **kwargs).train(training)
    inputs = [torch.randn(shape, requires_grad=grads) for shape in shapes]
    with torch.set_grad_enabled(grads):
        outputs = tensors_in(call(layer, inputs))
        state = layer.state_dict()
        found = [*state.values(), *outputs]
        if grads:
            sum((output * output).sum() for output in outputs).backward()
            found += [t.grad for t in [*inputs, *layer.parameters()]]
    return {
        "module": module,
        "args": args,
        "options": kwargs,
        "training": training,
        "grads": grads,
        "inputs": shapes,
        "repr": repr(layer),
        "keys": list(state),
        "found": [exact(t) for t in [*found, torch.rand(1)]],
    }


def recurrent(module, options, form, with_states):
    """`form`: a batch, one sequence, or packed sequences that are sorted or not."""
    directions = 2 if options.get("bidirectional") else 1
    batch_first = options.get("batch_first", False)
    batch = [] if form == "single" else [3]
    layers = options.get("num_layers", 1) * directions
    shapes = [[4, 3] if form == "single" else [3, 4, 3] if batch_first else [4, 3, 3]]
    if with_states:
        shapes.append([layers, *batch, options.get("proj_size") or 5])
        if module == "LSTM":
            shapes.append([layers, *batch, 5])

    def call(layer, inputs):
        x, *states = inputs
        if form.startswith("packed"):
            lengths, is_sorted = ([4, 2, 1], True) if form == "packed" else ([2, 4, 1], False)
            x = rnn.pack_padded_sequence(x, lengths, batch_first=batch_first, enforce_sorted=is_sorted)
        if not states:
            return layer(x)
        return layer(x, tuple(states) if module == "LSTM" else states[0])

    for mode, training, grads in MODES:
        yield {"form": form, "mode": mode, **run(module, [3, 5], options, training, grads, shapes, call)}


def recurrent_cases():
    variants = [
        {},
        {"bias": False, "batch_first": True},
        {"num_layers": 2, "dropout": 0.5, "bidirectional": True},
        {"num_layers": 3, "dropout": 0.25, "batch_first": True},
    ]
    own = {"LSTM": [{"proj_size": 2}, {"proj_size": 2, "bidirectional": True, "bias": False}], "RNN": [{"nonlinearity": "relu"}]}
    for module in ("RNN", "LSTM", "GRU"):
        for options in variants + own.get(module, []):
            for form, states in itertools.product(("batch", "single", "packed", "packed_unsorted"), (False, True)):
                yield from recurrent(module, options, form, states)


def cell_cases():
    for module, options in [
        *itertools.product(("RNNCell", "LSTMCell", "GRUCell"), ({}, {"bias": False})),
        ("RNNCell", {"nonlinearity": "relu"}),
    ]:
        for batch, states in itertools.product(([], [2]), (0, 2 if module == "LSTMCell" else 1)):
            shapes = [[*batch, 3]] + [[*batch, 5]] * states

            def call(layer, inputs):
                x, *given = inputs
                if not given:
                    return layer(x)
                return layer(x, tuple(given) if module == "LSTMCell" else given[0])

            yield {"form": "cell", "mode": "train", **run(module, [3, 5], options, True, True, shapes, call)}


if __name__ == "__main__":
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    print(json.dumps([*recurrent_cases(), *cell_cases()]))
