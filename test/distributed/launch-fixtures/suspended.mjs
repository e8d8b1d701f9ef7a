// Rank 1 stops itself where PHASE says; the others wait for it.
import process from 'node:process';
import { ones } from 'aiforge';
import { allGatherObject, allReduce, initProcessGroup } from 'aiforge/distributed';

const { PHASE, RANK } = process.env;
const suspend = (phase) => {
  if (RANK === '1' && phase === PHASE) process.kill(process.pid, 'SIGSTOP');
};
suspend('meeting');
await initProcessGroup({ timeoutMs: 2000 });
suspend('allReduce');
await allReduce(ones([3]));
suspend('allGatherObject');
await allGatherObject({ rank: RANK });
