/**
 * How many times as long a work takes at a larger size, by the processor's time, which others on the machine do not lengthen: the
 * least of some tries of each.
 */
export async function timesAsLong(
  work: (size: number) => () => unknown,
  { from, to }: { from: number; to: number },
): Promise<number> {
  const least = { from: Infinity, to: Infinity };
  const works = { from: work(from), to: work(to) };
  for (let i = 0; i < 3; ++i) {
    for (const size of ['from', 'to'] as const) {
      const begin = process.cpuUsage();
      await works[size]();
      const { user, system } = process.cpuUsage(begin);
      least[size] = Math.min(least[size], user + system);
    }
  }
  return least.to / least.from;
}
