"""Prints the hashes of what 50 capturable steps leave: of weights and state, as JSON. CASES: those of ../capturableSteps.mts."""

import hashlib
import json
import sys
import warnings
from pathlib import Path

import torch
from torch import nn

sys.path.append(str(Path(__file__).resolve().parents[2] / "reference"))

from capturable_on_cpu import capturable_on_cpu  # noqa: E402


def hash_of(tensor):
    return hashlib.sha256(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes()).hexdigest()


def train(case, device, steps):
    torch.manual_seed(42)
    model = nn.Sequential(nn.Linear(16, 32), nn.Tanh(), nn.Linear(32, 4))
    x, y = torch.randn(64, 16).to(device), torch.randn(64, 4).to(device)
    model.to(device)
    options = {**case["options"], "capturable": True}
    if "rate" in case:
        options["lr"] = torch.tensor(case["rate"], device=device)
    optimizer = getattr(torch.optim, case["optimizer"])(model.parameters(), **options)
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()
    states = [value for state in optimizer.state.values() for value in state.values()]
    return torch.cat([value.detach().float().flatten() for value in [*model.parameters(), *states]])


device, steps = sys.argv[1], int(sys.argv[2])
warnings.simplefilter("ignore")
torch.set_num_threads(1)
with capturable_on_cpu(device == "cpu"):
    print(json.dumps([hash_of(train(case, device, steps)) for case in json.loads(sys.argv[3])]))
