// The ranks of a launch add their numbers, from 1, and each says the sum.
import { tensor } from 'aiforge';
import { allReduce, destroyProcessGroup, initProcessGroup } from 'aiforge/distributed';

const { rank, worldSize } = await initProcessGroup({ timeoutMs: 30_000 });
const sum = tensor([rank + 1]);
await allReduce(sum);
console.log(`sum ${sum.item()} of ${worldSize} at ${process.env.MASTER_ADDR}`);
await destroyProcessGroup();
