"""Two ranks that time collectives, steps of DistributedDataParallel and a store, as node/ranks.mjs does."""

import json
import os
import socket
import subprocess
import sys
import time

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

FIRST = "RANK" not in os.environ
peer = None
if FIRST:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    os.environ.update(RANK="0", WORLD_SIZE="2", MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    environment = {**os.environ, "RANK": "1"}
    peer = subprocess.Popen(
        [sys.executable, __file__], env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
torch.set_num_threads(1)
dist.init_process_group("gloo")

WIDTHS = {"small": [300, 300, 30], "large": [2000, 2000, 2000, 1000]}


def model_of(name):
    sizes = WIDTHS[name]
    layers = [layer for a, b in zip(sizes, sizes[1:]) for layer in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers)


def step_of(name, model):
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-6)
    x = torch.randn(32, WIDTHS[name][0])

    def step():
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()

    return step


def maximum(count):
    tensor = torch.ones(count)
    return lambda: dist.all_reduce(tensor, op=dist.ReduceOp.MAX)


def store_call(call):
    store = dist.TCPStore("127.0.0.1", 0, None, True)
    store.set("key", "value")
    return lambda: call(store)


ROWS = {
    "all_reduce_1kb": lambda: maximum(256),
    "all_reduce_1mb": lambda: maximum(262_144),
    "all_reduce_64mb": lambda: maximum(16_777_216),
    "ddp_step_small": lambda: step_of("small", DistributedDataParallel(model_of("small"))),
    "ddp_step_large": lambda: step_of("large", DistributedDataParallel(model_of("large"))),
}
ALONE = {
    "store_get": lambda: store_call(lambda store: store.get("key")),
    "store_add": lambda: store_call(lambda store: store.add("count", 1)),
}
prepared = {}


def measure(row, rounds):
    if row not in prepared:
        prepared[row] = (ROWS.get(row) or ALONE[row])()
    run = prepared[row]
    for _ in range(3):
        run()
    if row in ROWS:
        dist.barrier()
    start = time.perf_counter_ns()
    for _ in range(rounds):
        run()
    return (time.perf_counter_ns() - start) / rounds


for line in sys.stdin:
    request = json.loads(line)
    if FIRST and request["row"] in ROWS:
        peer.stdin.write(line)
        peer.stdin.flush()
    ns = measure(request["row"], request["rounds"])
    if FIRST:
        print(json.dumps({"ns": ns}), flush=True)
if FIRST:
    peer.stdin.close()
os._exit(0)
