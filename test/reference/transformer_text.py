"""Trains the Python plugin guide's Transformer text classifier, for `test/fixtures/transformer_text.json`.

Every variant starts from `torch.manual_seed(0)`. The draws from the generator, in order:

1. the model's construction;
2. `input_ids = torch.randint(1, vocabulary, (20, 8, length))`, then `labels = torch.randint(0, 2, (20, 8))`;
3. the dropouts of the 20 training steps; step `i` uses `input_ids[i]` and `labels[i]`.

The fixture has a small model in full. `--guide` prints the guide's own model, its tensors as SHA-256 of their bytes.
"""

import hashlib
import json
import sys

import torch
from torch import nn

import recording
from recording import exact

STEPS, BATCH_SIZE, NUM_CLASSES = 20, 8, 2
SMALL = {"vocab_size": 20, "embedding_dim": 8, "num_heads": 2, "num_layers": 2, "ff_dim": 16, "max_seq_len": 6}
GUIDE = {"vocab_size": 5000, "embedding_dim": 256, "num_heads": 4, "num_layers": 2, "ff_dim": 512, "max_seq_len": 128}

OPTIMIZERS = {
    "Adam": lambda parameters: torch.optim.Adam(parameters, lr=1e-4),
    "AdamW": lambda parameters: torch.optim.AdamW(parameters, lr=1e-4),
    "AdamW fused": lambda parameters: torch.optim.AdamW(parameters, lr=1e-4, fused=True),
    "SGD momentum": lambda parameters: torch.optim.SGD(parameters, lr=1e-2, momentum=0.9),
}


class TransformerEncoder(nn.Module):
    """One post-norm layer: self-attention, then a feed-forward network, each with dropout and a residual."""

    def __init__(self, embedding_dim, num_heads, ff_dim, dropout):
        super().__init__()
        self.self_attn = nn.MultiheadAttention(embedding_dim, num_heads, dropout=dropout, batch_first=True)
        self.feed_forward = nn.Sequential(
            nn.Linear(embedding_dim, ff_dim),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(ff_dim, embedding_dim),
        )
        self.norm1 = nn.LayerNorm(embedding_dim)
        self.norm2 = nn.LayerNorm(embedding_dim)
        self.dropout1 = nn.Dropout(dropout)
        self.dropout2 = nn.Dropout(dropout)

    def forward(self, x, mask=None):
        attn_output, _ = self.self_attn(x, x, x, attn_mask=mask)
        x = self.norm1(x + self.dropout1(attn_output))
        ff_output = self.feed_forward(x)
        return self.norm2(x + self.dropout2(ff_output))


class Model(nn.Module):
    """Token and position embeddings, the encoder layers, the mean over the sequence, a linear head."""

    def __init__(self, vocab_size, embedding_dim, num_heads, num_layers, ff_dim, max_seq_len, output_dim, dropout):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_dim)
        self.pos_encoder = nn.Parameter(torch.randn(1, max_seq_len, embedding_dim))
        self.transformer_layers = nn.ModuleList(
            [TransformerEncoder(embedding_dim, num_heads, ff_dim, dropout) for _ in range(num_layers)]
        )
        self.classifier = nn.Linear(embedding_dim, output_dim)

    def forward(self, x, mask=None):
        x = self.embedding(x)
        x = x + self.pos_encoder[:, : x.size(1), :]
        for layer in self.transformer_layers:
            x = layer(x, mask)
        return self.classifier(torch.mean(x, dim=1))


def sha256(tensor):
    return hashlib.sha256(tensor.detach().contiguous().numpy().tobytes()).hexdigest()


def run(make_optimizer, sizes, note):
    """What `note` says of the tensors of one training run from seed 0."""
    torch.manual_seed(0)
    model = Model(**sizes, output_dim=NUM_CLASSES, dropout=0.1)
    loss_fn = nn.CrossEntropyLoss()
    optimizer = make_optimizer(model.parameters())
    input_ids = torch.randint(1, sizes["vocab_size"], (STEPS, BATCH_SIZE, sizes["max_seq_len"]))
    labels = torch.randint(0, NUM_CLASSES, (STEPS, BATCH_SIZE))
    state = lambda: {key: note(value) for key, value in model.state_dict().items()}  # noqa: E731
    initial = state()
    losses = []
    model.train()
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = loss_fn(model(input_ids[step]), labels[step])
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    inputs = {"input_ids": note(input_ids), "labels": note(labels)}
    return {"inputs": inputs, "initial": initial, "losses": note(torch.stack(losses)), "final": state()}


def document(sizes, note):
    """Initial state and input are the same for every optimizer, so they stand once."""
    runs = {name: run(make_optimizer, sizes, note) for name, make_optimizer in OPTIMIZERS.items()}
    first = next(iter(runs.values()))
    return {
        "sizes": sizes,
        "inputs": first["inputs"],
        "initial": first["initial"],
        "runs": {name: {"losses": r["losses"], "final": r["final"]} for name, r in runs.items()},
    }


if __name__ == "__main__":
    if sys.argv[1:] == ["--guide"]:
        torch.set_num_threads(1)
        print(json.dumps(document(GUIDE, sha256)))
    else:
        recording.main("transformer_text.json", lambda: document(SMALL, exact), __doc__, rounds=True)
