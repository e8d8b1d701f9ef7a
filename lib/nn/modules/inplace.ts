import { boolean, type Kinds } from '../../kinds.js';
import { signature } from '../../signature.js';
import type { InplaceOptions } from '../functional/activations.js';
import { Module } from '../module.js';
import { pythonFloat } from '../printing/printing.js';

export const inplaceOptions: Kinds<InplaceOptions> = { inplace: boolean };

const inplaceTakes = signature({}, inplaceOptions);

/** An activation that can change its input instead of a copy. */
export abstract class InplaceActivation extends Module {
  readonly inplace: boolean;

  constructor(options: InplaceOptions = {}) {
    inplaceTakes.check(new.target.name, arguments);
    const { inplace = false } = options;
    super();
    this.inplace = inplace;
  }

  override extraRepr(): string {
    return this.inplace ? 'inplace=True' : '';
  }
}

/** The settings of an activation as PyTorch prints them, and `inplace` where it is true. */
export function settingsText(settings: Record<string, number>, inplace = false): string {
  const parts = Object.entries(settings).map(([name, value]) => `${name}=${pythonFloat(value)}`);
  return [...parts, ...(inplace ? ['inplace=True'] : [])].join(', ');
}
