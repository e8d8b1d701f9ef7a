"""What torchaudio makes of sounds: `{name: {case: bytes as hex}}`, where cases are sounds of several shapes, and seeds.

Sounds are `sound(…)` of test/transforms/audio.test.mts, which computes the same values.
"""

import json
import os
import sys
import types

# Its extension does not load where torch is that of the CPU; nothing here needs it.
sys.path.insert(0, os.path.join(sys.prefix, "transforms"))
extension = types.ModuleType("torchaudio._extension")
extension._IS_TORCHAUDIO_EXT_AVAILABLE = extension._IS_RIR_AVAILABLE = extension._IS_ALIGN_AVAILABLE = False
extension.fail_if_no_align = extension.fail_if_no_rir = lambda function: function
sys.modules["torchaudio._extension"] = extension

import warnings

import torch
from torchaudio import functional as F
from torchaudio import transforms as T

warnings.simplefilter("ignore")


def sound(dtype, *shape):
    values = (torch.arange(torch.Size(shape).numel(), dtype=torch.int64) * 7919 + 13) % 2003
    return values.reshape(shape).to(dtype).div(1001).sub(1)


sounds = {"one": sound(torch.float32, 801), "two": sound(torch.float32, 2, 600), "batch": sound(torch.float32, 2, 3, 333)}
doubles = {"doubles": sound(torch.float64, 2, 500)}
spectra = {"spectrum": sound(torch.float32, 2, 33, 20).abs(), "spectra": sound(torch.float32, 3, 2, 33, 17).abs()}
steps = {"steps": torch.arange(256)}


def recorded(value):
    if isinstance(value, (list, tuple)):
        return [recorded(each) for each in value]
    value = torch.view_as_real(value) if value.is_complex() else value
    value = value.contiguous()
    dtype = str(value.dtype).removeprefix("torch.")
    return {"dtype": dtype, "shape": list(value.shape), "hex": value.numpy().tobytes().hex()}


cases = {}


def of(name, function, inputs=sounds):
    cases[name] = {each: recorded(function(x.clone())) for each, x in inputs.items()}


def seeded(name, transform, inputs=spectra, seeds=4):
    results = {}
    for seed in range(seeds):
        for each, x in inputs.items():
            torch.manual_seed(seed)
            results[f"{each}, seed {seed}"] = [recorded(transform(x.clone())), recorded(torch.rand(1))]
    cases[name] = results


of("Spectrogram", T.Spectrogram(64))
of("Spectrogram odd", T.Spectrogram(63, win_length=40, hop_length=17, pad=5, power=1.0, window_fn=torch.hamming_window))
of("Spectrogram not centered", T.Spectrogram(50, center=False, normalized=True))
of("Spectrogram frame_length", T.Spectrogram(64, normalized="frame_length", pad_mode="constant", power=3.0))
of("Spectrogram complex", T.Spectrogram(32, power=None, onesided=False, normalized="window"))
of("Spectrogram of doubles", T.Spectrogram(64, window_fn=lambda n: torch.hann_window(n, dtype=torch.float64)), doubles)
of("MelScale htk", T.MelScale(12, 8000, n_stft=33), spectra)
of("MelScale slaney", T.MelScale(10, 16000, 50.0, 7000.0, 33, "slaney", "slaney"), spectra)
of("MelSpectrogram", T.MelSpectrogram(8000, 128, n_mels=20))
of("MelSpectrogram slaney", T.MelSpectrogram(22050, 200, 150, 60, 20.0, 9000.0, 3, 15, power=1.0, norm="slaney", mel_scale="slaney"))  # fmt: skip
of("filters", lambda x: [F.melscale_fbanks(n, 30.0, 0.45 * r, m, r, norm, scale)
   for n in (64, 201) for m in (13, 40) for r in (8000, 22050) for norm in (None, "slaney") for scale in ("htk", "slaney")], steps)  # fmt: skip
of("AmplitudeToDB", T.AmplitudeToDB(), spectra)
of("AmplitudeToDB magnitude", T.AmplitudeToDB("magnitude", 12.0), spectra)
of("amplitudeToDB", lambda x: F.amplitude_to_DB(x, 10.0, 1e-3, 0.5, 9.0), spectra)
of("MFCC", T.MFCC(8000, 13, melkwargs={"n_fft": 128, "n_mels": 23}))
of("MFCC log", T.MFCC(16000, 9, norm=None, log_mels=True, melkwargs={"n_fft": 100, "n_mels": 16, "hop_length": 30}))
of("createDct", lambda x: [F.create_dct(5, 8, None), F.create_dct(13, 40, "ortho"), F.create_dct(40, 128, "ortho")], steps)
for orig, new in ((16, 10), (3, 7), (44100, 16000), (8, 8)):
    of(f"Resample {orig} {new}", T.Resample(orig, new))
    of(f"resample {orig} {new}", lambda x: F.resample(x, orig, new), {**sounds, **doubles})
of("Resample kaiser", T.Resample(5, 4, "sinc_interp_kaiser", lowpass_filter_width=16, rolloff=0.9, beta=8.5))
of("resample kaiser", lambda x: F.resample(x, 4, 9, resampling_method="sinc_interp_kaiser"), {**sounds, **doubles})
of("Resample of doubles", T.Resample(6, 7, dtype=torch.float64), doubles)
of("MuLawEncoding", T.MuLawEncoding(), {**sounds, **doubles})
of("MuLawEncoding 64", T.MuLawEncoding(64))
of("MuLawDecoding", T.MuLawDecoding(), steps)
of("muLawDecoding", lambda x: F.mu_law_decoding(x, 1000), {**steps, **spectra})

seeded("FrequencyMasking", T.FrequencyMasking(12))
seeded("FrequencyMasking iid", T.FrequencyMasking(20, iid_masks=True))
seeded("TimeMasking", T.TimeMasking(9))
seeded("TimeMasking p", T.TimeMasking(15, iid_masks=True, p=0.5))

print(json.dumps(cases))
