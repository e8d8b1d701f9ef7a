// Loaded before all else by what answers these signals later, or passes them on: until then Node would open its debugger's port at
// the one, and end at the other.
for (const name of ['SIGUSR1', 'SIGUSR2'] as const) process.on(name, () => undefined);
