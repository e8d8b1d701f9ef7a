"""PyTorch's side of `npm run bench -- --data`: the rows of node/dataLoading.mjs, by the same requests.

    {"row": "digits_0", "threads": 1, "rounds": 1}     how long it takes
    {"row": "digits_0", "threads": 1, "check": true}   what its work came to
"""

import gc
import json
import statistics
import sys
import time

import torch
from torch import nn
from torch.utils.data import DataLoader

from samples import Digits, Mails, MailsOfWords, Photos, Tokenizing

FOLDER, DIGITS, FLIGHTS = sys.argv[1:4]
now = time.perf_counter_ns


class Timed:
    """Work that is timed as a whole."""

    def time(self):
        start = now()
        self.work()
        return {"ns": now() - start}


class Passes(Timed):
    def __init__(self, dataset, num_workers, collate_fn=None, batch_size=64):
        self.size = len(dataset)
        self.loader = DataLoader(
            dataset,
            batch_size=batch_size,
            num_workers=num_workers,
            persistent_workers=num_workers > 0,
            collate_fn=collate_fn,
        )

    def work(self):
        count = sum(batch[0].shape[0] for batch in self.loader)
        if count != self.size:
            raise RuntimeError(f"the pass had {count} samples")

    def check(self):
        seen = [0, 0, 0, 0]
        for batch in self.loader:
            seen[0] += batch[0].shape[0]
            for i, each in enumerate(batch):
                seen[i + 1] += total(each) / self.size
        return seen


def total(tensor):
    return float(tensor.to(torch.float64).sum())


class FirstBatch:
    def __init__(self, num_workers, context):
        self.dataset = Digits(DIGITS, "transforms")
        self.options = {"batch_size": 64, "num_workers": num_workers, "multiprocessing_context": context}

    def first(self):
        start = now()
        batches = iter(DataLoader(self.dataset, **self.options))
        batch = next(batches)
        return now() - start, batch

    def time(self):
        return {"ns": self.first()[0]}

    def check(self):
        return [total(each) for each in self.first()[1]]


class Parquet(Timed):
    """Numbers become tensors, texts arrays of Python's strings."""

    def __init__(self, columns=None):
        # A spawned worker imports what this module does, and needs none of it.
        import pyarrow

        self.columns = columns
        pyarrow.set_cpu_count(1)
        pyarrow.set_io_thread_count(1)

    def work(self):
        from pyarrow import parquet

        table = parquet.read_table(FLIGHTS, columns=self.columns, use_threads=False)
        return [column(each) for each in table.itercolumns()]

    def check(self):
        return [total(each) if isinstance(each, torch.Tensor) else len(each) for each in self.work()]


def column(chunks):
    import pyarrow

    if pyarrow.types.is_timestamp(chunks.type):
        chunks = chunks.cast(pyarrow.int64())
    values = chunks.to_numpy()
    return values if values.dtype == object else torch.from_numpy(values)


class Training:
    def __init__(self, num_workers):
        torch.manual_seed(0)
        self.model = nn.Sequential(
            *[nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)],
            *[nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)],
            *[nn.Flatten(), nn.Linear(16 * 49, 10)],
        )
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.01)
        self.loss_fn = nn.CrossEntropyLoss()
        dataset = Digits(DIGITS, "transforms")
        self.loader = DataLoader(dataset, 64, num_workers=num_workers, persistent_workers=num_workers > 0)

    def step(self, x, y):
        loss = self.loss_fn(self.model(x), y)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def epoch(self):
        start, losses = now(), []
        batches = iter(self.loader)
        waited = now() - start
        while True:
            begin = now()
            batch = next(batches, None)
            waited += now() - begin
            if batch is None:
                break
            losses.append(self.step(*batch))
        whole = now() - start
        return {"ns": whole / len(losses), "share": waited / whole}, losses

    def time(self):
        return self.epoch()[0]

    def check(self):
        return self.epoch()[1]


ROWS = {
    "digits_0": lambda: Passes(Digits(DIGITS, "transforms"), 0),
    "digits_1": lambda: Passes(Digits(DIGITS, "transforms"), 1),
    "digits_2": lambda: Passes(Digits(DIGITS, "transforms"), 2),
    "digits_operators_0": lambda: Passes(Digits(DIGITS, "operators"), 0),
    "pieces_0": lambda: Passes(Mails(FOLDER), 0, Tokenizing(FOLDER), 32),
    "pieces_2": lambda: Passes(Mails(FOLDER), 2, Tokenizing(FOLDER), 32),
    "words_0": lambda: Passes(MailsOfWords(FOLDER), 0, batch_size=32),
    "words_2": lambda: Passes(MailsOfWords(FOLDER), 2, batch_size=32),
    "photos_0": lambda: Passes(Photos(FOLDER), 0),
    "photos_2": lambda: Passes(Photos(FOLDER), 2),
    "first_batch_2": lambda: FirstBatch(2, "fork"),
    "first_batch_2_spawned": lambda: FirstBatch(2, "spawn"),
    "parquet_numbers": lambda: Parquet(["date", "delay", "distance"]),
    "parquet_all": lambda: Parquet(),
    "training_0": lambda: Training(0),
    "training_2": lambda: Training(2),
}

prepared = {}


def answer(request):
    row = request["row"]
    torch.set_num_threads(request["threads"])
    if row not in prepared:
        prepared[row] = ROWS[row]()
    if request.get("check"):
        return {"row": row, "seen": prepared[row].check()}
    gc.collect()
    times = [prepared[row].time() for _ in range(request["rounds"])]
    return {**request, **{field: statistics.median(each[field] for each in times) for field in times[0]}}


def main():
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
