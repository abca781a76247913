import type { Config } from './config/config.ts';
import type { LadderRules } from './controller/find-ladder.ts';

/** What the operator asks of ladders that come from sources. */
export function ladderRules({ migrationSources, allowedActionHosts }: Config): LadderRules {
  return { migrationSources, allowedActionHosts };
}
