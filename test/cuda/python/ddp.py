"""Prints the hash of a model that one rank trained by DistributedDataParallel over NCCL; ../distributed.test.mts does the same."""

import hashlib
import sys

import torch
import torch.distributed as dist
from torch import nn

port = sys.argv[1]
dist.init_process_group("nccl", init_method=f"tcp://127.0.0.1:{port}", rank=0, world_size=1, device_id=torch.device("cuda:0"))
torch.manual_seed(11)
model = nn.Sequential(nn.Linear(32, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 8)).cuda()
ddp = nn.parallel.DistributedDataParallel(model, device_ids=[0], gradient_as_bucket_view=True)
optimizer = torch.optim.AdamW(ddp.parameters(), lr=0.01)
for _ in range(20):
    x = torch.randn(16, 32).cuda()
    optimizer.zero_grad()
    ddp(x).square().mean().backward()
    optimizer.step()
state = torch.cat([tensor.detach().double().flatten() for tensor in model.state_dict().values()])
print(hashlib.sha256(state.cpu().numpy().tobytes()).hexdigest())
dist.destroy_process_group()
