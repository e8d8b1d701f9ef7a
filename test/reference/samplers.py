"""Records the orders in which PyTorch's samplers visit a dataset, for `test/fixtures/samplers.json`.

Each entry starts from `torch.manual_seed(0)` unless it says that it draws from a generator of its own. `next` is a
`torch.rand(1)` drawn at the end from the default generator: it shows how many numbers the sampler took from there.
"""

import torch
from torch.utils.data import DataLoader, DistributedSampler, RandomSampler, SubsetRandomSampler, random_split
from torch.utils.data import WeightedRandomSampler

import recording
from recording import exact


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def from_seed(function):
    torch.manual_seed(0)
    result = function()
    return {"result": result, "next": exact(torch.rand(1))}


def loader_epochs(n, epochs=2, **options):
    loader = DataLoader(range(n), **options)
    return [[batch.tolist() for batch in loader] for _ in range(epochs)]


def sampler_epochs(sampler, epochs=2):
    return [list(sampler) for _ in range(epochs)]


def loaders():
    return {
        "shuffle_n10_batch3": from_seed(lambda: loader_epochs(10, batch_size=3, shuffle=True)),
        "shuffle_n10_batch3_drop_last": from_seed(lambda: loader_epochs(10, batch_size=3, shuffle=True, drop_last=True)),
        "sequential_n10_batch3": from_seed(lambda: loader_epochs(10, batch_size=3)),
        "shuffle_n10_batch3_generator_7": from_seed(
            lambda: loader_epochs(10, batch_size=3, shuffle=True, generator=seeded(7))
        ),
    }


def samplers():
    weights = [0.1, 0.9, 0.4, 0.7, 3.0, 0.6]
    return {
        "random_n10": from_seed(lambda: sampler_epochs(RandomSampler(range(10)))),
        "random_n10_generator_0": from_seed(lambda: sampler_epochs(RandomSampler(range(10), generator=seeded()))),
        "random_n10_num_samples_25_generator_0": from_seed(
            lambda: sampler_epochs(RandomSampler(range(10), num_samples=25, generator=seeded()))
        ),
        "random_n10_replacement_num_samples_40_generator_0": from_seed(
            lambda: sampler_epochs(RandomSampler(range(10), replacement=True, num_samples=40, generator=seeded()))
        ),
        "subset_random_generator_0": from_seed(
            lambda: sampler_epochs(SubsetRandomSampler([3, 1, 4, 5, 9, 2, 6], generator=seeded()))
        ),
        "weighted_num_samples_8_generator_0": from_seed(
            lambda: sampler_epochs(WeightedRandomSampler(weights, 8, generator=seeded()))
        ),
        "weighted_no_replacement_num_samples_4_generator_0": from_seed(
            lambda: sampler_epochs(WeightedRandomSampler(weights, 4, replacement=False, generator=seeded()))
        ),
    }


def distributed(n, replicas, shuffle, drop_last, seed=0):
    """Orders by epoch, then by rank."""
    orders = []
    for epoch in range(2):
        ranks = []
        for rank in range(replicas):
            sampler = DistributedSampler(range(n), replicas, rank, shuffle=shuffle, seed=seed, drop_last=drop_last)
            sampler.set_epoch(epoch)
            ranks.append(list(sampler))
        orders.append(ranks)
    return {"n": n, "replicas": replicas, "shuffle": shuffle, "drop_last": drop_last, "seed": seed, "epochs": orders}


def distributed_cases():
    cases = [distributed(n, 2, shuffle, drop) for n in (10, 11) for shuffle in (True, False) for drop in (True, False)]
    return [*cases, distributed(11, 3, True, False, seed=5), distributed(2, 5, True, False), distributed(7, 4, True, True)]


def draws():
    return {
        "randperm_10": from_seed(lambda: torch.randperm(10).tolist()),
        "randperm_10_generator_0": from_seed(lambda: torch.randperm(10, generator=seeded()).tolist()),
        "randperm_1000_first_20": from_seed(lambda: torch.randperm(1000)[:20].tolist()),
        "randperm_40000_first_20": from_seed(lambda: torch.randperm(40000)[:20].tolist()),
        "randint_100_shape_12": from_seed(lambda: torch.randint(100, (12,)).tolist()),
        "randint_minus5_5_shape_12": from_seed(lambda: torch.randint(-5, 5, (12,)).tolist()),
        "randint_2pow40_shape_4": from_seed(lambda: torch.randint(2**40, (4,)).tolist()),
        "rand_5": from_seed(lambda: exact(torch.rand(5))),
        "randn_5": from_seed(lambda: exact(torch.randn(5))),
        "randn_40": from_seed(lambda: exact(torch.randn(40))),
        "rand_5_generator_3": from_seed(lambda: exact(torch.rand(5, generator=seeded(3)))),
        "int64_random": from_seed(lambda: str(torch.empty((), dtype=torch.int64).random_().item())),
        "multinomial": from_seed(lambda: torch.multinomial(torch.tensor([0.1, 0.2, 0.7]), 10, True).tolist()),
    }


def splits():
    split = lambda lengths, **options: [list(part.indices) for part in random_split(range(10), lengths, **options)]  # noqa: E731
    return {
        "n10_lengths_6_4": from_seed(lambda: split([6, 4])),
        "n10_lengths_6_4_generator_42": from_seed(lambda: split([6, 4], generator=seeded(42))),
        "n10_fractions_0.8_0.1_0.1_generator_0": from_seed(lambda: split([0.8, 0.1, 0.1], generator=seeded())),
        "n10_fractions_0.33_0.33_0.34_generator_0": from_seed(lambda: split([0.33, 0.33, 0.34], generator=seeded())),
    }


def make():
    return {
        "loaders": loaders(),
        "samplers": samplers(),
        "distributed": distributed_cases(),
        "draws": draws(),
        "random_split": splits(),
    }


if __name__ == "__main__":
    recording.main("samplers.json", make, __doc__, rounds=True)
