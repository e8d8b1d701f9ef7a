"""Records what PyTorch's layers, losses and initialisers compute, for `test/fixtures/nn.json`.

Every case starts from `torch.manual_seed(0)`, then: builds the module (its initial state is recorded), draws the inputs
in the order listed (`torch.rand` spread over [-2, 2), or `torch.randint` for ids and classes), runs the module in the
mode named, sends `grad_output` back through its first output, and last draws `torch.rand(1)` (`next`), which shows that
exactly as many random numbers were used.
"""

import torch
from torch import nn

import recording
from recording import exact, exact_map


def ids(high, *shape):
    return lambda: torch.randint(high, shape)


def values(*shape):
    return lambda: (torch.rand(shape) * 4 - 2).requires_grad_()


def ramp(like):
    """An upstream gradient without structure that a wrong backward could hide behind, and without a random draw."""
    return torch.tensor([(i % 7 - 3) / 4 for i in range(like.numel())]).reshape(like.shape)


CAUSAL = [[False, True, True], [False, False, True], [False, False, False]]
BIAS = [[0.0, -1.0, 0.5], [0.25, 0.0, -2.0], [1.0, 0.5, 0.0]]

# name, module, positional arguments, options, inputs, options of the call, training
MODULES = [
    ("embedding", "Embedding", [10, 4], {}, [ids(10, 2, 3)], {}, True),
    ("embedding_padding_idx", "Embedding", [10, 4], {"padding_idx": 0}, [ids(3, 2, 4)], {}, True),
    ("linear", "Linear", [5, 3], {}, [values(4, 5)], {}, True),
    ("linear_no_bias", "Linear", [5, 3], {"bias": False}, [values(4, 5)], {}, True),
    ("linear_3d", "Linear", [5, 3], {}, [values(2, 4, 5)], {}, True),
    ("layer_norm", "LayerNorm", [6], {}, [values(3, 6)], {}, True),
    ("layer_norm_shape", "LayerNorm", [[3, 4]], {"eps": 1e-3}, [values(2, 3, 4)], {}, True),
    ("layer_norm_plain", "LayerNorm", [6], {"elementwise_affine": False}, [values(3, 6)], {}, True),
    ("layer_norm_no_bias", "LayerNorm", [6], {"bias": False}, [values(3, 6)], {}, True),
    ("dropout", "Dropout", [0.3], {}, [values(4, 10)], {}, True),
    ("dropout_eval", "Dropout", [0.3], {}, [values(4, 10)], {}, False),
    ("dropout_all", "Dropout", [1.0], {}, [values(2, 3)], {}, True),
    ("dropout_none", "Dropout", [0.0], {}, [values(2, 3)], {}, True),
    ("relu", "ReLU", [], {}, [values(3, 5)], {}, True),
    ("gelu", "GELU", [], {}, [values(3, 5)], {}, True),
    ("gelu_tanh", "GELU", [], {"approximate": "tanh"}, [values(3, 5)], {}, True),
]
for weights in (True, False):
    for mask_name, mask in (("", None), ("_bool_mask", CAUSAL), ("_float_mask", BIAS)):
        for training in (True, False):
            MODULES.append(
                (
                    f"attention{'_weights' if weights else ''}{mask_name}{'' if training else '_eval'}",
                    "MultiheadAttention",
                    [4, 2],
                    {"dropout": 0.25, "batch_first": True},
                    [values(2, 3, 4)],
                    {"need_weights": weights, **({} if mask is None else {"attn_mask": mask})},
                    training,
                )
            )
MODULES += [
    (
        "attention_per_head_weights",
        "MultiheadAttention",
        [4, 2],
        {"batch_first": True},
        [values(2, 3, 4)],
        {"need_weights": True, "average_attn_weights": False},
        True,
    ),
    ("attention_no_bias", "MultiheadAttention", [4, 2], {"bias": False, "batch_first": True}, [values(2, 3, 4)], {}, True),
    ("attention_sequence_first", "MultiheadAttention", [4, 2], {}, [values(3, 2, 4)], {}, True),
    (
        "attention_padding_mask",
        "MultiheadAttention",
        [4, 2],
        {"batch_first": True},
        [values(2, 3, 4)],
        {"key_padding_mask": [[False, False, True], [False, False, False]]},
        True,
    ),
    (
        "attention_cross",
        "MultiheadAttention",
        [4, 2],
        {"kdim": 6, "vdim": 5, "batch_first": True},
        [values(2, 3, 4), values(2, 4, 6), values(2, 4, 5)],
        {},
        True,
    ),
]

WEIGHT = [0.5, 2.0, 1.0, 0.25]
CROSS_ENTROPY = [
    {},
    {"reduction": "sum"},
    {"reduction": "none"},
    {"weight": WEIGHT},
    {"weight": WEIGHT, "reduction": "sum"},
    {"weight": WEIGHT, "reduction": "none"},
    {"ignore_index": 1},
    {"label_smoothing": 0.1},
    {"weight": WEIGHT, "ignore_index": 2, "label_smoothing": 0.2},
]
MSE = [{}, {"reduction": "sum"}, {"reduction": "none"}]


def call_module(kind, module, inputs, options):
    """Self-attention takes its one input as query, key and value; masks are given as lists and become tensors."""
    if kind == "MultiheadAttention" and len(inputs) == 1:
        inputs = inputs * 3
    masks = {key: torch.tensor(value) if isinstance(value, list) else value for key, value in options.items()}
    result = module(*inputs, **masks)
    return list(result) if isinstance(result, tuple) else [result]


def record_module(name, kind, args, options, inputs, call, training):
    torch.manual_seed(0)
    module = getattr(nn, kind)(*args, **options).train(training)
    state = exact_map(module.state_dict().items())
    tensors = [draw() for draw in inputs]
    outputs = call_module(kind, module, tensors, call)
    upstream = ramp(outputs[0])
    if outputs[0].requires_grad:
        outputs[0].backward(upstream)
    return {
        "name": name,
        "module": kind,
        "args": args,
        "options": options,
        "call": call,
        "training": training,
        "state": state,
        "inputs": [exact(tensor) for tensor in tensors],
        "outputs": [exact(tensor) for tensor in outputs],
        "grad_output": exact(upstream),
        "input_grads": [exact(tensor.grad) for tensor in tensors],
        "parameter_grads": exact_map((key, value.grad) for key, value in module.named_parameters()),
        "next": exact(torch.rand(1)),
    }


def record_sequential():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 2), nn.LayerNorm(2), nn.GELU())
    state = exact_map(module.state_dict().items())
    x = values(3, 5)()
    output = module(x)
    output.backward(ramp(output))
    return {
        "name": "sequential",
        "layers": "Linear(5, 8), ReLU(), Dropout(0.5), Linear(8, 2), LayerNorm(2), GELU()",
        "state": state,
        "inputs": [exact(x)],
        "outputs": [exact(output)],
        "grad_output": exact(ramp(output)),
        "input_grads": [exact(x.grad)],
        "parameter_grads": exact_map((key, value.grad) for key, value in module.named_parameters()),
        "next": exact(torch.rand(1)),
    }


def record_loss(kind, options, draw_target, target_name):
    torch.manual_seed(0)
    tensors = {key: torch.tensor(value) if isinstance(value, list) else value for key, value in options.items()}
    loss_fn = getattr(nn, kind)(**tensors)
    prediction = values(6, 4)()
    target = draw_target()
    loss = loss_fn(prediction, target)
    loss.backward(ramp(loss) if loss.dim() else None)
    return {
        "loss": kind,
        "options": options,
        "target_kind": target_name,
        "inputs": [exact(prediction), exact(target)],
        "output": exact(loss),
        "input_grad": exact(prediction.grad),
    }


def losses():
    classes = ids(4, 6)
    probabilities = lambda: torch.softmax(values(6, 4)().detach(), 1)  # noqa: E731
    return [
        *[record_loss("CrossEntropyLoss", options, classes, "classes") for options in CROSS_ENTROPY],
        *[
            record_loss("CrossEntropyLoss", options, probabilities, "probabilities")
            for options in ({}, {"weight": WEIGHT, "label_smoothing": 0.1}, {"reduction": "none"})
        ],
        *[record_loss("MSELoss", options, lambda: values(6, 4)().detach(), "values") for options in MSE],
    ]


# function of torch.nn.init, shape, options
INIT = [
    ("uniform_", [4, 5], {}),
    ("uniform_", [4, 5], {"a": -2.0, "b": 3.0}),
    ("normal_", [4, 5], {}),
    ("normal_", [3, 7], {"mean": 1.0, "std": 0.02}),
    ("constant_", [2, 3], {"val": 0.3}),
    ("ones_", [2, 3], {}),
    ("zeros_", [2, 3], {}),
    ("eye_", [3, 4], {}),
    ("xavier_uniform_", [4, 5], {}),
    ("xavier_uniform_", [4, 5, 3], {"gain": 2.0}),
    ("xavier_normal_", [4, 5], {}),
    ("kaiming_uniform_", [4, 5], {}),
    ("kaiming_uniform_", [4, 5], {"a": 5**0.5}),
    ("kaiming_uniform_", [4, 5], {"mode": "fan_out", "nonlinearity": "relu"}),
    ("kaiming_normal_", [4, 5], {}),
    ("kaiming_normal_", [4, 5, 3], {"mode": "fan_out", "nonlinearity": "relu"}),
    ("trunc_normal_", [4, 5], {}),
    ("trunc_normal_", [4, 5], {"std": 0.02, "a": -0.03, "b": 0.03}),
    ("orthogonal_", [4, 5], {}),
    ("sparse_", [5, 4], {"sparsity": 0.4}),
    ("dirac_", [3, 3, 3], {}),
]
GAINS = ["linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"]


def record_init(function, shape, options):
    torch.manual_seed(0)
    tensor = getattr(nn.init, function)(torch.empty(shape), **options)
    return {"init": function, "shape": shape, "options": options, "tensor": exact(tensor), "next": exact(torch.rand(1))}


def make():
    return {
        "modules": [record_module(*case) for case in MODULES],
        "sequential": record_sequential(),
        "losses": losses(),
        "init": [record_init(*case) for case in INIT],
        "gains": {name: nn.init.calculate_gain(name) for name in GAINS},
    }


if __name__ == "__main__":
    recording.main("nn.json", make, __doc__, rounds=True)
