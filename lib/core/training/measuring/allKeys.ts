import { Buffer } from 'node:buffer';

import { tensor } from '../../../tensor/index.js';
import type { Ranks } from '../../ranks.js';

/** The texts that any rank has, those of rank 0 first: a rank without a batch has none, and one rank may log what no other does. */
export async function allKeys(own: readonly string[], ranks: Pick<Ranks, 'gather'>): Promise<string[]> {
  const bytes = Buffer.from(JSON.stringify(own));
  const lengths = (await ranks.gather(tensor([bytes.length]))).map((length) => Number(length.item()));
  const padded = Buffer.alloc(Math.max(...lengths), ' ');
  bytes.copy(padded);
  const gathered = await ranks.gather(tensor([...padded], { dtype: 'uint8' }));
  const all = gathered.flatMap((each) => JSON.parse(Buffer.from(each.tolist<number[]>()).toString()) as string[]);
  return [...new Set(all)];
}
