// Times `import 'aiforge'` in a fresh process; prints { ns, rss_bytes }, as python/import_torch.py does.
const start = process.hrtime.bigint();
await import('aiforge');
const ns = Number(process.hrtime.bigint() - start);
console.log(JSON.stringify({ ns, rss_bytes: process.memoryUsage().rss }));
