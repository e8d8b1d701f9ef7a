"""Lets PyTorch's optimizers take steps with `capturable` on the CPU, where nothing captures them: the arithmetic is the same."""

import importlib
from contextlib import contextmanager

MODULES = ("adadelta", "adam", "adamax", "asgd", "nadam", "radam", "rmsprop", "rprop")


@contextmanager
def capturable_on_cpu(wanted=True):
    modules = [importlib.import_module(f"torch.optim.{name}") for name in MODULES]
    before = [module._get_capturable_supported_devices for module in modules]
    try:
        for module in modules if wanted else ():
            module._get_capturable_supported_devices = lambda supports_xla=True: ["cpu"]
        yield
    finally:
        for module, function in zip(modules, before):
            module._get_capturable_supported_devices = function
