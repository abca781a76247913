import type { Express, NextFunction, Request, Response } from 'express';
import { type NamedStage, type StageGate, stageGate } from '../core/gates/stage-gate.ts';
import { type Clock, minutes } from '../core/time.ts';
import { isSubdomain } from '../core/validate/object-meta.ts';
import type { LogFields, Logger } from '../types/log.ts';
import type { StageSet } from '../types/stages.ts';
import { LineBudget } from './line-budget.ts';
import { plainTextApp, sendText } from './plain-text.ts';

export interface GateOptions {
  /**
   * A StageSet as it was seen last; undefined when there is none. It only looks at what is already
   * known: a gate never waits for the network.
   * @throws where nothing is known of the namespace
   */
  readonly stageSet: (namespace: string, name: string) => StageSet | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Whoever reaches the endpoint may ask as often as they like; the log tells of so many a minute. */
const linesAMinute = 10;

/**
 * `GET /gate/{namespace}/{stageset}/{stage}` for controllers that hold a rollout of their own until
 * a stage is ready (part B 7.2): 200 or 403 as text, always 200 where the caller takes JSON. What is
 * unknown or cannot be read is not ready.
 */
export function gateApp(options: GateOptions): Express {
  const log = new GateLog(options);
  const app = plainTextApp();
  app.use((request, response) => {
    if (request.method !== 'GET') {
      response.set('Allow', 'GET');
      sendText(response, 405, 'only GET is served here\n');
      return;
    }
    const named = stageOf(request.path);
    if (named === undefined) {
      sendText(response, 400, 'ask for /gate/{namespace}/{stageset}/{stage}\n');
      return;
    }
    answer(look(named, options, log), request, response);
  });
  // Express knows an error handler by its four parameters.
  app.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) next(error);
    else sendText(response, 500, 'the request failed\n');
    log.write('error', 'a question at the gate failed', { error });
  });
  return app;
}

/** The three names of a path; undefined for one of another shape. */
function stageOf(path: string): NamedStage | undefined {
  const [root, gate, ...names] = path.split('/');
  const [namespace, stageSet, stage] = names.map(decoded);
  const isShaped = root === '' && gate === 'gate' && names.length === 3;
  if (!isShaped || !namespace || !stageSet || !stage) return undefined;
  return { namespace, stageSet, stage };
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

function look(named: NamedStage, { stageSet: read }: GateOptions, log: GateLog): StageGate {
  const { namespace, stageSet, stage } = named;
  // Nothing can have such a name, and what is no name is not looked up or logged either.
  if (![namespace, stageSet, stage].every(isSubdomain)) return stageGate(named, undefined);
  const about = { namespace, stageSet, stage };
  let found: StageSet | undefined;
  try {
    found = read(namespace, stageSet);
  } catch (error) {
    log.write('warn', 'a StageSet that is asked for at the gate cannot be read', {
      ...about,
      error,
    });
    return stageGate(named, undefined);
  }
  const gate = stageGate(named, found);
  if (gate.phase === '') {
    const what = found === undefined ? 'there is no such StageSet' : 'it has no such stage yet';
    log.write('info', 'a stage that is asked for at the gate is not known', { ...about, what });
  }
  return gate;
}

function answer(gate: StageGate, request: Request, response: Response): void {
  response.vary('Accept');
  if (request.headers.accept?.toLowerCase().includes('application/json') === true) {
    response.status(200).json(gate);
    return;
  }
  if (gate.ready) sendText(response, 200, 'ready\n');
  else sendText(response, 403, 'not ready\n');
}

class GateLog {
  readonly #logger: Logger;
  readonly #budget: LineBudget;

  constructor({ logger, clock }: GateOptions) {
    this.#logger = logger;
    this.#budget = new LineBudget({ most: linesAMinute, period: minutes(1), clock });
  }

  write(level: 'info' | 'warn' | 'error', message: string, fields: LogFields): void {
    const leftOut = this.#budget.take();
    if (leftOut === undefined) return;
    this.#logger[level](message, leftOut === 0 ? fields : { ...fields, leftOut });
  }
}
