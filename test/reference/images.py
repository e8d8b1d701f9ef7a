"""Writes images into a folder and prints what Pillow and torchvision make of them, as JSON."""
import json
import os
import sys
import types

import numpy as np
from PIL import Image

sys.path.insert(0, os.path.join(sys.prefix, "transforms"))
sys.modules["torchvision._meta_registrations"] = types.ModuleType("_meta_registrations")
import torch  # noqa: E402
from torchvision import datasets  # noqa: E402
from torchvision.transforms.v2 import functional  # noqa: E402

root = sys.argv[1]
random = np.random.default_rng(7)
height, width = 24, 37


def smooth(channels):
    """Colours that change slowly, as those of photographs do."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [(np.sin(x / (5 + i) + i) + np.cos(y / (4 + i))) * 60 + 127 for i in range(channels)]
    return np.stack(planes, -1).astype(np.uint8)


noise = random.integers(0, 256, (height, width, 4), dtype=np.uint8)
exif = Image.Exif()
exif[0x0112] = 6
rgb = Image.fromarray(noise[..., :3].copy())
images = {
    "a/rgb.png": (rgb, {}),
    "a/rgba.png": (Image.fromarray(noise), {}),
    "a/grey.png": (Image.fromarray(noise[..., 0].copy()), {}),
    "a/Z grey alpha.PNG": (Image.fromarray(noise[..., :2].copy(), "LA"), {}),
    "b/palette.png": (rgb.quantize(16), {}),
    "b/deep/bits.png": (Image.fromarray(noise[..., 0].copy()).convert("1"), {}),
    "b/lossless.webp": (rgb, {"lossless": True}),
    "b/rgb.tiff": (rgb, {}),
    "é/smooth.jpg": (Image.fromarray(smooth(3)), {"quality": 95, "subsampling": 0}),
    "é/smooth420.jpeg": (Image.fromarray(smooth(3)), {"quality": 90}),
    "é/smooth grey.jpg": (Image.fromarray(smooth(1)[..., 0]), {}),
    "é/turned.jpg": (Image.fromarray(smooth(3)), {"exif": exif, "quality": 95, "subsampling": 0}),
}
for name, (image, options) in images.items():
    os.makedirs(os.path.dirname(os.path.join(root, name)), exist_ok=True)
    image.save(os.path.join(root, name), **options)
with open(os.path.join(root, "a", "notes.txt"), "w") as file:
    file.write("no image")

resized = functional.resize(torch.from_numpy(smooth(3)).permute(2, 0, 1), [12], antialias=True)
folder = datasets.ImageFolder(root)


def values(path, mode):
    return np.asarray(Image.open(path).convert(mode)).tolist()


json.dump(
    {
        "classes": folder.classes,
        "samples": [
            {"file": path, "label": label, "rgb": values(path, "RGB"), "grey": values(path, "L")}
            for path, label in folder.samples
        ],
        "resized": resized.tolist(),
    },
    sys.stdout,
)
