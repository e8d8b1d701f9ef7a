import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Why MLflow cannot be run here, or undefined when it can. */
export function mlflowMissing(): string | undefined {
  const python = process.env.AIFORGE_REFERENCE_PYTHON;
  if (!python) return 'AIFORGE_REFERENCE_PYTHON names no Python that has mlflow';
  const { error, status } = spawnSync(python, ['-c', 'import importlib.util as u; assert u.find_spec("mlflow")']);
  return error || status !== 0 ? `${python} has no mlflow` : undefined;
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** MLflow's own tracking server on a database file, which outlives a stop. */
export class MlflowServer {
  readonly uri: string;
  readonly #port: number;
  readonly #folder = mkdtempSync(join(tmpdir(), 'aiforge-mlflow-'));
  #process: ChildProcess | undefined;
  #output = '';

  constructor(port: number) {
    this.#port = port;
    this.uri = `http://127.0.0.1:${port}`;
  }

  async start(): Promise<void> {
    const options = ['--backend-store-uri', `sqlite:///${join(this.#folder, 'mlflow.db')}`, '--workers', '1'];
    const address = ['--host', '127.0.0.1', '--port', String(this.#port)];
    // A group of its own, so that stopping it stops the workers as well.
    const child = spawn(process.env.AIFORGE_REFERENCE_PYTHON!, ['-m', 'mlflow', 'server', ...options, ...address], {
      cwd: this.#folder,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (this.#output += String(data)));
    while (!(await this.#answers())) {
      if (child.exitCode !== null) throw new Error(`mlflow ended with ${child.exitCode}: ${this.#output}`);
      await sleep(200);
    }
  }

  async stop(): Promise<void> {
    const child = this.#process;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    process.kill(-child.pid, 'SIGKILL');
    await ended;
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true });
  }

  /** One call of the REST API. */
  get(path: string, query: Record<string, string>): Promise<unknown> {
    return this.#call(`${path}?${new URLSearchParams(query).toString()}`, {});
  }

  post(path: string, body: object): Promise<unknown> {
    const headers = { 'content-type': 'application/json' };
    return this.#call(path, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  async #call(path: string, request: RequestInit): Promise<unknown> {
    const response = await fetch(`${this.uri}/api/2.0/mlflow/${path}`, request);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  async #answers(): Promise<boolean> {
    try {
      return (await fetch(`${this.uri}/health`)).ok;
    } catch {
      return false;
    }
  }
}
