import type { nn, Tensor } from 'aiforge';
import type { DistributedDataParallel, DdpLoggingData } from 'aiforge/distributed';
import { expectTypeOf } from 'expect-type';

type Wrapped = DistributedDataParallel<nn.Linear>;

describe('types of DistributedDataParallel', () => {
  it('are those of the module', () => {
    expectTypeOf<ReturnType<Wrapped['forward']>>().toEqualTypeOf<Tensor>();
    expectTypeOf<ReturnType<Wrapped['forwardAsync']>>().toEqualTypeOf<Promise<Tensor>>();
    expectTypeOf<ReturnType<Wrapped['stateDict']>>().toEqualTypeOf<ReturnType<nn.Linear['stateDict']>>();
    expectTypeOf<Parameters<Wrapped['loadStateDict']>>().toEqualTypeOf<Parameters<nn.Linear['loadStateDict']>>();
    expectTypeOf<ReturnType<Wrapped['eval']>>().toEqualTypeOf<Wrapped>();
  });

  it('follow what a body gives', () => {
    const typesOf = (ddp: Wrapped) => {
      expectTypeOf(ddp.join(async () => Promise.resolve(3))).toEqualTypeOf<Promise<number>>();
      expectTypeOf(ddp.runAsync(() => 'loss')).toEqualTypeOf<Promise<string>>();
      expectTypeOf(ddp.getDdpLoggingData()).toEqualTypeOf<DdpLoggingData>();
      // @ts-expect-error there is no such hook
      ddp.registerCommHook('fp8');
    };
    expectTypeOf(typesOf).toBeFunction();
  });
});
