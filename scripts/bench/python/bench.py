"""PyTorch's side of the benchmark: one long-lived process that times a row whenever it is asked to.

A request is a line of JSON on standard input, the answer one on standard output:

    {"row": "add2x2", "threads": 1, "rounds": 200}
    {"row": "add2x2", "threads": 1, "rounds": 200, "ns": 1230.5, "torch": "2.13.0+cpu"}

`ns` is the median over `rounds` of the time of one iteration; a row of nanoseconds runs many iterations a round, so that
the clock costs nothing. Rows: see `ROWS`. A request that cannot be met is answered with
`{"error": "..."}`. The process ends with its input. `import torch` is timed by `import_torch.py`, in a process of its own.
"""

import gc
import json
import statistics
import sys
import time

import torch
from torch import nn

from conversions import CONVERSIONS
from data import DATA
from device import settle, there
from gpu import GPU
from models import Transformer, mlp
from operators import operators
from optimizers import OPTIMIZERS
from training import TRAINING


def add2x2():
    a, b = there(torch.randn(2, 2), torch.randn(2, 2))
    return lambda: torch.add(a, b)


def training_step(model, loss_fn, optimizer, inputs, targets):
    def step():
        optimizer.zero_grad()
        loss = loss_fn(model(inputs), targets)
        loss.backward()
        optimizer.step()

    return step


def mlp_step():
    """Batch 32, 64 inputs, mean squared error, fused AdamW with the default learning rate."""
    model = mlp()
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    return training_step(model, nn.MSELoss(), optimizer, torch.randn(32, 64), torch.randn(32, 64))


def transformer_step():
    """Batch 8, length 128, cross entropy, Adam with the default implementation, in training mode."""
    model = Transformer().train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    inputs, targets = torch.randint(1, 5000, (8, 128)), torch.randint(0, 2, (8,))
    return training_step(model, nn.CrossEntropyLoss(), optimizer, inputs, targets)


# row: how it is built, iterations a round, iterations before the first round of the process
ROWS = {
    "add2x2": (add2x2, 100_000, 1_000_000),
    "mlp_step": (mlp_step, 10, 300),
    "transformer_step": (transformer_step, 1, 10),
    **CONVERSIONS,
    **DATA,
    **OPTIMIZERS,
    **TRAINING,
    **GPU,
    **{f"op_{name}": (lambda call=call: call, 1000, 5000) for name, call in operators().items()},
}

prepared = {}


def prepare(row):
    """Builds and warms a row once; later requests go on with the same tensors, model and optimizer state."""
    if row not in prepared:
        build, _, warm_up = ROWS[row]
        torch.manual_seed(0)
        prepared[row] = build()
        for _ in range(warm_up):
            prepared[row]()
    return prepared[row]


def measure(row, threads, rounds):
    torch.set_num_threads(threads)
    iterate = prepare(row)
    iterations = ROWS[row][1]
    iterate()
    times = []
    gc.collect()
    for _ in range(rounds):
        begin = time.perf_counter_ns()
        for _ in range(iterations):
            iterate()
        settle()
        times.append((time.perf_counter_ns() - begin) / iterations)
    return statistics.median(times)


def answer(line):
    try:
        request = json.loads(line)
        row, threads, rounds = request["row"], int(request.get("threads", 1)), int(request["rounds"])
        if row not in ROWS:
            return {"error": f"unknown row {row!r}; known: {', '.join(ROWS)}"}
        if threads < 1 or rounds < 1:
            return {"error": f"threads and rounds must be at least 1, got {threads} and {rounds}"}
    except (ValueError, KeyError, TypeError) as error:
        return {"error": f"not a request: {error!r}; expected {{'row', 'threads', 'rounds'}}"}
    ns = measure(row, threads, rounds)
    return {"row": row, "threads": threads, "rounds": rounds, "ns": ns, "torch": torch.__version__}


def main():
    for line in sys.stdin:
        if line.strip():
            print(json.dumps(answer(line)), flush=True)


if __name__ == "__main__":
    main()
