const noBlankBefore = /^(?:[,.;:?!)\]]|'')$/;
const noBlankAfter = /^(?:[([]|``)$/;

/** The text of a file of the Brown corpus, in which each word is `word/tag` and a line is a sentence; blank lines are left out. */
export function readDocument(source: string): string {
  return source
    .split('\n')
    .map((line) => readSentence(line.trim()))
    .filter((line) => line !== '')
    .join('\n');
}

function readSentence(line: string): string {
  let text = '';
  let glued = true;
  for (const tagged of line.split(/\s+/)) {
    // A word may have a stroke in it, a tag has none.
    const word = tagged.slice(0, tagged.lastIndexOf('/'));
    if (!glued && !noBlankBefore.test(word)) text += ' ';
    text += word === '``' || word === "''" ? '"' : word;
    glued = word === '' || noBlankAfter.test(word);
  }
  return text;
}
