// An HTTP service that answers from a trained model while it goes on serving everything else.
//
//   node examples/http-service/server.mjs runs/spam/<run> [port]
//   curl -s localhost:3000/classify -H 'content-type: application/json' -d '{"text": "Subject: You have won"}'
//
// The model runs in a worker thread: a long answer never keeps the event loop from the next request.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

import Fastify from 'fastify';

/** Asks a worker that holds the model; each question is answered in turn, by its number. */
function startClassifier(runDirectory) {
  const worker = new Worker(new URL('./classifier.mjs', import.meta.url), { workerData: { runDirectory } });
  const waiting = new Map();
  let last = 0;
  let failure;
  const ready = new Promise((resolve, reject) => {
    worker.on('message', ({ id, prediction, error }) => {
      if (id === undefined) return resolve();
      const { answer, refuse } = waiting.get(id);
      waiting.delete(id);
      return error === undefined ? answer(prediction) : refuse(new Error(error));
    });
    // A worker that dies answers nothing any more: everyone who waits is told, and everyone who comes.
    worker.once('error', (error) => {
      failure = error;
      reject(error);
      for (const { refuse } of waiting.values()) refuse(error);
      waiting.clear();
    });
  });
  const classify = (text) =>
    new Promise((answer, refuse) => {
      if (failure !== undefined) return refuse(failure);
      waiting.set(++last, { answer, refuse });
      return worker.postMessage({ id: last, text });
    });
  return { ready, classify, stop: () => worker.terminate() };
}

/** The service; `listen` and `close` are fastify's. */
export function buildServer(runDirectory) {
  const app = Fastify();
  const classifier = startClassifier(runDirectory);
  const body = {
    type: 'object',
    required: ['text'],
    properties: { text: { type: 'string', minLength: 1, maxLength: 1_000_000 } },
  };

  app.post('/classify', { schema: { body } }, ({ body: { text } }) => classifier.classify(text));
  app.get('/health', () => ({ status: 'ok' }));
  app.addHook('onReady', () => classifier.ready);
  app.addHook('onClose', () => classifier.stop());
  return app;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [runDirectory, port = '3000'] = process.argv.slice(2);
  if (runDirectory === undefined || !existsSync(runDirectory)) {
    console.error(
      `Give the folder of a run, such as one under runs/spam; got ${runDirectory}. \`npm start\` trains one.`,
    );
    process.exit(1);
  }
  const address = await buildServer(path.resolve(runDirectory)).listen({ port: Number(port), host: '127.0.0.1' });
  console.log(`Serving ${runDirectory} on ${address}/classify`);
}
