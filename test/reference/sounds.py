"""Writes WAV files into a folder and prints the samples that the wave module, SciPy and NumPy make of them, as JSON."""
import json
import os
import sys
import wave

import numpy as np
from scipy.io import wavfile

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
random = np.random.default_rng(3)
frames, channels, rate = 50, 2, 22050
sounds = {}


def note(name, values):
    sounds[name] = {"rate": rate, "waveform": np.asarray(values, dtype=np.float32).T.tolist()}


for width in (1, 2, 3, 4):
    name = f"pcm{width * 8}.wav"
    raw = random.integers(0, 256, frames * channels * width, dtype=np.uint8).tobytes()
    with wave.open(os.path.join(folder, name), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(raw)
    # SciPy gives 24 bits as the upper ones of 32.
    read_rate, values = wavfile.read(os.path.join(folder, name))
    assert read_rate == rate
    scale, zero = {1: (128, 128), 2: (2**15, 0), 3: (2**31, 0), 4: (2**31, 0)}[width]
    note(name, (values.astype(np.float64) - zero) / scale)

for dtype in (np.float32, np.float64):
    name = f"{np.dtype(dtype).name}.wav"
    values = random.standard_normal((frames, channels)).astype(dtype)
    wavfile.write(os.path.join(folder, name), rate, values)
    note(name, values)

# SciPy writes the extensible format for what the plain one has not.
mono = random.integers(-(2**31), 2**31, frames, dtype=np.int64).astype(np.int32)
wavfile.write(os.path.join(folder, "mono.wav"), rate, mono)
sounds["mono.wav"] = {"rate": rate, "waveform": [(mono.astype(np.float64) / 2**31).astype(np.float32).tolist()]}

json.dump(sounds, sys.stdout)
