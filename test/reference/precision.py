"""Trains as a run of the framework does in a smaller dtype on the CPU, and prints what it recorded; ../core/precisionInPython.test.mts does
the same. One argument: the settings, as JSON."""

import json
import sys

import torch
from torch import nn
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

settings = json.loads(sys.argv[1])
dtype = getattr(torch, settings["precision"])
accumulate = settings["accumulationSteps"]

index = torch.arange(64)
x = ((index[:, None] * 7 + torch.arange(6) * 13) % 17).float() / 8 - 1
y = (index * 5) % 3
train, val = (TensorDataset(x[part], y[part]) for part in (slice(0, 48), slice(48, 64)))

torch.manual_seed(42)
model = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 3))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 4, gamma=0.5)
scaler = torch.amp.GradScaler("cpu", enabled=dtype == torch.float16)
sampler = DistributedSampler(train, num_replicas=1, rank=0, seed=42)
loader = DataLoader(train, batch_size=8, sampler=sampler)


def loss_of(batch):
    with torch.autocast("cpu", dtype=dtype):
        return nn.functional.cross_entropy(model(batch[0]), batch[1]) * 8


steps, rates, validations = [], [], []
for epoch in range(3):
    model.train()
    sampler.set_epoch(epoch)
    window = []
    for batch in loader:
        loss = loss_of(batch)
        window.append(loss.item())
        scaler.scale(loss).backward()
        if len(window) < accumulate:
            continue
        if accumulate > 1:
            torch._foreach_mul_([parameter.grad for parameter in model.parameters()], 1 / accumulate)
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), settings["gradClipNorm"])
        before = scaler.get_scale()
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()
        if scaler.get_scale() >= before:
            steps.append(sum(window) / len(window))
            rates.append(scheduler.get_last_lr()[0])
            scheduler.step()
        window = []
    model.eval()
    with torch.no_grad():
        losses = [loss_of(batch).item() * 8 for batch in DataLoader(val, batch_size=8)]
    validations.append(sum(losses) / 16)

weights = [parameter.double().flatten().tolist() for parameter in model.parameters()]
print(json.dumps({"steps": steps, "rates": rates, "validations": validations, "weights": weights, "scale": scaler.get_scale()}))
