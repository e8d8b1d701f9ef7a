"""The experiment fashion_mnist in plain PyTorch: the same model, draws, schedule and averages as plugins/fashion_mnist.

    fashion_mnist.py FOLDER [--train 60000] [--val 5000] [--test 10000] [--epochs 5] [--batch-size 128] [--threads 1] [--decay 0.995]

Prints a line of JSON: the losses of each epoch, the accuracies on the validation split after each, and that on the test split.
"""

import argparse
import gzip
import json
import math
import struct
from pathlib import Path

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data.distributed import DistributedSampler

CHANNELS, SEED, RATE = (24, 48, 96), 42, 0.1


def read_idx(folder, name):
    plain = Path(folder) / name
    data = plain.read_bytes() if plain.exists() else gzip.decompress(Path(f"{plain}.gz").read_bytes())
    dimensions = data[3]
    sizes = struct.unpack(f">{dimensions}I", data[4 : 4 + 4 * dimensions])
    return torch.frombuffer(bytearray(data[4 + 4 * dimensions :]), dtype=torch.uint8).reshape(sizes)


def convolution(inputs, outputs, stride):
    return nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = convolution(inputs, outputs, stride)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = convolution(outputs, outputs, 1)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x):
        y = self.norm1(self.conv1(x)).relu()
        return (self.norm2(self.conv2(y)) + self.shortcut(x)).relu()


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        first = CHANNELS[0]
        self.stem = nn.Sequential(convolution(1, first, 2), nn.BatchNorm2d(first), nn.ReLU())
        inputs = (first, *CHANNELS[:-1])
        blocks = [Block(i, o, 1 if n == 0 else 2) for n, (i, o) in enumerate(zip(inputs, CHANNELS))]
        self.stages = nn.Sequential(*blocks)
        self.head = nn.Linear(CHANNELS[-1], 10)

    def forward(self, image):
        return self.head(self.stages(self.stem(image)).mean((2, 3)))


def read(options):
    parts = []
    for part in ("train", "t10k"):
        parts += [read_idx(options.folder, f"{part}-{kind}-ubyte") for kind in ("images-idx3", "labels-idx1")]
    images, labels, test_images, test_labels = parts
    images, labels = images[: options.train], labels[: options.train].long()
    cut = options.train - options.val
    pixels = images[:cut].long()
    mean = pixels.sum().item() / pixels.numel()
    std = math.sqrt(pixels.square().sum().item() / pixels.numel() - mean * mean)

    def scaled(given):
        return given.float().sub(mean).div(std).unsqueeze(1)

    x, test_x = scaled(images), scaled(test_images[: options.test])
    return (x[:cut], labels[:cut]), (x[cut:], labels[cut:]), (test_x, test_labels[: options.test].long())


def accuracy(model, x, y, batch_size):
    model.eval()
    with torch.no_grad():
        hits = sum((model(a).argmax(1) == b).sum().item() for a, b in zip(x.split(batch_size), y.split(batch_size)))
    return hits / len(y)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    defaults = {"train": 60000, "val": 5000, "test": 10000, "epochs": 5, "batch-size": 128, "threads": 1}
    for name, default in defaults.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--decay", type=float, default=0.995)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    train, val, test = read(options)
    torch.manual_seed(SEED)
    model = ResNet()
    decayed = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() == 1]
    groups = [{"params": decayed}, {"params": others, "weight_decay": 0}]
    optimizer = torch.optim.SGD(groups, lr=RATE, momentum=0.9, nesterov=True, weight_decay=5e-4)
    sampler = DistributedSampler(range(len(train[0])), num_replicas=1, rank=0, seed=SEED)
    loader = DataLoader(TensorDataset(*train), batch_size=options.batch_size, sampler=sampler)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=RATE, total_steps=options.epochs * len(loader), cycle_momentum=False
    )
    averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(options.decay))
    losses, accuracies, best = [], [], None
    for epoch in range(options.epochs):
        sampler.set_epoch(epoch)
        model.train()
        total = 0.0
        for x, y in loader:
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            scheduler.step()
            averaged.update_parameters(model)
            total += loss.item() * len(x)
        losses.append(total / len(train[0]))
        accuracies.append(accuracy(averaged, *val, options.batch_size))
        if accuracies[-1] == max(accuracies) and accuracies.count(accuracies[-1]) == 1:
            best = {name: value.clone() for name, value in averaged.state_dict().items()}
    averaged.load_state_dict(best)
    tested = accuracy(averaged, *test, options.batch_size)
    print(json.dumps({"train_loss": losses, "val_accuracy": accuracies, "test_accuracy": tested}))


main()
