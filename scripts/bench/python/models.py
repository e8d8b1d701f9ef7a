"""The two models of the benchmark, as a PyTorch user would write them."""

import torch
from torch import nn


def mlp():
    """Four linear layers of 64 with ReLU between them."""
    layers = [nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64)]
    return nn.Sequential(*layers)


class TransformerEncoder(nn.Module):
    def __init__(self, embedding_dim, num_heads, ff_dim, dropout):
        super().__init__()
        self.self_attn = nn.MultiheadAttention(embedding_dim, num_heads, dropout=dropout, batch_first=True)
        self.feed_forward = nn.Sequential(
            nn.Linear(embedding_dim, ff_dim), nn.ReLU(), nn.Dropout(dropout), nn.Linear(ff_dim, embedding_dim)
        )
        self.norm1 = nn.LayerNorm(embedding_dim)
        self.norm2 = nn.LayerNorm(embedding_dim)
        self.dropout1 = nn.Dropout(dropout)
        self.dropout2 = nn.Dropout(dropout)

    def forward(self, x):
        attn_output, _ = self.self_attn(x, x, x)
        x = self.norm1(x + self.dropout1(attn_output))
        return self.norm2(x + self.dropout2(self.feed_forward(x)))


class Transformer(nn.Module):
    """`transformer_text_plugin`: vocabulary 5000, dimension 256, 4 heads, 2 layers, feed-forward 512, 2 classes."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(5000, 256)
        self.pos_encoder = nn.Parameter(torch.randn(1, 128, 256))
        self.transformer_layers = nn.ModuleList([TransformerEncoder(256, 4, 512, 0.1) for _ in range(2)])
        self.classifier = nn.Linear(256, 2)

    def forward(self, x):
        x = self.embedding(x) + self.pos_encoder[:, : x.size(1), :]
        for layer in self.transformer_layers:
            x = layer(x)
        return self.classifier(x.mean(dim=1))
