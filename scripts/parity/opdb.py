"""The reference side of `npm run test:parity`: runs entries of PyTorch's operator database and writes what it gave them
and what came out.

Requests are lines of JSON on standard input: {"entry": 12, "first": 10, "autocast": null}. The answers go to file descriptor 3: for each
dtype a frame of a JSON header and the raw bytes it points into (see frames.mjs).
"""

import contextlib
import json
import os
import sys
import warnings

import torch
from torch.testing._internal.common_methods_invocations import op_db

from encoding import Encoder, as_leaves, is_differentiable, seed_everything, tensors_in, write_frame

DTYPES = [torch.float32, torch.float64, torch.int64, torch.complex128, torch.bool]
SEED = 42  # what op_db's own wrappers of random operators use


def entry_name(op):
    return f"{op.name}/{op.variant_test_name}" if op.variant_test_name else op.name


def autocast_to(dtype):
    return contextlib.nullcontext() if dtype is None else torch.autocast("cpu", dtype=getattr(torch, dtype))


def dtypes_of(op, autocast):
    """Those of an entry; where its operator is to cast, the one that is cast and the one that it is cast to."""
    dtypes = DTYPES if autocast is None else [torch.float32, getattr(torch, autocast)]
    return [dtype for dtype in dtypes if op.supports_dtype(dtype, "cpu")]


def gradients(outputs, inputs):
    """Gradients for random cotangents; where the loss must not depend on a gauge (eigenvectors), for the outputs themselves."""
    generator = torch.Generator().manual_seed(SEED)

    def random_like(tensor):
        return torch.randn(tensor.shape, dtype=tensor.dtype, generator=generator)

    def attempt(cotangents):
        return torch.autograd.grad(outputs, inputs, cotangents, retain_graph=True, allow_unused=True)

    dense = all(tensor.layout == torch.strided for tensor in outputs)
    cotangents = [random_like(tensor) for tensor in outputs] if dense else [tensor.detach() for tensor in outputs]
    try:
        return cotangents, attempt(cotangents)
    except RuntimeError as error:
        if "specified up to multiplication" not in str(error):
            raise
        cotangents = [tensor.detach().clone() for tensor in outputs]
        return cotangents, attempt(cotangents)


def run_function(op, sample, encoder, with_gradients, autocast):
    """What the function form gives: outputs, and for differentiable entries cotangents and gradients."""
    inputs = [t for t in tensors_in([sample.input, sample.args, sample.kwargs]) if is_differentiable(t)]
    torch.manual_seed(SEED)
    try:
        with autocast_to(autocast):
            output = op.op(sample.input, *sample.args, **sample.kwargs)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    result = {"output": encoder.result(output)}
    flat = [t for t in tensors_in(output) if isinstance(t, torch.Tensor)]
    differentiable = [i for i, tensor in enumerate(flat) if is_differentiable(tensor)]
    if not with_gradients or not inputs or not differentiable:
        return result
    try:
        cotangents, found = gradients([flat[i] for i in differentiable], inputs)
        result["gradients"] = {
            "outputs": differentiable,
            "cotangents": [encoder.argument(tensor) for tensor in cotangents],
            "values": [encoder.result(tensor) for tensor in found],
        }
    except Exception as error:
        result["gradients"] = {"outputs": differentiable, "error": f"{type(error).__name__}: {error}"}
    return result


def run_in_place(op, sample, encoder, autocast):
    """What the in-place form leaves in a copy of the input, or None where it does not take this sample."""
    if op.inplace_variant is None or sample.broadcasts_input or not isinstance(sample.input, torch.Tensor):
        return None
    torch.manual_seed(SEED)
    try:
        with torch.no_grad(), autocast_to(autocast):
            copy = sample.input.detach().clone()
            op.inplace_variant(copy, *sample.args, **sample.kwargs)
        return encoder.result(copy)
    except Exception:
        return None


def variant_name(variant):
    """The method's name; for an in-place form None stands for a function that takes `inplace=True`."""
    name = getattr(variant, "__name__", "<lambda>")
    return None if name == "<lambda>" else name


def describe(sample, encoder):
    return {
        "input": encoder.argument(sample.input),
        "args": [encoder.argument(arg) for arg in sample.args],
        "kwargs": {key: encoder.argument(value) for key, value in sample.kwargs.items()},
    }


def run_entry(index, dtype, first, autocast):
    op = op_db[index]
    name = entry_name(op)
    with_gradients = op.supports_autograd and dtype in op.supported_backward_dtypes("cpu")
    encoder = Encoder()
    samples = []
    header = {"entry": index, "name": name, "dtype": str(dtype)[6:], "samples": samples, "inPlace": variant_name(op.inplace_variant)}
    header["method"] = variant_name(op.method_variant)
    header["autocast"] = autocast
    seed_everything(f"{name} {dtype}")
    try:
        generated = iter(op.sample_inputs("cpu", dtype, requires_grad=with_gradients))
        while first is None or len(samples) < first:
            sample = next(generated, None)
            if sample is None:
                break
            made = {}
            sample.input, sample.args, sample.kwargs = (
                as_leaves(value, made) for value in (sample.input, sample.args, sample.kwargs)
            )
            encoder.begin_sample()
            described = describe(sample, encoder)
            # The entry's samples must not depend on how much randomness its operator consumes.
            state = torch.get_rng_state()
            in_place = run_in_place(op, sample, encoder, autocast)
            described.update(run_function(op, sample, encoder, with_gradients, autocast))
            if in_place is not None:
                described["inPlaceOutput"] = in_place
            torch.set_rng_state(state)
            samples.append(described)
    except Exception as error:
        header["failure"] = f"{type(error).__name__}: {error}"
    return header, encoder


def run_errors(index):
    """The inputs that op_db expects to be refused, with what Python says of them."""
    op = op_db[index]
    encoder = Encoder()
    samples = []
    header = {"entry": index, "name": entry_name(op), "errors": True, "samples": samples}
    if op.error_inputs_func is None:
        return header, encoder
    seed_everything(f"{entry_name(op)} errors")
    # All are described before the first is run, which may change tensors that another one has.
    wrong = [error.sample_input for error in op.error_inputs("cpu")]
    described = []
    for sample in wrong:
        encoder.begin_sample()
        described.append(describe(sample, encoder))
    for sample, description in zip(wrong, described):
        try:
            op.op(sample.input, *sample.args, **sample.kwargs)
        except Exception as error:
            samples.append({**description, "error": f"{type(error).__name__}: {error}"})
    return header, encoder


def main():
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    stream = os.fdopen(3, "wb")
    if "--list" in sys.argv:
        entries = [
            {"name": entry_name(op), "dtypes": [str(d)[6:] for d in DTYPES if op.supports_dtype(d, "cpu")]}
            for op in op_db
        ]
        names = {name.removeprefix("aten::").split(".")[0] for name in torch._C._dispatch_get_all_op_names()}
        write_frame(stream, {"entries": entries, "operators": sorted(names)})
        return
    for line in sys.stdin:
        request = json.loads(line)
        index, autocast = request["entry"], request["autocast"]
        for dtype in dtypes_of(op_db[index], autocast):
            write_frame(stream, *run_entry(index, dtype, request["first"], autocast))
        if autocast is None:
            write_frame(stream, *run_errors(index))
        write_frame(stream, {"entry": request["entry"], "done": True})


main()
