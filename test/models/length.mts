/** How long a source is, without its comments, docstring at the top and blank lines. */
export function length(source: string): { lines: number; characters: number } {
  const lines = source
    .replace(/^"""[\s\S]*?"""/, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#') && !line.startsWith('//'));
  return { lines: lines.length, characters: lines.join('').length };
}
