import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { expect } from 'chai';

import { temporaryFolder } from '../support/project.mjs';
import { abortAt, experiment, failureOf, runIn } from './lab.mjs';

describe('a damaged checkpoint', () => {
  const folder = temporaryFolder('damaged');
  const inside = (name: string) => path.join(folder, name);

  it('finds every flipped bit, wherever it is', async () => {
    const { runDirectory } = await runIn(inside('flipped'), experiment({ epochs: 1 }));
    const whole = readFileSync(path.join(runDirectory, 'last.safetensors'));
    let seed = 12345;
    const next = (below: number): number => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % below;
    const header = 8 + Number(whole.readBigUInt64LE());
    for (let i = 0; i < 120; i++) {
      const at = i % 2 === 0 ? next(header) : header + next(whole.length - header);
      const flipped = Buffer.from(whole);
      flipped[at]! ^= 1 << next(8);
      writeFileSync(path.join(runDirectory, 'last.safetensors'), flipped);
      const failure = await failureOf(runIn(inside('flipped'), experiment({ epochs: 2, resumeFrom: runDirectory })));
      expect(failure, `byte ${at}`).to.include({ name: 'AiforgeError', code: 'FILE_INVALID' });
    }
  });

  it('refuses a checkpoint that was moved out of its run’s folder, before anything is done', async () => {
    const { runDirectory } = await runIn(inside('moved'), experiment(), abortAt(2, 4));
    const alone = inside('alone');
    mkdirSync(alone);
    copyFileSync(path.join(runDirectory, 'last.safetensors'), path.join(alone, 'last.safetensors'));
    const failure = await failureOf(runIn(inside('moved'), experiment({ resumeFrom: alone })));
    expect(failure).to.include({ code: 'FILE_NOT_FOUND' });
    expect(failure.message).to.match(/config\.yaml and best\.safetensors .* are not beside it/);
    expect(readdirSync(alone)).to.deep.equal(['last.safetensors']);
  });
});
