// npm run fuzz -- [--seed N] [--seconds S] [--op NAME] [--jobs N] [--from POSITION] [--to POSITION] [--fence] [--strict]
//                 [--inner] [--findings FILE]
// npm run fuzz -- [--fence] --repro FILE|JSON
//
// Calls everything with arguments of every kind in child processes, and reports whatever ends one, hangs it or is thrown
// and is no AiforgeError, each with a command that repeats it. Exit status 1 when something was found.
//
// `--to` ends at a target, so that machines of any speed make the same calls, unless `--seconds` are over before.
// Operators that `ops.aten` gives only after `ops.unsafe()` are left out unless `--inner` is given.
// `--fence` puts a fence around each tensor's memory (needs a C compiler). `--strict` reports JavaScript's own TypeErrors
// too, where a function that is written in TypeScript is given kinds of values that its types forbid. `--findings` keeps
// what is found, one JSON a line.
import { readFileSync, existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Campaign } from './campaign.mjs';
import { repeat } from './supervise.mjs';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seconds: { type: 'string', default: '600' },
    op: { type: 'string' },
    jobs: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    to: { type: 'string', default: 'Infinity' },
    fence: { type: 'boolean', default: false },
    strict: { type: 'boolean', default: false },
    inner: { type: 'boolean', default: false },
    findings: { type: 'string' },
    repro: { type: 'string' },
  },
});

if (values.repro !== undefined) {
  const text = existsSync(values.repro) ? readFileSync(values.repro, 'utf8') : values.repro;
  const parsed = JSON.parse(text);
  const outcome = await repeat(Array.isArray(parsed) ? parsed : [parsed], { fence: values.fence });
  console.log(outcome.failure ?? `ended with ${outcome.codes.join(', ')}`);
  for (const line of outcome.details) console.log(line);
  process.exitCode = outcome.failure === undefined ? 0 : 1;
} else {
  const campaign = new Campaign({
    seed: Number(values.seed ?? Math.floor(Math.random() * 2 ** 31)),
    seconds: Number(values.seconds),
    only: values.op,
    jobs: Number(values.jobs),
    from: Number(values.from),
    to: Number(values.to),
    fence: values.fence,
    strict: values.strict,
    inner: values.inner,
    findingsFile: values.findings,
  });
  process.exitCode = (await campaign.run()) ? 0 : 1;
}
