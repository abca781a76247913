import { eachInFlight, NotBegun } from '../apply/in-flight.ts';
import type { AnchorLook, AskedAnchor } from '../core/actions/lifetime.ts';
import { RetryableError } from '../core/errors.ts';
import { describeObject, referenceTo } from '../core/objects/identity.ts';
import { seconds } from '../core/time.ts';
import { treatmentOf } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { ObjectReference } from '../types/kubernetes.ts';
import type { CompletedAction, CompletionAnchor } from '../types/stages.ts';

/** Reads under way at once for one StageSet. */
const inFlight = 4;

/** A server that hangs must not keep a stage for long: its anchors count as unreadable then. */
const readBound = seconds(10);

/** The witness of a completion, with the UID that it had then. */
export type Witness = NonNullable<CompletedAction['anchor']>;

/** Who reads anchors, and where they are. */
export interface AnchorReader {
  /** Acts as the tenant of the stage whose anchors they are. */
  readonly client: KubernetesClient;
  /** Of the StageSet. */
  readonly namespace: string;
}

/**
 * What the anchors of a stage's Lifetime actions are now, by key. Whatever keeps one from being read
 * is a finding of its own: only an answer that there is no such object counts as that.
 * @throws the signal's reason when aborted, and nothing else.
 */
export async function readAnchors(
  asked: readonly AskedAnchor[],
  reader: AnchorReader,
  call: CallOptions,
): Promise<Map<string, AnchorLook>> {
  const results = await eachInFlight(
    asked,
    inFlight,
    async ({ anchor }) => await look(anchor, reader, call),
  );
  call.signal.throwIfAborted();
  const looks = new Map<string, AnchorLook>();
  for (const [index, result] of results.entries()) {
    const key = asked[index]?.key;
    if (key === undefined) continue;
    looks.set(key, result.status === 'fulfilled' ? result.value : unreadable(result.reason));
  }
  return looks;
}

/**
 * The witness of an action that has just been done.
 * @throws RetryableError when it is not there; what `treatmentOf` makes of an error that keeps it from
 *   being read. The action has failed then.
 */
export async function readWitness(
  anchor: CompletionAnchor,
  reader: AnchorReader,
  call: CallOptions,
): Promise<Witness> {
  const object = referenceTo({ ...anchor, namespace: reader.namespace });
  const { apiVersion, kind, name } = anchor;
  let found: AnchorLook;
  try {
    found = await look(anchor, reader, call);
  } catch (error) {
    throw treatmentOf(error, object);
  }
  if (found.kind === 'Found') return { apiVersion, kind, name, uid: found.uid };
  throw new RetryableError(
    `completionAnchor ${describeObject(object)} is not there, so that nothing would witness that the ` +
      'action was done: name an object that exists when the action ends, or put the action into post ' +
      'when the stage itself makes it',
    { object },
  );
}

async function look(
  anchor: CompletionAnchor,
  { client, namespace }: AnchorReader,
  { signal }: CallOptions,
): Promise<AnchorLook> {
  const reference: ObjectReference = { ...referenceTo(anchor), namespace };
  const found = await client.find(reference, { signal, timeout: readBound }, { as: 'Metadata' });
  if (found === undefined) return { kind: 'NotFound' };
  const { uid } = found.metadata;
  return uid === undefined
    ? { kind: 'Unreadable', message: `${describeObject(reference)} has no UID` }
    : { kind: 'Found', uid };
}

function unreadable(reason: unknown): AnchorLook {
  if (reason instanceof NotBegun) {
    return { kind: 'Unreadable', message: 'the API server did not answer for another one' };
  }
  return { kind: 'Unreadable', message: reason instanceof Error ? reason.message : String(reason) };
}
