import { definePlugin } from 'aiforge';

export const plugin = definePlugin({
  name: 'car_mileage',
  description: 'How far 398 cars of 1970 to 1982 go with a gallon: a regression beside least squares',
});
