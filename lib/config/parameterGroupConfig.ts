import { z } from 'zod';

/** Parameters with options of the optimizer of their own, by their names. */
export const ParameterGroupConfig = z
  .looseObject({
    match: z
      .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
      .describe('Names of parameters; * is anything'),
    learningRate: z.number().positive().optional().describe('Their step size'),
  })
  .refine((group) => group.lr === undefined, {
    path: ['lr'],
    error: 'expected the rate as learningRate, and nothing here',
  })
  .refine((group) => group.params === undefined, {
    path: ['params'],
    error: 'expected the parameters by their names, as match, and nothing here',
  });
