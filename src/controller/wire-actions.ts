import { ActionVerbs, type HttpCaller } from '../actions/verbs.ts';
import type { Clock } from '../core/time.ts';
import { ActionEffects } from './action-effects.ts';
import { ActionRuns } from './action-runs.ts';
import { type ActionToolsOptions, actionTools } from './action-tools.ts';
import type { ActionWatches } from './action-watch.ts';
import type { LedgerStore } from './ledger-store.ts';
import { LifetimeActions } from './lifetime-actions.ts';
import type { Reporter } from './reporter.ts';
import type { Targets } from './targets.ts';

interface ActionParts extends ActionToolsOptions {
  readonly http: HttpCaller;
  readonly targets: Targets;
  readonly ledgers: LedgerStore;
  readonly watches: ActionWatches;
  readonly reporter: Reporter;
  readonly clock: Clock;
  readonly onNews: (key: string) => void;
}

/** Puts together what carries out actions. */
export function wireActions(parts: ActionParts): ActionEffects {
  const { http, targets, watches, clock, onNews } = parts;
  return new ActionEffects({
    verbs: new ActionVerbs({ http }),
    tools: (at) => actionTools(at, parts),
    targets,
    lifetime: new LifetimeActions(parts),
    runs: new ActionRuns(onNews),
    watches,
    clock,
  });
}
