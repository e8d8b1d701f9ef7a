"""Records what torch.tensor makes of numbers in every dtype, for `test/fixtures/conversion.json`.

A case is `{dtype, values, bytes, list}`: `values` as given, `bytes` of the tensor in hex, `list` as tolist gives. Values that
JSON has no number for are texts: `nan`, `inf`, `-inf`, integers beyond 2^53, and complex numbers such as `1+2j`.
"""

import math

import torch

import recording

nan, inf = float("nan"), float("inf")
REALS = [0, 1, -1, 0.5, -0.0, 0.1, 3.14159, 255, 240, 448, 57344, 65504, 1e-3, 1e-6, 1e-8, 2.0**-24, 1e5, nan, inf, -inf]
WIDE = [1e38, 1e300, 5e-324, -1e-45, 2**53 + 2]
COMPLEX = [1 + 2j, -0.5j, complex(nan, 1), complex(0.1, -1e-3), 2, True]

VALUES = {
    "float32": REALS + WIDE,
    "float64": REALS + WIDE,
    "float16": REALS + WIDE,
    "bfloat16": REALS + WIDE,
    "float8_e4m3fn": REALS,
    "float8_e4m3fnuz": REALS,
    "float8_e5m2": REALS,
    "float8_e5m2fnuz": REALS,
    "int8": [0, 1, -1, 127, -128, 1.9, -1.9, True],
    "uint8": [0, 1, 255, -1, 1.9, True],
    "int16": [0, -32768, 32767],
    "uint16": [0, 65535, 1.5],
    "int32": [0, -(2**31), 2**31 - 1],
    "uint32": [0, 2**32 - 1],
    "int64": [0, -1, 2**53, 2**53 + 1, -(2**63), 2**63 - 1, 1e18],
    "uint64": [0, 2**53 + 1, 2**64 - 1],
    "bool": [0, 1, True, False, 2, 0.5, nan, -0.0],
    "complex32": COMPLEX,
    "complex64": COMPLEX,
    "complex128": COMPLEX,
}


def written(value):
    if isinstance(value, complex):
        return f"{written(value.real)} {written(value.imag)}"
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**53 else str(value)
    if math.isfinite(value) and not (value == 0 and math.copysign(1, value) < 0):
        return value
    return repr(value)


def case(dtype, values):
    made = torch.tensor(values, dtype=getattr(torch, dtype))
    return {
        "dtype": dtype,
        "values": [written(value) for value in values],
        "bytes": bytes(made.view(torch.uint8).tolist()).hex(),
        "list": [written(value) for value in made.tolist()],
    }


def make():
    return {"cases": [case(dtype, values) for dtype, values in VALUES.items()]}


if __name__ == "__main__":
    recording.main("conversion.json", make, __doc__)
