import { stripVTControlCharacters } from 'node:util';

import { expect } from 'chai';
import pc from 'picocolors';

import { Canvas } from '#lib/cli/plot/canvas.js';
import { gapsIn, piecesOf, type Curve } from '#lib/cli/plot/curve.js';
import { plot } from '#lib/cli/plot/plot.js';
import { ticksBetween } from '#lib/cli/plot/ticks.js';

const plain = pc.createColors(false);
const colored = pc.createColors(true);
const curve = (name: string, ys: number[]): Curve => ({ name, points: ys.map((y, i) => [i + 1, y]) });
const text = (canvas: Canvas) => canvas.cells().map((row) => row.map((cell) => cell.text).join(''));

describe('Canvas', () => {
  it('has a braille character for every 2 by 4 dots', () => {
    const canvas = new Canvas(2, 1);
    for (const [x, y] of [[0, 0], [1, 1], [0, 3], [3, 3]] as const) canvas.dot(x, y, 0); // prettier-ignore
    expect(text(canvas)).to.deep.equal(['⡑⢀']);
  });

  it('draws lines with both ends, in any direction', () => {
    for (const [from, to] of [
      [
        [0, 0],
        [5, 7],
      ],
      [
        [5, 7],
        [0, 0],
      ],
    ] as const) {
      // prettier-ignore
      const canvas = new Canvas(3, 2);
      canvas.line(from, to, 0);
      const drawn = text(canvas).join('\n');
      expect(drawn[0], drawn).not.to.equal(' ');
      expect(drawn.at(-1)).not.to.equal(' ');
    }
    const upright = new Canvas(1, 2);
    upright.line([0, 7], [0, 0], 0);
    expect(text(upright)).to.deep.equal(['⡇', '⡇']);
  });

  it('knows of which curve a character is, the one that came last', () => {
    const canvas = new Canvas(2, 1);
    canvas.dot(0, 0, 0);
    canvas.dot(1, 0, 1);
    expect(canvas.cells()[0]).to.deep.equal([
      { text: '⠉', curve: 1 },
      { text: ' ', curve: undefined },
    ]);
  });
});

describe('ticksBetween', () => {
  it('gives round numbers with the digits that tell them apart', () => {
    expect(ticksBetween(0.38, 2.3, 5).labels).to.deep.equal(['0.5', '1.0', '1.5', '2.0']);
    expect(ticksBetween(-1, 1, 5).labels).to.deep.equal(['-1.0', '-0.5', '0', '0.5', '1.0']);
    expect(ticksBetween(0, 3e9, 4).labels).to.deep.equal(['0', '1e9', '2e9', '3e9']);
    expect(ticksBetween(0, 4e-8, 3).labels).to.deep.equal(['0', '2e-8', '4e-8']);
    expect(ticksBetween(1, 3, 8, true).labels).to.deep.equal(['1', '2', '3']);
  });

  it('gives two at least, and no more than were asked for or four', () => {
    for (const [least, most] of [
      [0, 1],
      [1, 12],
      [3, 977],
      [-5, 1e5],
      [0.1, 0.11],
    ] as const) {
      // prettier-ignore
      for (const count of [2, 3, 5, 8]) {
        const { values } = ticksBetween(least, most, count);
        expect(values.length, `${least} to ${most}`).to.be.within(2, Math.max(4, count));
        for (const value of values) expect(value).to.be.within(least - 1e-9, most + 1e-9);
      }
    }
  });
});

describe('piecesOf', () => {
  it('has the mean of what falls in one place, and pieces between gaps', () => {
    expect(piecesOf(curve('a', [1, 3, 5, 7]), 1, 4, 2)).to.deep.equal([[[1.5, 2], [3.5, 6]]]); // prettier-ignore
    expect(piecesOf(curve('a', [1, NaN, 3, Infinity]), 1, 4, 4)).to.deep.equal([[[1, 1]], [[3, 3]]]);
    expect(gapsIn(curve('a', [1, NaN, 3, Infinity]))).to.equal(2);
  });
});

describe('plot', () => {
  const options = { title: 'loss', across: 'epochs', width: 30, height: 4, colors: plain };

  it('draws a curve with its axes', () => {
    expect(plot([curve('loss', [4, 2, 1, 0.5, 0.25])], options).split('\n')).to.deep.equal([
      'loss over epochs',
      '4 ┤⠑⠢⢄',
      '  │   ⠉⠢⢄⡀',
      '2 ┤      ⠈⠑⠒⠢⠤⣀⣀',
      '  │             ⠉⠉⠑⠒⠒⠢⠤⠤⠤⠤⢄⣀⣀⣀',
      '  └┬─────┬──────┬──────┬─────┬',
      '   1     2      3      4     5',
    ]);
  });

  it('tells curves apart by characters where there are no colours, with a legend', () => {
    const curves = [curve('train_loss', [2, 1, 0]), curve('val_loss', [2, 2, 1])];
    const lines = plot(curves, options).split('\n');
    expect(lines[1]).to.equal('  ● train_loss  ○ val_loss');
    expect(lines.slice(2).join('')).to.match(/●.*○|○.*●/);
    expect(lines.join('')).not.to.match(/[\u2801-\u28ff]/);
  });

  it('tells curves apart by colours where there are some', () => {
    const drawn = plot([curve('a', [2, 1, 0]), curve('b', [2, 2, 1])], { ...options, colors: colored });
    expect(drawn).to.include('\u001b[36m━\u001b[39m a').and.to.include('\u001b[33m━\u001b[39m b');
    expect(drawn)
      .to.match(/[\u2801-\u28ff]/)
      .and.not.to.match(/[●○]/);
  });

  it('draws a single point, a level curve, and gaps, which it counts', () => {
    expect(plot([curve('a', [3])], options)).to.include('•');
    expect(plot([curve('a', [3, 3, 3])], options)).to.match(/\n3 ┤[⣀⠤⠒⠉]{27}\n/);
    const gap = plot([curve('a', [1, 1, NaN, 1, 1])], options);
    expect(gap)
      .to.match(/[\u2801-\u28ff] +[\u2801-\u28ff]/)
      .and.to.include('a: 1 of 5 are not finite');
    expect(plot([curve('a', [NaN])], options)).to.include('nothing to draw');
    expect(plot([curve('a', [])], options)).to.include('nothing to draw');
  });

  it('keeps to the width, however long names and numbers are', () => {
    const names = ['a_metric_with_quite_a_long_name', 'another_metric_with_quite_a_long_name', 'c'];
    for (const width of [30, 40, 80]) {
      for (const colors of [plain, colored]) {
        for (const scale of [1e-12, 1, 1e12]) {
          const curves = names.map((name, i) =>
            curve(
              name,
              Array.from({ length: 500 }, (_, x) => (x % 9 === 3 ? NaN : scale * Math.sin(x * (i + 1)))),
            ),
          );
          for (const line of plot(curves, { ...options, width, colors }).split('\n'))
            expect(stripVTControlCharacters(line).length, line).to.be.at.most(width);
        }
      }
    }
  });
});
