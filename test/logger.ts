import { createLogger } from '../src/log/logger.ts';
import type { Logger } from '../src/types/log.ts';

/** For what must have a logger and whose lines no test reads. */
export const silentLogger: Logger = createLogger('test', {
  level: 'error',
  format: 'json',
  destination: { write: () => undefined },
});
