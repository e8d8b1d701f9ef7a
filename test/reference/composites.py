"""Prints, as JSON, what Python's functions that are no single operator give for small inputs."""

import json

import torch

x = torch.arange(12, dtype=torch.float64).reshape(3, 4) / 7
y = torch.arange(12, dtype=torch.float64).reshape(4, 3) / 5 - 1
v = torch.tensor([3, 1, 3, 2, 1, 1])
signal = torch.sin(torch.arange(64, dtype=torch.float64) / 3)
window = torch.hann_window(16, dtype=torch.float64)
sparse = torch.eye(3, dtype=torch.float64).to_sparse()

cases = {
    "einsum": lambda: torch.einsum("ij,jk->ik", x, y),
    "einsum list": lambda: torch.einsum("ij,ij->i", [x, x]),
    "einsum subscripts": lambda: torch.einsum(x, [0, 1], y, [1, 2], [2, 0]),
    "einsum ellipsis": lambda: torch.einsum("...j,...j", x, x),
    "einsum three": lambda: torch.einsum("ij,jk,kl->il", x, y, x),
    "meshgrid": lambda: torch.meshgrid(v, v[:2], indexing="ij"),
    "meshgrid xy": lambda: torch.meshgrid(v, v[:2], indexing="xy"),
    "broadcast_tensors": lambda: torch.broadcast_tensors(x, x[0]),
    "broadcast_shapes": lambda: torch.tensor(torch.broadcast_shapes((2, 1), (3,), 1)),
    "block_diag": lambda: torch.block_diag(x, y[0], torch.tensor(2.0, dtype=torch.float64)),
    "cartesian_prod": lambda: torch.cartesian_prod(v[:2], v[1:4]),
    "chain_matmul": lambda: torch.linalg.multi_dot([x, y, x]),
    "atleast_1d": lambda: torch.atleast_1d(torch.tensor(1), v),
    "atleast_2d": lambda: torch.atleast_2d(v),
    "atleast_3d": lambda: torch.atleast_3d(v, x),
    "norm": lambda: torch.norm(x),
    "norm fro dims": lambda: torch.norm(x, dim=(0, 1), keepdim=True),
    "norm nuc": lambda: torch.norm(x, p="nuc"),
    "norm 1": lambda: torch.norm(x, 1, 1),
    "norm inf": lambda: torch.norm(x, float("inf"), dim=0, keepdim=True),
    "norm dtype": lambda: torch.norm(x.float(), dtype=torch.float64),
    "norm sparse": lambda: torch.norm(sparse),
    "unique": lambda: torch.unique(v),
    "unique all": lambda: torch.unique(v, return_inverse=True, return_counts=True),
    "unique counts": lambda: torch.unique(v, return_counts=True),
    "unique dim": lambda: torch.unique(v.view(3, 2).sort(1).values, dim=0, return_inverse=True),
    "unique_consecutive": lambda: torch.unique_consecutive(v, return_inverse=True, return_counts=True),
    "tensordot": lambda: torch.tensordot(x, y, dims=1),
    "tensordot lists": lambda: torch.tensordot(x, x, dims=([0, 1], [0, 1])),
    "tensordot 0": lambda: torch.tensordot(x[0], y[0], dims=0),
    "cdist": lambda: torch.cdist(x, x + 1, p=1),
    "cdist mode": lambda: torch.cdist(x, y.t(), compute_mode="use_mm_for_euclid_dist"),
    "lu": lambda: torch.lu(x[:, :3] + torch.eye(3), get_infos=True),
    "unravel_index": lambda: torch.unravel_index(torch.tensor([5, 0, 23]), (2, 3, 4)),
    "stft": lambda: torch.view_as_real(torch.stft(signal, 16, window=window, return_complex=True)),
    "stft plain": lambda: torch.view_as_real(
        torch.stft(signal, 16, 8, 12, window[:12], False, "constant", True, False, True)
    ),
    "istft": lambda: torch.istft(torch.stft(signal, 16, window=window, return_complex=True), 16, window=window),
    "split": lambda: x.split(3, 1),
    "split sizes": lambda: torch.split(x, [1, 3], dim=1),
    "chunk": lambda: x.chunk(3, dim=1),
    "tensor_split": lambda: torch.tensor_split(x, [1, 3], dim=1),
    "combinations": lambda: torch.combinations(v[:3], 2, with_replacement=True),
    "topk": lambda: torch.topk(x, 2, dim=1, largest=False),
    "kthvalue": lambda: torch.kthvalue(x, 2, keepdim=True),
    "mode": lambda: torch.mode(v.view(2, 3)),
    "median": lambda: torch.median(x, dim=0),
    "hstack": lambda: torch.hstack([x, x]),
    "T": lambda: x.T,
    "mT": lambda: x.mT,
    "H": lambda: torch.view_as_real((x + 1j).H.resolve_conj()),
}


def plain(value):
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    dtype = str(value.dtype).removeprefix("torch.")
    return {"dtype": dtype, "shape": list(value.shape), "data": value.tolist()}


print(json.dumps({"version": torch.__version__.split("+")[0], "results": {n: plain(f()) for n, f in cases.items()}}))
