"""Prints as JSON what TensorBoard's own reader finds in a folder of event files. A command after it is run between two readings."""

import json
import subprocess
import sys

from tensorboard.backend.event_processing import plugin_event_accumulator
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

sizes = {"scalars": 0, "histograms": 0, "images": 0, "tensors": 0}
events = EventAccumulator(sys.argv[1], size_guidance=sizes)
# What the pages of TensorBoard are made from: the other one keeps texts that are to be forgotten.
pages = plugin_event_accumulator.EventAccumulator(sys.argv[1], size_guidance=sizes)
for reader in (events, pages):
    reader.Reload()
if len(sys.argv) > 2:
    subprocess.run(sys.argv[2:], check=True, stdout=subprocess.DEVNULL)
    for reader in (events, pages):
        reader.Reload()
tags = events.Tags()
number = lambda value: value if value == value and abs(value) != float("inf") else str(value)


def histogram(value):
    names = ("min", "max", "num", "sum", "sum_squares", "bucket_limit", "bucket")
    return {name: getattr(value, name) for name in names}


def image(event):
    data = event.encoded_image_string
    return {"width": event.width, "height": event.height, "bytes": data.hex()}


json.dump(
    {
        "scalars": {tag: [[e.step, number(e.value), e.wall_time] for e in events.Scalars(tag)] for tag in tags["scalars"]},
        "histograms": {tag: [[e.step, histogram(e.histogram_value)] for e in events.Histograms(tag)] for tag in tags["histograms"]},
        "images": {tag: [[e.step, image(e)] for e in events.Images(tag)] for tag in tags["images"]},
        "texts": {
            tag: [[e.step, e.tensor_proto.string_val[0].decode()] for e in pages.Tensors(tag)]
            for tag in tags["tensors"]
            if pages.SummaryMetadata(tag).plugin_data.plugin_name == "text"
        },
    },
    sys.stdout,
)
