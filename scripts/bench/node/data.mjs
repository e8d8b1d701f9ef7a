// Batches of data, and files; python/data.py has the same rows.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { data, load, randint, randn, save } from 'aiforge';

/** A pass over 60,000 rows and their labels, batch by batch. */
function epoch(width, shuffle) {
  const rows = new data.TensorDataset(randn(60000, width), randint(0, 10, [60000], { dtype: 'int64' }));
  const loader = new data.DataLoader(rows, { batchSize: 64, shuffle });
  return () => {
    let count = 0;
    for (const [x] of loader) count += x.shape[0];
    if (count !== 60000) throw new Error(`the pass had ${count} rows`);
  };
}

/** 500 MB in 20 tensors. */
function weights() {
  return Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`layer${i}.weight`, randn(6250, 1000)]));
}

function inFolder(make) {
  const folder = mkdtempSync(path.join(tmpdir(), 'aiforge-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return make(path.join(folder, 'weights.pt'));
}

const saving = () =>
  inFolder((file) => {
    const state = weights();
    return () => save(state, file);
  });

const loading = () =>
  inFolder((file) => {
    const state = weights();
    save(state, file);
    for (const tensor of Object.values(state)) tensor.dispose();
    return () => load(file);
  });

/** As `conversions`. */
export const dataRows = {
  epoch_wide: { build: () => epoch(784, false), iterations: 1, warmUp: 3 },
  epoch_wide_shuffled: { build: () => epoch(784, true), iterations: 1, warmUp: 3 },
  epoch_narrow: { build: () => epoch(32, false), iterations: 1, warmUp: 3 },
  epoch_narrow_shuffled: { build: () => epoch(32, true), iterations: 1, warmUp: 3 },
  save_500mb: { build: saving, iterations: 1, warmUp: 2 },
  load_500mb: { build: loading, iterations: 1, warmUp: 2, scoped: true, perScope: 1 },
};
