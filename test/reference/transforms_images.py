"""What torchvision makes of images: `{name: {case: bytes as hex}}`, where cases are images of several kinds, and seeds.

Images are `image(…)` of test/transforms/likePython.mts, which computes the same values.
"""

import json
import os
import sys
import types

# Its extension for GPUs does not load where torch is that of the CPU.
sys.path.insert(0, os.path.join(sys.prefix, "transforms"))
sys.modules["torchvision._meta_registrations"] = types.ModuleType("torchvision._meta_registrations")

import torch
from torchvision.transforms import InterpolationMode, v2
from torchvision.transforms.v2 import functional as F

NEAREST, EXACT = InterpolationMode.NEAREST, InterpolationMode.NEAREST_EXACT
BILINEAR, BICUBIC = InterpolationMode.BILINEAR, InterpolationMode.BICUBIC


def image(dtype, *shape):
    count = torch.Size(shape).numel()
    values = (torch.arange(count, dtype=torch.int64) * 7919 + 13) % 251
    values = values.reshape(shape)
    return values.float().div(250).to(dtype) if dtype.is_floating_point else values.to(dtype)


images = {
    "bytes": image(torch.uint8, 3, 17, 23),
    "floats": image(torch.float32, 3, 17, 23),
    "batch": image(torch.uint8, 2, 3, 16, 15),
    "batch of floats": image(torch.float32, 2, 3, 16, 15),
}
grey = {"grey": image(torch.uint8, 1, 17, 23), "grey floats": image(torch.float32, 1, 17, 23)}
others = {"int32": image(torch.int32, 3, 17, 23), "float64": image(torch.float64, 3, 17, 23)}
nested = {"nested": image(torch.uint8, 2, 2, 3, 9, 12)}
laid_out = {
    "channels last": image(torch.uint8, 2, 3, 16, 15).contiguous(memory_format=torch.channels_last),
    "floats, channels last": image(torch.float32, 2, 3, 16, 15).contiguous(memory_format=torch.channels_last),
    "transposed": image(torch.float32, 3, 23, 17).transpose(-1, -2),
}
every = {**images, **grey, **others, **nested, **laid_out}


def recorded(value):
    if isinstance(value, (list, tuple)):
        return [recorded(each) for each in value]
    value = value.contiguous()
    dtype = str(value.dtype).removeprefix("torch.")
    return {"dtype": dtype, "shape": list(value.shape), "hex": value.numpy().tobytes().hex()}


cases = {}


def of(name, function, inputs=images):
    cases[name] = {each: recorded(function(x.clone())) for each, x in inputs.items()}


def seeded(name, transform, inputs=images, seeds=3):
    results = {}
    for seed in range(seeds):
        for each, x in inputs.items():
            torch.manual_seed(seed)
            made = transform(*x) if isinstance(x, tuple) else transform(x.clone())
            results[f"{each}, seed {seed}"] = [recorded(made), recorded(torch.rand(1))]
    cases[name] = results


only_bytes = {"bytes": images["bytes"], "batch": images["batch"]}
only_floats = {"floats": images["floats"], "batch of floats": images["batch of floats"], "float64": others["float64"]}

for name, size in {"down": [7, 10], "up": [29, 31], "mixed": [9, 40]}.items():
    for mode in (NEAREST, EXACT, BILINEAR, BICUBIC):
        of(f"resize {name} {mode.value}", lambda x: F.resize(x, size, interpolation=mode), every)
    of(f"resize {name} without antialias", lambda x: F.resize(x, size, antialias=False), every)
    of(f"resize {name} bicubic without antialias", lambda x: F.resize(x, size, BICUBIC, antialias=False), images)
of("resize shorter side", lambda x: F.resize(x, 11))
of("resize maxSize", lambda x: F.resize(x, [14], max_size=16))
of("resize longer side", lambda x: F.resize(x, None, max_size=12))
of("resize same", lambda x: F.resize(x, list(x.shape[-2:])))
of("to float32", lambda x: F.to_dtype(x, torch.float32, scale=True), every)
of("to float64", lambda x: F.to_dtype(x, torch.float64, scale=True), every)
of("to uint8", lambda x: F.to_dtype(x, torch.uint8, scale=True), every)
of("to int16", lambda x: F.to_dtype(x, torch.int16, scale=True), every)
of("to int32", lambda x: F.to_dtype(x, torch.int32, scale=True), {**only_bytes, "float64": others["float64"]})
of("to int64 unscaled", lambda x: F.to_dtype(x, torch.int64), every)
of("normalize", lambda x: F.normalize(x, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]), only_floats)
of("crop", lambda x: F.crop(x, 2, 3, 5, 7), every)
of("crop beyond", lambda x: F.crop(x, -2, 5, 9, 30), every)
of("crop beyond all", lambda x: F.crop(x, -3, -4, 40, 50))
of("center crop", lambda x: F.center_crop(x, [8, 11]), every)
of("center crop larger", lambda x: F.center_crop(x, [21, 10]), every)
of("resized crop", lambda x: F.resized_crop(x, 2, 3, 9, 10, [6, 13]))
of("flips", lambda x: [F.horizontal_flip(x), F.vertical_flip(x)], every)
of("five crop", lambda x: F.five_crop(x, [6, 9]))
of("ten crop", lambda x: F.ten_crop(x, 8))
of("ten crop vertical", lambda x: F.ten_crop(x, [6, 5], vertical_flip=True))
for mode in ("constant", "edge", "reflect", "symmetric"):
    of(f"pad {mode}", lambda x: F.pad(x, [1, 2, 3, 4], padding_mode=mode), every)
    of(f"pad {mode} both", lambda x: F.pad(x, [3, 2], padding_mode=mode))
    of(f"pad {mode} all", lambda x: F.pad(x, 4, padding_mode=mode))
    of(f"pad {mode} negative", lambda x: F.pad(x, [-1, 2, 3, -2], padding_mode=mode))
of("pad fill", lambda x: F.pad(x, 2, fill=7))
of("pad fills", lambda x: F.pad(x, [1, 2, 0, 3], fill=[1.0, 2.0, 3.0]))
for mode in (NEAREST, BILINEAR):
    at = f" {mode.value}"
    of("rotate" + at, lambda x: F.rotate(x, 33.3, interpolation=mode), every)
    of("rotate expand" + at, lambda x: F.rotate(x, -72, interpolation=mode, expand=True, fill=3), images)
    of("rotate center" + at, lambda x: F.rotate(x, 10, interpolation=mode, center=[2.0, 3.0], fill=[1.0, 0.5, 0.25]))
    of("affine" + at, lambda x: F.affine(x, 20.0, [2.0, -3.0], 1.3, [7.0, -4.0], interpolation=mode), every)
    of("affine fill" + at, lambda x: F.affine(x, -8, [0, 1], 0.7, [3.0, 0.0], mode, fill=0.5, center=[0.0, 5.0]))
    ends = [[2, 1], [20, 3], [19, 14], [0, 15]]
    starts = [[0, 0], [22, 0], [22, 16], [0, 16]]
    of("perspective" + at, lambda x: F.perspective(x, starts, ends, interpolation=mode), every)
    of("perspective fill" + at, lambda x: F.perspective(x, starts, ends, interpolation=mode, fill=2))

    def elastic(x, **options):
        h, w = x.shape[-2:]
        return F.elastic(x, image(torch.float32, 1, h, w, 2) / 5, interpolation=mode, **options)

    of("elastic" + at, elastic)
    of("elastic fill" + at, lambda x: elastic(x, fill=1.0))
for angle in (0, 90, 180, 270, 360, 450, -90):
    of(f"rotate {angle}", lambda x: F.rotate(x, angle))
    of(f"rotate {angle} expand", lambda x: F.rotate(x, angle, expand=True), {**images, "grey": grey["grey"]})
colored = {**images, **grey, **nested, **laid_out}
for factor in (0.0, 0.4, 1.0, 1.7):
    of(f"brightness {factor}", lambda x: F.adjust_brightness(x, factor), {**colored, **others})
    of(f"contrast {factor}", lambda x: F.adjust_contrast(x, factor), colored)
    of(f"saturation {factor}", lambda x: F.adjust_saturation(x, factor), colored)
    of(f"sharpness {factor}", lambda x: F.adjust_sharpness(x, factor), colored)
    of(f"gamma {factor}", lambda x: F.adjust_gamma(x, factor, 1.1), {**colored, "float64": others["float64"]})
for factor in (-0.5, -0.1, 0.0, 0.25, 0.5):
    of(f"hue {factor}", lambda x: F.adjust_hue(x, factor), {**colored, "float64": others["float64"]})
of("grayscale", lambda x: F.rgb_to_grayscale(x), every)
of("grayscale 3", lambda x: F.rgb_to_grayscale(x, 3), every)
of("blur", lambda x: F.gaussian_blur(x, [3, 5]), every)
of("blur sigma", lambda x: F.gaussian_blur(x, [7, 3], [0.7, 1.9]), every)
whole = {each: image(getattr(torch, each), 1, 5, 6) for each in ("int8", "int16", "int64")}
of("invert", lambda x: F.invert(x), {**every, **whole})
for bits in (0, 1, 3, 7):
    of(f"posterize {bits}", lambda x: F.posterize(x, bits), {**images, **whole})
of("solarize", lambda x: F.solarize(x, 128 if x.dtype == torch.uint8 else 0.5))
of("autocontrast", lambda x: F.autocontrast(x), colored)
of("autocontrast flat", lambda x: F.autocontrast(x * 0 + 1), only_bytes)
of("equalize", lambda x: F.equalize(x), colored)
of("equalize large", lambda x: F.equalize(x.repeat_interleave(7, -1).repeat_interleave(9, -2)), colored)
of("equalize flat", lambda x: F.equalize(x * 0 + 3), only_bytes)
of("erase", lambda x: F.erase(x, 1, 2, 5, 6, torch.tensor([1.0, 2.0, 3.0]).reshape(3, 1, 1)))
of("permute", lambda x: F.permute_channels(x, [2, 0, 1]), images)
small = {"small": image(torch.float32, 3, 4, 5), "small batch": image(torch.float32, 2, 3, 4, 5)}
of("linear", v2.LinearTransformation(image(torch.float32, 60, 60), image(torch.float32, 60)), small)

seeded("RandomCrop", v2.RandomCrop((8, 9)))
seeded("RandomCrop whole height", v2.RandomCrop((16, 5)), only_bytes)
seeded("RandomCrop border", v2.RandomCrop(16, padding=[1, 2], padding_mode="reflect"))
seeded("RandomCrop needed", v2.RandomCrop((30, 12), pad_if_needed=True, fill=5))
seeded("RandomResizedCrop", v2.RandomResizedCrop([7, 8]), seeds=6)
seeded("RandomResizedCrop none fits", v2.RandomResizedCrop(9, scale=(3, 4), ratio=(2, 3), interpolation=BICUBIC))
seeded("RandomResizedCrop none fits either", v2.RandomResizedCrop(9, scale=(3, 4), ratio=(0.2, 0.3)))
seeded("RandomHorizontalFlip", v2.RandomHorizontalFlip(), seeds=5)
seeded("RandomVerticalFlip", v2.RandomVerticalFlip(0.3), seeds=5)
seeded("RandomResize", v2.RandomResize(8, 20, antialias=False))
seeded("RandomShortestSize", v2.RandomShortestSize([8, 9, 20], max_size=21), seeds=5)
seeded("ScaleJitter", v2.ScaleJitter((18, 20), (0.5, 2.0)), seeds=5)
seeded("RandomZoomOut", v2.RandomZoomOut(fill=2, side_range=(1.0, 2.0)), seeds=5)
seeded("RandomRotation", v2.RandomRotation(40))
seeded("RandomRotation expand", v2.RandomRotation((10, 80), interpolation=BILINEAR, expand=True, fill=1))
seeded("RandomAffine", v2.RandomAffine(30, translate=(0.1, 0.3), scale=(0.7, 1.4), shear=(-5, 6, -7, 8)))
seeded("RandomAffine shear", v2.RandomAffine((0, 9), shear=12, interpolation=BILINEAR, fill=3))
seeded("RandomPerspective", v2.RandomPerspective(0.4, fill=2), seeds=5)
seeded("ElasticTransform", v2.ElasticTransform([30.0, 40.0], [1.0, 1.5]))
seeded("ColorJitter", v2.ColorJitter(0.4, 0.5, 0.6, 0.3), seeds=5)
seeded("ColorJitter some", v2.ColorJitter(contrast=(0.5, 0.9), hue=(0.1, 0.2)), seeds=4)
seeded("RandomPhotometricDistort", v2.RandomPhotometricDistort(), seeds=6)
seeded("RandomGrayscale", v2.RandomGrayscale(0.5), seeds=4)
seeded("RandomInvert", v2.RandomInvert(), seeds=4)
seeded("RandomPosterize", v2.RandomPosterize(3), seeds=4)
seeded("RandomSolarize", v2.RandomSolarize(0.4), seeds=4)
seeded("RandomAdjustSharpness", v2.RandomAdjustSharpness(1.8), seeds=4)
seeded("RandomAutocontrast", v2.RandomAutocontrast(), seeds=4)
seeded("RandomEqualize", v2.RandomEqualize(), seeds=4)
seeded("RandomChannelPermutation", v2.RandomChannelPermutation(), seeds=4)
seeded("GaussianBlur", v2.GaussianBlur((3, 5)))
seeded("GaussianNoise", v2.GaussianNoise(0.05, 0.2))
seeded("RandomErasing", v2.RandomErasing(), seeds=6)
seeded("RandomErasing values", v2.RandomErasing(1.0, value=(1, 2, 3)), seeds=4)
seeded("RandomErasing noise", v2.RandomErasing(1.0, value="random"), only_floats)
seeded("RandomApply", v2.RandomApply([v2.RandomRotation(20), v2.RandomInvert()], 0.6), seeds=5)
seeded("RandomChoice", v2.RandomChoice([v2.RandomRotation(20), v2.RandomInvert(1.0)], [0.3, 0.9]), seeds=5)
seeded("RandomOrder", v2.RandomOrder([v2.RandomRotation(20), v2.ColorJitter(0.5), v2.GaussianBlur(3)]), seeds=5)
seeded("Compose", v2.Compose([v2.RandomResizedCrop(12), v2.RandomHorizontalFlip(), v2.ToDtype(torch.float32, scale=True)]))
seeded("AutoAugment", v2.AutoAugment(), only_bytes, 30)
for policy in v2.AutoAugmentPolicy:
    seeded(f"AutoAugment {policy.value}", v2.AutoAugment(policy, BILINEAR, fill=9), only_bytes, 20)
seeded("RandAugment", v2.RandAugment(3, 12), images, 20)
seeded("TrivialAugmentWide", v2.TrivialAugmentWide(), images, 30)
seeded("AugMix", v2.AugMix(), images, 6)
seeded("AugMix some", v2.AugMix(5, 2, 2, 0.5, all_ops=False), only_bytes, 4)
batches = {
    "labels": (image(torch.float32, 4, 3, 9, 10), torch.tensor([0, 2, 1, 2])),
    "shares": (image(torch.float64, 3, 1, 7, 6), image(torch.float32, 3, 3)),
}
seeded("MixUp", v2.MixUp(alpha=0.3, num_classes=3), batches, 4)
seeded("CutMix", v2.CutMix(num_classes=3), batches, 4)

print(json.dumps(cases))
