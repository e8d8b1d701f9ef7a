import { inspect } from 'node:util';

import { boolean, count, oneOf, string } from '../kinds.js';
import { signature } from '../signature.js';
import { exportTrace } from './chromeTrace.js';
import type { ProfilerEvent } from './events.js';
import { FlopCounts } from './flops/flopCounts.js';
import { averagesOf, type OperatorAverage } from './keyAverages.js';
import { droppedText, type Recorded } from './recording.js';
import { formatTable, sortKeys, type SortKey } from './table.js';

export interface KeyAveragesOptions {
  /** Keeps calls apart whose inputs have other shapes; these must have been recorded. Default: false. */
  groupByInputShapes?: boolean;
}

export interface TableOptions extends KeyAveragesOptions {
  /** What the rows are sorted by, the largest first. Default: `'selfCpuTimeTotal'`. */
  sortBy?: SortKey;
  /** How many rows there are at most. Default: 100. */
  rowLimit?: number;
}

const averagesTakes = signature<KeyAveragesOptions>({}, { groupByInputShapes: boolean });
const tableTakes = signature<TableOptions>(
  {},
  { groupByInputShapes: boolean, sortBy: oneOf(...sortKeys), rowLimit: count },
);
const exportTakes = signature({ file: string });

/**
 * What `profile` recorded.
 *
 * @example
 * import { randn } from 'aiforge';
 * import { profile } from 'aiforge/profiler';
 * const result = profile(() => randn([64, 64]).relu().sum());
 * result.keyAverages().map(({ name, count }) => `${name} ${count}`);
 * result.exportChromeTrace('build/trace.json');
 */
export class ProfileResult {
  readonly #recorded: Recorded;
  #flops: FlopCounts | undefined;

  /** @internal */
  constructor(recorded: Recorded) {
    this.#recorded = recorded;
  }

  /** All events, in the order in which they began on their threads. */
  get events(): readonly ProfilerEvent[] {
    return this.#recorded.events;
  }

  /** For how long it was recorded, in microseconds. */
  get duration(): number {
    return this.#recorded.duration;
  }

  /** How many events found no room. */
  get dropped(): number {
    return this.#recorded.dropped;
  }

  /** The floating-point operations of what was recorded, as `flopCounter` counts them; null unless shapes were recorded. */
  get flops(): FlopCounts | null {
    return this.#recorded.options.shapes ? (this.#flops ??= new FlopCounts(this.events)) : null;
  }

  /**
   * The events of one name together: how many, and what they took. As `key_averages`.
   *
   * @throws AiforgeError INVALID_ARGUMENT where shapes are asked for and were not recorded.
   */
  keyAverages(options: KeyAveragesOptions = {}): OperatorAverage[] {
    averagesTakes.check('keyAverages', arguments);
    return averagesOf(this.#recorded, options.groupByInputShapes ?? false);
  }

  /**
   * A table of the operators: times of their own and with what they call, shares, calls, and memory where it was recorded. As
   * `key_averages().table()`.
   *
   * @throws AiforgeError INVALID_ARGUMENT where shapes or memory are asked for and were not recorded.
   */
  table(options: TableOptions = {}): string {
    tableTakes.check('table', arguments);
    const { groupByInputShapes = false, sortBy = 'selfCpuTimeTotal', rowLimit = 100 } = options;
    const averages = averagesOf(this.#recorded, groupByInputShapes);
    const text = formatTable(averages, this.#recorded, { groupByInputShapes, sortBy, rowLimit });
    return this.dropped === 0 ? text : `${text}\n${droppedText(this.dropped, this.#recorded.options.maxEvents)}`;
  }

  /**
   * Writes the events as a Chrome trace, which https://ui.perfetto.dev and chrome://tracing open. The file is there whole, or as
   * it was.
   *
   * @throws AiforgeError FILE_NOT_WRITABLE.
   */
  exportChromeTrace(file: string): void {
    exportTakes.check('exportChromeTrace', arguments);
    exportTrace(file, this.#recorded);
  }

  [inspect.custom](): string {
    return this.table();
  }
}
