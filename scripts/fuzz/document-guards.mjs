// Writes docs/guards.md out of the addon's table of guards; test/docs/guards.test.mts checks that it is up to date.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isMain } from '../provision/main.mjs';

const introduction = `# Guards

LibTorch trusts the callers of its inner operators, and a few public ones, with arguments that it does not check: wrong ones
read or write foreign memory, divide by zero or never end, and so end the process. \`native/guards/guards.cc\` checks them first and
throws an \`AiforgeError\`. Operators without a guard pay nothing for it. \`npm run fuzz\` looks for those that need one.

This page is made by \`node scripts/fuzz/document-guards.mjs\` from that table. A name stands for all its overloads, and \`*\`
for any ending.

`;

export function guardsPage() {
  const { native } = createRequire(import.meta.url)('../../dist/lib/native.js');
  const rows = native.guards().map(({ operators, reason }) => {
    const names = operators.split(' ').map((name) => `\`${name}\``);
    return `- ${names.join(', ')}: LibTorch ${reason}.`;
  });
  return `${introduction}${rows.join('\n')}\n`;
}

if (isMain(import.meta.url)) writeFileSync(new URL('../../docs/guards.md', import.meta.url), guardsPage());
