import { arange, hammingWindow, hannWindow, viewAsReal, type DType, type Tensor } from 'aiforge';
import * as transforms from 'aiforge/transforms';
import { likePython } from './likePython.mjs';

const f = transforms.functional;
const { MelScale, MelSpectrogram, MFCC, Resample, Spectrogram } = transforms;

/** The same values as `sound(…)` of test/reference/transforms_audio.py. */
function sound(dtype: DType, ...shape: number[]): Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  const values = arange(count, { dtype: 'int64' }).mul(7919).add(13).remainder(2003);
  return values.view(shape).to(dtype).div(1001).sub(1);
}

const inputs = {
  one: sound('float32', 801),
  two: sound('float32', 2, 600),
  batch: sound('float32', 2, 3, 333),
  doubles: sound('float64', 2, 500),
  spectrum: sound('float32', 2, 33, 20).abs(),
  spectra: sound('float32', 3, 2, 33, 17).abs(),
  steps: arange(256),
};

const modules: Record<string, transforms.Transform> = {
  Spectrogram: new Spectrogram({ nFft: 64 }),
  'Spectrogram odd': new Spectrogram({ nFft: 63, winLength: 40, hopLength: 17, pad: 5, power: 1, windowFn: (n) => hammingWindow(n) }), // prettier-ignore
  'Spectrogram not centered': new Spectrogram({ nFft: 50, center: false, normalized: true }),
  'Spectrogram frame_length': new Spectrogram({ nFft: 64, normalized: 'frame_length', padMode: 'constant', power: 3 }),
  'Spectrogram of doubles': new Spectrogram({ nFft: 64, windowFn: (n) => hannWindow(n, { dtype: 'float64' }) }),
  'MelScale htk': new MelScale({ nMels: 12, sampleRate: 8000, nStft: 33 }),
  'MelScale slaney': new MelScale({ nMels: 10, sampleRate: 16000, fMin: 50, fMax: 7000, nStft: 33, norm: 'slaney', melScale: 'slaney' }), // prettier-ignore
  MelSpectrogram: new MelSpectrogram({ sampleRate: 8000, nFft: 128, nMels: 20 }),
  'MelSpectrogram slaney': new MelSpectrogram({
    ...{ sampleRate: 22050, nFft: 200, winLength: 150, hopLength: 60, fMin: 20, fMax: 9000, pad: 3, nMels: 15 },
    ...{ power: 1, norm: 'slaney', melScale: 'slaney' },
  }),
  AmplitudeToDB: new transforms.AmplitudeToDB(),
  'AmplitudeToDB magnitude': new transforms.AmplitudeToDB('magnitude', { topDb: 12 }),
  MFCC: new MFCC(8000, { nMfcc: 13, melkwargs: { nFft: 128, nMels: 23 } }),
  'MFCC log': new MFCC(16000, { nMfcc: 9, norm: null, logMels: true, melkwargs: { nFft: 100, nMels: 16, hopLength: 30 } }), // prettier-ignore
  'Resample kaiser': new Resample(5, 4, { resamplingMethod: 'sinc_interp_kaiser', lowpassFilterWidth: 16, rolloff: 0.9, beta: 8.5 }), // prettier-ignore
  'Resample of doubles': new Resample(6, 7, { dtype: 'float64' }),
  MuLawEncoding: new transforms.MuLawEncoding(),
  'MuLawEncoding 64': new transforms.MuLawEncoding(64),
  MuLawDecoding: new transforms.MuLawDecoding(),
};
const filters = [64, 201].flatMap((nFreqs) =>
  [13, 40].flatMap((nMels) =>
    [8000, 22050].flatMap((sampleRate) =>
      ([null, 'slaney'] as const).flatMap(
        (norm) =>
        (['htk', 'slaney'] as const).map((melScale) => ({ nFreqs, fMin: 30, fMax: 0.45 * sampleRate, nMels, sampleRate, norm, melScale })), // prettier-ignore
      ),
    ),
  ),
);
const functions: Record<string, (x: Tensor) => unknown> = {
  'Spectrogram complex': (x) =>
    viewAsReal(new Spectrogram({ nFft: 32, power: null, onesided: false, normalized: 'window' }).forward(x)),
  filters: () => filters.map((each) => f.melscaleFbanks(each)),
  amplitudeToDB: (x) => f.amplitudeToDB(x, 10, { amin: 1e-3, dbMultiplier: 0.5, topDb: 9 }),
  createDct: () => [f.createDct(5, 8), f.createDct(13, 40, { norm: 'ortho' }), f.createDct(40, 128, { norm: 'ortho' })],
  'resample kaiser': (x) => f.resample(x, 4, 9, { resamplingMethod: 'sinc_interp_kaiser' }),
  muLawDecoding: (x) => f.muLawDecoding(x, 1000),
};
for (const [orig, next] of [[16, 10], [3, 7], [44100, 16000], [8, 8]] as const) {
  modules[`Resample ${orig} ${next}`] = new Resample(orig, next);
  functions[`resample ${orig} ${next}`] = (x) => f.resample(x, orig, next);
} // prettier-ignore
for (const [name, module] of Object.entries(modules)) functions[name] = (x) => module.forward(x);

const masks: Record<string, transforms.Transform> = {
  FrequencyMasking: new transforms.FrequencyMasking(12),
  'FrequencyMasking iid': new transforms.FrequencyMasking(20, { iidMasks: true }),
  TimeMasking: new transforms.TimeMasking(9),
  'TimeMasking p': new transforms.TimeMasking(15, { iidMasks: true, p: 0.5 }),
};

describe('transforms of sounds, as torchaudio makes them', () => {
  likePython(
    'transforms_audio.py',
    inputs,
    functions,
    Object.fromEntries(Object.entries(masks).map(([name, each]) => [name, (...given) => each.forward(given[0]!)])),
  );
});
