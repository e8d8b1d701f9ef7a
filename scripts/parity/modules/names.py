"""The public names of the namespaces that aiforge follows."""

import importlib
import inspect

NAMESPACES = [
    "torch.nn",
    "torch.nn.functional",
    "torch.nn.init",
    "torch.nn.utils",
    "torch.nn.utils.rnn",
    "torch.nn.utils.parametrize",
    "torch.nn.utils.parametrizations",
    "torch.nn.utils.prune",
    "torch.nn.utils.stateless",
    "torch.optim",
    "torch.optim.lr_scheduler",
    "torch.optim.swa_utils",
]


def is_own(module, name):
    """Whether a module without `__all__` means a name to be used: neither private nor imported for itself."""
    value = getattr(module, name)
    if name.startswith("_") or inspect.ismodule(value) or not callable(value):
        return False
    # Builtins such as F.linear say nothing, or the addon, of where they come from.
    origin = getattr(value, "__module__", None)
    internal = ("torch._jit_internal", "torch.overrides", "torch.types")
    return origin is None or (origin.startswith("torch") and not origin.startswith(internal))


def names_of(namespace):
    module = importlib.import_module(namespace)
    names = getattr(module, "__all__", None) or [name for name in dir(module) if is_own(module, name)]
    return sorted(name for name in names if not inspect.ismodule(getattr(module, name)))


def public_names():
    return {namespace: names_of(namespace) for namespace in NAMESPACES}


if __name__ == "__main__":
    for namespace, names in public_names().items():
        print(namespace, len(names), *names)
