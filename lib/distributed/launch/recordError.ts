// Loaded into every Node.js rank before its script, so that an uncaught error reaches the launcher with its stack, and that what the
// launcher passes on does not end a rank that does not listen to it, or not yet.
import '../../userSignals.js';

import { isMainThread } from 'node:worker_threads';

import { recordRankError } from './errorFile.js';
import { announceStart } from './startFile.js';

if (isMainThread) {
  process.on('uncaughtExceptionMonitor', (error) => void recordRankError(error));
  announceStart();
}
