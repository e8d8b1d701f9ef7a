import { whole } from '../../kinds.js';
import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import { channelShuffle } from '../../tensor/generated/functions.js';
import { Module } from '../module.js';
import { refuseSurplus } from '../checks.js';

const channelShuffleTakes = signature({ groups: whole });

/**
 * Deals the channels of `groups` groups out in turn, so that each new group has some of every old one.
 *
 * Channel `g * n + i` of `groups * n` becomes channel `i * groups + g`; the shape `[N, C, …]` stays. As
 * `torch.nn.ChannelShuffle`.
 *
 * @example
 * import { arange, nn } from 'aiforge';
 * new nn.ChannelShuffle(2).forward(arange(4).view([1, 4, 1])).flatten().tolist(); // [0, 2, 1, 3]
 */
export class ChannelShuffle extends Module {
  readonly groups: number;

  constructor(groups: number) {
    channelShuffleTakes.check(new.target.name, arguments);
    super();
    this.groups = groups;
  }

  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return channelShuffle(input, this.groups);
  }

  override extraRepr(): string {
    return `groups=${this.groups}`;
  }
}
