// Configuration files whose bytes are no text, or that are nested deeper than the call stack holds.
import { writeFileSync } from 'node:fs';
import path from 'node:path';

import { loadExperimentConfig } from 'aiforge';
import { readSweep } from '#lib/sweeps/sweepConfig.js';
import { expect } from 'chai';

import { temporaryFolder } from '../support/project.mjs';
import { refusalOf } from '../support/refusal.mjs';

describe('a configuration file', () => {
  const folder = temporaryFolder('utf8');
  const readers: [what: string, read: (file: string) => unknown][] = [
    ['an experiment', (file) => loadExperimentConfig(file)],
    ['a sweep', (file) => readSweep(file)],
  ];
  const refused = (name: string, read: (file: string) => unknown, bytes: Buffer | string) => {
    const file = path.join(folder, name);
    writeFileSync(file, bytes);
    const { code, message } = refusalOf(() => read(file));
    expect(code).to.equal('CONFIG_INVALID');
    return message.replace(file, 'FILE');
  };

  for (const [what, read] of readers) {
    it(`that is not UTF-8 is refused with line and column: ${what}`, () => {
      const latin = Buffer.from('a: "\uFFFD€"\nb: é', 'utf8');
      const bytes = Buffer.concat([latin.subarray(0, -2), Buffer.from([0xe9])]);
      for (const name of ['a.yaml', 'a.json']) {
        expect(refused(name, read, bytes)).to.equal('FILE:2:4: the byte 0xe9 is not UTF-8. Save the file as UTF-8.');
      }
      const utf16 = Buffer.from('\uFEFFa: 1', 'utf16le');
      expect(refused('b.yaml', read, utf16)).to.match(/^FILE:1:1: the byte 0xff is not UTF-8/);
      // One that is written is a character.
      expect(refused('c.yaml', read, 'a: "\uFFFD"')).not.to.include('UTF-8');
    });

    it(`that is nested too deeply is told of as such: ${what}`, () => {
      const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
      expect(refused('deep.yaml', read, `a: ${deep}`)).to.match(/^FILE:1:\d+: nested too deeply to be read\. /);
      expect(refused('deep.json', read, `{"a": ${deep}}`)).to.match(/^FILE:1:\d+: nested too deeply to be read\. /);
    });

    it(`of JSON is not called YAML: ${what}`, () => {
      expect(refused('wrong.json', read, '{"a": [1}')).to.match(/^FILE:1:\d+: not valid JSON: /).and.not.to.include('spaces'); // prettier-ignore
    });
  }
});
