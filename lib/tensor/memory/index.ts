// The namespace `memory`.
export { detectLeaks, leaks, type Leak, type LeakOptions, type LeakReport } from './leaks.js';
export { stats, type MemoryStats, type MemoryUse, type ScopeUse } from './stats.js';
