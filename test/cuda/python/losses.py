"""Prints the losses of the models of test/models over their first steps on a GPU as JSON, those of two runs for each."""

import importlib
import json
import sys
from pathlib import Path

import torch

sys.path.append(str(Path(__file__).resolve().parents[2] / "models" / "python"))

from task import train_step  # noqa: E402


def losses(name, steps):
    torch.manual_seed(0)
    task = importlib.import_module(name).build()
    task.model.cuda()
    return [train_step(task, [tensor.cuda() for tensor in task.batch()]).item() for _ in range(steps)]


steps = int(sys.argv[1])
print(json.dumps({name: [losses(name, steps) for _ in range(2)] for name in sys.argv[2:]}))
