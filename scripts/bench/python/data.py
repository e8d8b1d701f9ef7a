"""Batches of data, and files, as node/data.mjs has them."""

import atexit
import os
import shutil
import tempfile

import torch
from torch.utils.data import DataLoader, TensorDataset


def epoch(width, shuffle):
    rows = TensorDataset(torch.randn(60000, width), torch.randint(0, 10, (60000,)))
    loader = DataLoader(rows, batch_size=64, shuffle=shuffle)

    def iterate():
        count = sum(x.shape[0] for x, _ in loader)
        if count != 60000:
            raise RuntimeError(f"the pass had {count} rows")

    return iterate


def weights():
    return {f"layer{i}.weight": torch.randn(6250, 1000) for i in range(20)}


def file():
    folder = tempfile.mkdtemp(prefix="aiforge-bench-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return os.path.join(folder, "weights.pt")


def saving():
    path, state = file(), weights()
    return lambda: torch.save(state, path)


def loading():
    path = file()
    torch.save(weights(), path)
    return lambda: torch.load(path)


# row: how it is built, iterations a round, iterations before the first round of the process
DATA = {
    "epoch_wide": (lambda: epoch(784, False), 1, 3),
    "epoch_wide_shuffled": (lambda: epoch(784, True), 1, 3),
    "epoch_narrow": (lambda: epoch(32, False), 1, 3),
    "epoch_narrow_shuffled": (lambda: epoch(32, True), 1, 3),
    "save_500mb": (saving, 1, 2),
    "load_500mb": (loading, 1, 2),
}
