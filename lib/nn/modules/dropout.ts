import type { Tensor } from '../../tensor/tensor.js';
import { checkProbability } from '../checks.js';
import { Module } from '../module.js';
import * as operators from '../operators.js';
import { pythonBoolean, pythonFloat } from '../printing.js';

export interface DropoutOptions {
  /** Changes the input instead of a copy. Default: false. */
  inplace?: boolean;
}

/** Zeroes elements with probability `p` in training, and scales the others by 1 / (1 - p). */
export class Dropout extends Module {
  readonly p: number;
  readonly inplace: boolean;

  constructor(p = 0.5, { inplace = false }: DropoutOptions = {}) {
    super();
    this.p = checkProbability(p);
    this.inplace = inplace;
  }

  override forward(input: Tensor): Tensor {
    return operators.dropout(input, this.p, this.training, this.inplace);
  }

  override extraRepr(): string {
    return `p=${pythonFloat(this.p)}, inplace=${pythonBoolean(this.inplace)}`;
  }
}
