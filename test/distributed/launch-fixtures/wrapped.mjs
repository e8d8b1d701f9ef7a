// Rank 1 is stopped or ends; rank 0 catches what it is told, and throws another error or shows it.
import process from 'node:process';
import { ones } from 'aiforge';
import { allReduce, initProcessGroup } from 'aiforge/distributed';

const [way, how] = process.argv.slice(2);
const { rank } = await initProcessGroup({ timeoutMs: 2000 });
await allReduce(ones([2]));
if (rank === 1) {
  if (way === 'stop') process.kill(process.pid, 'SIGSTOP');
  else process.exit(0);
}
try {
  for (;;) await allReduce(ones([3]));
} catch (error) {
  if (how === 'cause') throw new Error('training failed', { cause: error });
  console.error(error);
  process.exit(1);
}
