import { Buffer } from 'node:buffer';
import { setTimeout as sleep } from 'node:timers/promises';
import { AiforgeError } from '../errors.js';
import { isError } from '../realms.js';
import { isRunId } from './runId.js';
import type { RunStatus } from './tracker.js';

export interface MlflowMetric {
  key: string;
  /** Text for the values that JSON numbers cannot hold. */
  value: number | 'NaN' | 'Infinity' | '-Infinity';
  timestamp: number;
  step: number;
}

export interface MlflowEntry {
  key: string;
  value: string;
}

export interface MlflowBatch {
  metrics?: MlflowMetric[];
  params?: MlflowEntry[];
  tags?: MlflowEntry[];
}

interface RunAnswer {
  run?: { data?: { metrics?: { key: string; step?: number | string }[] } };
}

/** An answer, or its absence, that kept a request from being done. */
export class MlflowRequestError extends Error {
  /** Whether the same request may succeed later: the server was not reached or was not able. */
  readonly temporary: boolean;
  readonly errorCode: string | undefined;

  constructor(message: string, temporary: boolean, errorCode?: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MlflowRequestError';
    this.temporary = temporary;
    this.errorCode = errorCode;
  }
}

/** The few calls of MLflow's REST API that record a run. Every call throws {@link MlflowRequestError} when it fails. */
export class MlflowClient {
  /** The server's address, without credentials. */
  readonly uri: string;
  readonly #headers: Record<string, string>;
  readonly #timeoutMs: number;
  readonly #end = new AbortController();

  /** Throws `CONFIG_INVALID` unless the address is http or https. */
  constructor(uri: string, timeoutMs: number, env: NodeJS.ProcessEnv = process.env) {
    const url = parseUri(uri);
    const authorization = authorizationOf(url, env);
    url.username = '';
    url.password = '';
    this.uri = url.href.replace(/\/+$/, '');
    this.#headers = { 'content-type': 'application/json', ...(authorization && { authorization }) };
    this.#timeoutMs = timeoutMs;
  }

  /** The id of the experiment, which is made when there is none of that name. */
  async experimentId(name: string): Promise<string> {
    try {
      return await this.#experimentByName(name);
    } catch (error) {
      if (!(error instanceof MlflowRequestError) || error.errorCode !== 'RESOURCE_DOES_NOT_EXIST') throw error;
    }
    try {
      return text(await this.#call('POST', 'experiments/create', { name }), ['experiment_id']);
    } catch (error) {
      // Another run may have made it since.
      if (!(error instanceof MlflowRequestError) || error.errorCode !== 'RESOURCE_ALREADY_EXISTS') throw error;
      return this.#experimentByName(name);
    }
  }

  /** Breaks off what is under way at the deadline (ms since 1970), and whatever is asked for after it. */
  endAt(deadline: number): void {
    setTimeout(() => this.#end.abort(), Math.max(0, deadline - Date.now())).unref();
  }

  async createRun(experimentId: string, runName: string): Promise<string> {
    const body = { experiment_id: experimentId, run_name: runName, start_time: Date.now() };
    const runId = text(await this.#call('POST', 'runs/create', body), ['run', 'info', 'run_id']);
    if (isRunId(runId)) return runId;
    throw new MlflowRequestError(
      `it calls the run '${runId}', which is no run id of MLflow; is this an MLflow server?`,
      false,
    );
  }

  async logBatch(runId: string, batch: MlflowBatch): Promise<void> {
    await this.#call('POST', 'runs/log-batch', { run_id: runId, ...batch });
  }

  async endRun(runId: string, status: RunStatus): Promise<void> {
    await this.#call('POST', 'runs/update', { run_id: runId, status, end_time: Date.now() });
  }

  /** Opens a run again that was ended. */
  async reopenRun(runId: string): Promise<void> {
    await this.#call('POST', 'runs/update', { run_id: runId, status: 'RUNNING' });
  }

  /** The last step that the server has of each metric. */
  async lastSteps(runId: string): Promise<Map<string, number>> {
    const answer = (await this.#call('GET', `runs/get?run_id=${encodeURIComponent(runId)}`)) as RunAnswer;
    return new Map((answer.run?.data?.metrics ?? []).map(({ key, step }) => [key, Number(step)]));
  }

  async #experimentByName(name: string): Promise<string> {
    const query = `experiments/get-by-name?experiment_name=${encodeURIComponent(name)}`;
    return text(await this.#call('GET', query), ['experiment', 'experiment_id']);
  }

  async #call(method: 'GET' | 'POST', path: string, body?: object): Promise<unknown> {
    const { status, content } = await this.#fetch(method, path, body);
    const answer = parseJson(content);
    if (status >= 200 && status < 300 && answer !== undefined) return answer;
    const { error_code: code, message } = (answer ?? {}) as { error_code?: string; message?: string };
    const temporary = status === 408 || status === 429 || status >= 500;
    const reason = message ?? (content.slice(0, 200) || 'no content');
    throw new MlflowRequestError(`${method} ${path.split('?')[0]} was answered ${status}: ${reason}`, temporary, code);
  }

  async #fetch(method: string, path: string, body?: object): Promise<{ status: number; content: string }> {
    try {
      const response = await fetch(`${this.uri}/api/2.0/mlflow/${path}`, {
        method,
        headers: this.#headers,
        signal: AbortSignal.any([AbortSignal.timeout(this.#timeoutMs), this.#end.signal]),
        ...(body && { body: JSON.stringify(body) }),
      });
      return { status: response.status, content: await response.text() };
    } catch (error) {
      const { message, cause } = error as Error;
      const reason = isError(cause) ? cause.message || ((cause as NodeJS.ErrnoException).code ?? message) : message;
      throw new MlflowRequestError(reason, true, undefined, { cause: error });
    }
  }
}

/** Runs a request up to three times while its failure is temporary and the deadline (ms since 1970) has not passed. */
export async function withRetry<T>(request: () => Promise<T>, deadline: number): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await request();
    } catch (error) {
      const pause = 200 * 2 ** attempt;
      const again = error instanceof MlflowRequestError && error.temporary && attempt < 3;
      if (!again || Date.now() + pause > deadline) throw error;
      await sleep(pause);
    }
  }
}

function parseUri(uri: string): URL {
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new AiforgeError(
    'CONFIG_INVALID',
    `'${uri}' is not the address of an MLflow server; expected one such as http://127.0.0.1:5000 in MLFLOW_TRACKING_URI.`,
  );
}

/** The same variables as MLflow's own clients read; those in the address come first. */
function authorizationOf(url: URL, env: NodeJS.ProcessEnv): string | undefined {
  const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  if (url.username !== '') return basic(decodeURIComponent(url.username), decodeURIComponent(url.password));
  if (env.MLFLOW_TRACKING_USERNAME) return basic(env.MLFLOW_TRACKING_USERNAME, env.MLFLOW_TRACKING_PASSWORD ?? '');
  return env.MLFLOW_TRACKING_TOKEN ? `Bearer ${env.MLFLOW_TRACKING_TOKEN}` : undefined;
}

function parseJson(content: string): unknown {
  try {
    return JSON.parse(content) as unknown;
  } catch {
    return undefined;
  }
}

function text(answer: unknown, path: string[]): string {
  let value = answer;
  for (const key of path) value = (value as Record<string, unknown> | null | undefined)?.[key];
  if (typeof value === 'string') return value;
  throw new MlflowRequestError(`the answer has no ${path.join('.')}; is this an MLflow server?`, false);
}
