"""Values of torchmetrics' classification metrics on random batches, as `{case: {"batches": [[predictions, targets], ...], "value": ...}}`.

A case's name is the metric, the batches and the options as JSON. A tensor is `{"dtype", "shape", "data"}`, its elements in order.
"""

import json
import re
import warnings
from itertools import product

import torch
import torchmetrics

warnings.simplefilter("ignore")
torch.set_default_dtype(torch.float64)
# torchmetrics counts and divides in float32, whatever the default dtype is.
torch.Tensor.float = torch.Tensor.double
torch.manual_seed(0)

CLASSES, LABELS, POSITIONS = 4, 3, 5
# torchmetrics fails at a batch of one sample with `samplewise`.
BATCHES, SEVERAL = (7, 1, 12), (7, 2, 12)
RATES = ["Accuracy", "Precision", "Recall", "F1Score", "FBetaScore", "Specificity"]
AVERAGES = ["micro", "macro", "weighted", "none"]


def sizes(task, batch, given):
    middle = {"binary": [], "multiclass": [CLASSES], "multilabel": [LABELS]}[task]
    after = [POSITIONS] if given == "images" else []
    scores = [batch, *middle, *after]
    return scores, [batch, *after] if task == "multiclass" else scores


def batch(task, size, given, options):
    scores, truth = sizes(task, size, given)
    logits = 3 * torch.randn(scores)
    # Each is outside [0, 1]: whether predictions are logits does not hang on which of them are ignored.
    logits += logits > 0
    classes = CLASSES if task == "multiclass" else 2
    targets = torch.randint(0, classes, truth)
    if given == "missing":
        targets = targets % (classes - 1)
        if task == "multiclass":
            logits[:, -1] = -9
    if given == "true":
        targets = torch.ones_like(targets)
    if options.get("ignoreIndex") == -1:
        targets = targets.where(torch.rand(truth) > 0.3, -1)
    if given == "labels":
        return torch.randint(0, classes, truth), targets
    if given == "probabilities":
        logits = logits.softmax(1) if task == "multiclass" else logits.sigmoid()
    if given == "ties":
        logits = torch.randint(0, 5, scores) / 4
    return logits, targets


def tensor(value):
    return {"dtype": str(value.dtype).removeprefix("torch."), "shape": list(value.shape), "data": value.flatten().tolist()}


def plain(value):
    """Lists of numbers, with null for NaN; a tensor of no dimension that should have one has one element."""
    if isinstance(value, torch.Tensor):
        value = value.tolist()
    if isinstance(value, list):
        return [plain(item) for item in value]
    return None if value != value else value


def curves(names, value, options):
    """One object for each class, as torchmetrics gives a tuple of lists, of matrices or of vectors."""
    first, second, thresholds = value
    if options["task"] == "binary":
        first, second = [first], [second]
    if not isinstance(thresholds, list):
        thresholds = [thresholds] * len(first)
    rows = zip(first, second, (torch.atleast_1d(each) for each in thresholds))
    return [{name: plain(item) for name, item in zip(names, row)} for row in rows]


cases = {}


def case(name, given, options):
    snake = {re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), key): value for key, value in options.items()}
    metric = getattr(torchmetrics, name)(**snake)
    batches = [batch(options["task"], size, given, options) for size in (SEVERAL if "multidimAverage" in options else BATCHES)]
    for predictions, targets in batches:
        metric.update(predictions, targets)
    value = metric.compute()
    if name == "ROC":
        value = curves(["fpr", "tpr", "thresholds"], value, options)
    elif name == "PrecisionRecallCurve":
        value = curves(["precision", "recall", "thresholds"], value, options)
    else:
        value = plain(value)
    key = f"{name} {given} {json.dumps(options, separators=(',', ':'))}"
    cases[key] = {"batches": [[tensor(p), tensor(t)] for p, t in batches], "value": value}


def each(names, given, *dimensions):
    """The case of each name and each combination of options, one out of each dimension."""
    for name, options in product(names, product(*dimensions)):
        case(name, given, {key: value for part in options for key, value in part.items()})


def options(key, *values):
    return [{key: value} for value in values]


BINARY = [{"task": "binary"}]
MULTICLASS = [{"task": "multiclass", "numClasses": CLASSES}]
MULTILABEL = [{"task": "multilabel", "numLabels": LABELS}]
TASKS = [*BINARY, *MULTICLASS, *MULTILABEL]
YES_OR_NO = [*BINARY, *MULTILABEL]
AVERAGED = [{**task, "average": average} for task in [*MULTICLASS, *MULTILABEL] for average in AVERAGES]
SAMPLEWISE = options("multidimAverage", "samplewise")
IGNORED = [{}, *options("ignoreIndex", -1, 1)]

counted = [*BINARY, *AVERAGED]
each(RATES, "logits", counted, IGNORED)
each(RATES, "probabilities", TASKS)
each(RATES, "labels", counted)
each(RATES, "missing", counted)
each(RATES, "images", counted)
each(RATES, "images", counted, SAMPLEWISE, IGNORED)
each(RATES, "probabilities", YES_OR_NO, options("threshold", 0.2))
topped = [task for task in AVERAGED if task["task"] == "multiclass"]
each(RATES, "logits", topped, options("topK", 2), IGNORED)
each(RATES, "images", topped, options("topK", 3), SAMPLEWISE)
each(["FBetaScore"], "labels", counted, options("beta", 1.5, 0.5))
each(["Precision", "Recall", "F1Score"], "missing", counted, options("zeroDivision", 1))

# Without the weighted mean of labels of which none is true, where torchmetrics' index alone is NaN.
each(["JaccardIndex"], "missing", counted[:-2], options("zeroDivision", 1))
each(["JaccardIndex"], "logits", counted, IGNORED[:2])
each(["JaccardIndex"], "logits", counted[:-2], IGNORED[2:])
each(["JaccardIndex"], "images", TASKS)
each(["JaccardIndex"], "probabilities", YES_OR_NO, options("threshold", 0.2))
each(["ConfusionMatrix"], "logits", TASKS, options("normalize", "none", "true", "pred", "all"), IGNORED)
each(["ConfusionMatrix"], "missing", TASKS, options("normalize", "true", "pred"))
each(["ConfusionMatrix"], "images", TASKS)

AREAS, CURVES = ["AUROC", "AveragePrecision"], ["ROC", "PrecisionRecallCurve"]
THRESHOLDS = [{}, *options("thresholds", 5, [0.1, 0.3, 0.3, 0.8])]
areas = [area for area in [*BINARY, *AVERAGED] if not (area["task"] == "multiclass" and area["average"] == "micro")]
each(AREAS, "logits", areas, IGNORED[:2], THRESHOLDS)
each(AREAS, "logits", areas, IGNORED[2:])
each(["AUROC"], "logits", areas, IGNORED[2:], THRESHOLDS[1:])
each(AREAS, "ties", areas, THRESHOLDS)
each(AREAS, "images", areas, THRESHOLDS)
each(AREAS, "true", YES_OR_NO, THRESHOLDS)
each(AREAS, "missing", areas)
each(["AUROC"], "missing", areas, THRESHOLDS[1:])
each(["AUROC"], "ties", BINARY, options("maxFpr", 0.05, 0.5, 0.9), THRESHOLDS[:2])
each(["AUROC"], "logits", BINARY, options("maxFpr", 0.3), IGNORED)
each(CURVES, "logits", TASKS, IGNORED, THRESHOLDS)
each(CURVES, "ties", TASKS, THRESHOLDS)
each(CURVES, "missing", TASKS, THRESHOLDS)
each(CURVES, "true", YES_OR_NO, THRESHOLDS)

calibrated = [*BINARY, *MULTICLASS]
norms = options("norm", "l1", "l2", "max")
each(["CalibrationError"], "logits", calibrated, norms, [{}, *options("nBins", 4)], IGNORED)
each(["CalibrationError"], "ties", calibrated, norms, options("nBins", 4))
each(["CalibrationError"], "images", calibrated)

print(json.dumps(cases))
