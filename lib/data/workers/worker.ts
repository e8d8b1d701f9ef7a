// What runs in a worker of a DataLoader.
import { parentPort, workerData } from 'node:worker_threads';
import { native } from '../../native.js';
import { unheard } from '../../promised.js';
import { isError } from '../../realms.js';
import { showThrown } from '../../show.js';
import { defaultCollate } from '../collate.js';
import { samplesKind, type Samples } from '../dataset.js';
import { sampleOf } from '../found.js';
import { BatchMaker, type BatchTask } from '../loading/batchMaker.js';
import { padOptionsOf } from '../padCollate.js';
import type { Stream } from '../stream.js';
import { transfer, type SharedTensor, type Tensor } from '../../tensor/index.js';
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
    return { make: (task, pass) => reader.read(task as ReadTask, pass), send: lend };
  }
  const maker = new BatchMaker(dataset as Samples, collate ?? ((samples) => samples));
  return {
    make: (task) => maker.makeLater(task as BatchTask),
    send: collate !== null && makesAnew(collate) ? transfer : lend,
  };
}

/** Tensors of samples may be the dataset's own, which gives them again; those of batches that are put together are nobody's. */
const makesAnew = (collate: object): boolean => collate === defaultCollate || padOptionsOf(collate) !== undefined;

/** Gives away another tensor of the same memory. One with a history is refused as it is. */
const lend = (tensor: Tensor): SharedTensor => transfer(tensor.requiresGrad ? tensor : tensor.detach());

/** What makes what is asked for. */
interface Server {
  make(task: Task, pass: number): Promise<unknown>;
  /** How its tensors go over. */
  readonly send: (tensor: Tensor) => SharedTensor;
}

async function serve({ id, pass, task }: NonNullable<Request>, server: Server): Promise<void> {
  if (Atomics.load(wanted, 0) !== pass) return answer({ id, skipped: true });
  try {
    const packer = new Packer(server.send);
    const batch = packer.pack(await server.make(task, pass), 'the batch');
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
last.then(
  () => answer({ ready: true }),
  (error: unknown) => answer({ unready: failure(error) }),
);

port.on('message', (request: Request) => {
  last = last.then(async (server) => {
    if (request === null) port.close();
    else await serve(request, server);
    return server;
  });
  unheard(last);
});
