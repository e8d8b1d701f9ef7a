import { either, isListOf, iterable, kind, listOf, number, whole, type Kind } from '../../kinds.js';
import { scalarKind } from '../optimizerSignature.js';
import { LRScheduler } from './lrScheduler.js';
import type { Rate } from './rates.js';
import { isSchedule, type Schedule } from './state.js';

export const ratesKind: Kind<Rate | readonly Rate[]> = either(scalarKind, listOf(scalarKind));

export const perGroupKind: Kind<number | readonly number[]> = either(number, listOf(number));

export const scheduleKind: Kind<Schedule> = kind('a function of a number, or an object with call(number)', isSchedule);

export const schedulersKind: Kind<readonly LRScheduler[]> = listOf(
  kind('a scheduler', (value) => value instanceof LRScheduler),
);

export const listed: Kind<Iterable<number>> = kind('an array of whole numbers', (value) =>
  Array.isArray(value) ? isListOf(value, whole) : iterable('').accepts(value),
);
