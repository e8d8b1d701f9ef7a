"""Values of torchmetrics' metrics of texts on random sentences.

Lines of rougeLsum are parted at newlines, as in Google's rouge_score: torchmetrics has nltk find sentences.
"""

import random

import torch
from torchmetrics.functional.text import rouge as rouge_module
from torchmetrics.text import BLEUScore, CharErrorRate, EditDistance, Perplexity, WordErrorRate

from metric_cases import case, of_value, write

rouge_module._split_sentence = lambda text: text.split("\n")
random.seed(0)
WORDS = ["the", "Cat", "sat,", "on", "a", "mat.", "dog", "it's", "ran", "élan", "\U0001f600", "x1", "THE", "and\u00a0so", "cat"]


def sentence(least=3, most=12, parts=" "):
    return "".join(random.choice(WORDS) + random.choice(parts) for _ in range(random.randint(least, most))).strip()


def changed(text):
    words = [word if random.random() < 0.7 else random.choice(WORDS) for word in text.split(" ")]
    return " ".join(word for word in words if random.random() < 0.9)


def batches(*counts, **options):
    targets = [[sentence(**options) for _ in range(count)] for count in counts]
    return [([changed(text) for text in batch], batch) for batch in targets]


def several(pairs):
    return [(given, [[text, changed(text), sentence()][: random.randint(1, 3)] for text in wanted]) for given, wanted in pairs]


pairs = batches(4, 1, 3)
references = several(pairs)
spaced = batches(4, 2, parts=[" ", "  ", "\t", "\n", "\u2003", "\x1c", "\x85", " \u200b"])
lines = several(batches(3, 2, least=8, most=25, parts=[" ", " ", "\n"]))
empty_text = [([""], ["a b"]), (["a b c"], ["a b"])]
all_empty = [(["", "a"], ["", ""])]
nothing = [([""], [""])]


def rouge(given, **options):
    """The class wants nltk, even where nothing of it is needed."""
    predictions = [text for batch, _ in given for text in batch]
    targets = [text for _, batch in given for text in batch]
    return of_value(given, rouge_module.rouge_score(predictions, targets, **options))


def logits(*sizes, ignored=None):
    given = []
    for batch, sequence in sizes:
        targets = torch.randint(0, 6, (batch, sequence))
        if ignored is not None:
            targets[:, -1] = ignored
        given.append((torch.randn(batch, sequence, 6) * 3, targets))
    return given


tokens = logits((2, 5), (1, 3), (4, 1))
padded = logits((2, 5), (1, 3), (4, 1), ignored=-100)
cases = {
    "CharErrorRate": case(CharErrorRate(), pairs),
    "CharErrorRate of strings": case(CharErrorRate(), [("kitten", "sitting"), ("", "abc")]),
    "CharErrorRate empty": case(CharErrorRate(), empty_text),
    "CharErrorRate too many": case(CharErrorRate(), all_empty),
    "CharErrorRate of nothing": case(CharErrorRate(), nothing),
    "WordErrorRate": case(WordErrorRate(), pairs),
    "WordErrorRate spaces": case(WordErrorRate(), spaced),
    "WordErrorRate of strings": case(WordErrorRate(), [("this is it", "this was it too")]),
    "WordErrorRate empty": case(WordErrorRate(), empty_text),
    "WordErrorRate of nothing": case(WordErrorRate(), nothing),
    "EditDistance": case(EditDistance(), pairs),
    "EditDistance sum": case(EditDistance(reduction="sum"), pairs),
    "EditDistance none": case(EditDistance(reduction="none"), pairs),
    "EditDistance costly": case(EditDistance(substitution_cost=2), pairs),
    "EditDistance free": case(EditDistance(substitution_cost=0), pairs),
    "EditDistance of strings": case(EditDistance(), [("rain", "shine"), ("", "abc")]),
    "EditDistance of none": case(EditDistance(), [([], [])]),
    "BLEUScore": case(BLEUScore(), references),
    "BLEUScore long": case(BLEUScore(), lines),
    "BLEUScore spaces": case(BLEUScore(n_gram=2), several(spaced)),
    "BLEUScore smooth": case(BLEUScore(smooth=True), references),
    "BLEUScore nGram": case(BLEUScore(n_gram=2), references),
    "BLEUScore weights": case(BLEUScore(n_gram=3, weights=[0.5, 0.3, 0.2]), references),
    "BLEUScore nothing found": case(BLEUScore(smooth=True), [(["a b c d e"], [["f g h i j"]])]),
    "BLEUScore empty": case(BLEUScore(n_gram=1), [([""], [["a b"]]), (["a"], [["", "a c"]])]),
    "BLEUScore same": case(BLEUScore(), [([text for text in wanted], [[text] for text in wanted]) for _, wanted in pairs]),
    "ROUGEScore": rouge(references),
    "ROUGEScore avg": rouge(references, accumulate="avg"),
    "ROUGEScore lines": rouge(lines),
    "ROUGEScore lines avg": rouge(lines, accumulate="avg"),
    "ROUGEScore of one key": rouge(lines, rouge_keys=("rougeLsum",)),
    "ROUGEScore longer": rouge(references, rouge_keys=("rouge3", "rouge9")),
    "ROUGEScore own words": rouge(references, normalizer=str.upper, tokenizer=lambda text: text.split(" ")),
    "ROUGEScore empty": rouge([([""], [["a b", ""]]), (["?!"], [["a"]]), (["a"], [["a"]])]),
    "Perplexity": case(Perplexity(), tokens),
    "Perplexity ignored": case(Perplexity(ignore_index=-100), padded),
    "Perplexity ignored token": case(Perplexity(ignore_index=2), tokens),
    "Perplexity all ignored": case(Perplexity(ignore_index=-100), logits((2, 1), ignored=-100)),
}
write(cases)
