"""The peak resident memory of a process that trains one model for a while; node/peak.mjs does the same."""

import json
import resource
import sys

import torch

from training import TRAINING

row, steps = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(1)
torch.manual_seed(0)
build, _, warm_up = TRAINING[row]
iterate = build()
for _ in range(warm_up + steps):
    iterate()
print(json.dumps({"bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
