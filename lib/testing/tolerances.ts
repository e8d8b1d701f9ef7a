import type { DType } from '../tensor/dtype.js';

/** Two values are close when they differ by at most `atol + rtol * |expected|`. */
export interface Tolerances {
  rtol: number;
  atol: number;
}

const defaults: Partial<Record<DType, Tolerances>> = {
  float16: { rtol: 1e-3, atol: 1e-5 },
  bfloat16: { rtol: 1.6e-2, atol: 1e-5 },
  float32: { rtol: 1.3e-6, atol: 1e-5 },
  float64: { rtol: 1e-7, atol: 1e-7 },
  complex32: { rtol: 1e-3, atol: 1e-5 },
  complex64: { rtol: 1.3e-6, atol: 1e-5 },
  complex128: { rtol: 1e-7, atol: 1e-7 },
  quint8: { rtol: 1.3e-6, atol: 1e-5 },
  qint8: { rtol: 1.3e-6, atol: 1e-5 },
  qint32: { rtol: 1.3e-6, atol: 1e-5 },
};

/** What PyTorch allows for dtypes when nothing else is said: the most that any of them needs. */
export function defaultTolerances(...dtypes: DType[]): Tolerances {
  const all = dtypes.map((dtype) => defaults[dtype] ?? { rtol: 0, atol: 0 });
  return { rtol: Math.max(...all.map((t) => t.rtol)), atol: Math.max(...all.map((t) => t.atol)) };
}
