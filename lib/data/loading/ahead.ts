import { setImmediate } from 'node:timers/promises';
import { inTime, type Limits } from './inTime.js';
import type { Pass, PassTask } from './pass.js';

export interface AheadOptions extends Limits {
  /** How many batches may be made or wait at the same time. */
  most: number;
  /** Whether they are asked for before they are wanted. */
  isEager: boolean;
  /** Whether they come in the order of the pass, and not as they are ready. */
  inOrder: boolean;
  /** Lets go of a batch that was made and that nobody takes. */
  letGo?: ((batch: unknown) => void) | undefined;
  /** Who makes a batch, for an error. */
  holderOf: (task: PassTask) => string;
}

type Settled<Batch> = { readonly batch: Batch } | { readonly error: unknown };

interface Asked<Batch> {
  readonly task: PassTask;
  readonly settled: Promise<Settled<Batch>>;
}

/** The batches of a pass that are made by promises, some of them ahead. */
export async function* batchesAhead<Batch>(
  pass: Pass,
  make: (task: PassTask) => Promise<Batch>,
  options: AheadOptions,
): AsyncGenerator<Batch, void, undefined> {
  const asked: Asked<Batch>[] = [];
  const ask = (most: number): void => {
    while (asked.length < most) {
      const task = pass.next();
      if (task === undefined) return;
      const settled = make(task).then(
        (batch) => ({ batch }),
        (error: unknown) => ({ error }),
      );
      asked.push({ task, settled });
    }
  };
  try {
    for (;;) {
      options.signal?.throwIfAborted();
      ask(options.isEager ? options.most : 1);
      if (asked.length === 0) return;
      const next = await firstOf(asked, options);
      asked.splice(asked.indexOf(next), 1);
      const settled = await next.settled;
      if ('error' in settled) throw settled.error;
      pass.handOut(next.task);
      if (options.isEager) ask(options.most);
      yield settled.batch;
      // Batches that are ready at once would leave the event loop no turn.
      await setImmediate();
    }
  } finally {
    for (const { settled } of asked) void settled.then((each) => 'batch' in each && options.letGo?.(each.batch));
  }
}

/** The batch whose turn it is, once it has come. */
function firstOf<Batch>(asked: readonly Asked<Batch>[], options: AheadOptions): Promise<Asked<Batch>> {
  const waited = options.inOrder ? asked.slice(0, 1) : asked;
  const ready = Promise.race(waited.map(async (each) => (await each.settled, each)));
  return inTime(ready, options, () => options.holderOf(waited[0]!.task));
}
