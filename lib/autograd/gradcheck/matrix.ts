import { fromTypedArray } from '../../tensor/conversion/typedArrays.js';
import type { DType } from '../../tensor/dtype.js';
import type { Tensor } from '../../tensor/tensor.js';

/** The elements of a tensor, row by row; `im` where it is complex. */
export interface Values {
  readonly re: ArrayLike<number>;
  readonly im: ArrayLike<number> | null;
}

/** A part of a Jacobian: a row for each element of an input, a column for each of an output. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly re: Float64Array;
  readonly im: Float64Array | null;
}

export const isComplex = (tensor: Tensor): boolean => tensor.dtype.startsWith('complex');
export const isDifferentiable = (tensor: Tensor): boolean => /^(b?float|complex)/.test(tensor.dtype);

/** Reads a floating-point or complex tensor. */
export function valuesOf(tensor: Tensor): Values {
  if (tensor.layout !== 'strided') return valuesOf(tensor.detach().toDense());
  if (!isComplex(tensor)) {
    const exact = tensor.dtype === 'float64' || tensor.dtype === 'float32' ? tensor : tensor.detach().to('float64');
    return { re: exact.toTypedArray() as Float64Array, im: null };
  }
  const pairs = tensor.toTypedArray() as Float64Array;
  const [re, im] = [new Float64Array(pairs.length / 2), new Float64Array(pairs.length / 2)];
  for (let i = 0; i < re.length; ++i) {
    re[i] = pairs[2 * i]!;
    im[i] = pairs[2 * i + 1]!;
  }
  return { re, im };
}

export function zeroMatrix(rows: number, columns: number, complex: boolean): Matrix {
  const size = rows * columns;
  return { rows, columns, re: new Float64Array(size), im: complex ? new Float64Array(size) : null };
}

/** Puts values into one row of a matrix. */
export function setRow(matrix: Matrix, row: number, { re, im }: Values): void {
  const start = row * matrix.columns;
  matrix.re.set(re, start);
  if (im !== null) matrix.im?.set(im, start);
}

/** Puts values into one column of a matrix. */
export function setColumn(matrix: Matrix, column: number, { re, im }: Values): void {
  for (let row = 0; row < matrix.rows; ++row) {
    matrix.re[row * matrix.columns + column] = re[row]!;
    if (im !== null && matrix.im !== null) matrix.im[row * matrix.columns + column] = im[row]!;
  }
}

/** `torch.allclose(a, b)`: no element of `a` is further than `atol + rtol * |b|` from that of `b`. */
export function allClose(a: Matrix, b: Matrix, rtol: number, atol: number): boolean {
  for (let i = 0; i < a.re.length; ++i) {
    const [aRe, bRe, aIm, bIm] = [a.re[i]!, b.re[i]!, a.im?.[i] ?? 0, b.im?.[i] ?? 0];
    if (aRe === bRe && aIm === bIm) continue;
    const distance = Math.hypot(aRe - bRe, aIm - bIm);
    if (!(distance <= atol + rtol * Math.hypot(bRe, bIm)) || distance === Infinity) return false;
  }
  return true;
}

/** The greatest distance of two elements. */
export function maxDistance(a: Matrix, b: Matrix): number {
  let greatest = 0;
  for (let i = 0; i < a.re.length; ++i) {
    const distance = Math.hypot(a.re[i]! - b.re[i]!, (a.im?.[i] ?? 0) - (b.im?.[i] ?? 0));
    if (Number.isNaN(distance)) return NaN;
    greatest = Math.max(greatest, distance);
  }
  return greatest;
}

/** The matrix as PyTorch prints the tensor that its gradcheck makes of it. */
export function formatMatrix({ rows, columns, re, im }: Matrix, dtype: DType): string {
  const shape = [rows, columns];
  if (im === null) return String(fromTypedArray(re, { shape }).to(dtype.startsWith('complex') ? 'float64' : dtype));
  const pairs = Float64Array.from({ length: 2 * re.length }, (_, i) => (i % 2 === 0 ? re : im)[i >> 1]!);
  return String(fromTypedArray(pairs, { shape, dtype: 'complex128' }).to(dtype));
}
