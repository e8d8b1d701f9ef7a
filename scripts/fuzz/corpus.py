"""Records calls that LibTorch accepts, for the fuzzer to start from: corpus.py corpus.jsonl.

Runs PyTorch's operator database and its gradients, and keeps for every operator of the dispatcher the two smallest calls
as descriptions of their arguments (scripts/fuzz/describe.mjs has the format).
"""

import json
import sys
import warnings

import torch
from torch.testing._internal.common_methods_invocations import op_db
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

warnings.simplefilter("ignore")
KEPT = 2
MOST_TEXT = 1500
SAMPLES = 10
calls = {}


class NotPlain(Exception):
    """An argument that the fuzzer has no description of."""


def dtype_name(dtype):
    return str(dtype).removeprefix("torch.")


def tensor(value):
    if type(value) not in (torch.Tensor, torch.nn.Parameter) or value.device.type != "cpu":
        raise NotPlain
    result = {"k": "tensor", "dtype": dtype_name(value.dtype), "shape": list(value.shape)}
    if value.numel() > 100_000:
        raise NotPlain
    if value.layout != torch.strided:
        return result | {"form": dtype_name(value.layout)}
    if value.is_quantized:
        return result | {"form": "quantized"}
    if value.dtype in (torch.bool, torch.uint8, torch.int32, torch.int64) and value.numel() > 0:
        numbers = value.flatten().to(torch.int64)
        if value.numel() <= 16:
            return result | {"fill": "data", "data": numbers.tolist()}
        return result | {"fill": "ints", "low": int(numbers.min()), "high": int(numbers.max())}
    return result


def describe(value):
    if value is None:
        return {"k": "null"}
    if isinstance(value, torch.Tensor):
        return tensor(value)
    if isinstance(value, bool):
        return {"k": "bool", "v": value}
    if isinstance(value, int):
        return {"k": "num", "v": value} if abs(value) < 2**53 else {"k": "big", "v": str(value)}
    if isinstance(value, float):
        return {"k": "num", "v": value if abs(value) < 1e300 else repr(value)}
    if isinstance(value, complex):
        return {"k": "complex", "re": value.real, "im": value.imag}
    if isinstance(value, (torch.dtype, torch.layout, torch.memory_format)):
        return {"k": "str", "v": dtype_name(value)}
    if isinstance(value, (torch.device, str)):
        return {"k": "str", "v": str(value)}
    if isinstance(value, (list, tuple)):
        items = [describe(item) for item in value]
        tensors = any(item["k"] == "tensor" for item in items)
        return {"k": "tensors" if tensors else "list", "v": items}
    raise NotPlain


def record(overload, args, kwargs):
    schema = overload._schema
    if not schema.name.startswith("aten::"):
        return
    name = schema.name.removeprefix("aten::") + (f".{schema.overload_name}" if schema.overload_name else "")
    try:
        given = list(args) + [None] * (len(schema.arguments) - len(args))
        filled = []
        for argument, value, i in zip(schema.arguments, given, range(len(given))):
            if i >= len(args):
                if argument.name not in kwargs:
                    filled.append({"k": "undef"})
                    continue
                value = kwargs[argument.name]
            filled.append(describe(value))
    except (NotPlain, RuntimeError):
        return
    text = json.dumps(filled)
    if len(text) > MOST_TEXT:
        return
    kept = calls.setdefault(name, [])
    if text not in kept:
        kept.append(text)
        kept.sort(key=len)
        # Calls on empty tensors are short and say little: those with elements come first.
        kept.sort(key=lambda call: "[0" in call or ", 0" in call)
        del kept[KEPT:]


class Recorder(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        record(func, args, kwargs or {})
        return func(*args, **(kwargs or {}))


def overloads_of(name):
    packet = getattr(torch.ops.aten, name, None)
    if packet is None:
        return []
    return [getattr(packet, overload) for overload in packet.overloads()]


def try_directly(name, sample):
    """Operators that are made of others are not seen by the recorder: whatever takes the sample is kept."""
    for candidate in (name, name + "_", "_" + name):
        for overload in overloads_of(candidate):
            given = [a.detach().clone() if isinstance(a, torch.Tensor) else a for a in (sample.input, *sample.args)]
            try:
                overload(*given, **sample.kwargs)
            except Exception:
                continue
            record(overload, (sample.input, *sample.args), sample.kwargs)


def backward(result):
    outputs = [t for t in tree_flatten(result)[0] if isinstance(t, torch.Tensor) and t.requires_grad]
    if outputs:
        torch.autograd.backward(outputs, [torch.ones_like(t) for t in outputs])


def run(op):
    dtype = torch.float32
    if dtype not in op.supported_dtypes("cpu"):
        supported = [d for d in (torch.int64, torch.bool) if d in op.supported_dtypes("cpu")]
        if not supported:
            return
        dtype = supported[0]
    grads = op.supports_autograd and dtype == torch.float32
    for i, sample in enumerate(op.sample_inputs("cpu", dtype, requires_grad=grads)):
        if i >= SAMPLES:
            break
        try:
            with Recorder():
                backward(op(sample.input, *sample.args, **sample.kwargs))
            with torch.no_grad():
                for name in {op.aten_name, op.name.split(".")[-1], op.name.replace(".", "_")}:
                    try_directly(name, sample)
        except Exception:
            continue


torch.set_num_threads(1)
for op in op_db:
    try:
        run(op)
    except Exception as error:
        print(op.name, error, file=sys.stderr)
with open(sys.argv[1], "w") as file:
    for name in sorted(calls):
        line = [name, [json.loads(call) for call in calls[name]]]
        file.write(json.dumps(line, separators=(",", ":")) + "\n")
print(len(calls), "operators", file=sys.stderr)
