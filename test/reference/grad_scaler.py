"""Trains with torch.amp.GradScaler on the CPU: `run CASES` prints what each step gave and where the training led; `begin CASES
FOLDER` saves it halfway, and `go_on CASES FOLDER` takes the other half with what is saved there. CASES: names and settings, as JSON."""

import json
import sys
import warnings
from pathlib import Path

import torch
from torch import nn

from recording import exact


class Model(nn.Module):
    def __init__(self, sparse):
        super().__init__()
        self.embedding = nn.Embedding(10, 6, sparse=sparse)
        self.hidden = nn.Linear(6, 8)
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        return self.head(torch.tanh(self.hidden(self.embedding(x))))


class Training:
    def __init__(self, case):
        torch.manual_seed(0)
        self.case = case
        self.model = Model(case.get("sparse", False))
        parts = [[*self.model.embedding.parameters(), *self.model.hidden.parameters()], [*self.model.head.parameters()]]
        parts = parts if case.get("several", False) else [[*parts[0], *parts[1]]]
        make = getattr(torch.optim, case["optimizer"])
        self.optimizers = [make(part, **case["options"]) for part in parts]
        self.scaler = torch.amp.GradScaler("cpu", **case["scaler"])

    def loss(self, step, i):
        x = (torch.arange(12) * (step + 3) + i) % 10
        target = torch.linspace(-1, 1, 24).reshape(12, 2) * (step % 3 + 1)
        with torch.autocast("cpu", dtype=getattr(torch, self.case["dtype"])):
            loss = nn.functional.mse_loss(self.model(x), target)
        return loss * float("inf") if step in self.case["infinite"] else loss

    def step(self, step):
        case, scaler = self.case, self.scaler
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        losses = [self.loss(step, i) / case["accumulate"] for i in range(case["accumulate"])]
        for loss in losses:
            scaler.scale(loss).backward()
        if case["clip"] is not None:
            for optimizer in self.optimizers:
                scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(self.model.parameters(), case["clip"])
        for optimizer in self.optimizers:
            scaler.step(optimizer)
        scaler.update()
        gradient = self.model.head.weight.grad
        finite = bool(gradient.isfinite().all())
        # The bits of NaN differ by processor.
        return [exact(losses[0]) if finite else "not finite", exact(gradient) if finite else "not finite", scaler.get_scale()]

    def take(self, first, last):
        steps = [self.step(step) for step in range(first, last)]
        parameters = [exact(parameter) for parameter in self.model.parameters()]
        return {"steps": steps, "parameters": parameters, "scaler": self.scaler.state_dict()}

    def save(self, file):
        states = [optimizer.state_dict() for optimizer in self.optimizers]
        torch.save({"model": dict(self.model.state_dict()), "optimizers": states, "scaler": self.scaler.state_dict()}, file)

    def load(self, file):
        saved = torch.load(file)
        self.model.load_state_dict(saved["model"])
        for optimizer, state in zip(self.optimizers, saved["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        self.scaler.load_state_dict(saved["scaler"])


def main(action, cases, folder=None):
    results = {}
    for name, case in json.loads(cases):
        training, half = Training(case), case["steps"] // 2
        if action == "begin":
            training.take(0, half)
            training.save(Path(folder) / f"{name}.pt")
        if action == "go_on":
            training.load(Path(folder) / f"{name}.pt")
        results[name] = training.take(0 if action == "run" else half, case["steps"])
    print(json.dumps(results))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    main(*sys.argv[1:])
