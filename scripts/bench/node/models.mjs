// The training steps of test/models, which are built once more in Python; models.json has their sizes.
import { readFileSync } from 'node:fs';

import * as gpt from '../../../build/test/models/gpt.mjs';
import * as lenet from '../../../build/test/models/lenet.mjs';
import * as mlp from '../../../build/test/models/mlp.mjs';
import * as resnet from '../../../build/test/models/resnet.mjs';
import * as tagger from '../../../build/test/models/tagger.mjs';
import { trainStep } from '../../../build/test/models/task.mjs';
import * as translator from '../../../build/test/models/translator.mjs';
import * as vae from '../../../build/test/models/vae.mjs';
import { moved } from './device.mjs';

const models = { gpt, lenet, mlp, resnet, tagger, translator, vae };

export const specifications = JSON.parse(readFileSync(new URL('../models.json', import.meta.url), 'utf8'));

/** A step on one batch, again and again. */
function step({ model, sizes }) {
  return () => {
    const task = moved(models[model].build(sizes));
    const batch = task.batch();
    return () => trainStep(task, batch);
  };
}

export const modelRows = Object.fromEntries(
  Object.entries(specifications).map(([name, specification]) => {
    const { iterations, warmUp } = specification;
    return [name, { build: step(specification), iterations, warmUp }];
  }),
);
