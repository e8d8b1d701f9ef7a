"""Lightning's Trainer on the model and data of node/loop.mjs: ns of a step, data loading included, whenever it is asked to.

Requests and answers are those of bench.py; the only row is `lightning`. As there, losses are logged as the framework does by
default, nothing is shown, and what is written after an epoch is not counted.
"""

import json
import logging
import statistics
import sys
import tempfile
import time
import warnings

import lightning
import torch
from lightning.pytorch.loggers import CSVLogger
from torch import nn

from models import mlp

SAMPLES, WIDTH, BATCH = 6400, 64, 32

warnings.filterwarnings("ignore")
for name in ("lightning", "lightning.pytorch", "lightning.fabric"):
    logging.getLogger(name).setLevel(logging.ERROR)

generator = torch.Generator().manual_seed(0)
DATA = torch.utils.data.TensorDataset(
    torch.randn(SAMPLES, WIDTH, generator=generator), torch.randn(SAMPLES, WIDTH, generator=generator)
)


class Model(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.layers = mlp()

    def training_step(self, batch, _):
        x, y = batch
        loss = nn.functional.mse_loss(self.layers(x), y)
        self.log("train_loss", loss)
        return loss

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=1e-3, fused=True)


class Clock(lightning.Callback):
    def __init__(self):
        self.times = []

    def on_train_epoch_start(self, trainer, _):
        self.start = time.perf_counter_ns()

    def on_train_epoch_end(self, trainer, _):
        self.times.append((time.perf_counter_ns() - self.start) / trainer.num_training_batches)


def measure(threads, rounds):
    torch.set_num_threads(threads)
    lightning.seed_everything(42, verbose=False)
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        trainer = lightning.Trainer(
            max_epochs=rounds + 1,
            accelerator="cpu",
            logger=CSVLogger(folder),
            callbacks=[clock],
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
        )
        trainer.fit(Model(), torch.utils.data.DataLoader(DATA, batch_size=BATCH, shuffle=True))
    # The first epoch warms up.
    return statistics.median(clock.times[1:])


for line in sys.stdin:
    request = json.loads(line)
    ns = measure(int(request["threads"]), int(request["rounds"]))
    print(json.dumps({**request, "ns": ns, "lightning": lightning.__version__}), flush=True)
