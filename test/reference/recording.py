"""What the reference scripts share: exact tensors in JSON, and the two ways to run a script.

A tensor is `{"shape": [...], "dtype": "float32", "hex": "..."}`. `hex` holds the bytes of the contiguous tensor as they lie
in memory (little-endian), so a float32 of 1.0 is `0000803f`. `null` stands for a missing tensor, such as an absent gradient.
In a fixture, `within` is how far another processor's elements may be off: MARGIN times the most that they were in SAMPLES runs
with jitter (jitter.py). A tensor without it is the same on all. What `--json` prints for a live comparison has none of it.
"""

import argparse
import json
import math
from pathlib import Path

import numpy
import torch

from jitter import Jitter

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
SAMPLES = 8
MARGIN = 4


def exact(tensor):
    if tensor is None:
        return None
    data = tensor.detach().contiguous()
    return {
        "shape": list(data.shape),
        "dtype": str(data.dtype).removeprefix("torch."),
        "hex": data.numpy().tobytes().hex(),
    }


def exact_map(tensors):
    return {name: exact(tensor) for name, tensor in tensors}


def by_line(document):
    """JSON with one line an entry of each top-level list or object, so that a difference shows which case changed."""
    lines = []
    for key, value in document.items():
        if isinstance(value, list):
            entries, brackets = [json.dumps(entry) for entry in value], "[]"
        elif isinstance(value, dict):
            entries, brackets = [f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in value.items()], "{}"
        else:
            lines.append(f"{json.dumps(key)}: {json.dumps(value)}")
            continue
        lines.append(f"{json.dumps(key)}: {brackets[0]}\n" + ",\n".join(entries) + f"\n{brackets[1]}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def tensors(document):
    """Every float tensor in a document, in order."""
    if isinstance(document, dict) and "hex" in document:
        if document["dtype"].startswith("float"):
            yield document
    elif isinstance(document, (dict, list)):
        for value in document.values() if isinstance(document, dict) else document:
            yield from tensors(value)


def distance(a, b):
    """The largest difference between elements of two tensors, which must be finite: the bits of NaN differ by processor."""
    x, y = (numpy.frombuffer(bytes.fromhex(each["hex"]), each["dtype"]).astype("float64") for each in (a, b))
    difference = float(abs(x - y).max(initial=0))
    if not math.isfinite(difference):
        raise ValueError("a recorded tensor has elements that are not finite")
    return difference


def with_bounds(make):
    document = make()
    expected = list(tensors(document))
    spread = [0.0] * len(expected)
    for seed in range(SAMPLES):
        with Jitter(seed):
            sample = make()
        spread = [max(most, distance(*pair)) for most, *pair in zip(spread, expected, tensors(sample), strict=True)]
    for tensor, most in zip(expected, spread):
        if most > 0:
            tensor["within"] = rounded_up(MARGIN * most)
    return document


def rounded_up(value):
    """To two digits."""
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(f"{math.ceil(value / unit) * unit:.1e}")


def main(fixture, make, description, rounds=False):
    """`--write` refreshes `test/fixtures/<fixture>`, `--json` prints the document; one thread either way.

    `rounds` says that the numbers depend on how a processor rounds, so that the fixture needs bounds.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--write", action="store_true", help="write the fixture")
    action.add_argument("--json", action="store_true", help="print the document")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    body = with_bounds(make) if arguments.write and rounds else make()
    text = by_line({"torch": torch.__version__, **body})
    if arguments.write:
        (FIXTURES / fixture).write_text(text)
    else:
        print(text, end="")
