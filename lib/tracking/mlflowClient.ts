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

interface ArtifactsAnswer {
  files?: { path: string }[];
  next_page_token?: string;
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
    this.#headers = authorization === undefined ? {} : { authorization };
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

  /**
   * Where the server keeps a run's artifacts, as {@link putArtifact} takes it. Throws a lasting error where clients would write
   * into a store of their own, such as a folder or S3.
   */
  async artifactRoot(runId: string): Promise<string> {
    const answer = await this.#call('GET', `runs/get?run_id=${encodeURIComponent(runId)}`);
    const uri = text(answer, ['run', 'info', 'artifact_uri']);
    const [, root] = /^mlflow-artifacts:(?:\/\/[^/]*)?\/+(.*)$/.exec(uri) ?? [];
    if (root !== undefined) return root;
    throw new MlflowRequestError(`it keeps artifacts at ${uri} and does not pass them on`, false);
  }

  async putArtifact(path: string, content: Uint8Array): Promise<void> {
    const encoded = path.split('/').map(encodeURIComponent).join('/');
    const name = `mlflow-artifacts/artifacts/${encoded}`;
    const given = { body: Buffer.from(content), type: 'application/octet-stream' };
    const answer = await this.#fetch('PUT', name, given);
    // It says nothing where it has taken the file.
    if (!isSuccess(answer)) answerOf(answer, 'PUT', 'mlflow-artifacts');
  }

  /** The paths of a run's artifacts in a folder. */
  async artifactsIn(runId: string, folder: string): Promise<string[]> {
    const paths: string[] = [];
    for (let token = ''; ;) {
      const query = new URLSearchParams({ run_id: runId, path: folder, ...(token !== '' && { page_token: token }) });
      const answer = (await this.#call('GET', `artifacts/list?${query.toString()}`)) as ArtifactsAnswer;
      paths.push(...(answer.files ?? []).map(({ path }) => path));
      token = answer.next_page_token ?? '';
      if (token === '') return paths;
    }
  }

  async #experimentByName(name: string): Promise<string> {
    const query = `experiments/get-by-name?experiment_name=${encodeURIComponent(name)}`;
    return text(await this.#call('GET', query), ['experiment', 'experiment_id']);
  }

  async #call(method: 'GET' | 'POST', path: string, body?: object): Promise<unknown> {
    const given = body && { body: JSON.stringify(body), type: 'application/json' };
    return answerOf(await this.#fetch(method, `mlflow/${path}`, given), method, path.split('?')[0]!);
  }

  async #fetch(method: string, path: string, given?: { body: string | Buffer; type: string }): Promise<Answer> {
    try {
      const response = await fetch(`${this.uri}/api/2.0/${path}`, {
        method,
        headers: { ...this.#headers, 'content-type': given?.type ?? 'application/json' },
        signal: AbortSignal.any([AbortSignal.timeout(this.#timeoutMs), this.#end.signal]),
        ...(given && { body: given.body }),
      });
      return { status: response.status, content: await response.text() };
    } catch (error) {
      const { message, cause } = error as Error;
      const reason = isError(cause) ? cause.message || ((cause as NodeJS.ErrnoException).code ?? message) : message;
      throw new MlflowRequestError(reason, true, undefined, { cause: error });
    }
  }
}

interface Answer {
  status: number;
  content: string;
}

const isSuccess = ({ status }: Answer): boolean => status >= 200 && status < 300;

/** What a server answered. Throws {@link MlflowRequestError} for what is no success. */
function answerOf(given: Answer, method: string, name: string): unknown {
  const { status, content } = given;
  const answer = parseJson(content);
  if (isSuccess(given) && answer !== undefined) return answer;
  const { error_code: code, message } = (answer ?? {}) as { error_code?: string; message?: string };
  const temporary = status === 408 || status === 429 || status >= 500;
  const reason = message ?? (content.slice(0, 200) || 'no content');
  throw new MlflowRequestError(`${method} ${name} was answered ${status}: ${reason}`, temporary, code);
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
