"""Where the rows run: AIFORGE_BENCH_DEVICE, the CPU by default. node/device.mjs reads the same."""

import os

import torch

DEVICE = os.environ.get("AIFORGE_BENCH_DEVICE", "cpu")


def there(*tensors):
    return [tensor.to(DEVICE) for tensor in tensors]


def settle():
    """Waits for what the device has still to do, so that a round counts all of it."""
    if DEVICE != "cpu":
        torch.cuda.synchronize()


def moved(task):
    """A task of test/models, there."""
    task.model.to(DEVICE)
    draw = task.batch
    task.batch = lambda: there(*draw())
    return task
