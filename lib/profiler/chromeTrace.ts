import { Buffer } from 'node:buffer';
import { threadId } from 'node:worker_threads';

import { writeFileAtomic } from '../atomicFile.js';
import { shapesOf, type EventKind, type ProfilerEvent } from './events.js';
import type { Recorded } from './recording.js';

/** The categories of PyTorch's traces; JavaScript's modules have one of their own. */
const categories: Readonly<Record<EventKind, string>> = {
  operator: 'cpu_op',
  backward: 'cpu_op',
  range: 'user_annotation',
  asyncRange: 'user_annotation',
  module: 'module',
};

/** Events of a Chrome trace, in parts: a string has a longest length, and a trace has none. */
const perPart = 4096;

export function exportTrace(file: string, recorded: Recorded): void {
  writeFileAtomic(file, parts(recorded));
}

function* parts({ events, dropped }: Recorded): Generator<Uint8Array> {
  const head = { schemaVersion: 1, displayTimeUnit: 'ms', droppedEvents: dropped };
  yield Buffer.from(`${JSON.stringify(head).slice(0, -1)},"traceEvents":[\n`);
  yield Buffer.from(
    namesOf(events)
      .map((each) => JSON.stringify(each))
      .join(',\n'),
  );
  for (let at = 0; at < events.length; at += perPart) {
    const some = events.slice(at, at + perPart).flatMap((event, i) => entriesOf(event, at + i));
    yield Buffer.from(some.map((each) => `,\n${JSON.stringify(each)}`).join(''));
  }
  yield Buffer.from('\n]}\n');
}

/** The names of the process and of its threads. */
function namesOf(events: readonly ProfilerEvent[]): object[] {
  const threads = new Map(events.map(({ thread, isOwnThread }) => [thread, isOwnThread]));
  const own = threadId === 0 ? 'JavaScript (main thread)' : `JavaScript (worker ${threadId})`;
  return [
    { ph: 'M', name: 'process_name', pid: process.pid, tid: 0, args: { name: process.title } },
    ...[...threads].flatMap(([tid, isOwn]) => [
      { ph: 'M', name: 'thread_name', pid: process.pid, tid, args: { name: isOwn ? own : `LibTorch (thread ${tid})` } },
      { ph: 'M', name: 'thread_sort_index', pid: process.pid, tid, args: { sort_index: isOwn ? 0 : tid } },
    ]),
  ];
}

function entriesOf(event: ProfilerEvent, number: number): object[] {
  const { name, kind, start, duration, thread } = event;
  const entry = { name, cat: categories[kind], pid: process.pid, tid: thread, ts: start };
  if (kind !== 'asyncRange') return [{ ph: 'X', ...entry, dur: duration, args: argumentsOf(event) }];
  // Others may begin and end meanwhile, in any order.
  return [
    { ph: 'b', id: number, ...entry },
    { ph: 'e', id: number, ...entry, ts: start + duration },
  ];
}

function argumentsOf({ sequence, forwardThread, kind, inputs, selfCpuBytes, selfDeviceBytes }: ProfilerEvent): object {
  return {
    ...(sequence === null ? {} : { 'Sequence number': sequence }),
    ...(kind === 'backward' ? { 'Fwd thread id': forwardThread } : {}),
    ...(inputs === null ? {} : { 'Input Dims': shapesOf(inputs) }),
    ...(selfCpuBytes === 0 ? {} : { 'Self CPU Bytes': selfCpuBytes }),
    ...(selfDeviceBytes === 0 ? {} : { 'Self CUDA Bytes': selfDeviceBytes }),
  };
}
