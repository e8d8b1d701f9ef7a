// Says which rank it is among how many, and waits for a file: for `finish` or `finish-RANK` it ends well, for `fail-RANK-RESTARTS` with 5,
// for `vain-RANK-RESTARTS` as one that others did not come to.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const {
  RANK,
  LOCAL_RANK,
  WORLD_SIZE,
  GROUP_RANK,
  GROUP_WORLD_SIZE,
  ROLE_RANK,
  ROLE_WORLD_SIZE,
  MASTER_ADDR,
  MASTER_PORT,
} = process.env;
const { TORCHELASTIC_RESTART_COUNT: restarts, READY_FOLDER: folder } = process.env;
console.log(
  `rank ${RANK} of ${WORLD_SIZE} local ${LOCAL_RANK} group ${GROUP_RANK} of ${GROUP_WORLD_SIZE} role ${ROLE_RANK} of ${ROLE_WORLD_SIZE} ` +
    `restart ${restarts} at ${MASTER_ADDR}:${MASTER_PORT} pid ${process.pid}`,
);
setInterval(() => {
  if (existsSync(join(folder, `fail-${RANK}-${restarts}`))) {
    console.error(`rank ${RANK} gives up`);
    process.exit(5);
  }
  if (existsSync(join(folder, `vain-${RANK}-${restarts}`))) {
    console.error('AiforgeError: allReduce failed: timed out after 500 ms in collective 7 of the group.');
    process.exit(1);
  }
  if (existsSync(join(folder, 'finish')) || existsSync(join(folder, `finish-${RANK}`))) process.exit(0);
}, 20);
