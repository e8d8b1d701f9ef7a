import { Buffer } from 'node:buffer';

import { flattenParams } from './flatten.js';
import { childLogger } from '../log.js';
import type { TrackedImage } from './image.js';
import { mediaFile, readMedia } from './media.js';
import { MlflowArtifacts } from './mlflowArtifacts.js';
import { MlflowClient, MlflowRequestError, withRetry, type MlflowMetric } from './mlflowClient.js';
import { readRecords, type JsonlRecord } from './jsonlRecords.js';
import { forgetOpenRun, noteOpenRun } from './mlflowLedger.js';
import { MlflowQueue, type Trouble } from './mlflowQueue.js';
import { encodePng } from './png.js';
import type { MetricPoint, RunStatus, TrackedRun, Tracker } from './tracker.js';

const log = childLogger({ part: 'tracking' });

const longestKey = 250;
const longestParam = 6000;
const longestTag = 8000;

export interface MlflowOptions {
  /** Address of the server, such as `http://127.0.0.1:5000`. */
  uri: string;
  /** How long one request may take, in milliseconds; default 10000. */
  requestTimeoutMs?: number;
  /** How long `finish` may take to send what is left, in milliseconds; default 10000. */
  finishTimeoutMs?: number;
  /** @internal The folder of a run of before that is made up for, which warnings name. Default: it is the run under way. */
  past?: string;
}

export interface CreateMlflowOptions extends MlflowOptions {
  /** Made when the server has none of that name. */
  experimentName: string;
  runName: string;
}

export interface AttachMlflowOptions extends MlflowOptions {
  /** The run to record in; null records nothing. */
  runId: string | null;
  /** Whether `finish` sets the run's status; default false, since the rank that opened the run closes it. */
  closesRun?: boolean;
}

/**
 * Records a run on an MLflow server through its REST API. Entries are sent in the background, and sent again while the server
 * does not answer; a server that stays away costs one warning. Credentials come from the address or from
 * `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`, or `MLFLOW_TRACKING_TOKEN`.
 */
export class MlflowTracker implements Tracker {
  /** 32 hexadecimal digits; null when the run could not be opened, and then nothing is recorded. */
  readonly runId: string | null;
  readonly #client: MlflowClient;
  readonly #queue: MlflowQueue | undefined;
  readonly #artifacts: MlflowArtifacts | undefined;
  readonly #closesRun: boolean;
  readonly #finishTimeoutMs: number;
  readonly #past: string | undefined;
  readonly #told = new Set<Trouble>();
  /** The last step that the server had of each metric when the run went on. */
  #sent = new Map<string, number>();
  #directory: string | undefined;

  private constructor(client: MlflowClient, options: AttachMlflowOptions) {
    this.#client = client;
    this.runId = options.runId;
    this.#closesRun = options.closesRun ?? false;
    this.#finishTimeoutMs = options.finishTimeoutMs ?? 10_000;
    this.#past = options.past;
    if (this.runId !== null) {
      const tell = (trouble: Trouble, error: MlflowRequestError): void => this.#tell(trouble, error);
      this.#queue = new MlflowQueue(client, this.runId, tell);
      this.#artifacts = new MlflowArtifacts(client, this.runId, tell);
    }
  }

  /** Opens a new run. Throws `CONFIG_INVALID` for an address that is not http or https, and nothing else. */
  static async create(options: CreateMlflowOptions): Promise<MlflowTracker> {
    const client = clientFor(options);
    let runId: string | null = null;
    try {
      const deadline = Date.now() + (options.requestTimeoutMs ?? 10_000);
      const experimentId = await withRetry(() => client.experimentId(options.experimentName), deadline);
      // Not tried again: a request that was carried out without an answer would leave a second, empty run.
      runId = await client.createRun(experimentId, options.runName);
    } catch (error) {
      if (!(error instanceof MlflowRequestError)) throw error;
      const { past } = options;
      if (past !== undefined && !error.temporary) forgetOpenRun(past);
      log.warn(
        past === undefined
          ? `No MLflow run could be opened at ${client.uri} (${error.message}). Training goes on without MLflow.`
          : `No MLflow run could be opened at ${client.uri} for ${past}, a run of before (${error.message}); ${fateOf(error)}.`,
      );
    }
    return new MlflowTracker(client, { ...options, runId, closesRun: true });
  }

  /** Whether two addresses are of one server, whatever credentials they hold. */
  static isSameServer(a: string, b: string): boolean {
    return clientFor({ uri: a }).uri === clientFor({ uri: b }).uri;
  }

  /** Records in a run that is open already, opened by another rank or another program. Sends nothing by itself. */
  static attach(options: AttachMlflowOptions): MlflowTracker {
    return new MlflowTracker(clientFor(options), options);
  }

  /**
   * Where a run goes on, the server gets what `metrics.jsonl` has and it has not, and is not sent again what it has already.
   * Until all is sent, `mlflow.json` in the run's folder says what is missing.
   */
  async start(run: TrackedRun): Promise<void> {
    if (this.#closesRun) this.#directory = run.directory;
    const { experimentName, runName, directory } = run;
    if (this.#closesRun) noteOpenRun(directory, { uri: this.#client.uri, runId: this.runId, experimentName, runName });
    this.#queue?.add({ tags: [{ key: 'aiforge.run_directory', value: directory.slice(0, longestTag) }] });
    if (run.goesOnFrom === undefined || this.runId === null) return;
    await this.#catchUp(this.runId, directory);
    if (!run.goesOnFrom.sameNumbers) this.#sent = new Map();
  }

  async #catchUp(runId: string, directory: string): Promise<void> {
    try {
      await this.#client.reopenRun(runId);
      this.#sent = await this.#client.lastSteps(runId);
    } catch (error) {
      if (!(error instanceof MlflowRequestError)) throw error;
      this.#tell(error.temporary ? 'unreachable' : 'refused', error);
      return;
    }
    const records = readRecords(directory);
    for (const { kind, params, metrics, step = 0, epoch = 0, time } of records) {
      if (kind === 'params' && params !== undefined && this.#sent.size === 0) this.logParams(params);
      if (kind === 'metrics' && metrics !== undefined) this.logMetrics(numbersOf(metrics), { step, epoch, time });
    }
    await this.#sendMissing(records, directory);
  }

  /** Sends the texts and images that lines tell of and the server has not. */
  async #sendMissing(records: readonly JsonlRecord[], directory: string): Promise<void> {
    const files = new Map<string, () => Uint8Array | undefined>();
    for (const { kind, name, step = 0, text, file } of records) {
      if (kind === 'text' && name !== undefined && text !== undefined)
        files.set(textFile(name, step), () => Buffer.from(text));
      if (kind === 'image' && file !== undefined) files.set(file, () => readMedia(directory, file));
    }
    if (files.size === 0 || this.#artifacts === undefined) return;
    try {
      const missing = await this.#artifacts.missing([...files.keys()]);
      for (const path of missing) this.#artifacts.add(path, files.get(path)!);
    } catch (error) {
      if (!(error instanceof MlflowRequestError)) throw error;
      this.#tell(error.temporary ? 'unreachable' : 'artifacts', error);
    }
  }

  logParams(params: object): void {
    const entries = Object.entries(flattenParams(params));
    this.#queue?.add({
      params: entries.map(([key, value]) => ({ key: keyOf(key), value: value.slice(0, longestParam) })),
    });
  }

  /** A param cannot be given again, so changes are a tag of the step. */
  logChanges(changes: Record<string, { from: unknown; to: unknown }>, at: Pick<MetricPoint, 'step' | 'epoch'>): void {
    const value = JSON.stringify(changes).slice(0, longestTag);
    this.#queue?.add({ tags: [{ key: `aiforge.changes_at_step_${at.step}`, value }] });
  }

  logMetrics(metrics: Record<string, number>, at: MetricPoint): void {
    const timestamp = Math.round(at.time ?? Date.now());
    const entries = Object.entries(metrics).map(([key, value]) => metric(key, value, timestamp, at.step));
    this.#queue?.add({ metrics: entries.filter(({ key, step }) => step > (this.#sent.get(key) ?? -1)) });
  }

  /** A text is an artifact, such as `texts/val_note/12.txt` for step 12. */
  logText(name: string, text: string, { step }: MetricPoint): void {
    this.#artifacts?.add(textFile(name, step), () => Buffer.from(text));
  }

  /** An image is an artifact, called as in the run's folder. */
  logImage(name: string, image: TrackedImage, { step }: MetricPoint): void {
    this.#artifacts?.add(mediaFile(name, step), () => encodePng(image));
  }

  async finish(status: RunStatus): Promise<void> {
    if (this.#queue === undefined || this.runId === null) return;
    const runId = this.runId;
    const deadline = Date.now() + this.#finishTimeoutMs;
    this.#client.endAt(deadline);
    await this.#queue.close(deadline);
    await this.#artifacts?.close(deadline);
    if (!this.#closesRun) return;
    try {
      await withRetry(() => this.#client.endRun(runId, status), deadline);
      if (this.#queue.isEmpty && this.#artifacts?.isEmpty !== false && this.#directory !== undefined)
        forgetOpenRun(this.#directory);
    } catch (error) {
      if (!(error instanceof MlflowRequestError)) throw error;
      // A run that was deleted there takes nothing any more.
      if (!error.temporary && this.#directory !== undefined) forgetOpenRun(this.#directory);
      this.#tell(error.temporary ? 'unreachable' : 'refused', error);
    }
  }

  #tell(trouble: Trouble, error: MlflowRequestError): void {
    if (this.#told.has(trouble)) return;
    this.#told.add(trouble);
    if (this.#past !== undefined) {
      log.warn(
        `MLflow at ${this.#client.uri} does not take what ${this.#past}, a run of before, is to record (${error.message}); ${fateOf(error)}.`,
      );
      return;
    }
    log.warn(`MLflow at ${this.#client.uri} ${troubles[trouble]} (${error.message}). Training goes on.`);
  }
}

const troubles: Record<Trouble, string> = {
  unreachable: 'does not answer; what is logged is sent again until the run ends, and else when the next one starts',
  refused: 'refused an entry; it is left out',
  artifacts: "takes no artifacts; texts and images are in the run's folder alone",
};

const textFile = (name: string, step: number): string => `texts/${name}/${step}.txt`;

const fateOf = ({ temporary }: MlflowRequestError): string =>
  temporary ? 'the next run tries again' : 'it is given up';

function clientFor(options: MlflowOptions): MlflowClient {
  return new MlflowClient(options.uri, options.requestTimeoutMs ?? 10_000);
}

/** MLflow takes letters, digits, `_ - . : /` and spaces in a name. */
function keyOf(key: string): string {
  return key.replace(/[^\p{L}\p{N}_\-.:/ ]/gu, '_').slice(0, longestKey);
}

function metric(key: string, value: number, timestamp: number, step: number): MlflowMetric {
  const sent = Number.isFinite(value) ? value : (String(value) as MlflowMetric['value']);
  return { key: keyOf(key), value: sent, timestamp, step };
}

/** JSON has no NaN and no infinities: they were written as texts. */
function numbersOf(metrics: NonNullable<JsonlRecord['metrics']>): Record<string, number> {
  return Object.fromEntries(Object.entries(metrics).map(([key, value]) => [key, Number(value)]));
}
