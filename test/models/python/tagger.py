"""A bidirectional LSTM that gives each word of a sentence a tag; sentences have different lengths."""

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from task import Task

PADDING = -1


class Tagger(nn.Module):
    def __init__(self, words, dim, hidden, layers, tags):
        super().__init__()
        self.embedding = nn.Embedding(words, dim)
        self.lstm = nn.LSTM(dim, hidden, layers, batch_first=True, dropout=0.2, bidirectional=True)
        self.tags = nn.Linear(2 * hidden, tags)

    def forward(self, words, lengths):
        x = pack_padded_sequence(self.embedding(words), lengths.cpu(), batch_first=True, enforce_sorted=False)
        outputs, _ = self.lstm(x)
        padded, _ = pad_packed_sequence(outputs, batch_first=True, total_length=words.shape[1])
        return self.tags(padded)


def build(size=16, words=500, dim=32, hidden=48, layers=2, tags=12, length=16):
    model = Tagger(words, dim, hidden, layers, tags)

    def batch():
        sentences = torch.randint(words, (size, length))
        lengths = torch.randint(1, length + 1, (size,))
        # A word's tag depends on the word before it.
        gold = (sentences + sentences.roll(1, 1)) % tags
        return sentences, lengths, gold.masked_fill(torch.arange(length) >= lengths[:, None], PADDING)

    def loss(sentences, lengths, gold):
        return F.cross_entropy(model(sentences, lengths).flatten(0, 1), gold.flatten(), ignore_index=PADDING)

    return Task(model, torch.optim.Adam(model.parameters(), lr=0.01), batch, loss, clip=1.0)
