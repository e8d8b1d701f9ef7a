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
  worker.on('message', ({ id, prediction, error }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) resolve(prediction);
    else reject(new Error(error));
  });
  const ready = new Promise((resolve, reject) => {
    worker.once('online', resolve);
    worker.once('error', reject);
  });
  const classify = (text) =>
    new Promise((resolve, reject) => {
      waiting.set(++last, { resolve, reject });
      worker.postMessage({ id: last, text });
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
