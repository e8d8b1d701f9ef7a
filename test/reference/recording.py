"""What the reference scripts share: exact tensors in JSON, and the two ways to run a script.

A tensor is `{"shape": [...], "dtype": "float32", "hex": "..."}`. `hex` holds the bytes of the contiguous tensor as they lie
in memory (little-endian), so a float32 of 1.0 is `0000803f`. `null` stands for a missing tensor, such as an absent gradient.
"""

import argparse
import json
from pathlib import Path

import torch

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"


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


def main(fixture, make, description):
    """`--write` refreshes `test/fixtures/<fixture>`, `--json` prints the document; one thread either way."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--write", action="store_true", help="write the fixture")
    action.add_argument("--json", action="store_true", help="print the document")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    body = make()
    head = {"torch": torch.__version__, "cpu_capability": torch.backends.cpu.get_cpu_capability()}
    text = by_line({**head, **body})
    if arguments.write:
        (FIXTURES / fixture).write_text(text)
    else:
        print(text, end="")
