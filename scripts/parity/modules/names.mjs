// Which public names of torch.nn and torch.optim aiforge has.
import * as aiforge from '../../../dist/lib/index.js';
import { camelCase } from '../../../dist/lib/tensor/calls/schema.js';
import { absentNames } from './lists.mjs';

const ownerOf = (namespace) =>
  namespace
    .split('.')
    .slice(1)
    .reduce((owner, part) => owner?.[camelCase(part)], aiforge);

/** For each namespace its absent names, those among them without a reason, and the reasons that are no longer needed. */
export function nameCoverage(names) {
  return Object.entries(names).map(([namespace, list]) => {
    const owner = ownerOf(namespace) ?? {};
    const reasons = absentNames[namespace] ?? new Map();
    const absent = list.filter((name) => !(camelCase(name) in owner));
    return {
      namespace,
      total: list.length,
      absent,
      unexplained: absent.filter((name) => !reasons.has(name)),
      stale: [...reasons.keys()].filter((name) => !absent.includes(name)),
      reasons,
    };
  });
}
