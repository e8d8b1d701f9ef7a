"""What a model file gives: a model, its optimizer, and how batches and losses come about."""

from dataclasses import dataclass
from typing import Callable

import torch
from torch import nn


@dataclass
class Task:
    model: nn.Module
    optimizer: torch.optim.Optimizer
    batch: Callable  # draws one
    loss: Callable  # of a batch
    clip: float | None = None  # the greatest norm of the gradients


def train_step(task, batch):
    task.optimizer.zero_grad()
    loss = task.loss(*batch)
    loss.backward()
    if task.clip is not None:
        nn.utils.clip_grad_norm_(task.model.parameters(), task.clip)
    task.optimizer.step()
    return loss.detach()
