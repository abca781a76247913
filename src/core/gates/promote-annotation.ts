import type { StageSet } from '../../types/stages.ts';
import { noteOn } from '../requested-by.ts';

/** Promotes a stage past its gates, once (part A 2.2, part B 3.7). */
export const promoteAnnotation = 'stages.metio.wtf/promote';

/** What the annotation asks for. */
export interface PromoteRequest {
  readonly stage: string;
  /** All that stands behind the stage's name; a value that was handled once does nothing again. */
  readonly token: string;
  /** The revision that whoever wrote it had seen; undefined where they did not say. */
  readonly revision: string | undefined;
}

/**
 * What the annotation asks for; undefined where it is absent or ignored. Where it names no revision,
 * it is the one that its author was shown, as far as somebody has noted that: a token that is set just
 * as a new revision lands does not promote that one (part B 3.7).
 */
export function promoteRequest({ metadata }: StageSet): PromoteRequest | undefined {
  const request = parsed(metadata.annotations?.[promoteAnnotation] ?? '');
  if (request === undefined || request.revision !== undefined) return request;
  return { ...request, revision: noteOn(metadata, promoteAnnotation)?.revision };
}

/** The stage that a value of the annotation names without a revision; undefined for others. */
export function stageToPromote(text: string): string | undefined {
  const request = parsed(text);
  return request?.revision === undefined ? request?.stage : undefined;
}

/**
 * Reads `<stage>@<token>` or `<stage>@<token>@<revision>`; a value with an empty part is ignored (part
 * B 3.7).
 */
function parsed(text: string): PromoteRequest | undefined {
  const split = text.indexOf('@');
  if (split < 1) return undefined;
  const token = text.slice(split + 1);
  const next = token.indexOf('@');
  if (token === '' || next === 0 || next === token.length - 1) return undefined;
  const revision = next === -1 ? undefined : token.slice(next + 1);
  return { stage: text.slice(0, split), token, revision };
}

/** What the annotation means for one stage at one revision. */
export interface TokenQuestion {
  readonly stage: string;
  readonly revision: string;
  readonly request: PromoteRequest | undefined;
  /** The token that was handled last, whatever revision it was for. */
  readonly handled: string | undefined;
}

/** The token that the annotation promotes the stage with; undefined where it does not. */
export function freshToken({
  request,
  stage,
  revision,
  handled,
}: TokenQuestion): string | undefined {
  if (request?.stage !== stage || request.token === handled) return undefined;
  const isSeen = request.revision === undefined || request.revision === revision;
  return isSeen ? request.token : undefined;
}

/** The revision that the annotation promotes in place of the one that is held; usually undefined. */
export function otherRevision({
  request,
  stage,
  revision,
  handled,
}: TokenQuestion): string | undefined {
  if (request?.stage !== stage || request.token === handled) return undefined;
  return request.revision === revision ? undefined : request.revision;
}

/**
 * The command that promotes a stage, to be pasted into a shell. It names the revision that it was
 * shown for: pasted late, it promotes no other.
 */
export function promoteCommand({
  stageSet,
  stage,
  revision,
}: {
  readonly stageSet: StageSet;
  readonly stage: string;
  readonly revision: string;
}): string {
  const { namespace = 'default', name } = stageSet.metadata;
  const seen = revision === '' ? '' : `@${shellQuoted(revision)}`;
  return (
    `kubectl --namespace ${namespace} annotate --overwrite stageset/${name} ` +
    `${promoteAnnotation}=${stage}@$(date +%s)${seen}`
  );
}

/** Revisions are the text of whoever pushes a branch or a tag, and a shell may run what is in them. */
function shellQuoted(text: string): string {
  return /^[\w@:/.+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
