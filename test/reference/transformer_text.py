"""Trains the Python plugin guide's Transformer text classifier and records its bytes.

`--write` refreshes the fixture `test/fixtures/transformer_text.json`; `--json` prints the same document, for a live
comparison with the torch that is installed. Everything runs on the CPU with one thread, and every variant starts from
`torch.manual_seed(0)`. The draws from the generator, in order:

1. the model's construction (vocabulary 5000, dimension 256, 4 heads, 2 layers, feed-forward 512, length 128, 2 classes);
2. `input_ids = torch.randint(1, 5000, (20, 8, 128))`, then `labels = torch.randint(0, 2, (20, 8))`;
3. the dropouts of the 20 training steps; step `i` uses `input_ids[i]` and `labels[i]`.
"""

import argparse
import hashlib
import json
from pathlib import Path

import torch
from torch import nn

VOCAB_SIZE, MAX_SEQ_LEN, NUM_CLASSES = 5000, 128, 2
STEPS, BATCH_SIZE = 20, 8
FIXTURE = Path(__file__).resolve().parent.parent / "fixtures" / "transformer_text.json"

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


def guide_model():
    return Model(
        vocab_size=VOCAB_SIZE,
        embedding_dim=256,
        num_heads=4,
        num_layers=2,
        ff_dim=512,
        max_seq_len=MAX_SEQ_LEN,
        output_dim=NUM_CLASSES,
        dropout=0.1,
    )


def cpu_model():
    """The CPU's name: its kernels decide how sums are rounded."""
    with open("/proc/cpuinfo", encoding="ascii") as info:
        return next(line.split(":", 1)[1].strip() for line in info if line.startswith("model name"))


def sha256(tensor):
    return hashlib.sha256(tensor.detach().contiguous().numpy().tobytes()).hexdigest()


def state_hashes(model):
    return {key: sha256(value) for key, value in model.state_dict().items()}


def run(make_optimizer):
    """The bytes of one training run from seed 0."""
    torch.manual_seed(0)
    model = guide_model()
    loss_fn = nn.CrossEntropyLoss()
    optimizer = make_optimizer(model.parameters())
    input_ids = torch.randint(1, VOCAB_SIZE, (STEPS, BATCH_SIZE, MAX_SEQ_LEN))
    labels = torch.randint(0, NUM_CLASSES, (STEPS, BATCH_SIZE))
    initial = state_hashes(model)
    inputs = {"input_ids": sha256(input_ids), "labels": sha256(labels)}
    losses = []
    model.train()
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = loss_fn(model(input_ids[step]), labels[step])
        loss.backward()
        optimizer.step()
        losses.append(loss.detach().numpy().astype(">f4").tobytes().hex())
    return {"inputs": inputs, "initial": initial, "losses": losses, "final": state_hashes(model)}


def document():
    """Initial state and input are the same for every optimizer, so they stand once."""
    torch.set_num_threads(1)
    runs = {name: run(make_optimizer) for name, make_optimizer in OPTIMIZERS.items()}
    first = next(iter(runs.values()))
    assert all(r["initial"] == first["initial"] and r["inputs"] == first["inputs"] for r in runs.values())
    return {
        "torch": torch.__version__,
        "cpu": cpu_model(),
        "inputs": first["inputs"],
        "initial": first["initial"],
        "runs": {name: {"losses": r["losses"], "final": r["final"]} for name, r in runs.items()},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--write", action="store_true", help="write the fixture")
    action.add_argument("--json", action="store_true", help="print the document")
    arguments = parser.parse_args()
    text = json.dumps(document(), indent=1) + "\n"
    if arguments.write:
        FIXTURE.write_text(text)
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
