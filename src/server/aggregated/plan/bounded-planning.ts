import { type Duration, seconds } from '../../../core/time.ts';
import { FairLimit } from '../../../kubernetes/fair-limit.ts';
import type { RequestLimit } from '../../../kubernetes/in-flight-limit.ts';
import type { StagePlanStatus } from '../../../types/generated/subresources.stages.metio.wtf.v1.ts';
import { StatusError } from '../status-error.ts';
import type { Planning, PlanRequest } from './planning.ts';

/** Each has the objects of one stage in memory. */
const usualPlaces = { most: 8, mostOfOneUser: 6 };

/** A plan that is made at all is begun soon. */
const usualWait = seconds(10);
const retryAfterSeconds = 2;

/**
 * Plans a few at a time, so that what plans hold in memory and ask of the cluster is bounded. Those
 * who wait are bounded by the requests that the server takes at all.
 */
export class BoundedPlanning implements Planning {
  readonly #planning: Planning;
  readonly #places: FairLimit;
  readonly #longestWait: Duration;

  constructor(planning: Planning, places = usualPlaces, longestWait = usualWait) {
    this.#planning = planning;
    this.#places = new FairLimit(places.most, places.mostOfOneUser);
    this.#longestWait = longestWait;
  }

  /** @throws StatusError 429 where others are planned for too long, and what planning throws */
  async plan(
    request: PlanRequest,
    call: { readonly signal: AbortSignal },
  ): Promise<StagePlanStatus> {
    const place = this.#places.slotsOf(request.user);
    if (!place.tryEnter()) await this.#wait(place, call.signal);
    try {
      return await this.#planning.plan(request, call);
    } finally {
      place.leave();
    }
  }

  async #wait(place: RequestLimit, signal: AbortSignal): Promise<void> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(tooManyPlans()), this.#longestWait);
    try {
      await place.enter(AbortSignal.any([signal, late.signal]));
    } finally {
      clearTimeout(timer);
    }
  }
}

function tooManyPlans(): StatusError {
  return StatusError.tooManyRequests(
    'too many plans are being made; try again later',
    retryAfterSeconds,
  );
}
