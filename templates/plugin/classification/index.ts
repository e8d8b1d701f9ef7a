import { definePlugin } from 'aiforge';

/** What the plugin says of itself; `aiforge plugins ls` shows it. */
export const plugin = definePlugin({
  name: '__name__',
  version: '0.1.0',
  description: 'Tells classes of points apart',
});
