import { objectFailure } from '../apply/failures.ts';
import { allFulfilled, eachInFlight } from '../apply/in-flight.ts';
import { TerminalError } from '../core/errors.ts';
import { describeObject } from '../core/objects/identity.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { isJsonObject } from '../kubernetes/shapes.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject, ObjectReference } from '../types/kubernetes.ts';
import type { PostBuild, SubstituteReference } from '../types/stages.ts';

export interface VariableSource {
  /** Of the StageSet, in which the referenced objects are. */
  readonly namespace: string;
  /** Acts as the account of the whole StageSet on the local cluster (part A 9.1). */
  readonly client: KubernetesClient;
  /** Told each value that is from a Secret, so that no message quotes it. */
  readonly onSecretValue?: (value: string) => void;
}

/** Referenced objects that are read at once. */
const inFlight = 4;

/** Most characters of all names and values together; a ConfigMap or Secret has at most a million. */
const maxSize = 16 * 1024 * 1024;

/**
 * The variables of a stage (part A 4.5): the `data` of each ConfigMap and Secret of `substituteFrom`,
 * of which later ones win, and over them all what `substitute` says. Without references nothing is
 * read. An object that is missing is passed over when its reference is `optional`. A value that is
 * no UTF-8 text cannot be substituted and leaves its variable unset.
 *
 * @throws TerminalError for a missing object, DeniedError for one that may not be read, and
 * RetryableError, each naming the object and no value.
 */
export async function resolveVariables(
  postBuild: PostBuild | undefined,
  source: VariableSource,
  call: CallOptions,
): Promise<ReadonlyMap<string, string>> {
  const references = postBuild?.substituteFrom ?? [];
  const variables = new Map<string, string>();
  for (const entries of await readAll(references, source, call)) {
    for (const [name, value] of entries) {
      if (value !== undefined) variables.set(name, value);
      else withhold(name, variables);
    }
  }
  for (const [name, value] of Object.entries(postBuild?.substitute ?? {})) {
    variables.set(name, value);
  }
  refuseExcess(variables);
  return variables;
}

/** Unsets a variable; what stays in its place cannot be named, but tells that there are variables. */
function withhold(name: string, variables: Map<string, string>): void {
  variables.delete(name);
  variables.set(`${name} (no text)`, '');
}

/** The variables that one object holds; undefined for a value that is no text. */
type Entries = readonly (readonly [name: string, value: string | undefined])[];

async function readAll(
  references: readonly SubstituteReference[],
  source: VariableSource,
  call: CallOptions,
): Promise<readonly Entries[]> {
  const read = await eachInFlight(
    references,
    inFlight,
    async (reference) => await readOne(reference, source, call),
  );
  call.signal.throwIfAborted();
  // The first of the failures, in the order of the spec: each is enough to stop the stage.
  return allFulfilled(read, ([first]) =>
    first instanceof Error ? first : new Error(String(first)),
  );
}

async function readOne(
  { kind, name, optional }: SubstituteReference,
  { namespace, client, onSecretValue }: VariableSource,
  call: CallOptions,
): Promise<Entries> {
  const reference: ObjectReference = { apiVersion: 'v1', kind, namespace, name };
  const object = await find(reference, client, call);
  if (object !== undefined && kind === 'ConfigMap') return entriesOf(object);
  if (object !== undefined) return secretEntries(object, onSecretValue);
  if (optional === true) return [];
  throw new TerminalError(
    `${describeObject(reference)} of substituteFrom does not exist; create it, or set optional: true`,
    { reason: 'StageFailed', object: reference },
  );
}

async function find(
  reference: ObjectReference,
  client: KubernetesClient,
  call: CallOptions,
): Promise<KubernetesObject | undefined> {
  try {
    return await client.find(reference, call);
  } catch (error) {
    throw objectFailure(reference, error);
  }
}

function entriesOf({ data }: KubernetesObject): (readonly [string, string])[] {
  if (!isJsonObject(data)) return [];
  return Object.entries(data).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name, value] as const] : [],
  );
}

function secretEntries(
  secret: KubernetesObject,
  onSecretValue: VariableSource['onSecretValue'],
): Entries {
  return entriesOf(secret).map(([name, encoded]) => {
    const value = textOf(encoded);
    if (value !== undefined) onSecretValue?.(value);
    return [name, value] as const;
  });
}

function textOf(encoded: string): string | undefined {
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    return decoder.decode(Buffer.from(encoded, 'base64'));
  } catch {
    return undefined;
  }
}

function refuseExcess(variables: ReadonlyMap<string, string>): void {
  let size = 0;
  for (const [name, value] of variables) size += name.length + value.length;
  if (size <= maxSize) return;
  throw new TerminalError(
    `the variables of postBuild have ${size} characters together; 16 MiB are allowed`,
    { reason: 'StageFailed' },
  );
}
