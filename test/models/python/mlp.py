"""A multilayer perceptron that tells classes of points apart."""

import torch
from torch import nn
from torch.nn import functional as F

from task import Task


class MLP(nn.Module):
    def __init__(self, inputs, hidden, layers, classes):
        super().__init__()
        sizes = [inputs] + [hidden] * layers
        self.hidden = nn.ModuleList(nn.Linear(n, m) for n, m in zip(sizes[:-1], sizes[1:]))
        self.output = nn.Linear(sizes[-1], classes)

    def forward(self, x):
        for layer in self.hidden:
            x = F.relu(layer(x))
        return self.output(x)


def build(size=32, inputs=64, hidden=64, layers=3, classes=10):
    model = MLP(inputs, hidden, layers, classes)
    centers = torch.randn(classes, inputs)

    def batch():
        labels = torch.randint(classes, (size,))
        return centers[labels] + torch.randn(size, inputs), labels

    def loss(points, labels):
        return F.cross_entropy(model(points), labels)

    return Task(model, torch.optim.AdamW(model.parameters(), fused=True), batch, loss)
