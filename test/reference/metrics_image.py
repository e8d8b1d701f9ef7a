"""Values of torchmetrics' metrics of images on random batches."""

import torch
from torchmetrics.image import PeakSignalNoiseRatio, StructuralSimilarityIndexMeasure

from metric_cases import case, write


def batches(*shape, sizes=(2, 1, 3)):
    targets = [torch.rand(size, *shape) for size in sizes]
    return [(target + 0.2 * torch.randn_like(target), target) for target in targets]


images = batches(3, 14, 12)
grey = batches(1, 9, 16, sizes=(2, 1))
volumes = batches(2, 8, 7, 9, sizes=(1, 2))
large = batches(1, 7, 6, 8, sizes=(1,))
same = [(target, target) for _, target in grey]
psnr, ssim = PeakSignalNoiseRatio, StructuralSimilarityIndexMeasure
each = {"dim": (1, 2, 3), "data_range": 1.0}
cases = {
    "PSNR": case(psnr(data_range=1.0), images),
    "PSNR of volumes": case(psnr(data_range=1.0), volumes),
    "PSNR bounds": case(psnr(data_range=(0.1, 0.9)), images),
    "PSNR base": case(psnr(data_range=2.0, base=2.0), images),
    "PSNR same": case(psnr(data_range=1.0), same),
    "PSNR each": case(psnr(**each), images),
    "PSNR each sum": case(psnr(**each, reduction="sum"), images),
    "PSNR each none": case(psnr(**each, reduction="none"), images),
    "PSNR dim": case(psnr(data_range=1.0, dim=-1, reduction="none"), images),
    "SSIM": case(ssim(data_range=1.0), images),
    "SSIM measured range": case(ssim(), images),
    "SSIM bounds": case(ssim(data_range=(0.1, 0.9)), images),
    "SSIM sigma": case(ssim(data_range=1.0, sigma=0.7), images),
    "SSIM sigmas": case(ssim(data_range=1.0, sigma=[0.7, 1.1]), grey),
    "SSIM uniform": case(ssim(data_range=1.0, gaussian_kernel=False), images),
    "SSIM uniform size": case(ssim(data_range=1.0, gaussian_kernel=False, kernel_size=5), images),
    "SSIM uniform sizes": case(ssim(data_range=1.0, gaussian_kernel=False, kernel_size=[3, 7]), grey),
    "SSIM sum": case(ssim(data_range=1.0, reduction="sum"), images),
    "SSIM none": case(ssim(data_range=1.0, reduction="none"), images),
    "SSIM k": case(ssim(data_range=1.0, k1=0.1, k2=0.2), images),
    "SSIM same": case(ssim(data_range=1.0), same),
    "SSIM volumes": case(ssim(data_range=1.0), volumes),
    "SSIM volumes uniform": case(ssim(data_range=1.0, gaussian_kernel=False, kernel_size=[3, 5, 7]), large),
    # torchmetrics pads the last dimension by kernel_size, although the Gaussian is as large as sigma says.
    "SSIM volumes sigmas": case(ssim(data_range=1.0, sigma=[0.5, 0.8, 1.1], kernel_size=[1, 1, 9]), large),
}
write(cases)
