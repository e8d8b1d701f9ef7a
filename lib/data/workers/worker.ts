// What runs in a worker of a DataLoader.
import { parentPort, workerData } from 'node:worker_threads';
import { native } from '../../native.js';
import { unheard } from '../../promised.js';
import { isError } from '../../realms.js';
import { showThrown } from '../../show.js';
import type { Samples } from '../dataset.js';
import { sampleOf } from '../found.js';
import { BatchMaker } from '../loading/batchMaker.js';
import { Packer, release } from './message.js';
import type { Answer, Failure, Request, Setup } from './protocol.js';
import { madeOf } from './recipe.js';

const port = parentPort!;
const { recipe, threads, wanted } = workerData as Setup;
native.setOwnThreads(threads);

const answer = (message: Answer): void => port.postMessage(message);

function failure(error: unknown): Failure {
  const { name, message, stack } = isError(error)
    ? error
    : { name: 'Thrown', message: showThrown(error), stack: undefined };
  const { code } = (error ?? {}) as { code?: unknown };
  return { name, message, stack, code: typeof code === 'string' ? code : undefined, sample: sampleOf(error) };
}

async function makerOf(): Promise<BatchMaker<unknown, unknown>> {
  const { dataset, collate } = (await madeOf(recipe)) as {
    dataset: Samples;
    collate: ((samples: unknown[]) => unknown) | null;
  };
  return new BatchMaker(dataset, collate ?? ((samples) => samples));
}

async function serve({ id, pass, task }: NonNullable<Request>, maker: BatchMaker<unknown, unknown>): Promise<void> {
  if (Atomics.load(wanted, 0) !== pass) return answer({ id, skipped: true });
  try {
    const packer = new Packer(true);
    const batch = packer.pack(await maker.makeLater(task), 'the batch');
    try {
      answer({ id, batch });
    } catch (error) {
      release(batch);
      throw error;
    }
  } catch (error) {
    answer({ id, failed: failure(error) });
  }
}

/** One after the other, in the order of the requests. */
let last = makerOf();
last.catch((error: unknown) => answer({ unready: failure(error) }));

port.on('message', (request: Request) => {
  last = last.then(async (maker) => {
    if (request === null) port.close();
    else await serve(request, maker);
    return maker;
  });
  unheard(last);
});
