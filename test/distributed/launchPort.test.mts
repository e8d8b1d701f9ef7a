import { existsSync, readFileSync } from 'node:fs';

import { expect } from 'chai';

import { portsLeftAlone } from '#lib/distributed/launch/masterPort.js';
import { Launchers } from './launch-fixtures/launcher.mjs';

describe('the port that a launcher chooses for rank 0', function () {
  this.timeout(60_000);
  let launchers: Launchers;
  beforeEach(() => (launchers = new Launchers()));
  afterEach(() => launchers.close());

  it('is none that the system gives to programs that ask for any', async function () {
    const file = '/proc/sys/net/ipv4/ip_local_port_range';
    const range = existsSync(file) ? readFileSync(file, 'utf8') : '';
    if (portsLeftAlone(range) === undefined) {
      console.log(`      skipped: the system gives out all ports, or does not tell which (${range.trim() || file})`);
      return this.skip();
    }
    const [low = 0, high = 0] = range.trim().split(/\s+/).map(Number);
    const ports = new Set<number>();
    for (let i = 0; i < 5; i++) {
      const [env] = await launchers.environments(['--nproc', '1']);
      ports.add(Number(env?.MASTER_PORT));
    }
    for (const port of ports) expect(port < low || port > high, `${port} of ${low} to ${high}`).to.equal(true);
    // Launches that begin at one time must not choose the same.
    expect(ports.size).to.be.greaterThan(1);
  });

  it('is below the range where there is room, else above it, else whichever is free', () => {
    expect(portsLeftAlone('32768\t60999\n')).to.deep.equal({ first: 10_000, last: 29_000 });
    expect(portsLeftAlone('15000 60999')).to.deep.equal({ first: 10_000, last: 14_999 });
    expect(portsLeftAlone('1024 60999')).to.deep.equal({ first: 61_000, last: 65_535 });
    expect(portsLeftAlone('1024 65535')).to.equal(undefined);
    expect(portsLeftAlone('')).to.equal(undefined);
  });
});
