"""A variational autoencoder of binary images."""

import torch
from torch import nn
from torch.nn import functional as F

from task import Task


class VAE(nn.Module):
    def __init__(self, pixels, hidden, latent):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(pixels, hidden), nn.ReLU())
        self.mean = nn.Linear(hidden, latent)
        self.logvar = nn.Linear(hidden, latent)
        self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, pixels))

    def forward(self, x):
        h = self.encoder(x)
        mean, logvar = self.mean(h), self.logvar(h)
        z = mean + torch.randn_like(mean) * torch.exp(0.5 * logvar)
        return self.decoder(z), mean, logvar


def build(size=32, pixels=784, hidden=200, latent=20):
    model = VAE(pixels, hidden, latent)
    optimizer = torch.optim.Adam(model.parameters())
    patterns = torch.rand(10, pixels)

    def batch():
        return (torch.bernoulli(patterns[torch.randint(10, (size,))]),)

    def loss(images):
        logits, mean, logvar = model(images)
        reconstruction = F.binary_cross_entropy_with_logits(logits, images, reduction="sum")
        divergence = -0.5 * (1 + logvar - mean.square() - logvar.exp()).sum()
        return (reconstruction + divergence) / len(images)

    return Task(model, optimizer, batch, loss)
