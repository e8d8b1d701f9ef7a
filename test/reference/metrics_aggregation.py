"""Values of torchmetrics' aggregations of random numbers, NaN among them."""

import math

import torch
from torchmetrics import MaxMetric, MeanMetric, MinMetric, SumMetric

from metric_cases import case, write

numbers = [(torch.randn(5),), (torch.randn(2, 3),), (2.5,), (torch.randn(()),), (torch.randn(0),)]
nans = [
    (torch.tensor([1.5, math.nan, -3.0]),),
    (math.nan,),
    (torch.tensor([[math.nan, 4.0], [0.25, math.nan]]),),
]
only_nans = [(torch.full((3,), math.nan),)]
weighted = [
    (torch.randn(5), torch.rand(5)),
    (torch.randn(2, 3), torch.rand(3)),
    (torch.randn(4), 0.5),
    (3.0, 2.0),
    (torch.randn(2),),
]
nan_weights = [(torch.randn(3), torch.tensor([0.5, math.nan, 2.0])), (torch.tensor([math.nan, 1.0]), torch.tensor([3.0, 4.0]))]
kinds = {"MaxMetric": MaxMetric, "MinMetric": MinMetric, "SumMetric": SumMetric, "MeanMetric": MeanMetric}
cases = {}
for name, kind in kinds.items():
    cases[name] = case(kind(nan_strategy="error"), numbers)
    cases[f"{name} warn"] = case(kind(), nans)
    cases[f"{name} ignore"] = case(kind(nan_strategy="ignore"), nans)
    cases[f"{name} ignore all"] = case(kind(nan_strategy="ignore"), only_nans)
    cases[f"{name} disable"] = case(kind(nan_strategy="disable"), nans)
    cases[f"{name} 7"] = case(kind(nan_strategy=7.0), nans[::2])
cases["MeanMetric weights"] = case(MeanMetric(), weighted)
cases["MeanMetric weights of 0"] = case(MeanMetric(), [(torch.randn(2), 0.0)])
cases["MeanMetric weights ignore"] = case(MeanMetric(nan_strategy="ignore"), nan_weights)
cases["MeanMetric weights 7"] = case(MeanMetric(nan_strategy=7.0), [(v, w.clone()) for v, w in nan_weights])
write(cases)
