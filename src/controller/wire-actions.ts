import { ActionWatches } from '../actions/action-watches.ts';
import { ActionVerbs, type HttpCaller } from '../actions/verbs.ts';
import { ActionEffects } from './action-effects.ts';
import { ActionRuns } from './action-runs.ts';
import { type ActionToolsOptions, actionTools } from './action-tools.ts';
import type { LedgerStore } from './ledger-store.ts';
import { LifetimeActions } from './lifetime-actions.ts';
import type { Reporter } from './reporter.ts';

interface ActionParts extends ActionToolsOptions {
  readonly http: HttpCaller;
  readonly ledgers: LedgerStore;
  readonly reporter: Reporter;
  /** Told of a StageSet whose action should be looked at. */
  readonly onNews: (key: string) => void;
}

interface Actions {
  readonly effects: ActionEffects;
  readonly watches: ActionWatches;
}

/** Puts together what carries out actions. */
export function wireActions(parts: ActionParts): Actions {
  const { http, onNews } = parts;
  const news = new Set<string>();
  const watches = new ActionWatches({
    onNews: (key) => {
      news.add(key);
      onNews(key);
    },
  });
  const effects = new ActionEffects({
    ...parts,
    verbs: new ActionVerbs({ http }),
    tools: (at) => actionTools(at, parts),
    lifetime: new LifetimeActions(parts),
    runs: new ActionRuns(onNews),
    watches,
    news,
  });
  return { effects, watches };
}
