"""What only a GPU has, for scripts/device/bench.mjs; node/gpu.mjs has the same rows."""

import torch


def product():
    x = torch.randn(4096, 4096, device="cuda", dtype=torch.bfloat16)
    return lambda: x.matmul(x)


def upload(pinned):
    """256 MiB to the device."""
    host = torch.randn(64 * 2**20)
    source = host.pin_memory() if pinned else host
    return lambda: source.to("cuda", non_blocking=pinned)


def download():
    """16 MiB back, which is waited for."""
    x = torch.randn(4 * 2**20, device="cuda")
    return lambda: x.to("cpu")


def chain():
    """Twenty small operators, one after the other."""
    x, out = torch.randn(64, 64, device="cuda"), torch.zeros(64, 64, device="cuda")

    def work():
        y = x
        for _ in range(10):
            y = y.add(1).mul(0.5)
        out.copy_(y)

    return work


def replay():
    work = chain()
    side = torch.cuda.Stream()
    with torch.cuda.stream(side):
        work()
    side.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    return graph.replay


GPU = {
    "product": (product, 100, 100),
    "upload": (lambda: upload(False), 2, 4),
    "upload_pinned": (lambda: upload(True), 4, 8),
    "download": (download, 4, 8),
    "chain": (chain, 100, 500),
    "graph_replay": (replay, 100, 500),
}
