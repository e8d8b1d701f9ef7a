"""How a module is described to the other side: its class and the arguments that it was constructed with.

The rule of aiforge's constructors: what Python requires comes by position, what has a default in one object of options.
"""

import functools
import inspect
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn.parameter import is_lazy
from torch.nn.utils.rnn import PackedSequence

sys.path.append(str(Path(__file__).resolve().parent.parent))
from encoding import Encoder  # noqa: E402

# Parameters with a default that come by position all the same.
BY_POSITION = {
    **dict.fromkeys(("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout"), ["p"]),
    **dict.fromkeys(("Softmax", "LogSoftmax", "Softmin", "GLU"), ["dim"]),
    "Flatten": ["start_dim", "end_dim"],
    "ModuleList": ["modules"],
    "ModuleDict": ["modules"],
    "ParameterList": ["values"],
    "ParameterDict": ["parameters"],
}


def recurrent(input_size, hidden_size, num_layers=1, bias=True, batch_first=False, dropout=0.0, bidirectional=False,
              proj_size=0, device=None, dtype=None):  # fmt: skip
    """The signature of LSTM and GRU, whose own says nothing."""


def simple_recurrent(input_size, hidden_size, num_layers=1, nonlinearity="tanh", bias=True, batch_first=False,
                     dropout=0.0, bidirectional=False, device=None, dtype=None):  # fmt: skip
    """The signature of RNN, whose own says nothing."""


SIGNATURES = {"RNN": simple_recurrent, "LSTM": recurrent, "GRU": recurrent}


def record_constructions():
    """From now on every module of torch.nn remembers what it was constructed with."""
    for name in nn.modules.__all__:
        cls = getattr(nn, name)
        if not issubclass(cls, nn.Module) or "__init__" not in vars(cls):
            continue

        def recording(self, *args, _init=cls.__init__, **kwargs):
            if "_construction" not in self.__dict__:
                object.__setattr__(self, "_construction", (type(self), args, kwargs))
            _init(self, *args, **kwargs)

        cls.__init__ = functools.wraps(cls.__init__)(recording)


def split(signature, by_position, args, kwargs):
    """Arguments as `(positional, options)`."""
    bound = signature.bind(*args, **kwargs).arguments
    parameters = signature.parameters.values()
    positional, options = [], {}
    for parameter in parameters:
        name, is_required = parameter.name, parameter.default is parameter.empty
        # One by position needs those before it by position too.
        following = by_position[by_position.index(name) :] if name in by_position else []
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional += bound.get(name, ())
        elif parameter.kind is parameter.VAR_KEYWORD:
            options.update(bound.get(name, {}))
        elif is_required or any(later in bound for later in following):
            positional.append(bound.get(name, parameter.default))
        elif name in bound and not (bound[name] is None and parameter.default is None):
            options[name] = bound[name]
    return positional, options


def with_floats(signature, args, kwargs):
    """The arguments with floats for whole numbers where the default is a float: in JavaScript 2 is 2.0."""
    bound = signature.bind(*args, **kwargs)
    for name, value in bound.arguments.items():
        if type(value) is int and type(signature.parameters[name].default) is float:
            bound.arguments[name] = float(value)
    return bound.args, bound.kwargs


def is_expressible(cls, construction):
    """False for a 3.0 that should be refused where 3 is meant, which JavaScript cannot tell apart, and for the database's own
    slip of giving a cell's nonlinearity in the place of its bias."""
    signature = signature_of(cls)
    for name, value in signature.bind(*construction.args, **construction.kwargs).arguments.items():
        is_whole_float = type(value) is float and value.is_integer()
        if is_whole_float and type(signature.parameters[name].default) is not float:
            return False
        if name == "bias" and value in ("relu", "tanh"):
            return False
    return True


def signature_of(cls):
    return inspect.signature(SIGNATURES.get(cls.__name__, cls))


def rebuild(value):
    """The value with the modules in it constructed anew."""
    if isinstance(value, nn.Module):
        cls, args, kwargs = value._construction
        return cls(*map(rebuild, args), **{key: rebuild(item) for key, item in kwargs.items()})
    if type(value) in (list, tuple):
        return type(value)(map(rebuild, value))
    if isinstance(value, dict):
        return type(value)((key, rebuild(item)) for key, item in value.items())
    return value


class ModuleEncoder(Encoder):
    """An encoder that also knows modules, functions, parameters and packed sequences."""

    def value(self, value, tensor):
        if isinstance(value, nn.Module):
            return self.construction(*value._construction)
        if isinstance(value, PackedSequence):
            return {"$": "packed", "items": [self.value(item, tensor) for item in value]}
        if isinstance(value, torch.Tensor) and is_lazy(value):
            return {"$": "uninitialized"}
        if isinstance(value, nn.LinearCrossEntropyOptions):
            fields = {name: getattr(value, name) for name in inspect.signature(type(value)).parameters}
            return {"$": "module", "class": type(value).__name__, "args": [], "options": self.options(fields)}
        if inspect.isroutine(value):
            return {"$": "function", "name": value.__name__}
        return super().value(value, tensor)

    def tensor_argument(self, tensor):
        described = super().tensor_argument(tensor)
        return {"$": "parameter", "tensor": described} if isinstance(tensor, nn.Parameter) else described

    def construction(self, cls, args, kwargs):
        name = cls.__name__
        positional, options = split(signature_of(cls), BY_POSITION.get(name, []), args, kwargs)
        return {"$": "module", "class": name, "args": self.argument(positional), "options": self.options(options)}

    def call(self, cls, args, kwargs):
        """The arguments of a forward call: what a sample gives by position stays there."""
        names = [name for name in inspect.signature(cls.forward).parameters if name != "self"]
        positional, options = list(args), dict(kwargs)
        required = [p.name for p in inspect.signature(cls.forward).parameters.values() if p.default is p.empty]
        for name in names[len(positional) :]:
            if name in options and name in required:
                positional.append(options.pop(name))
        return {"args": self.argument(positional), "options": self.options(options)}

    def options(self, options):
        return {key: self.argument(value) for key, value in options.items()}

    def state(self, module):
        state = module.state_dict()
        return {"keys": list(state), "values": [self.result(tensor) for tensor in state.values()]}
