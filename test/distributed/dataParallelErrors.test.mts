import { expect } from 'chai';

import { runTwo } from './ranks.mjs';

type Said = [code: string, message: RegExp];

const unused = (what: string): Said => [
  'DISTRIBUTED_FAILED',
  new RegExp(`backward gave no gradient on this rank to ${what}.*Pass { findUnusedParameters: true }`),
];
const differ = (how: string): Said => [
  'DISTRIBUTED_FAILED',
  new RegExp(`^DistributedDataParallel needs the same module on all ranks.*: ${how}\\.$`),
];
const second: Said = [
  'DISTRIBUTED_FAILED',
  /a second gradient to 'layer\.(weight|bias)' after the first was on its way.*staticGraph: true/,
];
const invalid = (message: RegExp): Said => ['INVALID_ARGUMENT', message];

/** What each rank is told; the group goes on. */
const told: Record<string, Said> = {
  'unused in forward': unused("'third.weight', 'third.bias'. The forward pass did not use any of them"),
  'unused in the loss': unused(
    "'third.weight', 'third.bias'. The forward pass used all of them, and the loss leaves out",
  ),
  'unused in both': unused(
    "'second.weight', 'second.bias', 'third.weight', 'third.bias'. The forward pass did not use 'third.weight', " +
      "'third.bias'; it used 'second.weight', 'second.bias', and the loss leaves out what came of them",
  ),
  'unused, many': unused("'1.weight', .* and 8 more. The forward pass did not use"),
  'a static graph that begins in noSync': invalid(/with staticGraph the first forward pass/),
  'another graph': [
    'DISTRIBUTED_FAILED',
    /to 'third\.weight', 'third\.bias'.*With staticGraph every step must give a gradient to the same parameters/,
  ],
  'other shapes': differ("rank 1 has 'weight' of float32\\[3, 2\\] where rank 0 has 'weight' of float32\\[2, 2\\]"),
  'other names': differ("rank 1 has '0.weight' .* where rank 0 has 'first.weight' of float32\\[2, 2\\]"),
  'more parameters': differ("rank 1 has '2.weight' of float32\\[2, 2\\], which rank 0 has not"),
  'other dtypes': differ("rank 1 has 'weight' of float64\\[2, 2\\] where rank 0 has 'weight' of float32\\[2, 2\\]"),
  'ignored by a wrong name': invalid(/ignoredParameters names 'weihgt', .*Did you mean 'weight'\?/),
  'two sizes of buckets': invalid(/bucketCapMb and bucketCapMbList both/),
  'SyncBatchNorm on the CPU': invalid(/SyncBatchNorm layers work on a GPU alone.*'0\.weight' is on cpu/),
  'a hook of no name': invalid(/hook must be .*'powerSGD', got 'fp8'/),
  'a hook with options': invalid(/'fp16' takes no options, got warmStart/),
  'a hook too early': invalid(/startPowerSGDIter must be 2 or more with useErrorFeedback or warmStart, got 1/),
  'two hooks': invalid(/'fp16' is registered already/),
  'wrapped twice': invalid(/the module is wrapped already/),
  'a wrapper as a member': invalid(/Holder\.inner: a DistributedDataParallel is no module.*keep its \.module/),
  'no shape yet': invalid(/the parameter 'weight' has no shape yet/),
  'converted after wrapping': invalid(/the parameter 'weight' was converted to another dtype or device after/),
  'replaced after wrapping': invalid(/the parameter 'weight' was replaced after/),
  'thawed after wrapping': invalid(/the parameter 'weight' began to learn after/),
  'added after wrapping': invalid(/the parameter '2\.weight' was added after/),
  'join in join': invalid(/within join\(\) already/),
};

/** After these the group is lost. */
const last: Record<string, Said> = {
  'two gradients': second,
  'two gradients, beside': second,
  'a lost rank': ['DISTRIBUTED_FAILED', /allReduce failed: the connection to rank 1 was lost/],
  'a lost rank, beside': ['DISTRIBUTED_FAILED', /allReduce failed: the connection to rank 1 was lost/],
  'a backward pass left out': [
    'DISTRIBUTED_FAILED',
    /the ranks do not do the same.*rank 0: allReduce.* for averaged forward pass 3; rank 1: .* for averaged forward pass 2/,
  ],
  'a late rank': [
    'DISTRIBUTED_FAILED',
    /timed out after 1500 ms in collective \d+ of the group\. rank 0: allReduce\(sum\).* in DistributedDataParallel for averaged forward pass \d+; rank 1 has not come/,
  ],
  'a late rank, beside': [
    'DISTRIBUTED_FAILED',
    /timed out after 1500 ms in collective \d+ of the group\. rank 0: allReduce\(sum\).* in DistributedDataParallel for averaged forward pass \d+; rank 1 has not come/,
  ],
};

const allowed = [
  'a second backward pass',
  'two forward passes',
  'a frozen parameter that was added',
  'a forward pass that was broken off',
];

const paths = /\.(cc|cpp|h|hpp)\b|\.\.\/|\/pytorch/;

describe('what DistributedDataParallel says of mistakes', function () {
  this.timeout(120_000);

  let results: Record<string, unknown>[][];

  before(async () => {
    const MISTAKES = [...Object.keys(told), ...allowed].join('; ');
    const ranks = await runTwo('mistakes.mjs', { MISTAKES });
    for (const { status, output } of ranks) expect(status, output).to.equal(0);
    results = ranks.map((rank) => rank.results);
  });

  for (const [name, [code, message]] of Object.entries(told)) {
    it(`${name}: to every rank`, () => {
      for (const rank of results) {
        const said = rank.find((result) => result.name === name)!;
        expect(said).to.include({ code });
        expect(said.message).to.match(message).and.not.to.match(paths);
      }
    });
  }

  for (const name of allowed) {
    it(`${name} is none`, () => {
      for (const rank of results) {
        expect(rank.find((result) => result.name === name)).to.deep.equal({ name, code: null, message: null });
      }
    });
  }

  for (const [name, [code, message]] of Object.entries(last)) {
    it(`${name}: without a path of C++`, async () => {
      const [first] = await runTwo('mistakes.mjs', { MISTAKES: name });
      expect(first.results[0], first.output).to.include({ code });
      expect(first.results[0]!.message).to.match(message).and.not.to.match(paths);
    });
  }
});
