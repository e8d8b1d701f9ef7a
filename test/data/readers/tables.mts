import { AiforgeError, type data, Tensor } from 'aiforge';
import { expect } from 'chai';
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { Position, StreamDataset } from '#lib/data/stream.js';

/** Columns as what compares deeply: a list of strings, or dtype and numbers. */
export const plain = (columns: data.TableColumns): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(columns).map(([name, column]) => [
      name,
      Tensor.isTensor(column) ? [column.dtype, column.tolist()] : column,
    ]),
  );

/** That a promise is rejected with a code and a message. */
export async function refusedWith(attempt: Promise<unknown>, code: string, message: RegExp): Promise<void> {
  const error: unknown = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).to.be.instanceOf(AiforgeError);
  const { message: told } = error as AiforgeError;
  expect(message.test(told), told.slice(0, 300)).to.equal(true);
  expect((error as AiforgeError).code).to.equal(code);
}

/** All items from a position on. */
export async function itemsFrom<Item>(stream: StreamDataset<Item>, position?: Position): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of { [Symbol.asyncIterator]: () => stream.open(position) }) items.push(item);
  return items;
}

/** That a stream opened at each position, as JSON keeps it, gives what was left, and that its parts are the whole. */
export async function itemsLeft<Item>(stream: StreamDataset<Item>, show: (item: Item) => unknown): Promise<void> {
  const all = (await itemsFrom(stream)).map(show);
  expect(all.length).to.be.greaterThan(1);
  const reader = stream.open();
  for (let given = 0; given <= all.length; ++given) {
    const position = JSON.parse(JSON.stringify(reader.position())) as Position;
    expect((await itemsFrom(stream, position)).map(show), `after ${given}`).to.deep.equal(all.slice(given));
    await reader.next();
  }
  await closedWhileReading(stream);
  const parts = stream.parts();
  if (parts.length === 0) return;
  const ofParts = [];
  for (const part of parts) ofParts.push(...(await itemsFrom(part)).map(show));
  expect(ofParts).to.deep.equal(all);
}

/** That a reading may be ended while an item is on its way, which then comes or does not. */
async function closedWhileReading(stream: StreamDataset): Promise<void> {
  for (const before of [0, 1]) {
    const reader = stream.open();
    for (let i = 0; i < before; ++i) await reader.next();
    const coming = reader.next();
    await reader.return();
    expect(await coming).to.have.property('done');
    expect(await reader.next()).to.deep.equal({ done: true, value: undefined });
  }
  for (let i = 0; i < 1000 && openFiles().length > 0; ++i) await new Promise((resolve) => setImmediate(resolve));
  expect(openFiles()).to.deep.equal([]);
}

/** The files of `temporaryFiles` that this process has open. */
function openFiles(): string[] {
  const links = readdirSync('/proc/self/fd').map((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`);
    } catch {
      return ''; // That of the folder itself.
    }
  });
  return links.filter((link) => link.startsWith(path.join(tmpdir(), 'aiforge-')));
}

/** The same for the batches and the rows of a table. */
export async function tablesLeft(table: data.TableReader): Promise<void> {
  await itemsLeft(table, plain);
  await itemsLeft(table.rows(), (row) => row);
}

/** Makes files with contents, in a folder that is there while the tests of the calling file run. */
export function temporaryFiles(what: string, usual = 'data'): (content: string | Uint8Array, name?: string) => string {
  let folder: string;
  let files = 0;
  before(() => void (folder = mkdtempSync(path.join(tmpdir(), `aiforge-${what}-`))));
  after(() => rmSync(folder, { recursive: true }));
  return (content, name = usual) => {
    const file = path.join(folder, `${++files}-${name}`);
    writeFileSync(file, content);
    return file;
  };
}
