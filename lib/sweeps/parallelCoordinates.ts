import { axisOf, shortNumber, type Axis } from './axis.js';
import { lastOf, shownValue, variedOf } from './ranking.js';
import type { SweepState, TrialState } from './sweepState.js';

const leastBetween = 150;
const leastWidth = 620;
const side = 90;
const top = 110;
const tall = 300;
const bottom = 40;

/** From the worst to the best; all of them stand out from light and from dark grounds. */
const colours = [
  [224, 122, 47],
  [173, 104, 158],
  [34, 150, 155],
] as const;

interface Line {
  trial: TrialState;
  value: number;
  /** How good the value is among the others, from 0 to 1. */
  goodness: number;
}

/**
 * The trials of a sweep as lines over one axis a setting, with the metric as the last axis and as the colour: an SVG file that
 * needs nothing else. Undefined for fewer than two trials that measured something.
 */
export function parallelCoordinates(state: SweepState): string | undefined {
  const lines = linesOf(state);
  if (lines.length < 2) return undefined;
  const names = variedOf(state);
  const axes = names.map((name) =>
    axisOf(
      name,
      lines.map(({ trial }) => trial.settings[name]),
      isLog(state, name),
    ),
  );
  axes.push(
    axisOf(
      state.metric,
      lines.map(({ value }) => value),
      false,
    ),
  );
  const between = Math.max(leastBetween, Math.round((leastWidth - 2 * side) / (axes.length - 1)));
  const width = 2 * side + between * (axes.length - 1);
  const height = top + tall + bottom;
  const better = state.mode === 'min' ? 'less is better' : 'more is better';
  const title = `${lines.length} trials by ${state.metric}, ${better}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">
<style>
  text { font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #7a828c; }
  .title { font-size: 14px; font-weight: 600; }
  .name { font-weight: 600; font-size: 13px; text-anchor: middle; }
  .group { font-size: 11px; text-anchor: middle; }
  .axis { stroke: #8b949e; stroke-width: 1.25; }
  .line { fill: none; stroke-width: 1.6; stroke-opacity: 0.8; }
  .best { stroke-width: 3.2; stroke-opacity: 1; }
</style>
<text class="title" x="16" y="26">${escaped(title)}</text>
${legend(width, state.mode)}
${lines.map((line, index) => path(line, axes, { between, state, isBest: index === lines.length - 1 })).join('\n')}
${axes.map((axis, index) => drawn(axis, side + index * between, index === axes.length - 1)).join('\n')}
</svg>
`;
}

/** The worst first, so that the best lies above all others. */
function linesOf({ trials, mode }: SweepState): Line[] {
  const measured = trials.flatMap((trial) => {
    const value = lastOf(trial)?.value;
    return value === undefined ? [] : [{ trial, value }];
  });
  const values = measured.map(({ value }) => value);
  const [min, max] = [Math.min(...values), Math.max(...values)];
  const share = (value: number) => (max === min ? 1 : (value - min) / (max - min));
  return measured
    .map((line) => ({
      ...line,
      goodness: mode === 'max' ? share(line.value) : max === min ? 1 : 1 - share(line.value),
    }))
    .sort((a, b) => a.goodness - b.goodness || b.trial.number - a.trial.number);
}

function isLog({ identity }: SweepState, name: string): boolean {
  const { parameters } = (identity.sweep ?? {}) as { parameters?: Record<string, { scale?: string } | undefined> };
  return parameters?.[name]?.scale === 'log';
}

const yOf = (place: number): string => (top + (1 - place) * tall).toFixed(1);

interface Drawing {
  between: number;
  state: SweepState;
  isBest: boolean;
}

function path({ trial, value, goodness }: Line, axes: readonly Axis[], { between, state, isBest }: Drawing): string {
  const points = axes.map((axis, index) => {
    const isMetric = index === axes.length - 1;
    return [side + index * between, yOf(axis.placeOf(isMetric ? value : trial.settings[axis.name]))] as const;
  });
  const bends = points.slice(1).map(([x, y], index) => {
    const [from, before] = points[index]!;
    const middle = (from + x) / 2;
    return `C${middle} ${before} ${middle} ${y} ${x} ${y}`;
  });
  const settings = Object.entries(trial.settings).map(([name, own]) => `${name} ${shownValue(own)}`);
  const told = `trial ${trial.number}: ${state.metric} ${shortNumber(value)}; ${settings.join(', ')}`;
  return `<path class="line${isBest ? ' best' : ''}" stroke="${colourOf(goodness)}" d="M${points[0]!.join(' ')}${bends.join('')}"><title>${escaped(told)}</title></path>`;
}

function drawn({ name, ticks }: Axis, x: number, isMetric: boolean): string {
  const dot = name.lastIndexOf('.');
  const group = isMetric ? 'metric' : name.slice(0, Math.max(0, dot));
  const ticksDrawn = ticks.map(({ place, text }) => {
    const y = yOf(place);
    // Lines that end at a tick would strike its text through; right of the last axis there are none.
    const beside = isMetric ? 4 : place === 0 ? 15 : -6;
    return `<path class="axis" d="M${x - 4} ${y}h8"/><text x="${x + 7}" y="${Number(y) + beside}">${escaped(short(text, 14))}</text>`;
  });
  return [
    `<g><title>${escaped(name)}</title>`,
    `<text class="group" x="${x}" y="${top - 46}">${escaped(short(group, 22))}</text>`,
    `<text class="name" x="${x}" y="${top - 30}">${escaped(short(name.slice(dot + 1), 19))}</text>`,
    `<path class="axis" d="M${x} ${top}v${tall}"/>`,
    ...ticksDrawn,
    '</g>',
  ].join('');
}

function legend(width: number, mode: SweepState['mode']): string {
  const stops = colours.map((_, index) => {
    const share = index / (colours.length - 1);
    return `<stop offset="${share}" stop-color="${colourOf(share)}"/>`;
  });
  const [x, y, long] = [width - 190, 16, 90];
  const [worst, best] = mode === 'min' ? ['most', 'least'] : ['least', 'most'];
  return (
    `<defs><linearGradient id="colours">${stops.join('')}</linearGradient></defs>` +
    `<text x="${x - 8}" y="${y + 9}" text-anchor="end">${worst}</text>` +
    `<rect x="${x}" y="${y}" width="${long}" height="10" rx="5" fill="url(#colours)"/>` +
    `<text x="${x + long + 8}" y="${y + 9}">${best}</text>`
  );
}

function colourOf(goodness: number): string {
  const at = goodness * (colours.length - 1);
  const index = Math.min(Math.floor(at), colours.length - 2);
  const [from, to] = [colours[index]!, colours[index + 1]!];
  return `rgb(${from.map((part, i) => Math.round(part + (at - index) * (to[i]! - part))).join(',')})`;
}

const short = (text: string, most: number): string => (text.length <= most ? text : `${text.slice(0, most - 1)}…`);

function escaped(text: string): string {
  const named: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  // XML cannot hold control characters at all.
  return Array.from(text, (letter) => (letter < ' ' ? ' ' : (named[letter] ?? letter))).join('');
}
