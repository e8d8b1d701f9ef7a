import { AiforgeError, nn, ones, optim, zeros, type Tensor } from 'aiforge';
import { expect } from 'chai';

const parameter = (): Tensor => new nn.Parameter(ones([2]));
const sgd = (): optim.SGD => new optim.SGD([parameter()], { lr: 0.1 });

function refused(attempt: () => unknown, message: RegExp): void {
  expect(attempt).to.throw(AiforgeError, message).with.property('code', 'INVALID_ARGUMENT');
}

describe('what says what to write instead', () => {
  it('is an assignment that nothing reads', () => {
    refused(() => Object.assign(ones([2]), { requires_grad: true }), /Tensor: .*'requires_grad'.* x\.requiresGrad = /);
    refused(() => Object.assign(ones([2]), { data: ones([2]) }), /x\.setData\(tensor\)/);
    for (const name of ['lr', 'learningRate', 'learning_rate']) {
      refused(() => Object.assign(sgd(), { [name]: 5 }), new RegExp(`SGD: .*'${name}'.* of optimizer\\.paramGroups`));
    }
    expect(Object.keys(sgd())).not.to.include('lr');
  });

  it('is a group without params, a loss without a target, an initialiser with a wrong value', () => {
    refused(() => new optim.Adam([{ parameters: [parameter()] }] as never), /Adam: a group needs params/);
    refused(() => new nn.MSELoss().forward(ones([2]), undefined as never), /MSELoss: target must be a Tensor/);
    refused(() => nn.init.xavierUniform_(3 as never), /xavierUniform_: tensor must be a Tensor, got 3/);
    refused(() => nn.init.normal_(ones([2]), 'x' as never), /normal_: mean must be a number, got 'x'/);
    refused(() => nn.init.kaimingNormal_(ones([2, 2]), { a: NaN }), /kaimingNormal_: a must be a number, got NaN/);
  });

  it('is a state dict of something else', () => {
    const scheduler = new optim.lrScheduler.StepLR(sgd(), 2);
    expect(() => scheduler.loadStateDict({ ...scheduler.stateDict(), T_max: 3 }))
      .to.throw(AiforgeError, /a StepLR has no state 'T_max'/)
      .with.property('code', 'STATE_DICT_MISMATCH');
    scheduler.loadStateDict({ ...scheduler.stateDict(), verbose: false });
    refused(() => scheduler.loadStateDict([] as never), /StepLR\.loadStateDict: stateDict must be an object/);
    for (const wrong of [[], ones([2]), Promise.resolve({})]) {
      refused(() => new nn.Linear(2, 2).loadStateDict(wrong as never), /an object or a Map of tensors by their keys/);
    }
    for (const wrong of [{}, { param_groups: [null], state: {} }, { param_groups: sgd().stateDict().param_groups }]) {
      expect(() => sgd().loadStateDict(wrong as never))
        .to.throw(AiforgeError, /does not fit this SGD/)
        .with.property('code', 'STATE_DICT_MISMATCH');
    }
  });
});

describe('methods that take what others do not', () => {
  it('check their arguments when they are called, and not when what they give is walked', () => {
    const layer = new nn.Linear(2, 2) as unknown as Record<string, (...args: unknown[]) => unknown>;
    for (const name of [
      'modules',
      'children',
      'namedChildren',
      'parameters',
      'buffers',
      'namedParameters',
      'namedModules',
      'namedBuffers',
    ]) {
      refused(() => layer[name]!(true), /takes no arguments|expected an options object/);
    }
  });

  it('stride takes a dimension, as size does', () => {
    const x = zeros([2, 3, 4]);
    expect([x.stride(), x.stride(0), x.stride(-1), x.stride(1)]).to.deep.equal([[12, 4, 1], 12, 1, 4]);
    refused(() => x.stride(3), /stride\(3\): the tensor has 3 dimensions, \[2, 3, 4\]/);
    refused(() => zeros([]).stride(0), /has 0 dimensions/);
    refused(() => x.stride(0.5), /dim must be a whole number, got 0\.5/);
  });

  it('isContiguous takes a memory format', () => {
    const x = zeros([2, 3, 4, 5]);
    const last = x.to({ memoryFormat: 'channels_last' });
    const formats = ['contiguous_format', 'channels_last', 'channels_last_3d', 'preserve_format'] as const;
    const answers = (of: Tensor): boolean[] => formats.map((memoryFormat) => of.isContiguous({ memoryFormat }));
    // As Python answers.
    expect(answers(x)).to.deep.equal([true, false, false, true]);
    expect(answers(last)).to.deep.equal([false, true, false, false]);
    refused(() => x.isContiguous({ memoryFormat: 'channels' as never }), /memoryFormat must be 'contiguous_format'/);
    refused(() => x.isContiguous('channels_last' as never), /write \{ memoryFormat: 'channels_last' \}/);
  });

  it('backward and hooks refuse an argument too many', () => {
    const loss = ones([2], { requiresGrad: true }).sum() as unknown as Record<string, (...args: unknown[]) => unknown>;
    refused(() => loss.backward!({}, 1), /backward: .* got \{\}, 1/);
    refused(() => loss.retainGrad!(1), /retainGrad: takes no arguments, got 1/);
    refused(() => loss.registerHook!(() => undefined, 1), /registerHook: takes no more than/);
  });
});
