"""What PyTorch's recurrent layers compute: a case for each combination of options and inputs; see module_cases.py."""

import itertools

from torch import nn
from torch.nn.utils import rnn

from module_cases import MODES, main, run


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

    case = {"module": module, "args": [3, 5], "options": options}
    make = lambda: getattr(nn, module)(3, 5, **options)
    for mode, training, grads in MODES:
        yield {**case, "form": form, "mode": mode, **run(make, training, grads, shapes, call)}


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
        case = {"module": module, "args": [3, 5], "options": options}
        make = lambda: getattr(nn, module)(3, 5, **options)
        for batch, states in itertools.product(([], [2]), (0, 2 if module == "LSTMCell" else 1)):
            shapes = [[*batch, 3]] + [[*batch, 5]] * states

            def call(layer, inputs):
                x, *given = inputs
                if not given:
                    return layer(x)
                return layer(x, tuple(given) if module == "LSTMCell" else given[0])

            yield {**case, "form": "cell", "mode": "train", **run(make, True, True, shapes, call)}


if __name__ == "__main__":
    main(itertools.chain(recurrent_cases(), cell_cases()))
