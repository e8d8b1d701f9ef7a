"""Prints the hashes of what operators, generators and layers give on a GPU, as JSON; ../python.test.mts has the same."""

import hashlib
import json

import torch
from torch import nn
from torch.nn import functional as F


def hash_of(tensor):
    return hashlib.sha256(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()).hexdigest()


def random():
    torch.manual_seed(7)
    ones = torch.ones(1000, device="cuda")
    return {
        "randn": torch.randn(1000, device="cuda"),
        "rand": torch.rand(1000, device="cuda"),
        "randint": torch.randint(100, (1000,), device="cuda"),
        "randperm": torch.randperm(1000, device="cuda"),
        "dropout": F.dropout(ones, 0.5),
        "bernoulli": (ones * 0.3).bernoulli(),
        "multinomial": ones.multinomial(10),
        "normal_": torch.empty(1000, device="cuda").normal_(1, 2),
    }


def operators():
    torch.manual_seed(3)
    a, b = torch.randn(256, 256).cuda(), torch.randn(256, 256).cuda()
    image, kernel = torch.randn(8, 3, 32, 32).cuda(), torch.randn(16, 3, 3, 3).cuda()
    q = torch.randn(2, 4, 64, 32).cuda()
    half = q.bfloat16()
    return {
        "matmul": a @ b,
        "matmul in bfloat16": a.bfloat16() @ b.bfloat16(),
        "sum": a.sum(),
        "softmax": a.softmax(1),
        "layer_norm": F.layer_norm(a, [256]),
        "gelu": F.gelu(a),
        "cumsum": a.cumsum(1),
        "sort": a.sort(1)[0],
        "std": a.std(0),
        "logsumexp": a.logsumexp(1),
        "conv2d": F.conv2d(image, kernel, padding=1),
        "max_pool2d": F.max_pool2d(image, 2),
        "interpolate": F.interpolate(image, scale_factor=2.0, mode="bilinear"),
        "attention": F.scaled_dot_product_attention(q, q, q, is_causal=True),
        "attention in bfloat16": F.scaled_dot_product_attention(half, half, half, is_causal=True),
        "fft": torch.fft.rfft(a).abs(),
        "svdvals": torch.linalg.svdvals(a),
        "solve": torch.linalg.solve(a, b),
        "i1": torch.special.i1(a),
    }


def layers():
    torch.manual_seed(4)
    conv, norm, lstm, linear = nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.LSTM(16, 32, 2), nn.Linear(64, 64)
    image, sequence, x = torch.randn(8, 3, 32, 32).cuda(), torch.randn(10, 4, 16).cuda(), torch.randn(32, 64).cuda()
    for module in (conv, norm, lstm, linear):
        module.cuda()
    convolved = norm(conv(image)).relu()
    convolved.square().mean().backward()
    sequences, _ = lstm(sequence)
    sequences.square().sum().backward()
    with torch.autocast("cuda", dtype=torch.bfloat16):
        cast = linear(x)
    cast.float().square().sum().backward()
    return {
        "conv and batch norm": convolved,
        "gradient of conv": conv.weight.grad,
        "running variance": norm.running_var,
        "lstm": sequences,
        "gradient of lstm": lstm.weight_ih_l0.grad,
        "linear under autocast": cast,
        "its gradient": linear.weight.grad,
    }


def autocast():
    torch.manual_seed(5)
    a, b = torch.randn(64, 64).cuda(), torch.randn(64, 64).cuda()
    image, kernel = torch.randn(2, 3, 16, 16).cuda(), torch.randn(8, 3, 3, 3).cuda()
    target = a.argmax(1)
    results = {}
    for dtype in (torch.float16, torch.bfloat16):
        with torch.autocast("cuda", dtype=dtype):
            low = a @ b
            each = {
                "matmul": low,
                "conv2d": F.conv2d(image, kernel),
                "linear": F.linear(a, b),
                "baddbmm": torch.baddbmm(a[None], a[None], b[None]),
                "einsum": torch.einsum("ij,kj->ik", a, b),
                "softmax": low.softmax(1),
                "exp": low.mul(0.01).exp(),
                "pow": low.pow(2),
                "sum": low.sum(),
                "layer_norm": F.layer_norm(low, [64]),
                "cross_entropy": F.cross_entropy(low, target),
                "cat": torch.cat([low, a]),
                "addcmul": torch.addcmul(low, a, b),
                "attention": F.scaled_dot_product_attention(a.view(1, 4, 16, 64), a.view(1, 4, 16, 64), a.view(1, 4, 16, 64)),
                "gelu": F.gelu(low),
                "norm": low.norm(),
            }
        results.update({f"{name} in {str(dtype)[6:]}, {str(value.dtype)[6:]}": value for name, value in each.items()})
    return results


def mixed(make, dtype, scaled):
    torch.manual_seed(42)
    model = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.LayerNorm(256), nn.Linear(256, 10)).cuda()
    x = torch.randn(512, 64)
    y = x.narrow(1, 0, 10).argmax(1).cuda()
    x = x.cuda()
    optimizer = make(model.parameters())
    scaler = torch.amp.GradScaler("cuda", init_scale=2.0**20, growth_interval=4, enabled=scaled)
    for _ in range(30):
        optimizer.zero_grad()
        with torch.autocast("cuda", dtype=dtype):
            loss = F.cross_entropy(model(x), y)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
    scale = torch.tensor([scaler.get_scale()], device="cuda")
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()] + [scale])


MIXED = {
    "float16 by SGD": lambda: mixed(lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9), torch.float16, True),
    "float16 by AdamW": lambda: mixed(lambda p: torch.optim.AdamW(p), torch.float16, True),
    "float16 by AdamW, fused": lambda: mixed(lambda p: torch.optim.AdamW(p, fused=True), torch.float16, True),
    "bfloat16 by AdamW": lambda: mixed(lambda p: torch.optim.AdamW(p), torch.bfloat16, False),
}


def training(make):
    torch.manual_seed(42)
    model = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))
    x = torch.randn(512, 64)
    y = x.narrow(1, 0, 10).argmax(1).cuda()
    x = x.cuda()
    model.cuda()
    optimizer = make(model.parameters())
    for _ in range(50):
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


OPTIMIZERS = {
    "SGD": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
    "Adam": lambda p: torch.optim.Adam(p),
    "Adam, single": lambda p: torch.optim.Adam(p, foreach=False),
    "AdamW, fused": lambda p: torch.optim.AdamW(p, fused=True),
    "AdamW": lambda p: torch.optim.AdamW(p, amsgrad=True),
    "RMSprop": lambda p: torch.optim.RMSprop(p),
    "NAdam": lambda p: torch.optim.NAdam(p),
    "RAdam": lambda p: torch.optim.RAdam(p),
    "Adamax": lambda p: torch.optim.Adamax(p),
    "Adagrad": lambda p: torch.optim.Adagrad(p),
    "Adadelta": lambda p: torch.optim.Adadelta(p),
    "ASGD": lambda p: torch.optim.ASGD(p),
    "Rprop": lambda p: torch.optim.Rprop(p),
    "NAdam, single": lambda p: torch.optim.NAdam(p, foreach=False),
    "RAdam, single": lambda p: torch.optim.RAdam(p, foreach=False),
}

results = {f"{group.__name__}: {name}": tensor for group in (random, operators, layers, autocast) for name, tensor in group().items()}
results |= {f"training: {name}": training(make) for name, make in OPTIMIZERS.items()}
results |= {f"mixed: {name}": make() for name, make in MIXED.items()}
print(json.dumps({name: hash_of(tensor) for name, tensor in results.items()}))
