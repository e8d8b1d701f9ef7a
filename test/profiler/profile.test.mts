import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';

import { autograd, cat, nn, ones, scope, type AiforgeError } from 'aiforge';
import { profile, Profiler, recordFunction, schedule, type ProfilerEvent } from 'aiforge/profiler';
import { expect } from 'chai';

import { temporaryFolder } from '../support/project.mjs';

const named = (events: readonly ProfilerEvent[], name: string): ProfilerEvent[] =>
  events.filter((event) => event.name === name);

function failureOf(body: () => unknown): AiforgeError {
  try {
    body();
  } catch (error) {
    return error as AiforgeError;
  }
  throw new Error('nothing was thrown');
}

describe('profile', () => {
  const folder = temporaryFolder('profiler');
  const x = ones([4, 8], { requiresGrad: true });

  it('records operators with those that they call, and nothing outside the body', () => {
    x.relu();
    const { events, duration } = profile(() => x.matmul(ones([8, 2])));
    x.relu();
    expect(named(events, 'aten::relu')).to.deep.equal([]);
    const [mm] = named(events, 'aten::mm');
    expect(mm!.parent!.name).to.equal('aten::matmul');
    expect(mm!.kind).to.equal('operator');
    for (const event of events) {
      const { start, duration: own, parent, selfDuration } = event;
      expect(own).to.be.greaterThanOrEqual(selfDuration);
      expect(start + own).to.be.at.most(duration);
      if (parent !== null) {
        expect(start).to.be.at.least(parent.start);
        expect(start + own).to.be.at.most(parent.start + parent.duration);
      }
    }
  });

  it('records the backward pass, with the operators that its nodes are of, also of one beside', async () => {
    const loss = x.matmul(ones([8, 2])).sum();
    const here = profile(() => loss.backward({ retainGraph: true }));
    const beside = await profile(() => loss.backwardAsync());
    expect(named(here.events, 'MmBackward0')[0]!.isOwnThread).to.equal(true);
    expect(named(beside.events, 'MmBackward0')[0]!.isOwnThread).to.equal(false);
    const both = profile(() =>
      x
        .matmul(ones([8, 2]))
        .sum()
        .backward(),
    );
    const [node] = named(both.events, 'MmBackward0');
    const forward = both.events.filter(({ sequence, kind }) => kind === 'operator' && sequence === node!.sequence);
    expect(forward.at(-1)!.name).to.equal('aten::mm');
    expect(node!.forwardThread).to.equal(forward.at(-1)!.thread);
  });

  it('records what hooks and Functions do in the middle of a pass', () => {
    class Double extends autograd.Function {
      static forward(_: unknown, y: typeof x) {
        return y.mul(2);
      }
      static backward(_: unknown, grad: typeof x) {
        return recordFunction('own backward', () => grad.mul(2));
      }
    }
    const result = profile(() => Double.apply<[typeof x], typeof x>(x).sum().backward());
    const [own] = named(result.events, 'own backward');
    expect(own!.parent!.kind).to.equal('backward');
    expect(named(result.events, 'aten::mul').some(({ parent }) => parent === own)).to.equal(true);
  });

  it('puts operators into ranges, also into those of bodies that wait', async () => {
    const result = await profile(async () => {
      recordFunction('outer', () => recordFunction('inner', () => x.add(1)));
      await Promise.all([recordFunction('first', work), recordFunction('second', work)]);
      async function work(): Promise<void> {
        x.exp();
        await setTimeout(5);
        x.sin();
      }
    });
    const [add] = named(result.events, 'aten::add');
    expect([add!.parent!.name, add!.parent!.parent!.name]).to.deep.equal(['inner', 'outer']);
    expect(named(result.events, 'aten::exp').map(({ parent }) => parent!.name)).to.deep.equal(['first', 'second']);
    // Which of two a later operator belongs to, LibTorch cannot know.
    expect(named(result.events, 'aten::sin').map(({ parent }) => parent)).to.deep.equal([null, null]);
    for (const { kind, duration } of [...named(result.events, 'first'), ...named(result.events, 'second')]) {
      expect(kind).to.equal('asyncRange');
      expect(duration).to.be.greaterThan(0);
    }
  });

  it('gives what a range gives, and ends it with an error', async () => {
    expect(recordFunction('range', () => 3)).to.equal(3);
    expect(await recordFunction('range', () => Promise.resolve(4))).to.equal(4);
    const result = profile(() => {
      for (const body of [() => recordFunction('breaks', () => x.view([3])), () => x.add(1)]) {
        try {
          body();
        } catch {
          // The range has ended.
        }
      }
    });
    expect(named(result.events, 'aten::add')[0]!.parent).to.equal(null);
    expect(failureOf(() => recordFunction(1 as never, () => 1)).code).to.equal('INVALID_ARGUMENT');
  });

  it('makes ranges of modules, and takes its hooks away', () => {
    const model = new nn.Sequential(new nn.Linear(8, 4), new nn.Sequential(new nn.ReLU()));
    const own = Object.getOwnPropertyNames(model);
    const result = profile(() => model.forward(x), { modules: model });
    expect(named(result.events, 'aten::addmm')[0]!.parent!.parent!.name).to.equal('Sequential.0');
    expect(named(result.events, 'Sequential.1.0')[0]!.parent!.name).to.equal('Sequential.1');
    expect(Object.getOwnPropertyNames(model)).to.deep.equal(own);
    expect(profile(() => model.forward(x)).events.some(({ kind }) => kind === 'module')).to.equal(false);
  });

  it('keeps shapes and memory where they are asked for', () => {
    const result = profile(() => scope(() => void x.matmul(ones([8, 2]))), { recordShapes: true, memory: true });
    const [mm] = named(result.events, 'aten::mm');
    expect(mm!.inputs!.slice(0, 2)).to.deep.equal([
      { kind: 'tensor', shape: [4, 8] },
      { kind: 'tensor', shape: [8, 2] },
    ]);
    expect(mm!.outputs).to.deep.equal([{ kind: 'tensor', shape: [4, 2] }]);
    expect(mm!.cpuBytes).to.be.at.least(4 * 2 * 4);
    // The scope lets go of all of it, outside every operator.
    const rows = result.keyAverages();
    expect(rows.reduce((sum, { selfCpuMemoryUsage }) => sum + selfCpuMemoryUsage, 0)).to.equal(0);
    expect(rows.find(({ name }) => name === '[memory]')!.selfCpuMemoryUsage).to.be.lessThan(0);
    const plain = profile(() => x.add(1));
    expect([plain.events[0]!.inputs, plain.events[0]!.cpuBytes, plain.flops]).to.deep.equal([null, 0, null]);
  });

  it('prints a table as PyTorch does', () => {
    const result = profile(
      () => {
        x.add(ones([4, 8]));
        x.add(ones([8]));
      },
      { recordShapes: true, memory: true },
    );
    const lines = result.table({ sortBy: 'count', rowLimit: 3 }).split('\n');
    expect(lines[0]).to.match(/^-+( {2}-+)+$/);
    expect(lines[1]!.trim().split(/ {2,}/)).to.deep.equal([
      'Name', 'Self CPU %', 'Self CPU', 'CPU total %', 'CPU total', 'CPU time avg', 'CPU Mem', 'Self CPU Mem', '# of Calls',
    ]); // prettier-ignore
    expect(lines).to.have.length(3 + 3 + 2);
    expect(lines.at(-1)).to.match(/^Self CPU time total: [\d.]+(us|ms|s)$/);
    const shaped = result.table({ groupByInputShapes: true });
    expect(shaped)
      .to.match(/aten::add .* 1 +\[\[4, 8\], \[8\], \[\]\]/)
      .and.to.match(/aten::add .* 1 +\[\[4, 8\], \[4, 8\], \[\]\]/);
    const [add] = result.keyAverages().filter(({ name }) => name === 'aten::add');
    expect([add!.count, add!.inputShapes]).to.deep.equal([2, null]);
  });

  it('writes a Chrome trace with ranges, operators and threads on one time line', async () => {
    const file = path.join(folder, 'deep', 'trace.json');
    const result = await profile(async () => {
      const loss = recordFunction('forward', () => x.matmul(ones([8, 2])).sum());
      await recordFunction('beside', () => loss.backwardAsync());
    });
    result.exportChromeTrace(file);
    const trace = JSON.parse(readFileSync(file, 'utf8')) as { traceEvents: Record<string, never>[] };
    const find = (name: string, ph: string): Record<string, never>[] =>
      trace.traceEvents.filter((event) => event.name === name && event.ph === ph);
    const [range] = find('forward', 'X') as unknown as { ts: number; dur: number; tid: number; cat: string }[];
    const [mm] = find('aten::mm', 'X') as unknown as { ts: number; dur: number; tid: number; cat: string }[];
    expect([range!.cat, mm!.cat, mm!.tid]).to.deep.equal(['user_annotation', 'cpu_op', range!.tid]);
    expect(mm!.ts).to.be.greaterThan(range!.ts);
    expect(mm!.ts + mm!.dur).to.be.lessThan(range!.ts + range!.dur);
    expect([...find('beside', 'b'), ...find('beside', 'e')]).to.have.length(2);
    const threads = find('thread_name', 'M').map(({ args }) => (args as unknown as { name: string }).name);
    expect(threads[0]).to.equal('JavaScript (main thread)');
    expect(threads[1]).to.match(/^LibTorch \(thread \d+\)$/);
    expect(failureOf(() => result.exportChromeTrace(folder)).code).to.equal('FILE_NOT_WRITABLE');
  });

  it('is bounded, and says what found no room', () => {
    const result = profile(() => {
      for (let i = 0; i < 50; ++i) x.exp();
    }, { maxEvents: 20 }); // prettier-ignore
    expect(result.events.length).to.equal(20);
    expect(result.dropped).to.be.at.least(30);
    expect(result.table()).to.match(/\d+ events were not recorded: there is room for 20.*Profile fewer steps/);
    // The sizes of many tensors take room as well.
    const many = Array.from({ length: 2000 }, () => ones([1, 1, 1, 1]));
    const shaped = profile(() => [1, 2, 3].map(() => cat(many)), { maxEvents: 100, recordShapes: true });
    expect(shaped.events.length).to.be.lessThan(5);
    expect(shaped.dropped).to.be.greaterThan(0);
  });

  it('ends with its body, however that ends, and takes no other inside', async () => {
    expect(failureOf(() => profile(() => x.view([3]))).code).to.equal('OPERATOR_FAILED');
    const rejected = await profile(async () => {
      await setTimeout(1);
      throw new Error('late');
    }).catch((error: Error) => error.message);
    expect(rejected).to.equal('late');
    const nested = failureOf(() => profile(() => profile(() => 1)));
    expect(nested.code).to.equal('INVALID_ARGUMENT');
    expect(nested.message).to.match(/a profile runs already in this thread.*end that one first/);
    expect(profile(() => x.exp()).events).to.have.length(1);
  });

  it('refuses what it does not know, and what was not recorded', () => {
    const result = profile(() => x.exp());
    for (const [attempt, message] of [
      [
        () => profile(() => 1, { recordshapes: true } as never),
        /has no option 'recordshapes'. Did you mean 'recordShapes'\?/,
      ],
      [() => profile(1 as never), /body must be a function/],
      [() => profile(() => 1, { maxEvents: 0 }), /maxEvents must be a whole number above 0/],
      [() => result.table({ sortBy: 'time' as never }), /sortBy must be 'selfCpuTimeTotal'/],
      [() => result.table({ sortBy: 'cpuMemoryUsage' }), /memory was not recorded\. Profile with \{ memory: true \}/],
      [() => result.keyAverages({ groupByInputShapes: true }), /shapes were not recorded/],
      [() => schedule({ wait: 1, warmup: 1, active: 0 }), /active must be a whole number above 0/],
      [() => schedule({ wait: 1 } as never), /the option warmup must be given/],
    ] as [() => unknown, RegExp][]) {
      const error = failureOf(attempt);
      expect(error.code).to.equal('INVALID_ARGUMENT');
      expect(error.message).to.match(message);
    }
  });
});

describe('Profiler', () => {
  const x = ones([4]);

  function run(profiler: Profiler, steps: number): void {
    profiler.start();
    for (let step = 0; step < steps; ++step) {
      for (let i = 0; i <= step; ++i) x.exp();
      profiler.step();
    }
    profiler.stop();
  }

  it('records the steps of its schedule, in cycles', () => {
    const found: string[][] = [];
    const onTraceReady = ({ events }: { events: readonly ProfilerEvent[] }) =>
      void found.push(events.map(({ name, parent }) => `${name}${parent === null ? '' : ` in ${parent.name}`}`));
    const actionOf = schedule({ skipFirst: 1, wait: 1, warmup: 1, active: 1, repeat: 2 });
    run(new Profiler({ schedule: actionOf, onTraceReady }), 9);
    const add = (step: number): string[] => Array<string>(step + 1).fill(`aten::exp in ProfilerStep#${step}`);
    expect(found).to.deep.equal([
      ['ProfilerStep#3', ...add(3)],
      ['ProfilerStep#6', ...add(6)],
    ]);
  });

  it('records every step without a schedule, up to its end', () => {
    const profiler = new Profiler();
    expect(profiler.result).to.equal(null);
    run(profiler, 2);
    expect(profiler.result!.events.map(({ name }) => name)).to.deep.equal([
      'ProfilerStep#0', 'aten::exp', 'ProfilerStep#1', 'aten::exp', 'aten::exp', 'ProfilerStep#2',
    ]); // prettier-ignore
  });

  it('is started once, steps while it runs, and ends with `using`', () => {
    const profiler = new Profiler();
    expect(failureOf(() => profiler.step()).message).to.match(/step: it has not started; call start first/);
    {
      using own = profiler;
      own.start();
      expect(failureOf(() => own.start()).message).to.match(/it has started already/);
    }
    expect(failureOf(() => profiler.stop()).message).to.match(/it has not started/);
    expect(profile(() => x.exp()).events).to.have.length(1);
    const wrong = new Profiler({ schedule: () => 'save' as never });
    expect(failureOf(() => wrong.start()).message).to.match(/must return 'none'.*and returned 'save' for step 0/);
  });
});
