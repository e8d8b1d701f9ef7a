"""Trains the named models, and goes on with what aiforge saved of them in a folder; prints losses and weights as JSON.

Losses are numbers, which JSON keeps exactly, weights the hashes of their bytes. In the folder are left, for aiforge to
go on with: `NAME.python.pt` by torch.save, and `NAME.python.safetensors` with the weights alone.
"""

import hashlib
import importlib
import json
import struct
import sys
from pathlib import Path

import torch

from task import train_step

STEPS, BEFORE, AFTER = 100, 10, 10


def build(name):
    torch.manual_seed(0)
    return importlib.import_module(name).build()


def train(task, steps):
    return [train_step(task, task.batch()).item() for _ in range(steps)]


def hashes(task):
    state = task.model.state_dict()
    return {name: hashlib.sha256(tensor.contiguous().numpy().tobytes()).hexdigest() for name, tensor in state.items()}


@torch.no_grad()
def evaluate(task):
    task.model.eval()
    loss = task.loss(*task.batch()).item()
    task.model.train()
    return loss


def go_on(task):
    torch.manual_seed(1)
    return {"losses": train(task, AFTER), "weights": hashes(task)}


def write_safetensors(file, tensors):
    header, blob = {}, b""
    for name, tensor in tensors.items():
        data = tensor.contiguous().numpy().tobytes()
        dtype = {torch.float32: "F32", torch.int64: "I64"}[tensor.dtype]
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [len(blob), len(blob) + len(data)]}
        blob += data
    text = json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text + blob)


def run(name, folder):
    task = build(name)
    result = {"losses": train(task, STEPS), "weights": hashes(task), "evaluation": evaluate(task)}
    task = build(name)
    train(task, BEFORE)
    model, optimizer = task.model.state_dict(), task.optimizer.state_dict()
    torch.save({"model": model, "optimizer": optimizer}, folder / f"{name}.python.pt")
    write_safetensors(folder / f"{name}.python.safetensors", model)
    result["python"] = go_on(task)
    task = build(name)
    saved = torch.load(folder / f"{name}.aiforge.pt")
    task.model.load_state_dict(saved["model"])
    task.optimizer.load_state_dict(saved["optimizer"])
    result["aiforge"] = go_on(task)
    return result


torch.set_num_threads(1)
print(json.dumps({name: run(name, Path(sys.argv[1])) for name in sys.argv[2:]}))
