"""Times `import torch` in this fresh process: `{"ns": ..., "rss_bytes": ..., "peak_rss_bytes": ..., "torch": ...}`.

Only the import is timed, not the interpreter's start; the resident memory is the whole process's. `rss_bytes` and
`peak_rss_bytes` are Linux's VmRSS and VmHWM right after the import.
"""

import time

begin = time.perf_counter_ns()
import torch  # noqa: E402

elapsed = time.perf_counter_ns() - begin

import json  # noqa: E402


def resident(field):
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(field))


print(
    json.dumps(
        {
            "ns": elapsed,
            "rss_bytes": resident("VmRSS:"),
            "peak_rss_bytes": resident("VmHWM:"),
            "torch": torch.__version__,
        }
    )
)
