// Reads a file of a twentieth of so many bytes in twenty passes, and tells what memory was resident after a tenth and at the end.
import { createWriteStream, statSync, rmSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';

import { data, setNumThreads } from 'aiforge';
import tar from 'tar-stream';

const [kind, folder, bytes] = process.argv.slice(2);
setNumThreads(1);
const file = path.join(folder, `stream.${kind}`);
const passes = 20;
const size = Number(bytes) / passes;

/** Pieces of text until the file is as large as it should be. */
function* pieces(head, row) {
  let [written, number] = [head.length, 0];
  yield head;
  while (written < size) {
    const piece = Array.from({ length: 1000 }, () => row(number++)).join('');
    written += piece.length;
    yield piece;
  }
}

const city = (i) => `city ${(i * 7919) % 1000}`;

/** Samples of a picture's bytes and a class. */
async function* samples(pack) {
  const picture = Buffer.alloc(3 * 64 * 64);
  for (let i = 0; i * 14_336 < size; ++i) {
    picture.fill(i % 251);
    pack.entry({ name: `${i}.bin` }, picture);
    pack.entry({ name: `${i}.cls` }, String(i % 10));
    // What was packed is to be written before there is more.
    yield* drained(pack);
  }
  pack.finalize();
  for await (const rest of pack) yield rest;
}

function* drained(pack) {
  for (let chunk; (chunk = pack.read()) !== null;) yield chunk;
}

const kinds = {
  csv: {
    content: () => pieces('id,price,city\n', (i) => `${i},${(i % 977) * 0.25},${city(i)}\n`),
    read: () => new data.CsvReader(file),
    rowsOf: ({ id }) => id.shape[0],
  },
  jsonl: {
    content: () => pieces('', (i) => `{"id": ${i}, "price": ${(i % 977) * 0.25}, "city": "${city(i)}"}\n`),
    read: () => new data.JsonLinesReader(file),
    rowsOf: ({ id }) => id.shape[0],
  },
  tar: {
    content: () => samples(tar.pack()),
    read: () => {
      const stream = data.shuffle(new data.TarReader(file, { decode: { cls: 'integer' } }), 256);
      return new data.DataLoader(stream, { batchSize: 64 });
    },
    rowsOf: ({ cls }) => cls.shape[0],
  },
};

const { content, read, rowsOf } = kinds[kind];
await pipeline(content(), createWriteStream(file));
const resident = () => Math.round(process.memoryUsage().rss / 1e6);
const start = performance.now();
let [firstMb, rows] = [0, 0];
for (let pass = 1; pass <= passes; ++pass) {
  let count = 0;
  for await (const batch of read()) count += rowsOf(batch);
  if (pass > 1 && count !== rows) throw new Error(`pass ${pass} had ${count} rows, the first one ${rows}`);
  rows = count;
  if (pass === passes / 10) firstMb = resident();
}
const gb = ((passes * statSync(file).size) / 1e9).toFixed(1);
const seconds = Math.round((performance.now() - start) / 1000);
console.log(JSON.stringify({ gb, firstMb, lastMb: resident(), seconds }));
rmSync(file);
