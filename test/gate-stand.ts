import { RetryableError } from '../src/core/errors.ts';
import { type Instant, instant, seconds } from '../src/core/time.ts';
import { createLogger } from '../src/log/logger.ts';
import { gateApp } from '../src/server/gate.ts';
import type { RunningServer } from '../src/server/http-server.ts';
import type { StageSet } from '../src/types/stages.ts';
import { serveOnLoopback } from './unit/server/request.ts';

/** A StageSet with one stage that is ready and one that failed, and what nobody outside may read. */
export const shop: StageSet = {
  apiVersion: 'stages.metio.wtf/v1',
  kind: 'StageSet',
  metadata: { name: 'shop', namespace: 'team', generation: 2 },
  status: {
    observedGeneration: 2,
    conditions: [
      {
        type: 'Ready',
        status: 'False',
        reason: 'StageFailed',
        message: 'hunter2 of the condition',
        lastTransitionTime: '2024-01-01T00:00:00Z',
      },
    ],
    stages: [
      { name: 'web', phase: 'Ready', appliedRevision: 'v2@sha256:2', message: 'hunter2 of web' },
      { name: 'db', phase: 'Failed', appliedRevision: 'v1@sha256:1', message: 'hunter2 of db' },
    ],
  },
};

/** A real server with the gate endpoint, over StageSets that are known beforehand. */
export interface GateStand {
  readonly server: RunningServer;
  /** Lines of its log, parsed. */
  readonly lines: Record<string, unknown>[];
  /** The keys that were looked up. */
  readonly lookedUp: string[];
  now: Instant;
  stop(): Promise<void>;
}

export async function gateStand(): Promise<GateStand> {
  const lines: Record<string, unknown>[] = [];
  const lookedUp: string[] = [];
  const known = new Map([['team/shop', shop]]);
  const destination = {
    write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>),
  };
  let now = instant(0);
  const app = gateApp({
    stageSet: (namespace, name) => {
      lookedUp.push(`${namespace}/${name}`);
      if (namespace === 'unwatched') throw new RetryableError('not watched');
      return known.get(`${namespace}/${name}`);
    },
    logger: createLogger('gate', { level: 'debug', format: 'json', destination }),
    clock: () => now,
  });
  const server = await serveOnLoopback(app);
  return {
    server,
    lines,
    lookedUp,
    get now() {
      return now;
    },
    set now(later) {
      now = later;
    },
    stop: async () => await server.stop(seconds(1)),
  };
}
