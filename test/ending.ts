import type { RootHookObject } from 'mocha';

/** Milliseconds in which clusters are stopped and connections closed, with a lot to spare. */
const patience = 180_000;

/**
 * Mocha leaves its process as soon as nothing keeps it. A test that failed half way may have left a
 * server open, which would keep it for ever: then it is said what, and the run fails.
 */
export const mochaHooks: RootHookObject = {
  afterAll(): void {
    setTimeout(() => {
      const kept = process.getActiveResourcesInfo().join(', ');
      process.stderr.write(`the tests are over, but this keeps their process: ${kept}\n`);
      process.exit(1);
    }, patience).unref();
  },
};
