"""Writes python-names.json: what Python's torch calls each operator, in which order it tries the overloads, and which
operators are no part of its public interface.

Run with a Python that has torch and PyYAML:  python scripts/operators/python_names.py
The order comes from torchgen, which the wheel has and which made PyTorch's own argument parsers.
"""

import inspect
import json
import re
from collections import defaultdict
from pathlib import Path

import torch
import torchgen
from torchgen.gen import parse_native_yaml
from torchgen.packaged.autograd import gen_python_functions as bindings

PACKAGED = Path(torchgen.__file__).parent / "packaged"
NAMESPACES = {
    "torch": (torch._C._VariableFunctions, bindings.is_py_torch_function),
    "Tensor": (torch.Tensor, bindings.is_py_variable_method),
    "linalg": (torch._C._linalg, bindings.is_py_linalg_function),
    "fft": (torch._C._fft, bindings.is_py_fft_function),
    "special": (torch._C._special, bindings.is_py_special_function),
    "nn": (torch._C._nn, bindings.is_py_nn_function),
}


def overload_name(function):
    return function.func.name.overload_name or "default"


def is_public(name, owner):
    return not name.startswith("_") and hasattr(owner, name)


def ordered(functions, namespace, owner, predicate):
    """The overloads of each public name, as Python's parser tries them: `overload|its out variant`."""
    deprecated = str(PACKAGED / "autograd" / "deprecated.yaml")
    bound = [f for f in functions if bindings.should_generate_py_binding(f)]
    pairs = bindings.load_signatures(bound, deprecated, method=namespace == "Tensor")
    result = {}
    for base, group in bindings.group_filter_overloads(pairs, predicate).items():
        if not is_public(str(base), owner):
            continue
        names = []
        for entry in bindings.group_overloads(group):
            if entry.signature.deprecated:
                continue
            name = overload_name(entry.base)
            names.append(name if entry.outplace is None else f"{name}|{overload_name(entry.outplace)}")
        result[str(base)] = " ".join(names)
    return result


def by_hand(functions, known, owner, predicate):
    """Names whose parsers PyTorch writes by hand: their overloads in the order of the schemas."""
    groups = defaultdict(list)
    for function in functions:
        base = str(function.func.name.name)
        if base in known or not is_public(base, owner) or not predicate(function):
            continue
        if not function.func.arguments.out and callable(getattr(owner, base)):
            groups[base].append(overload_name(function))
    return {base: " ".join(names) for base, names in groups.items()}


def is_function(owner, name):
    value = getattr(owner, name)
    return callable(value) and not inspect.isclass(value) and not inspect.ismodule(value)


def public_names(namespace):
    owner = torch if namespace == "torch" else getattr(torch, namespace)
    names = [name for name in dir(owner) if not name.startswith("_")]
    if namespace == "Tensor":
        return names
    exported = getattr(owner, "__all__", names) if namespace != "torch" else names
    own = [n for n in exported if is_function(owner, n)]
    # What a module imported from elsewhere for itself is no name of its own.
    foreign = re.compile(r"^(typing|builtins|functools|torch\._(?!C|VF|tensor|functional|lowrank|lobpcg|jit|compile|ops))")
    return [n for n in own if not foreign.match(getattr(getattr(owner, n), "__module__", None) or "")]


# Where a user of Python meets an operator; `torch._C._nn` is behind torch.nn.functional.
PLACES = {
    "": torch,
    "Tensor.": torch.Tensor,
    "nn.functional.": torch.nn.functional,
    "linalg.": torch.linalg,
    "fft.": torch.fft,
    "special.": torch.special,
    "sparse.": torch.sparse,
}
# Torch has these without an underscore, but they are steps of others and parts of one backend.
STEPS = re.compile(r"_backward|^(mkldnn|cudnn|miopen|quantized|fbgemm|mps)_")


def place_of(base):
    """Where an operator's base name is public, such as `linalg.eigh`, or None."""
    for place, owner in PLACES.items():
        prefix = place.rstrip(".") + "_"
        for name in {base, base.removeprefix(prefix)}:
            if is_public(name, owner):
                return place + name
    return None


def is_public_operator(base):
    # The forms in place and not are one function.
    forms = (base, base + "_", base.removesuffix("_"))
    return not base.startswith("_") and not STEPS.search(base) and any(map(place_of, forms))


def public_form(base):
    """The public function that an inner operator is a step of, as far as its name tells, or None."""
    steps = r"^(native|slow|thnn|nnpack|mkldnn|cudnn|miopen|quantized|fbgemm|mps|fused|sparse)_+|^_+"
    ends = r"_(backward|forward|impl|helper|nd|data|input|weights?|with_indices|for_cpu|functional|legit)\w*$"
    name = re.sub(r"^_*upsample_\w+", "interpolate", base)
    while not (is_public_operator(name) and place_of(name)):
        shorter = re.sub(steps, "", name) if re.search(steps, name) else re.sub(ends, "", name)
        if shorter in (name, ""):
            return None
        name = shorter
    return place_of(name)


def operators():
    names = (name for name in torch._C._dispatch_get_all_op_names() if name.startswith("aten::"))
    bases = sorted({name.removeprefix("aten::").split(".")[0] for name in names})
    public = [base for base in bases if is_public_operator(base)]
    inner = {base: public_form(base) for base in bases if base not in public}
    print(len(bases), "operators,", len(public), "of them public")
    return {"public": " ".join(public), "inner": inner}


def main():
    native = PACKAGED / "ATen" / "native"
    yaml = parse_native_yaml(str(native / "native_functions.yaml"), str(native / "tags.yaml"))
    functions = [f for f in yaml.native_functions]
    result = {"version": torch.__version__.split("+")[0], "overloads": {}, "public": {}}
    for namespace, (owner, predicate) in NAMESPACES.items():
        names = ordered(functions, namespace, owner, predicate)
        names.update(by_hand(functions, names, owner, predicate))
        result["overloads"][namespace] = dict(sorted(names.items()))
        if namespace != "nn":
            result["public"][namespace] = sorted(public_names(namespace))
    result["operators"] = operators()
    path = Path(__file__).parent / "python-names.json"
    path.write_text(json.dumps(result, indent=2) + "\n")
    print({name: len(entries) for name, entries in result["overloads"].items()})


if __name__ == "__main__":
    main()
