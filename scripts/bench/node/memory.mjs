// Peak memory where nothing is disposed, and memory over many training steps.
import { ones, scope } from 'aiforge';

import { prepare } from './rows.mjs';

const mb = (bytes) => Math.round(bytes / 1e6);
const rss = () => process.memoryUsage().rss;

const [what, count] = process.argv.slice(2);
if (what === 'adds') {
  const megabyte = ones([250_000]);
  for (let i = 0; i < Number(count); ++i) megabyte.add(1);
  console.log(JSON.stringify({ peakMb: mb(process.resourceUsage().maxRSS * 1024) }));
} else {
  const step = prepare('mlp_step');
  for (let i = 0; i < 2000; ++i) scope(step);
  const before = rss();
  for (let i = 0; i < Number(count); ++i) scope(step);
  console.log(JSON.stringify({ beforeMb: mb(before), afterMb: mb(rss()) }));
}
