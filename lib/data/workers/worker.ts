// What runs in a worker of a DataLoader.
import { parentPort, workerData } from 'node:worker_threads';
import { native } from '../../native.js';
import { unheard } from '../../promised.js';
import { isError } from '../../realms.js';
import { showThrown } from '../../show.js';
import { samplesKind, type Samples } from '../dataset.js';
import { sampleOf } from '../found.js';
import { BatchMaker, type BatchTask } from '../loading/batchMaker.js';
import type { Stream } from '../stream.js';
import { Packer, release } from './message.js';
import { PartReader } from './partReader.js';
import type { Answer, Failure, ReadTask, Request, Setup, Task } from './protocol.js';
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

async function serverOf(): Promise<Server> {
  const { dataset, collate } = (await madeOf(recipe)) as {
    dataset: Samples | Stream;
    collate: ((samples: unknown[]) => unknown) | null;
  };
  if (!samplesKind.accepts(dataset)) {
    const reader = new PartReader(dataset as Stream);
    return (task, pass) => reader.read(task as ReadTask, pass);
  }
  const maker = new BatchMaker(dataset as Samples, collate ?? ((samples) => samples));
  return (task) => maker.makeLater(task as BatchTask);
}

/** What makes what is asked for. */
type Server = (task: Task, pass: number) => Promise<unknown>;

async function serve({ id, pass, task }: NonNullable<Request>, server: Server): Promise<void> {
  if (Atomics.load(wanted, 0) !== pass) return answer({ id, skipped: true });
  try {
    const packer = new Packer(true);
    const batch = packer.pack(await server(task, pass), 'the batch');
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
let last = serverOf();
last.catch((error: unknown) => answer({ unready: failure(error) }));

port.on('message', (request: Request) => {
  last = last.then(async (server) => {
    if (request === null) port.close();
    else await serve(request, server);
    return server;
  });
  unheard(last);
});
