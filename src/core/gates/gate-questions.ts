import type { Ask } from './asks.ts';
import type { ReadTrouble } from './promotion-question.ts';

/** What the promotion gates of a stage wait for besides time and people. */
export interface GateQuestions {
  /** To be found out in the background; absent where nothing is. */
  readonly asks?: readonly Ask[];
  /** Set while restarts or events cannot be read; asked again at its `retryAt`. */
  readonly unreadable?: ReadTrouble;
}
