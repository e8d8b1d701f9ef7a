// What the framework's loop costs: beside a loop by hand, and beside Lightning's Trainer. Lightning is no part of the reference
// environment: LIGHTNING_PYTHON names a Python that has it, with torch 2.13.0.
import path from 'node:path';

import { compare, Timer } from './alternate.mjs';

const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const model = 'MLP (batch 32, 4 layers of 64, fused AdamW)';
const epochs = 10;

/** Adds the rows, at one thread and at two; those of Lightning where there is one. */
export async function measureLoop(turns, add) {
  const ours = () => new Timer(process.execPath, [path.join(here, 'node', 'loop.mjs')]);
  const python = process.env.LIGHTNING_PYTHON;
  const lightning = () => new Timer(python, [path.join(here, 'python', 'lightning_loop.py')]);
  if (python === undefined) console.log('without Lightning: LIGHTNING_PYTHON is not set');
  for (const threads of [1, 2]) {
    const byHand = ['framework', 'by_hand', `Framework against a loop by hand: ${model}`, epochs, 1.03];
    add(await compare(ours, ours, byHand, threads, turns));
    if (python === undefined) continue;
    const trainer = ['framework', 'lightning', `Framework against Lightning's Trainer: ${model}`, epochs, 0.5];
    add(await compare(ours, lightning, trainer, threads, turns));
  }
}
