import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { expect } from 'chai';
import type { FastifyInstance } from 'fastify';

import { run, temporaryFolder } from '../support/project.mjs';

describe('examples', () => {
  const folder = temporaryFolder('examples');

  it('training-loop.mjs learns the spirals, in 60 lines', () => {
    const file = path.resolve('examples/training-loop.mjs');
    expect(readFileSync(file, 'utf8').trimEnd().split('\n').length).to.be.at.most(60);
    const printed = execFileSync(process.execPath, [file], {
      encoding: 'utf8',
      env: { ...process.env, OMP_NUM_THREADS: '1' },
    });
    expect(Number(/accuracy (\S+)/.exec(printed)![1])).to.be.greaterThan(0.95);
  });

  describe('http-service', () => {
    let app: FastifyInstance;
    let directory: string;

    before(async function () {
      this.timeout(300_000);
      const args = [
        'train',
        'experiments/spam.yaml',
        'datasetArgs.maxExamples=600',
        'training.epochs=3',
        'training.numThreads=1',
      ];
      mkdirSync(folder, { recursive: true });
      const { status, stdout, stderr } = await run('aiforge', args, folder);
      expect(status, stderr).to.equal(0);
      directory = /files in (.*)/.exec(stdout)![1]!;
      const { buildServer } = (await import(pathToFileURL(path.resolve('examples/http-service/server.mjs')).href)) as {
        buildServer: (run: string) => FastifyInstance;
      };
      app = buildServer(directory);
      await app.ready();
    });
    after(() => app?.close());

    const classify = (payload: unknown) => app.inject({ method: 'POST', url: '/classify', payload: payload as object });

    it('answers from the trained model', async () => {
      const spam = await classify({
        text: 'Subject: FREE MONEY\n\nClick here to get your free cash now!!! Guaranteed, no risk. Remove yourself from this list.',
      });
      expect(spam.statusCode).to.equal(200);
      const { label, probability } = spam.json<{ label: string; probability: number }>();
      expect(['ham', 'spam']).to.include(label);
      expect(probability).to.be.within(0.5, 1);
    });

    it('goes on serving everything else while it answers', async () => {
      const order: string[] = [];
      const long = { text: `Subject: long\n\n${'word '.repeat(150_000)}` };
      const slow = Promise.all(Array.from({ length: 4 }, () => classify(long))).then(() => order.push('classified'));
      const health = app.inject({ url: '/health' }).then(() => order.push('health'));
      await Promise.all([slow, health]);
      expect(order).to.deep.equal(['health', 'classified']);
    });

    it('refuses what is no text', async () => {
      for (const payload of [{}, { text: '' }, { text: null }, { text: ['a', 'b'] }]) {
        expect((await classify(payload)).statusCode).to.equal(400);
      }
    });
  });
});
