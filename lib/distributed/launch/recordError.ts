// Loaded into every Node.js rank before its script, so that an uncaught error reaches the launcher with its stack.
import { isMainThread } from 'node:worker_threads';

import { recordRankError } from './errorFile.js';

if (isMainThread) {
  process.on('uncaughtExceptionMonitor', (error) => void recordRankError(error));
  // The launcher hands this signal on, and by itself it would open a debugger's port in every rank.
  process.on('SIGUSR1', () => undefined);
}
