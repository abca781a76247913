import { needsOverride } from '../../../core/gates/needs.ts';
import { type AdvanceVerdict, decideAdvance } from '../../../core/history/advance.ts';
import { readAdvance } from '../../../core/history/advance-spec.ts';
import { heldStages, isGate } from '../../../core/history/held-stages.ts';
import { type Clock, seconds } from '../../../core/time.ts';
import type { KubernetesClient } from '../../../kubernetes/client.ts';
import { isJsonObject, objectAt, stringAt } from '../../../kubernetes/shapes.ts';
import { untilAborted } from '../../../kubernetes/wait.ts';
import type {
  HeldStage,
  Hold,
  RecordedAdvance,
  StageAdvance,
  StageAdvanceSpec,
} from '../../../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { KubernetesObject } from '../../../types/kubernetes.ts';
import type { Advance, StageRun, StageSet } from '../../../types/stages.ts';
import { group, groupVersion } from '../group.ts';
import { asStageSet, callFor, Records } from '../records.ts';
import type { ApiAnswer, ApiRequest, ApiResource } from '../resource.ts';
import { StatusError } from '../status-error.ts';
import { identityOf, lacksVerb, type Named, namedBy, subjectOf } from '../subject.ts';
import { advanceTable } from './table.ts';

export interface AdvanceOptions {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  /**
   * Digest of the plan, as the resource `plan` has it now. Without it GET names no digest, and a
   * request that names one is refused.
   */
  readonly planDigestOf?: (named: Named, user: string, signal: AbortSignal) => Promise<string>;
}

/** A record that others keep changing is tried so often; each time everything is judged anew. */
const mostTries = 5;

/** GET leaves the digest of the plan out that is not there by then. */
const longestPlan = seconds(5);

const resource = 'stagesets/advance';

/** `stagesets/advance`: which gates hold a run, and to pass one. */
export function advanceResource(options: AdvanceOptions): ApiResource {
  const advances = new Advances(options);
  const pass = async (request: ApiRequest): Promise<ApiAnswer> => await advances.pass(request);
  return {
    name: resource,
    kind: 'StageAdvance',
    singularName: '',
    namespaced: true,
    handlers: {
      get: async (request) => await advances.look(request),
      create: pass,
      update: pass,
      patch: pass,
    },
  };
}

/** The world that a request is judged in. */
interface World {
  readonly object: KubernetesObject;
  readonly stageSet: StageSet;
  readonly run: StageRun | undefined;
}

class Advances {
  readonly #options: AdvanceOptions;
  readonly #records: Records;

  constructor(options: AdvanceOptions) {
    this.#options = options;
    this.#records = new Records(options.client);
  }

  /** What holds now, and which of it the caller may pass. */
  async look(request: ApiRequest): Promise<ApiAnswer> {
    const named = namedBy(request);
    const plan = this.#planDigest(request, named);
    const [world, planDigest] = await Promise.all([this.#world(request, named), plan]);
    const answer = await this.#answer(request, named, world, {
      ...(planDigest === undefined ? {} : { planDigest }),
    });
    if (planDigest !== undefined || this.#options.planDigestOf === undefined) return answer;
    return {
      ...answer,
      warnings: ['the plan was not made in time: status.planDigest is left out'],
    };
  }

  /** Passes a gate: it is on record before this answers. */
  async pass(request: ApiRequest): Promise<ApiAnswer> {
    const named = namedBy(request);
    const { name } = named;
    const asked = readAdvance(request.body);
    if (!asked.ok) throw StatusError.invalid({ group, kind: 'StageAdvance', name }, asked.faults);
    const { spec } = asked;
    // Before anything is looked up: whoever lacks the right learns nothing about the run.
    if (spec.override === true && !(await request.may('override'))) {
      throw lacksVerb(request, 'override', resource, named);
    }
    for (let tries = 1; tries <= mostTries; tries += 1) {
      const world = await this.#worldOfWriter(request, named);
      refuseOtherUid(request, named, world);
      const verdict = this.#judge(request, spec, world);
      if (verdict.kind === 'Recorded') {
        return await this.#recorded(request, named, world, spec, verdict.advance);
      }
      if (verdict.kind !== 'Record') throw refusal(verdict, named);
      await this.#refuseOtherPlan(request, named, spec);
      const { run } = world;
      if (run === undefined) continue;
      if (request.dryRun) {
        const supposed = { ...world, run: { ...run, status: verdict.status } };
        return await this.#recorded(request, named, supposed, spec, verdict.advance);
      }
      const stored = await this.#records.store(run, verdict.status, callFor(request));
      if (stored === undefined) continue;
      return await this.#recorded(request, named, { ...world, run: stored }, spec, verdict.advance);
    }
    throw StatusError.serviceUnavailable(
      'the record of the run keeps changing, and nothing was recorded; try again',
    );
  }

  #judge({ caller }: ApiRequest, spec: StageAdvanceSpec, world: World): AdvanceVerdict {
    const { user, uid, groups } = caller;
    const requester = { user, ...(uid === undefined ? {} : { uid }), groups };
    const { stageSet, run } = world;
    const now = this.#options.clock();
    return decideAdvance({ stageSet, run, spec, requester, via: 'API', now });
  }

  async #world(request: ApiRequest, { namespace, name }: Named): Promise<World> {
    const call = callFor(request);
    const object = await this.#records.stageSet(namespace, name, call);
    return { object, stageSet: asStageSet(object), run: await this.#records.newest(object, call) };
  }

  /** That there is no such StageSet is told to those only who may ask for it. */
  async #worldOfWriter(request: ApiRequest, named: Named): Promise<World> {
    try {
      return await this.#world(request, named);
    } catch (error) {
      const unknown = error instanceof StatusError && error.code === 404;
      if (unknown && !(await request.may('get'))) throw lacksVerb(request, 'get', resource, named);
      throw error;
    }
  }

  async #recorded(
    request: ApiRequest,
    named: Named,
    world: World,
    spec: StageAdvanceSpec,
    advance: Advance,
  ): Promise<ApiAnswer> {
    return await this.#answer(request, named, world, { recorded: asRecorded(advance) }, spec);
  }

  async #answer(
    request: ApiRequest,
    named: Named,
    { object, stageSet, run }: World,
    more: Pick<NonNullable<StageAdvance['status']>, 'planDigest' | 'recorded'>,
    spec?: StageAdvanceSpec,
  ): Promise<ApiAnswer> {
    const metadata = identityOf(object, named);
    const runId = run?.spec?.runId;
    const phase = run?.status?.phase;
    const held = heldStages({ stageSet, run }, this.#options.clock());
    const advance: StageAdvance = {
      apiVersion: groupVersion,
      kind: 'StageAdvance',
      metadata,
      ...(spec === undefined ? {} : { spec }),
      status: {
        ...(runId === undefined ? {} : { runId }),
        ...(phase === undefined ? {} : { phase }),
        stages: await withAllowed(held, request),
        ...more,
      },
    };
    return { object: advance, table: advanceTable(advance, metadata) };
  }

  /** Undefined where nobody makes plans, or not in time: what holds can be told without. */
  async #planDigest({ caller, signal }: ApiRequest, named: Named): Promise<string | undefined> {
    const { planDigestOf } = this.#options;
    if (planDigestOf === undefined) return undefined;
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(longestPlan)]);
    try {
      return await untilAborted(planDigestOf(named, caller.user, bounded), bounded);
    } catch {
      signal.throwIfAborted();
      return undefined;
    }
  }

  async #refuseOtherPlan(
    { caller, signal }: ApiRequest,
    named: Named,
    { planDigest }: StageAdvanceSpec,
  ): Promise<void> {
    if (planDigest === undefined) return;
    const { planDigestOf } = this.#options;
    if (planDigestOf === undefined) {
      const message = 'Invalid value: no plans are made here that it could be compared with';
      const cause = { reason: 'FieldValueInvalid', field: 'spec.planDigest', message };
      throw StatusError.invalid({ group, kind: 'StageAdvance', name: named.name }, [cause]);
    }
    const current = await planDigestOf(named, caller.user, signal);
    if (current === planDigest) return;
    const why = 'the plan is another one by now; look at it and try again';
    throw movedOn(named, why, 'spec.planDigest', current);
  }
}

/** A client that names the uid means that StageSet, not a later one of the same name. */
function refuseOtherUid({ body }: ApiRequest, named: Named, { object }: World): void {
  const uid = isJsonObject(body) ? stringAt(objectAt(body, 'metadata'), 'uid') : undefined;
  const current = object.metadata.uid;
  if (uid === undefined || uid === current) return;
  throw movedOn(named, 'the StageSet was deleted and created anew', 'metadata.uid', current);
}

function refusal(
  verdict: Exclude<AdvanceVerdict, { kind: 'Record' | 'Recorded' }>,
  named: Named,
): StatusError {
  switch (verdict.kind) {
    case 'MovedOn':
      return movedOn(named, verdict.message, verdict.field, verdict.current);
    case 'Refused':
      return StatusError.invalid({ group, kind: 'StageAdvance', name: named.name }, verdict.faults);
    case 'Full':
      return StatusError.requestEntityTooLarge(verdict.message);
  }
}

/** 409; the cause carries what the field would have to be now, for programs to read. */
function movedOn(
  named: Named,
  why: string,
  field: string,
  current: string | undefined,
): StatusError {
  const causes = current === undefined ? [] : [{ reason: 'MovedOn', field, message: current }];
  return StatusError.conflict(subjectOf(named), why, causes);
}

async function withAllowed(
  stages: readonly HeldStage[],
  request: ApiRequest,
): Promise<HeldStage[]> {
  const holds = stages.flatMap((stage) => stage.holds);
  const mayPass = holds.length > 0 && (await mayAny(request, ['create', 'patch', 'update']));
  const mayOverride = mayPass && holds.some(needsOverride) && (await request.may('override'));
  const allowed = (hold: Hold): boolean => (needsOverride(hold) ? mayOverride : mayPass);
  return stages.map((stage) => ({
    ...stage,
    holds: stage.holds.map((hold) => ({ ...hold, allowed: allowed(hold) })),
  }));
}

/** Each of the ways to send an advance has a verb of its own. */
async function mayAny({ may }: ApiRequest, verbs: readonly string[]): Promise<boolean> {
  for (const verb of verbs) if (await may(verb)) return true;
  return false;
}

function asRecorded({ at, user, stage, gate, override, reason }: Advance): RecordedAdvance {
  if (!isGate(gate)) throw StatusError.internalError('a gate is on record that nobody knows');
  return {
    at,
    user: user ?? '',
    stage,
    gate,
    override: override ?? false,
    ...(reason === undefined ? {} : { reason }),
  };
}
