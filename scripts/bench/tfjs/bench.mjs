// TensorFlow.js with its wasm backend: the MLP step of ../node/rows.mjs, timed as ../node/bench.mjs does.
import { createRequire } from 'node:module';
import path from 'node:path';
import { createInterface } from 'node:readline';

import { median } from '../median.mjs';

const require = createRequire(import.meta.url);
const tf = require('@tensorflow/tfjs');
const wasm = require('@tensorflow/tfjs-backend-wasm');

const folder = path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm'));
wasm.setWasmPaths(`${folder}/`);
wasm.setThreadsCount(1);
await tf.setBackend('wasm');

const relu = { units: 64, activation: 'relu' };
const model = tf.sequential();
model.add(tf.layers.dense({ ...relu, inputShape: [64] }));
model.add(tf.layers.dense(relu));
model.add(tf.layers.dense(relu));
model.add(tf.layers.dense({ units: 64 }));
const [x, y] = [tf.randomNormal([32, 64]), tf.randomNormal([32, 64])];
const optimizer = tf.train.adam(0.001);
const step = () => optimizer.minimize(() => tf.losses.meanSquaredError(y, model.apply(x, { training: true })));

for (let i = 0; i < 100; ++i) step();
for await (const line of createInterface({ input: process.stdin })) {
  const { row, threads, rounds } = JSON.parse(line);
  const times = Array.from({ length: rounds }, () => {
    const start = process.hrtime.bigint();
    for (let i = 0; i < 10; ++i) step();
    return Number(process.hrtime.bigint() - start) / 10;
  });
  process.stdout.write(`${JSON.stringify({ row, threads, rounds, ns: median(times) })}\n`);
}
