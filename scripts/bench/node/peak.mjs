// The peak resident memory of a process that trains one model for a while; python/peak.py does the same.
import { setNumThreads } from 'aiforge';

import { prepare } from './rows.mjs';

const [row, steps] = process.argv.slice(2);
setNumThreads(1);
const iterate = prepare(row);
for (let i = 0; i < Number(steps); ++i) iterate();
console.log(JSON.stringify({ bytes: process.resourceUsage().maxRSS * 1024 }));
