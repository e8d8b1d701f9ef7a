"""The reference side of `npm run test:parity:modules`: builds the modules of PyTorch's module database and of
samples.py, runs them forward and backward, and writes what they were given and what came out.

Requests are lines of JSON on standard input: {"entry": 12}. The answers go to file descriptor 3: a frame of a JSON
header and the raw bytes it points into (see frames.mjs), then one that says that the entry is done.
"""

import json
import os
import sys
import warnings

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence
from torch.testing._internal.common_modules import module_db

from describe import ModuleEncoder, is_expressible, rebuild, record_constructions, signature_of, with_floats
from encoding import as_leaves, is_differentiable, seed_everything, tensors_in, write_frame
from names import public_names
from samples import samples_of

SEED = 42
IN_PLACE = "a leaf Variable that requires grad is being used in an in-place operation"

database = {info.module_cls.__name__: info for info in module_db}
entries = sorted({*nn.modules.__all__, *database}, key=str.lower)


def inputs_of(name, training):
    """What module_db has of a class, inputs that must be refused too, and what samples.py adds."""
    seed_everything(f"{name} {training}")
    found = []
    if name in database:
        info = database[name]
        options = {"device": "cpu", "dtype": torch.float32, "requires_grad": True, "training": training}
        found += list(info.module_inputs_func(info, **options))
        for sample in found:
            # Private, and of another dtype than the input: without it both sides draw the samples themselves.
            sample.constructor_input.kwargs.pop("_random_samples", None)
        if info.module_error_inputs_func is not None:
            refused = [error.module_error_input for error in info.module_error_inputs_func(info, **options)]
            found += [sample for sample in refused if is_expressible(info.module_cls, sample.constructor_input)]
    return [*found, *samples_of(name)]


def leaves(value, made):
    if isinstance(value, PackedSequence):
        return PackedSequence(as_leaves(value.data, made), *value[1:])
    if type(value) in (list, tuple):
        return type(value)(leaves(item, made) for item in value)
    return as_leaves(value, made)


def cloned(value):
    if isinstance(value, torch.Tensor):
        return value.clone() if value.requires_grad else value
    return type(value)(map(cloned, value)) if type(value) in (list, tuple) else value


def forward(module, args, kwargs, described):
    """The output; a module that works in place gets copies of the leaves, and the description says so."""
    try:
        torch.manual_seed(SEED)
        return module(*args, **kwargs)
    except RuntimeError as error:
        if IN_PLACE not in str(error):
            raise
        described["clones"] = True
        torch.manual_seed(SEED)
        return module(*cloned(args), **kwargs)


def gradients(module, inputs, output, encoder):
    """Gradients of the inputs and of the parameters for random cotangents; None where nothing asks for any."""
    flat = list(tensors_in(output))
    chosen = [i for i, tensor in enumerate(flat) if is_differentiable(tensor)]
    parameters = {name: parameter for name, parameter in module.named_parameters() if parameter.requires_grad}
    if not chosen or not (inputs or parameters):
        return None
    generator = torch.Generator().manual_seed(SEED)
    cotangents = [torch.randn(flat[i].shape, dtype=flat[i].dtype, generator=generator) for i in chosen]
    learning = [*inputs, *parameters.values()]
    found = torch.autograd.grad([flat[i] for i in chosen], learning, cotangents, allow_unused=True)
    return {
        "outputs": chosen,
        "cotangents": [encoder.argument(tensor) for tensor in cotangents],
        "inputs": [encoder.result(tensor) for tensor in found[: len(inputs)]],
        "names": list(parameters),
        "parameters": [encoder.result(tensor) for tensor in found[len(inputs) :]],
    }


def run_sample(cls, sample, training, encoder):
    encoder.begin_sample()
    construction = sample.constructor_input
    described = {"desc": sample.desc, "training": training}
    given, options = with_floats(signature_of(cls), construction.args, construction.kwargs)
    described["construction"] = encoder.construction(cls, given, options)
    stage = "construction"
    try:
        torch.manual_seed(SEED)
        module = cls(*map(rebuild, given), **{key: rebuild(value) for key, value in options.items()})
        module.train(training)
        described["repr"] = repr(module)
        described["state"] = encoder.state(module)
        if sample.forward_input is None:
            return described
        stage = "forward"
        made = {}
        args = leaves(tuple(sample.forward_input.args), made)
        kwargs = {key: leaves(value, made) for key, value in sample.forward_input.kwargs.items()}
        inputs = list({id(t): t for t in tensors_in([args, kwargs]) if is_differentiable(t)}.values())
        described["call"] = encoder.call(cls, args, kwargs)
        output = forward(module, args, kwargs, described)
        described["output"] = encoder.result(output)
        described["gradients"] = gradients(module, inputs, output, encoder)
        described["after"] = {"repr": repr(module), "state": encoder.state(module)}
        described["random"] = encoder.result(torch.rand(4))
    except Exception as error:
        described["error"] = {"stage": stage, "message": f"{type(error).__name__}: {error}"}
    return described


def run_entry(index):
    name = entries[index]
    encoder = ModuleEncoder()
    samples = []
    header = {"entry": index, "name": name, "samples": samples}
    cls = getattr(nn, name)
    try:
        for training in (True, False):
            samples += [run_sample(cls, sample, training, encoder) for sample in inputs_of(name, training)]
    except Exception as error:
        header["failure"] = f"{type(error).__name__}: {error}"
    return header, encoder


def main():
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    stream = os.fdopen(3, "wb")
    if "--list" in sys.argv:
        listed = [{"name": name, "database": name in database} for name in entries]
        write_frame(stream, {"entries": listed, "names": public_names()})
        return
    record_constructions()
    for line in sys.stdin:
        index = json.loads(line)["entry"]
        write_frame(stream, *run_entry(index))
        write_frame(stream, {"entry": index, "done": True})


main()
