import { MlflowRequestError, withRetry, type MlflowClient } from './mlflowClient.js';
import type { Trouble } from './mlflowQueue.js';

/** Files kept while the server is away; those beyond it are sent by the next run, from this one's folder. */
const capacity = 500;
const firstPauseMs = 1000;
const longestPauseMs = 30_000;

/** A file on its way, which is made when it is sent. */
interface Waiting {
  path: string;
  make: () => Uint8Array | undefined;
}

/** Files on their way to the artifacts of one run: one after the other, and again after a failure. */
export class MlflowArtifacts {
  readonly #client: MlflowClient;
  readonly #runId: string;
  readonly #tell: (trouble: Trouble, error: MlflowRequestError) => void;
  readonly #waiting: Waiting[] = [];
  #root: string | undefined;
  #sending: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #isOff = false;
  #isClosed = false;
  #isCut = false;

  constructor(client: MlflowClient, runId: string, tell: (trouble: Trouble, error: MlflowRequestError) => void) {
    this.#client = client;
    this.#runId = runId;
    this.#tell = tell;
  }

  add(path: string, make: () => Uint8Array | undefined): void {
    if (this.#isClosed || this.#isOff) return;
    this.#waiting.push({ path, make });
    if (this.#waiting.length > capacity) {
      this.#waiting.shift();
      this.#isCut = true;
    }
    this.#schedule(0);
  }

  /** Those of these paths that the server has not. Throws {@link MlflowRequestError}. */
  async missing(paths: readonly string[]): Promise<Set<string>> {
    const folders = new Set(paths.map((path) => path.slice(0, path.lastIndexOf('/'))));
    const missing = new Set(paths);
    for (const folder of folders)
      for (const path of await this.#client.artifactsIn(this.#runId, folder)) missing.delete(path);
    return missing;
  }

  /** Takes no more, and sends what is left until the deadline or until the server does not answer several times. */
  async close(deadline: number): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#sending;
    try {
      while (this.#waiting.length > 0 && Date.now() < deadline) await withRetry(() => this.#sendFirst(), deadline);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Whether everything was sent that the server takes. */
  get isEmpty(): boolean {
    return this.#waiting.length === 0 && !this.#isCut;
  }

  #schedule(pause: number): void {
    if (this.#sending !== undefined || this.#timer !== undefined || this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#sending = this.#sendAll().finally(() => {
        this.#sending = undefined;
        if (this.#waiting.length > 0) this.#schedule(Math.min(longestPauseMs, firstPauseMs * 2 ** this.#failures));
      });
    }, pause);
    // Waiting to send does not keep a program alive; close() does.
    this.#timer.unref();
  }

  async #sendAll(): Promise<void> {
    try {
      while (this.#waiting.length > 0 && !this.#isClosed) await this.#sendFirst();
      this.#failures = 0;
    } catch (error) {
      this.#failures++;
      this.#failed(error);
    }
  }

  /** Throws where the server may take it later. */
  async #sendFirst(): Promise<void> {
    const first = this.#waiting[0]!;
    try {
      this.#root ??= await this.#client.artifactRoot(this.#runId);
      const content = first.make();
      if (content !== undefined) await this.#client.putArtifact(`${this.#root}/${first.path}`, content);
    } catch (error) {
      if (!(error instanceof MlflowRequestError) || error.temporary) throw error;
      this.#tell('artifacts', error);
      this.#isOff = true;
      this.#waiting.splice(0);
      return;
    }
    const at = this.#waiting.indexOf(first);
    if (at >= 0) this.#waiting.splice(at, 1);
  }

  #failed(error: unknown): void {
    if (!(error instanceof MlflowRequestError)) throw error;
    this.#tell('unreachable', error);
  }
}
