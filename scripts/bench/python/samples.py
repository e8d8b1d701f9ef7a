"""Datasets as a user writes them, as the modules in node/samples have them."""

import json
import os
import re
import sys
import types

import numpy as np
import torch
from torch.utils.data import Dataset

# Its extension for GPUs does not load where torch is that of the CPU.
sys.path.insert(0, os.path.join(sys.prefix, "transforms"))
sys.modules["torchvision._meta_registrations"] = types.ModuleType("torchvision._meta_registrations")
from torchvision.transforms import v2  # noqa: E402


def read_json(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return json.load(file)


def read_idx(folder, name, header):
    with open(os.path.join(folder, name), "rb") as file:
        return torch.from_numpy(np.frombuffer(file.read(), np.uint8, offset=header).copy())


MEAN, DEVIATION = 0.1307, 0.3081


def by_operators(image):
    return image.to(torch.float32).div(255).sub(MEAN).div(DEVIATION)


class Digits(Dataset):
    def __init__(self, folder, how):
        self.images = read_idx(folder, "t10k-images-idx3-ubyte", 16).reshape(-1, 1, 28, 28)
        self.labels = read_idx(folder, "t10k-labels-idx1-ubyte", 8).tolist()
        transforms = v2.Compose([v2.ToDtype(torch.float32, scale=True), v2.Normalize([MEAN], [DEVIATION])])
        self.normalise = transforms if how == "transforms" else by_operators

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.normalise(self.images[index]), self.labels[index]


def read_mail(file, label):
    with open(file, encoding="latin1", newline="") as stream:
        source = stream.read()
    return source[source.find("\n\n") + 2 :], label


class Mails(Dataset):
    def __init__(self, folder):
        self.files = read_json(folder, "mails.json")

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        return read_mail(*self.files[index])


class Tokenizing:
    def __init__(self, folder):
        from tokenizers import Tokenizer

        self.tokenizer = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
        self.tokenizer.enable_truncation(512)
        self.tokenizer.enable_padding(pad_id=self.tokenizer.token_to_id("[PAD]"), pad_token="[PAD]")

    def __call__(self, samples):
        encoded = self.tokenizer.encode_batch([text for text, _ in samples])
        ids = torch.tensor([each.ids for each in encoded])
        labels = torch.tensor([label for _, label in samples])
        return ids, labels, torch.tensor([each.attention_mask for each in encoded])


WORDS = re.compile(r"[a-z]+|[0-9]+|[!-/:-@\[-`{-~]")
LENGTH = 256


class MailsOfWords(Mails):
    def __init__(self, folder):
        super().__init__(folder)
        self.ids = {word: i + 2 for i, word in enumerate(read_json(folder, "words.json"))}

    def __getitem__(self, index):
        text, label = super().__getitem__(index)
        found = WORDS.findall(text.lower())[:LENGTH]
        ids = [self.ids.get(word, 1) for word in found] + [0] * (LENGTH - len(found))
        return torch.tensor(ids), label


class Photos(Dataset):
    def __init__(self, folder):
        self.files = read_json(folder, "photos.json")
        self.transform = v2.Compose(
            [
                v2.Resize((224, 224)),
                v2.PILToTensor(),
                v2.ToDtype(torch.float32, scale=True),
                v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
            ]
        )

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        from PIL import Image

        with Image.open(self.files[index]) as image:
            return self.transform(image.convert("RGB")), index
