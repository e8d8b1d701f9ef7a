import { DocumentedProject } from './project.mjs';

/** The model of docs/metrics.md, type-checked as a user's; the other snippets are run as a tour. */
describe('docs/metrics.md', () => {
  const project = new DocumentedProject('docs/metrics.md', 'metrics');
  before(() => project.enter());
  after(() => project.leave());

  it('type-checks', () => project.typeCheck()).timeout(120_000);
});
