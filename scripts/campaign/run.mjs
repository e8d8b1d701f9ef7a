// Kills training runs at random instants and lets them go on, and compares what they leave with undisturbed runs, to the last byte.
//   npm run campaign -- [--kills 300] [--seed 1] [--seconds 3600] [--parallel 1] [--only K]
// A failure prints the seed and the number of its run, which repeat it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ProvisionError, runMain } from '../provision/main.mjs';
import { Campaign } from './campaign.mjs';
import { whyNoDisk } from './case.mjs';

await runMain(async () => {
  const names = ['kills', 'seed', 'seconds', 'parallel', 'only'];
  const { values } = parseArgs({ options: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) });
  const seed = numberOf(values, 'seed', 1);
  const kills = numberOf(values, 'kills', 300);
  const deadline = Date.now() + 1000 * numberOf(values, 'seconds', 3600);
  const only = values.only === undefined ? undefined : numberOf(values, 'only');
  const root = mkdtempSync(path.join(tmpdir(), 'aiforge-campaign-'));
  try {
    const noDisk = whyNoDisk(path.join(root, 'disk'));
    if (noDisk !== undefined) console.log(`full disks: skipped, since none can be mounted here (${noDisk})`);
    const campaign = new Campaign({ root, seed, kills, deadline, only, hasDisk: noDisk === undefined });
    await Promise.all(Array.from({ length: numberOf(values, 'parallel', 1) }, () => campaign.work()));
    return campaign.report();
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});

function numberOf(values, name, fallback) {
  const number = Number(values[name] ?? fallback);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new ProvisionError(`--${name}: got '${values[name]}', expected a whole number above 0`);
}
