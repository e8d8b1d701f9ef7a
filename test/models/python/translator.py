"""A Transformer encoder and decoder that turns sequences round."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from task import Task

START = 0


class Translator(nn.Module):
    def __init__(self, vocab, dim, heads, layers, ff, length):
        super().__init__()
        self.dim = dim
        self.embedding = nn.Embedding(vocab, dim)
        self.transformer = nn.Transformer(dim, heads, layers, layers, ff, batch_first=True)
        self.output = nn.Linear(dim, vocab)
        angles = torch.outer(torch.arange(length), torch.exp(torch.arange(0, dim, 2) * (-math.log(10000) / dim)))
        self.register_buffer("positions", torch.stack([angles.sin(), angles.cos()], 2).flatten(1))
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(length))

    def embed(self, tokens):
        return self.embedding(tokens) * math.sqrt(self.dim) + self.positions

    def forward(self, source, target):
        x = self.transformer(self.embed(source), self.embed(target), tgt_mask=self.mask, tgt_is_causal=True)
        return self.output(x)


def build(size=8, vocab=100, dim=64, heads=4, layers=2, ff=128, length=16):
    model = Translator(vocab, dim, heads, layers, ff, length)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.9, 0.98), eps=1e-9)

    def batch():
        source = torch.randint(1, vocab, (size, length))
        target = source.flip(1)
        return source, F.pad(target[:, :-1], (1, 0), value=START), target

    def loss(source, shifted, target):
        return F.cross_entropy(model(source, shifted).flatten(0, 1), target.flatten(), label_smoothing=0.1)

    return Task(model, optimizer, batch, loss)
