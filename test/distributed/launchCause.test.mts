import { expect } from 'chai';

import { fixture, Launchers } from './launch-fixtures/launcher.mjs';

describe('the root cause of a launch', function () {
  this.timeout(60_000);
  let launchers: Launchers;
  beforeEach(() => (launchers = new Launchers()));
  afterEach(() => launchers.close());

  async function causeOf(behaviours: string[], flags: string[] = []): Promise<string> {
    const launcher = launchers.behave(behaviours, flags);
    expect(await launcher.end, launcher.output()).to.equal(1);
    return launcher.output().slice(launcher.output().indexOf('root cause: '));
  }

  const stopped = /^root cause: rank 0 .* was stopped, as by SIGSTOP, while others waited for it\n/;
  const left = /^root cause: rank 0 .* ended with exit status 0 while others still needed it\n/;

  it('is a rank that was stopped, though the launcher looks again before it has ended', async () => {
    const cause = await causeOf(['suspend-then-save', 'wait-in-vain:300'], ['--monitor-interval', '0.02']);
    expect(cause).to.match(stopped);
  });

  for (const how of ['wrap-in-vain', 'gather-in-vain', 'show-in-vain', 'raise-in-python']) {
    it(`is a rank that was stopped, and none that tells it by ${how}`, async () => {
      expect(await causeOf(['suspend', `${how}:300`])).to.match(stopped);
    });

    it(`is a rank that ended too early, and none that tells it by ${how}`, async () => {
      expect(await causeOf(['ok', `${how}:500`])).to.match(left);
    });
  }

  for (const how of ['wrap-lost', 'show-lost']) {
    it(`is the rank that was lost, though it fails after one that tells it by ${how}`, async () => {
      expect(await causeOf([how, 'throw-late:300'])).to.match(/^root cause: rank 1 [^]*RangeError: rank 1 threw\n/);
    });
  }

  it('is a rank that failed by itself, also where another was stopped, which is said', async () => {
    const cause = await causeOf(['suspend', 'wrap-own:300']);
    expect(cause).to.match(/^root cause: rank 1 .* ended with exit status 1\n {4}Error: training failed\n/);
    expect(cause).to.match(/\n {2}rank 0 .* until then it was stopped, as by SIGSTOP\n/);
  });

  for (const how of ['cause', 'exit']) {
    for (const way of ['stop', 'end']) {
      it(`is found by the messages of a real group: ${way}, ${how}`, async () => {
        const { status, output } = await launchers.run(['--nproc', '2', fixture('wrapped.mjs'), way, how]);
        expect(status).to.equal(1);
        expect(output, output).to.match(
          way === 'stop' ? /root cause: rank 1 .* was stopped/ : /root cause: rank 1 .* ended with exit status 0 while/,
        );
      });
    }
  }
});
