import { definePlugin } from 'aiforge';

export const plugin = definePlugin({
  name: 'flight_delays',
  description:
    'How late a flight arrives, from 3,000,000 flights in a Parquet file: a network of numbers and categories',
});
