import { shownForm } from '../../data/shards/fields.js';
import { shardsIn, verifyShards } from '../../data/shards/verifyShards.js';
import { sizeText, table } from '../table.js';

/** `aiforge data ls`: the shards of a folder, and the form of a sample; gives the exit status. */
export function list(folder: string): number {
  const { fields, shards, complete } = shardsIn(folder);
  const rows = shards.map(({ file, samples, bytes }) => [file, String(samples), sizeText(bytes)]);
  const samples = shards.reduce((sum, shard) => sum + shard.samples, 0);
  const forms = Object.entries(fields).map(([name, form]) => `  ${name}: ${shownForm(form)}`);
  const state = complete ? '' : ', not complete: go on with aiforge data pack … --resume';
  process.stdout.write(`${table([['file', 'samples', 'size'], ...rows], new Set([1, 2]))}\n`);
  process.stdout.write(`${samples} samples in ${shards.length} shards${state}. A sample has:\n${forms.join('\n')}\n`);
  return 0;
}

/** `aiforge data verify`: whether each shard is what was written; gives the exit status. */
export function verify(folder: string): number {
  const { complete } = shardsIn(folder);
  const reports = verifyShards(folder);
  const rows = reports.map(({ file, samples, problem }) => [file, String(samples), problem ?? 'right']);
  process.stdout.write(`${table([['file', 'samples', 'content'], ...rows], new Set([1]))}\n`);
  if (!complete) process.stdout.write('The shards are not complete: their writer has not ended.\n');
  return complete && reports.every(({ problem }) => problem === null) ? 0 : 1;
}
