import { openWithAge } from './age-keys.ts';
import { dataKeySize } from './cipher.ts';
import { KeyServiceTrouble, SopsProblem } from './decryption-error.ts';
import type { DecryptionKeys } from './decryption-keys.ts';
import type { KeyGroup, RecipientKind, SealedKey, SopsMetadata } from './metadata.ts';
import { openWithPgp } from './pgp-keys.ts';
import { combineShares } from './shamir.ts';

/** Opens data keys that a key service has sealed. */
export interface DataKeyProvider {
  readonly kind: Exclude<RecipientKind, 'age' | 'pgp'>;
  /** @throws KeyServiceTrouble, whose message is for the log. */
  decrypt(entry: SealedKey, signal: AbortSignal): Promise<Uint8Array>;
}

/** All that may open a data key. */
export interface KeyRing extends DecryptionKeys {
  readonly providers: readonly DataKeyProvider[];
}

/** Most keys of a group that are tried. */
const mostTried = 16;

/** Names in the detail of a failure. */
const mostNamed = 10;

/** Characters of a reason in it. */
const longestReason = 500;

/**
 * The data key of a file. Of one group any key gives it; of several, as many groups as the threshold
 * says give a part of it each (Shamir).
 *
 * @throws SopsProblem when too few can be opened, the signal's reason when aborted.
 */
export async function openDataKey(
  { keyGroups, shamirThreshold }: SopsMetadata,
  ring: KeyRing,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const needed = keyGroups.length === 1 ? 1 : shamirThreshold || keyGroups.length;
  const parts: Uint8Array[] = [];
  const trouble: Error[] = [];
  for (const group of keyGroups) {
    if (parts.length === needed) break;
    signal.throwIfAborted();
    const part = await openGroup(group, ring, trouble, signal);
    if (part !== undefined) parts.push(part);
  }
  if (parts.length < needed) throw notOpened(keyGroups, parts.length, needed, trouble);
  const [first] = parts;
  const key = keyGroups.length === 1 && first !== undefined ? first : combineShares(parts);
  if (key.byteLength !== dataKeySize) {
    throw new SopsProblem('data key', `it has ${key.byteLength} bytes and not ${dataKeySize}`);
  }
  return key;
}

async function openGroup(
  group: KeyGroup,
  ring: KeyRing,
  trouble: Error[],
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const attempts = group.flatMap((entry) => attemptOf(entry, ring, signal) ?? []);
  for (const attempt of attempts.slice(0, mostTried)) {
    signal.throwIfAborted();
    try {
      const part = await attempt();
      if (part !== undefined) return part;
    } catch (error) {
      signal.throwIfAborted();
      trouble.push(error instanceof Error ? error : new Error(String(error)));
    }
  }
  return undefined;
}

/** How an entry could be opened; undefined when nothing that we have is for it. */
function attemptOf(
  entry: SealedKey,
  { age, pgp, providers }: KeyRing,
  signal: AbortSignal,
): (() => Promise<Uint8Array | undefined>) | undefined {
  if (entry.kind === 'age') {
    const identity = age.find(({ recipient }) => recipient === entry.recipient.trim());
    return identity && (async () => await openWithAge(entry.sealed, identity));
  }
  if (entry.kind === 'pgp') {
    return pgp.length === 0 ? undefined : async () => await openWithPgp(entry.sealed, pgp);
  }
  const provider = providers.find(({ kind }) => kind === entry.kind);
  return provider && (async () => await provider.decrypt(entry, signal));
}

function notOpened(
  groups: readonly KeyGroup[],
  opened: number,
  needed: number,
  trouble: readonly Error[],
): SopsProblem {
  const all = groups.flat();
  const names = all
    .slice(0, mostNamed)
    .map(({ kind, recipient }) => `${kind} ${recipient.slice(0, 100)}`);
  const more = all.length > mostNamed ? ` and ${all.length - mostNamed} more` : '';
  const groupsNeeded = groups.length === 1 ? '' : ` (${opened} of ${needed} groups were opened)`;
  const reasons = trouble.slice(0, mostNamed).map(({ message }) => message.slice(0, longestReason));
  const why = reasons.length === 0 ? '' : `: ${reasons.join('; ')}`;
  return new SopsProblem(
    'data key',
    `no key of ours opens it${groupsNeeded}; its recipients are ${names.join(', ')}${more}${why}`,
    trouble.some((error) => error instanceof KeyServiceTrouble && error.retry === 'Useful')
      ? 'Useful'
      : 'Useless',
  );
}
