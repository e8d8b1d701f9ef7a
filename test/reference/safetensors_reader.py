"""Reads a safetensors file with nothing but Python's standard library and prints what it holds as JSON.

Each tensor becomes `[dtype, shape, hex of its bytes]`. Fails where the format is not kept.
"""

import json
import struct
import sys

data = open(sys.argv[1], "rb").read()
(length,) = struct.unpack("<Q", data[:8])
header = json.loads(data[8 : 8 + length])
body = data[8 + length :]
metadata = header.pop("__metadata__", {})
end = 0
for entry in sorted(header.values(), key=lambda entry: entry["data_offsets"]):
    assert entry["data_offsets"][0] == end, "a gap or an overlap"
    end = entry["data_offsets"][1]
assert end == len(body), "bytes that belong to no tensor"
tensors = {name: [e["dtype"], e["shape"], body[slice(*e["data_offsets"])].hex()] for name, e in header.items()}
print(json.dumps({"metadata": metadata, "tensors": tensors}))
