"""Values of torchmetrics' regression metrics on random batches; of Spearman's correlation those of SciPy.

torchmetrics adds 1e-6 to the denominator of Spearman's, and ranks are float32 in it: it is only near.
"""

import torch
from scipy.stats import spearmanr
from torchmetrics import (
    ExplainedVariance,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    PearsonCorrCoef,
    R2Score,
    SpearmanCorrCoef,
)

from metric_cases import case, of_value, write


def batches(*shape, sizes=(7, 2, 5)):
    return [(torch.randn(size, *shape), torch.randn(size, *shape)) for size in sizes]


def spearman(given, outputs=1):
    predictions, targets = (torch.cat([batch[i] for batch in given]).reshape(-1, outputs) for i in range(2))
    values = [float(spearmanr(predictions[:, i], targets[:, i]).statistic) for i in range(outputs)]
    near = case(SpearmanCorrCoef(num_outputs=outputs), given)["value"]
    assert torch.allclose(torch.tensor(near), torch.tensor(values), atol=1e-5)
    return of_value(given, values if outputs > 1 else values[0])


flat, rows = batches(), batches(3)
scaled = [(p, t * torch.tensor([1.0, 5.0, 0.1])) for p, t in rows]
flat_target = [(p, torch.full_like(t, 0.1)) for p, t in flat]
faultless = [(t, t) for _, t in flat_target]
flat_column = [(p, t * torch.tensor([1.0, 0.0, 2.0])) for p, t in rows]
apart = [(t + 2, t) for _, t in flat]
far = [(p + 1e5, t * 1e-2 - 1e6) for p, t in flat]
tied = [(p.mul(2).round(), t.mul(2).round()) for p, t in batches(sizes=(30, 20))]
tied_rows = [(p.round(), t.round()) for p, t in batches(3, sizes=(30, 20))]
one = batches(sizes=(1,))
cases = {
    "MeanAbsoluteError": case(MeanAbsoluteError(), flat),
    "MeanAbsoluteError outputs": case(MeanAbsoluteError(num_outputs=3), rows),
    "MeanSquaredError": case(MeanSquaredError(), flat),
    "MeanSquaredError root": case(MeanSquaredError(squared=False), flat),
    "MeanSquaredError outputs": case(MeanSquaredError(num_outputs=3), rows),
    "MeanAbsolutePercentageError": case(MeanAbsolutePercentageError(), flat),
    "MeanAbsolutePercentageError of rows": case(MeanAbsolutePercentageError(), rows),
    "MeanAbsolutePercentageError of zeros": case(MeanAbsolutePercentageError(), flat_column),
    "MeanAbsolutePercentageError of none": case(MeanAbsolutePercentageError(), batches(sizes=(0,))),
    "R2Score": case(R2Score(), flat),
    "R2Score adjusted": case(R2Score(adjusted=2), flat),
    "R2Score adjusted by too many": case(R2Score(adjusted=13), flat),
    "R2Score mean": case(R2Score(), scaled),
    "R2Score raw": case(R2Score(multioutput="raw_values"), scaled),
    "R2Score raw adjusted": case(R2Score(adjusted=1, multioutput="raw_values"), scaled),
    "R2Score weighted": case(R2Score(multioutput="variance_weighted"), scaled),
    "R2Score flat target": case(R2Score(), flat_target),
    "R2Score flat target met": case(R2Score(), faultless),
    "R2Score flat column": case(R2Score(multioutput="raw_values"), flat_column),
    "R2Score flat column weighted": case(R2Score(multioutput="variance_weighted"), flat_column),
    "ExplainedVariance": case(ExplainedVariance(), flat),
    "ExplainedVariance mean": case(ExplainedVariance(), scaled),
    "ExplainedVariance raw": case(ExplainedVariance(multioutput="raw_values"), scaled),
    "ExplainedVariance weighted": case(ExplainedVariance(multioutput="variance_weighted"), scaled),
    "ExplainedVariance apart": case(ExplainedVariance(), apart),
    "ExplainedVariance flat column": case(ExplainedVariance(multioutput="raw_values"), flat_column),
    "ExplainedVariance of none": case(ExplainedVariance(), batches(sizes=(0,))),
    "PearsonCorrCoef": case(PearsonCorrCoef(), flat),
    "PearsonCorrCoef outputs": case(PearsonCorrCoef(num_outputs=3), rows),
    "PearsonCorrCoef far from 0": case(PearsonCorrCoef(), far),
    "PearsonCorrCoef flat": case(PearsonCorrCoef(), [(p, torch.ones_like(t)) for p, t in flat]),
    "PearsonCorrCoef of one": case(PearsonCorrCoef(), one),
    "SpearmanCorrCoef": spearman(flat),
    "SpearmanCorrCoef outputs": spearman(rows, outputs=3),
    "SpearmanCorrCoef tied": spearman(tied),
    "SpearmanCorrCoef tied outputs": spearman(tied_rows, outputs=3),
    "SpearmanCorrCoef flat": case(SpearmanCorrCoef(), flat_target),
    "SpearmanCorrCoef of one": case(SpearmanCorrCoef(), one),
}
write(cases)
