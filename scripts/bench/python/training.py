"""The training steps of test/models; models.json has their sizes."""

import importlib
import json
import sys
from pathlib import Path

from device import moved

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[2] / "test" / "models" / "python"))


def step(specification):
    """A step on one batch, again and again."""

    def build():
        from task import train_step

        task = moved(importlib.import_module(specification["model"]).build(**specification.get("sizes", {})))
        batch = task.batch()
        return lambda: train_step(task, batch)

    return build


SPECIFICATIONS = json.loads((HERE.parent / "models.json").read_text())
TRAINING = {name: (step(spec), spec["iterations"], spec["warmUp"]) for name, spec in SPECIFICATIONS.items()}
