// aiforge's side of `npm run bench -- --data`: a process that times a row whenever it is asked to, or tells what the row's work
// came to, so that both sides are seen to do the same. python/data_loading.py has the same rows.
import { createInterface } from 'node:readline';
import path from 'node:path';

import { data, manualSeed, nn, optim, scope, setNumThreads, Tensor } from 'aiforge';

import { median } from '../median.mjs';

const [folder, digitsFolder, flights] = process.argv.slice(2);
const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const taken = (module, name, ...args) => data.fromModule(path.join(here, 'samples', module), { name, args });
const now = () => process.hrtime.bigint();
const isPersistent = (numWorkers) => (numWorkers > 0 ? { persistentWorkers: true } : {});

/** What times `work`, which returns nothing or a promise. */
const timing = (work) => async () => {
  const start = now();
  await work();
  return { ns: Number(now() - start) };
};

/** A pass over a loader; the batches come at once where there are no workers and `isLater` is not said. */
function passOver(loader, isLater) {
  if (isLater || loader.numWorkers > 0) {
    return async (look) => {
      for await (const batch of loader) look(batch);
    };
  }
  return (look) => {
    for (const batch of loader) look(batch);
  };
}

/** Passes over a loader, and what one came to: the samples, and the sums of the inputs, the labels and what else a batch has. */
function passes(dataset, { numWorkers, isLater = false, collate, batchSize = 64 }) {
  const options = { batchSize, numWorkers, ...isPersistent(numWorkers), ...(collate === undefined ? {} : { collate }) };
  const loader = new data.DataLoader(dataset, options);
  const pass = passOver(loader, isLater);
  const time = timing(async () => {
    let count = 0;
    await pass(([x]) => (count += x.shape[0]));
    if (count !== dataset.length) throw new Error(`the pass had ${count} samples`);
  });
  const check = async () => {
    const seen = [0, 0, 0, 0];
    await pass(([x, ...rest]) => {
      seen[0] += x.shape[0];
      [x, ...rest].forEach((each, i) => (seen[i + 1] += total(each) / dataset.length));
    });
    return seen;
  };
  return { time, check };
}

const total = (tensor) => scope(() => Number(tensor.to('float64').sum().item()));

const digits = (numWorkers, how) => async () =>
  passes(await taken('digits.mjs', 'digits', digitsFolder, how), { numWorkers });

const pieces = (numWorkers) => async () =>
  passes(await taken('mails.mjs', 'Mails', folder), {
    numWorkers,
    batchSize: 32,
    collate: await taken('mails.mjs', 'tokenizing', folder),
  });

const words = (numWorkers) => async () =>
  passes(await taken('mails.mjs', 'MailsOfWords', folder), { numWorkers, batchSize: 32 });

const photos = (numWorkers) => async () =>
  passes(await taken('photos.mjs', 'Photos', folder), { numWorkers, isLater: true });

/** From making a loader to its first batch; ending its workers is not counted. */
const firstBatch =
  (numWorkers, options = {}) =>
  async () => {
    const dataset = await taken('digits.mjs', 'digits', digitsFolder, 'transforms');
    const first = async () => {
      const start = now();
      const batches = new data.DataLoader(dataset, { batchSize: 64, numWorkers, ...options })[Symbol.asyncIterator]();
      const { value } = await batches.next();
      const ns = Number(now() - start);
      await batches.return();
      return { ns, batch: value };
    };
    return {
      time: first,
      check: async () => (await first()).batch.map(total),
    };
  };

/** A Parquet file as columns, of numbers or all of them. */
const parquet = (columns) => async () => {
  const read = () => new data.ParquetReader(flights, columns === undefined ? {} : { columns }).read();
  return {
    time: timing(read),
    check: async () =>
      Object.values(await read()).map((column) => (Tensor.isTensor(column) ? total(column) : column.length)),
  };
};

function convolutions() {
  const convolution = (inputs, outputs) => new nn.Conv2d(inputs, outputs, 3, { padding: 1 });
  const [relu, pool] = [() => new nn.ReLU(), () => new nn.MaxPool2d(2)];
  return new nn.Sequential(
    ...[convolution(1, 8), relu(), pool(), convolution(8, 16), relu(), pool()],
    ...[new nn.Flatten(), new nn.Linear(16 * 49, 10)],
  );
}

/** An epoch of training, and how much of it the loop waited for batches. */
const training = (numWorkers) => async () => {
  manualSeed(0);
  const model = convolutions();
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01 });
  const lossFn = new nn.CrossEntropyLoss();
  const dataset = await taken('digits.mjs', 'digits', digitsFolder, 'transforms');
  const loader = new data.DataLoader(dataset, { batchSize: 64, numWorkers, ...isPersistent(numWorkers) });
  const step = ([x, y]) =>
    scope(() => {
      const loss = lossFn.forward(model.forward(x), y);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss.item();
    });
  const epoch = async () => {
    const [start, losses] = [now(), []];
    const batches = numWorkers > 0 ? loader[Symbol.asyncIterator]() : loader.batches();
    let waited = now() - start;
    for (;;) {
      const begin = now();
      const { done, value } = await batches.next();
      waited += now() - begin;
      if (done) break;
      losses.push(step(value));
    }
    const whole = Number(now() - start);
    return { ns: whole / losses.length, share: Number(waited) / whole, losses };
  };
  return { time: epoch, check: async () => (await epoch()).losses };
};

const rows = {
  digits_0: digits(0, 'transforms'),
  digits_1: digits(1, 'transforms'),
  digits_2: digits(2, 'transforms'),
  digits_operators_0: digits(0, 'operators'),
  pieces_0: pieces(0),
  pieces_2: pieces(2),
  words_0: words(0),
  words_2: words(2),
  photos_0: photos(0),
  photos_2: photos(2),
  first_batch_2: firstBatch(2),
  first_batch_2_here: firstBatch(2, { startHere: true }),
  parquet_numbers: parquet(['date', 'delay', 'distance']),
  parquet_all: parquet(),
  training_0: training(0),
  training_2: training(2),
};

const prepared = new Map();

async function answer({ row, threads, rounds, check = false }) {
  if (!(row in rows)) throw new Error(`unknown row '${row}'`);
  setNumThreads(threads);
  if (!prepared.has(row)) prepared.set(row, await rows[row]());
  const work = prepared.get(row);
  if (check) return { row, seen: await work.check() };
  const times = [];
  for (let i = 0; i < rounds; ++i) times.push(await work.time());
  const medianOf = (field) => median(times.map((each) => each[field]));
  return { row, threads, rounds, ns: medianOf('ns'), ...('share' in times[0] ? { share: medianOf('share') } : {}) };
}

for await (const request of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(request)))}\n`);
}
