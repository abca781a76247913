import type { StagePlanStatus } from '../../../types/generated/subresources.stages.metio.wtf.v1.ts';
import { PlanPlaces, usualPlaces } from './plan-places.ts';
import type { Planning, PlanRequest } from './planning.ts';

/** Plans a few at a time, so that what plans hold in memory and ask of the cluster is bounded. */
export class BoundedPlanning implements Planning {
  readonly #planning: Planning;
  readonly #places = new PlanPlaces(usualPlaces);

  constructor(planning: Planning) {
    this.#planning = planning;
  }

  /** @throws StatusError 429 where too many others are planned, and what planning throws */
  async plan(
    request: PlanRequest,
    call: { readonly signal: AbortSignal },
  ): Promise<StagePlanStatus> {
    const work = async (): Promise<StagePlanStatus> => await this.#planning.plan(request, call);
    return await this.#places.during(request.user, call.signal, work);
  }
}
