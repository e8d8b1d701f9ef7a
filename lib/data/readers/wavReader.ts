import { AiforgeError } from '../../errors.js';
import { boolean, count, kind, size, string } from '../../kinds.js';
import { show } from '../../show.js';
import { nothing, signature } from '../../signature.js';
import { fromBuffer, scope, type Tensor } from '../../tensor/index.js';
import { openTakes, StreamDataset, type Position, type SampleReader } from '../stream.js';
import { openLocalFile, type LocalFile } from './localFile.js';
import { sampleSteps, type Step } from './sampleSteps.js';
import { readWavLayout, wavDType, widened, type WavInfo, type WavLayout } from './wavFormat.js';
import { rememberArguments } from '../workers/remembered.js';

export interface ReadWavOptions {
  /** The frame to begin with. Default: 0. */
  frameOffset?: number;
  /** How many frames to read, fewer where the file ends; -1: all that are left. Default: -1. */
  numFrames?: number;
  /** Whole numbers as float32 from -1 to 1. Without it they stay uint8, int16 or int32 (of 24 bits, in the upper ones). Default: true. */
  normalize?: boolean;
  /** Gives (channels, frames) instead of (frames, channels). Default: true. */
  channelsFirst?: boolean;
}

/** Sound and how fast it goes. */
export interface Sound {
  /** float32 of shape (channels, frames), unless the options say otherwise. */
  waveform: Tensor;
  /** Frames a second. */
  sampleRate: number;
}

const framesKind = kind<number>('a whole number above 0, or -1', (value) => value === -1 || count.accepts(value));

const readWavTakes = signature<ReadWavOptions>(
  { file: string },
  { frameOffset: size, numFrames: framesKind, normalize: boolean, channelsFirst: boolean },
);

type Form = Pick<ReadWavOptions, 'normalize' | 'channelsFirst'>;

/** Some frames of a file as a tensor: nothing else of it is read. */
async function readFrames(
  file: LocalFile,
  layout: WavLayout,
  first: number,
  frames: number,
  form: Form,
): Promise<Tensor> {
  const { frameBytes, dataStart, numChannels, bitsPerSample, encoding } = layout;
  const { normalize = true, channelsFirst = true } = form;
  const bytes = await file.read(dataStart + first * frameBytes, frames * frameBytes);
  const dtype = wavDType(layout);
  return scope(() => {
    const wide = bitsPerSample === 24 ? widened(bytes) : bytes;
    let samples = fromBuffer(wide, { dtype, shape: [frames, numChannels] });
    if (encoding === 'PCM_F') samples = samples.to('float32');
    else if (normalize) samples = toFloats(samples, bitsPerSample);
    return channelsFirst ? samples.t().contiguous() : samples;
  });
}

/** From -1 to 1: a division by a power of two, which is exact but for the 32 bits that float32 rounds. */
function toFloats(samples: Tensor, bitsPerSample: number): Tensor {
  const floats = samples.to('float32');
  if (bitsPerSample === 8) return floats.sub(128).div(128);
  return floats.div(bitsPerSample === 16 ? 2 ** 15 : 2 ** 31);
}

/**
 * Reads a WAV file, or some frames of it alone, as `torchaudio.load`: PCM of 8, 16, 24 and 32 bits, floats of 32 and 64, also as
 * WAVE_FORMAT_EXTENSIBLE.
 *
 * @throws AiforgeError FILE_INVALID for a file that is damaged or of another format, FILE_NOT_FOUND, INVALID_ARGUMENT.
 * @example
 * import { data } from 'aiforge';
 * import { writeFileSync } from 'node:fs';
 * const wav = Buffer.from('RIFF....WAVEfmt ....................data....\0\0\0\x40\0\x80', 'latin1');
 * [42, 16, 1 | (1 << 16), 8000, 16000, 2 | (16 << 16), 6].forEach((value, i) =>
 *   wav.writeInt32LE(value, [4, 16, 20, 24, 28, 32, 40][i]),
 * );
 * writeFileSync('/tmp/three.wav', wav);
 * const { waveform, sampleRate } = await data.readWav('/tmp/three.wav');
 * waveform.tolist(); // [[0, 0.5, -1]]
 * sampleRate; // 8000
 */
export async function readWav(file: string, options: ReadWavOptions = {}): Promise<Sound> {
  readWavTakes.check('readWav', arguments);
  const { frameOffset = 0, numFrames = -1 } = options;
  const opened = await openLocalFile('readWav', file);
  try {
    const layout = await readWavLayout(opened, 'readWav');
    if (frameOffset > layout.numFrames) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `readWav: frameOffset is ${frameOffset}, and '${file}' has ${layout.numFrames} frames; expected 0 … ${layout.numFrames}.`,
      );
    }
    const left = layout.numFrames - frameOffset;
    const frames = numFrames === -1 ? left : Math.min(numFrames, left);
    const waveform = await readFrames(opened, layout, frameOffset, frames, options);
    return { waveform, sampleRate: layout.sampleRate };
  } finally {
    await opened.close();
  }
}

export interface WavReaderOptions extends Form {
  /** The frames of each item; the last may have fewer. Default: 65,536. */
  chunkFrames?: number;
}

const wavReaderTakes = signature<WavReaderOptions>(
  { file: string },
  { chunkFrames: count, normalize: boolean, channelsFirst: boolean },
);

/**
 * A WAV file some frames at a time, so that long recordings are never whole in memory. Each item has the waveform, as `readWav` gives
 * it, and the sample rate.
 *
 * @throws AiforgeError from its readers as `readWav`.
 * @example
 * import { data } from 'aiforge';
 * const reader = new data.WavReader('recording.wav', { chunkFrames: 16_000 });
 */
export class WavReader extends StreamDataset<Sound> {
  readonly file: string;
  readonly #form: Form;
  readonly #chunkFrames: number;

  constructor(file: string, options: WavReaderOptions = {}) {
    super();
    wavReaderTakes.check(new.target.name, arguments);
    const { chunkFrames = 65_536, ...form } = options;
    this.file = file;
    this.#chunkFrames = chunkFrames;
    this.#form = form;
    if (new.target === WavReader) rememberArguments(this, 'WavReader', arguments);
  }

  /** The sample rate, frames, channels and encoding; only the head of the file is read. */
  async info(): Promise<WavInfo> {
    nothing.check('info', arguments);
    const file = await openLocalFile('WavReader', this.file);
    try {
      const { sampleRate, numFrames, numChannels, bitsPerSample, encoding } = await readWavLayout(file, 'WavReader');
      return { sampleRate, numFrames, numChannels, bitsPerSample, encoding };
    } finally {
      await file.close();
    }
  }

  open(position: Position = 0): SampleReader<Sound> {
    openTakes.check('open', arguments);
    if (!size.accepts(position)) {
      throw new AiforgeError('INVALID_ARGUMENT', `WavReader: a position is a frame's number, got ${show(position)}.`);
    }
    return sampleSteps(this.#chunks(position as number), position);
  }

  async *#chunks(first: number): AsyncGenerator<Step<Sound>, void, undefined> {
    const file = await openLocalFile('WavReader', this.file);
    try {
      const layout = await readWavLayout(file, 'WavReader');
      const { numFrames, sampleRate } = layout;
      if (first > numFrames) {
        const problem = `WavReader: the position is frame ${first}, and '${this.file}' has ${numFrames} frames: it is another file.`;
        throw new AiforgeError('FILE_INVALID', problem);
      }
      for (let at = first; at < numFrames;) {
        const frames = Math.min(this.#chunkFrames, numFrames - at);
        const waveform = await readFrames(file, layout, at, frames, this.#form);
        at += frames;
        yield [{ waveform, sampleRate }, at];
      }
    } finally {
      await file.close();
    }
  }
}
