"""Computes as another processor would: every operator that rounds gets and gives floats changed by about a unit in the last place.

Processors add in other orders, fuse multiplications with additions or not, and differ in the last bits of `exp`, `sqrt` and
the like, so what a kernel gives is the exact result for operands that are each off by about a rounding. `Jitter` changes the
operands and results of each call by a random factor in 1 ± eps, which is twice to four times what a rounding does; how far
the end results of a few such runs lie from the plain run's is how far they depend on rounding at all, through however many
steps, divisions by small numbers and cancelling terms. (The method is known as Monte Carlo arithmetic.) Operators that only
copy, choose, compare or fill are exact; so are whole numbers, such as counts.
"""

import math

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

EXACT = frozenset(
    """
    arange bernoulli_ cat clamp_ clone copy_ diagonal_copy embedding empty empty_like eye fill_ flip full gather index_put_
    lift_fresh masked_fill masked_fill_ maximum _foreach_maximum_ _foreach_neg neg new_empty new_empty_strided new_zeros ones
    ones_like rand relu select_backward set_ sign sort stack threshold_backward to _to_copy where zero_ zeros zeros_like
    """.split()
)
# Arguments written to, of which the schema does not tell: the running mean and variance.
WRITTEN = {"native_batch_norm": (3, 4)}


class Jitter(TorchDispatchMode):
    def __init__(self, seed):
        super().__init__()
        self.generator = torch.Generator().manual_seed(seed)

    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        schema = operator._schema
        name = schema.name.removeprefix("aten::")
        if name in EXACT or any(is_view(result) for result in schema.returns):
            return operator(*args, **kwargs)
        if name in ("randn", "normal_", "uniform_"):
            return self.drawn(operator(*args, **kwargs), name, args)
        written = []

        def operand(i, value):
            if not is_written(schema.arguments[i]) and i not in WRITTEN.get(name, ()):
                return tree_map(self.changed, value)
            written.extend(leaf for leaf in tree_leaves(value) if is_float(leaf))
            return value

        places = {argument.name: i for i, argument in enumerate(schema.arguments)}
        args = [operand(i, value) for i, value in enumerate(args)]
        kwargs = {key: operand(places[key], value) for key, value in kwargs.items()}
        result = operator(*args, **kwargs)
        for tensor in written:
            tensor.copy_(self.changed(tensor))
        return result if schema.is_mutable else tree_map(self.changed, result)

    def changed(self, value):
        if not is_float(value):
            return value
        return torch.where(value == value.round(), value, value + value * self.noise(value))

    def drawn(self, tensor, name, args):
        """A uniform number is rounded at the size of its range; a normal one is a radius times the cosine of an angle up to 2π."""
        if name == "uniform_":
            size = max(abs(bound) for bound in (*args[1:], 0, 1)[:2])
        else:
            size = 2 * math.pi * (args[2] if len(args) > 2 and name == "normal_" else 1)
        return tensor.copy_(tensor + size * self.noise(tensor))

    def noise(self, like):
        """Random numbers in ±eps."""
        return torch.empty_like(like).uniform_(-1, 1, generator=self.generator).mul_(torch.finfo(like.dtype).eps)


def is_float(value):
    return isinstance(value, torch.Tensor) and value.dtype.is_floating_point


def is_written(argument):
    return argument.alias_info is not None and argument.alias_info.is_write


def is_view(result):
    return result.alias_info is not None and not result.alias_info.is_write
