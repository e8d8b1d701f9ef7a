import { Buffer } from 'node:buffer';
import { AiforgeError } from '../../errors.js';
import { bytesOf, type DType } from '../../tensor/dtype.js';
import type { LocalFile } from './localFile.js';

/** What a WAV file says of itself, as `torchaudio.info`. */
export interface WavInfo {
  /** Frames a second. */
  readonly sampleRate: number;
  readonly numFrames: number;
  readonly numChannels: number;
  readonly bitsPerSample: number;
  /** `PCM_S`: whole numbers with a sign; `PCM_U`: without (8 bits); `PCM_F`: floats. */
  readonly encoding: 'PCM_S' | 'PCM_U' | 'PCM_F';
}

/** A file's format, and where its samples lie. */
export interface WavLayout extends WavInfo {
  readonly dataStart: number;
  /** The bytes of a frame. */
  readonly frameBytes: number;
}

const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe;
/** The end of the GUIDs of formats that are those of WAVE too. */
const guidEnd = '000000001000800000aa00389b71';

const others: Readonly<Record<number, string>> = { 2: 'ADPCM', 6: 'A-law', 7: 'mu-law', 17: 'IMA ADPCM', 85: 'MP3' };

/** The error for a file that is no such WAV. */
export const invalidWav = (who: string, path: string, problem: string): AiforgeError =>
  new AiforgeError('FILE_INVALID', `${who}: '${path}': ${problem}.`);

interface Format {
  code: number;
  numChannels: number;
  sampleRate: number;
  frameBytes: number;
  bitsPerSample: number;
}

function formatOf(chunk: Buffer, refuse: (problem: string) => AiforgeError): Format {
  if (chunk.length < 16) throw refuse(`its fmt chunk has ${chunk.length} bytes, expected 16 or more`);
  let code = chunk.readUInt16LE(0);
  if (code === EXTENSIBLE) {
    if (chunk.length < 40) throw refuse(`its extensible fmt chunk has ${chunk.length} bytes, expected 40`);
    if (chunk.toString('hex', 26, 40) !== guidEnd) throw refuse(`its samples are of the unknown format ${chunk.toString('hex', 24, 40)}`); // prettier-ignore
    code = chunk.readUInt16LE(24);
  }
  const [numChannels, frameBytes] = [chunk.readUInt16LE(2), chunk.readUInt16LE(12)];
  return { code, numChannels, sampleRate: chunk.readUInt32LE(4), frameBytes, bitsPerSample: chunk.readUInt16LE(14) };
}

function checkFormat(format: Format, refuse: (problem: string) => AiforgeError): void {
  const { code, numChannels, frameBytes, bitsPerSample, sampleRate } = format;
  const sizes = code === PCM ? [8, 16, 24, 32] : code === FLOAT ? [32, 64] : [];
  if (!sizes.includes(bitsPerSample)) {
    const name = code === PCM ? 'PCM' : code === FLOAT ? 'float' : (others[code] ?? `format ${code}`);
    const expected = 'PCM of 8, 16, 24 or 32 bits, or floats of 32 or 64';
    throw refuse(`its samples are ${name} of ${bitsPerSample} bits, expected ${expected}; convert it, as with ffmpeg`);
  }
  if (numChannels === 0 || frameBytes !== (numChannels * bitsPerSample) / 8) {
    throw refuse(
      `${numChannels} channels of ${bitsPerSample} bits in frames of ${frameBytes} bytes do not fit together`,
    );
  }
  if (sampleRate === 0) throw refuse('its sample rate is 0');
}

/** The chunks of a RIFF file up to that of the samples. */
export async function readWavLayout(file: LocalFile, who: string): Promise<WavLayout> {
  const refuse = (problem: string): AiforgeError => invalidWav(who, file.path, problem);
  const head = await file.read(0, Math.min(12, file.size));
  const magic = head.toString('latin1', 0, 4) + head.toString('latin1', 8, 12);
  if (magic !== 'RIFFWAVE') {
    throw refuse(`it begins with ${JSON.stringify(head.toString('latin1'))}, expected 'RIFF', its size, 'WAVE'`);
  }
  let format: Format | undefined;
  for (let at = 12; at + 8 <= file.size;) {
    const chunk = await file.read(at, 8);
    const [name, size] = [chunk.toString('latin1', 0, 4), chunk.readUInt32LE(4)];
    const start = at + 8;
    if (name === 'fmt ') {
      if (size > 1 << 16) throw refuse(`its fmt chunk says to have ${size} bytes`);
      format = formatOf(await file.read(start, size), refuse);
      checkFormat(format, refuse);
    } else if (name === 'data') {
      if (format === undefined) throw refuse('its samples come before its fmt chunk');
      return layoutOf(format, start, size, file.size, refuse);
    }
    // Chunks begin at even bytes.
    at = start + size + (size % 2);
  }
  throw refuse(
    `it ends without ${format === undefined ? 'a fmt chunk' : 'samples (a data chunk)'}: it is truncated or damaged`,
  );
}

/** What a program writes that does not know the size beforehand, as ffmpeg into a pipe: the samples go on to the end. */
const unknownSize = 0xffffffff;

function layoutOf(
  { code, numChannels, sampleRate, frameBytes, bitsPerSample }: Format,
  dataStart: number,
  declared: number,
  fileSize: number,
  refuse: (problem: string) => AiforgeError,
): WavLayout {
  const left = fileSize - dataStart;
  const size = declared === unknownSize ? left : declared;
  if (size > left) throw refuse(`its samples say to be ${size} bytes, of which ${left} are there: it is truncated`);
  const encoding = code === FLOAT ? 'PCM_F' : bitsPerSample === 8 ? 'PCM_U' : 'PCM_S';
  const numFrames = Math.floor(size / frameBytes);
  return { sampleRate, numFrames, numChannels, bitsPerSample, encoding, dataStart, frameBytes };
}

/** The dtype of the samples in the file; of 24 bits, that they are widened to. */
export function wavDType({ encoding, bitsPerSample }: WavInfo): DType {
  if (encoding === 'PCM_F') return bitsPerSample === 64 ? 'float64' : 'float32';
  return encoding === 'PCM_U' ? 'uint8' : bitsPerSample === 16 ? 'int16' : 'int32';
}

/** Samples of 24 bits as the upper ones of 32. */
export function widened(bytes: Buffer): Buffer<ArrayBuffer> {
  const count = bytes.length / 3;
  const wide = Buffer.from(new ArrayBuffer(count * bytesOf('int32')));
  for (let i = 0, from = 0, to = 0; i < count; ++i, from += 3, to += 4) {
    wide[to + 1] = bytes[from]!;
    wide[to + 2] = bytes[from + 1]!;
    wide[to + 3] = bytes[from + 2]!;
  }
  return wide;
}
