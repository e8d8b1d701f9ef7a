"""LeNet: two convolutions with pooling and three linear layers, for images of 28 by 28."""

import torch
from torch import nn
from torch.nn import functional as F

from task import Task


class LeNet(nn.Module):
    def __init__(self, channels, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(1, channels, 5, padding=2)
        self.conv2 = nn.Conv2d(channels, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, classes)

    def forward(self, x):
        x = F.max_pool2d(torch.tanh(self.conv1(x)), 2)
        x = F.max_pool2d(torch.tanh(self.conv2(x)), 2)
        x = torch.tanh(self.fc1(x.flatten(1)))
        return self.fc3(torch.tanh(self.fc2(x)))


def build(size=16, channels=6, classes=10):
    model = LeNet(channels, classes)
    patterns = torch.randn(classes, 1, 28, 28)

    def batch():
        labels = torch.randint(classes, (size,))
        return patterns[labels] + torch.randn(size, 1, 28, 28), labels

    def loss(images, labels):
        return F.cross_entropy(model(images), labels)

    return Task(model, torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9), batch, loss)
