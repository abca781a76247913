import { redact } from '../core/redact.ts';
import { type Clock, minutes } from '../core/time.ts';
import type { VersionAnswer, VersionAsk } from '../core/version/version-asks.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { StageSet } from '../types/stages.ts';
import { failureOf } from './failure.ts';
import { type FindLadderOptions, findLadder } from './find-ladder.ts';
import { type FindVersionOptions, findVersion } from './find-version.ts';
import { type Found, refused } from './version-found.ts';

export interface VersionAnswersOptions extends FindVersionOptions, FindLadderOptions {
  readonly clock: Clock;
}

/** The longest that one answer takes: a download of five minutes, a build, and turns before them. */
const longestLook = minutes(8);

/** What a version or a ladder is that can be used by nobody, where the error does not say. */
const unusable = { Version: 'InvalidVersion', Ladder: 'MigrationArtifactInvalid' } as const;

/**
 * Finds out what planning a change of the version asks (part B 2.1, 2.7). Objects that the spec names
 * are read as the account of the whole StageSet. What cannot be found out is an answer, too: `Refused`
 * where something has to be changed first, `Unreadable` where it may be there the next time. Messages
 * have no values of Secrets. Only the end of `call` is thrown.
 */
export async function versionAnswerTo(
  ask: VersionAsk,
  stageSet: StageSet,
  options: VersionAnswersOptions,
  call: CallOptions,
): Promise<VersionAnswer> {
  const secrets = new Set<string>();
  const patience = AbortSignal.timeout(longestLook);
  const within = { ...call, signal: AbortSignal.any([call.signal, patience]) };
  const found = await find(ask, stageSet, secrets, options, within).catch((error: unknown) => {
    call.signal.throwIfAborted();
    const late = `it took longer than ${longestLook / 60_000} minutes to find out`;
    return failed(ask, patience.aborted ? new Error(late) : error, secrets);
  });
  return { ...found, at: options.clock() };
}

async function find(
  ask: VersionAsk,
  stageSet: StageSet,
  secrets: Set<string>,
  options: VersionAnswersOptions,
  call: CallOptions,
): Promise<Found> {
  return ask.kind === 'Version'
    ? await findVersion(ask, stageSet, secrets, options, call)
    : await findLadder(ask, stageSet, options, call);
}

function failed({ kind }: VersionAsk, error: unknown, secrets: ReadonlySet<string>): Found {
  const failure = failureOf('find out the version', error);
  const message = redact(failure.message, secrets);
  if (failure.retry === 'Backoff') return { kind: 'Unreadable', message };
  const reason = failure.reason === 'StageFailed' ? unusable[kind] : failure.reason;
  return refused({ reason, message });
}
