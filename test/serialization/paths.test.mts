import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { AiforgeError, load, loadSafetensors, ones, save, saveSafetensors } from 'aiforge';
import { expect } from 'chai';

const savers = {
  save: (file: string) => save(ones([2]), file),
  saveSafetensors: (file: string) => saveSafetensors(file, { a: ones([2]) }),
};
const loaders = { load: (file: string) => load(file), loadSafetensors };

describe('files at their paths', () => {
  let folder: string;
  const at = (...names: string[]) => path.join(folder, ...names);

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'aiforge-files-'));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  for (const [name, write] of Object.entries(savers)) {
    it(`${name} writes through links and lets them be`, () => {
      mkdirSync(at('elsewhere', 'deep'), { recursive: true });
      writeFileSync(at('elsewhere', 'target'), 'old');
      symlinkSync('deep', at('elsewhere', 'inner'));
      symlinkSync(at('elsewhere', 'inner'), at('door'));
      symlinkSync('../elsewhere/../elsewhere/target', at('elsewhere', 'link'));
      // Behind a folder that is a link itself, `..` is where the system says: elsewhere, not the folder above the link.
      symlinkSync('door/../link', at('link'));
      write(at('link'));
      expect(readlinkSync(at('link'))).to.equal('door/../link');
      expect(lstatSync(at('elsewhere', 'link')).isSymbolicLink()).to.equal(true);
      expect(readFileSync(at('elsewhere', 'target'), 'latin1')).not.to.equal('old');
      expect(readdirSync(at('elsewhere')).sort()).to.deep.equal(['deep', 'inner', 'link', 'target']);

      symlinkSync('new/target', at('dangling'));
      write(at('dangling'));
      expect(readFileSync(at('new', 'target')).equals(readFileSync(at('link')))).to.equal(true);
      expect(readlinkSync(at('dangling'))).to.equal('new/target');
      write(`${at('door')}/../beside`);
      expect(readdirSync(at('elsewhere'))).to.include('beside');
    });

    it(`${name} keeps the mode of a file, and gives a new one that of any new file`, () => {
      for (const mode of [0o600, 0o640, 0o666]) {
        writeFileSync(at('a'), '');
        chmodSync(at('a'), mode);
        write(at('a'));
        expect(statSync(at('a')).mode & 0o7777).to.equal(mode);
      }
      write(at('b'));
      writeFileSync(at('c'), '');
      expect(statSync(at('b')).mode).to.equal(statSync(at('c')).mode);
    });

    it(`${name} writes into a pipe, which stays one`, async () => {
      execFileSync('mkfifo', [at('pipe')]);
      const reader = spawn('sh', ['-c', 'cat "$0" > "$1"', at('pipe'), at('read')]);
      const ended = once(reader, 'exit');
      write(at('pipe'));
      await ended;
      expect(lstatSync(at('pipe')).isFIFO()).to.equal(true);
      write(at('file'));
      expect(readFileSync(at('read')).equals(readFileSync(at('file')))).to.equal(true);
    });

    it(`${name} takes names as long as the system does`, () => {
      for (const letter of ['a', 'é', '語']) {
        const longest = letter.repeat(255 / Buffer.byteLength(letter));
        write(at(longest));
        expect(readdirSync(folder)).to.deep.equal([longest]);
        rmSync(at(longest));
      }
    });
  }

  it('keep their owner', () => {
    writeFileSync(at('a'), '');
    chmodSync(at('a'), 0o660);
    // Only root may give files away; the files of others stay their writer's.
    if (process.getuid?.() === 0) chownSync(at('a'), 1234, 4321);
    const before = statSync(at('a'));
    savers.save(at('a'));
    const { uid, gid, mode } = statSync(at('a'));
    expect({ uid, gid, mode }).to.deep.equal({ uid: before.uid, gid: before.gid, mode: before.mode });
  });

  it('are replaced, not overwritten: another name of the old file keeps it', () => {
    writeFileSync(at('a'), 'old');
    linkSync(at('a'), at('old'));
    savers.save(at('a'));
    expect(readFileSync(at('old'), 'utf8')).to.equal('old');
  });

  for (const [name, call] of Object.entries({ ...savers, ...loaders })) {
    const code = name.startsWith('save') ? 'FILE_NOT_WRITABLE' : 'FILE_NOT_FOUND';

    it(`${name} says why the system refuses a path`, () => {
      symlinkSync('loop', at('loop'));
      const refused = {
        ERR_INVALID_ARG_VALUE: at('a\0b'),
        ENAMETOOLONG: at('n'.repeat(300)),
        ELOOP: at('loop'),
      };
      for (const [cause, file] of Object.entries(refused)) {
        expect(() => call(file), cause)
          .to.throw(AiforgeError, /null bytes|too long|symbolic links/)
          .that.includes({ code })
          .and.has.nested.property('cause.code', cause);
        expect(() => call(file)).to.throw(`${file.replace('\0', String.raw`\0`)} cannot be`);
      }
      expect(readdirSync(folder)).to.deep.equal(['loop']);
    });

    it(`${name} says that a path is a folder`, () => {
      expect(() => call(folder))
        .to.throw(AiforgeError, `${folder} is a folder`)
        .with.property('code', code);
    });
  }

  for (const [name, call] of Object.entries(loaders)) {
    it(`${name} says that a pipe is no regular file`, () => {
      execFileSync('mkfifo', [at('pipe')]);
      expect(() => call(at('pipe')))
        .to.throw(AiforgeError, `${at('pipe')} is no regular file`)
        .with.property('code', 'FILE_NOT_FOUND');
    });
  }
});
