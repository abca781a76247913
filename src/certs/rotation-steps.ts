import type { Clock, Duration, Instant } from '../core/time.ts';
import { toRfc3339 } from '../core/time.ts';
import { type Authority, createAuthority } from './authority.ts';
import { endOf, readCertificate } from './bundle.ts';
import { issueCertificate } from './issue.ts';
import type { RotationStep } from './rotation.ts';
import { readServingPair, type ServingPair } from './serving-pair.ts';
import { dnsNamesOf, type StoredCertificates } from './stored-certificates.ts';

export interface IssueTerms {
  /** Of the leaf; callers use any of them. */
  dnsNames: readonly string[];
  /** Of authorities and leaves. */
  validFor: Duration;
  clock: Clock;
}

/** A step that changes what is stored. */
export type ChangingStep = Exclude<RotationStep, { kind: 'Wait' }>;

/** What is to be stored after the step. `stored` is undefined when there is nothing usable. */
export async function carryOut(
  step: ChangingStep,
  stored: StoredCertificates | undefined,
  terms: IssueTerms,
): Promise<StoredCertificates> {
  const now = terms.clock();
  if (stored === undefined || step.kind === 'Create') {
    const authority = await newAuthority(terms, now);
    return { authority, next: undefined, previous: [], leaf: await newLeaf(authority, terms, now) };
  }
  const previous = living(stored.previous, now);
  switch (step.kind) {
    case 'Reissue': {
      // Another version of this controller may want other names for a while, during an upgrade:
      // taking its names away would make the two undo each other's work.
      const dnsNames = [...new Set([...terms.dnsNames, ...dnsNamesOf(stored.leaf)])];
      const leaf = await newLeaf(stored.authority, { ...terms, dnsNames }, now);
      return { ...stored, previous, leaf };
    }
    case 'PublishNext':
      return { ...stored, previous, next: await newAuthority(terms, now) };
    case 'Activate': {
      const authority = stored.next ?? (await newAuthority(terms, now));
      return {
        authority,
        next: undefined,
        previous: living([stored.authority.certificate, ...previous], now),
        leaf: await newLeaf(authority, terms, now),
      };
    }
    case 'DropEnded':
      return { ...stored, previous };
  }
}

async function newAuthority({ validFor }: IssueTerms, now: Instant): Promise<Authority> {
  // Each has a name of its own: OpenSSL finds an issuer by its name first.
  return await createAuthority({
    commonName: `stageset-controller-ca ${toRfc3339(now)}`,
    validFor,
    now,
  });
}

async function newLeaf(
  authority: Authority,
  { dnsNames, validFor }: IssueTerms,
  now: Instant,
): Promise<ServingPair> {
  const { certificate, privateKey } = await issueCertificate(authority, {
    commonName: 'stageset-controller',
    dnsNames,
    usage: 'server',
    validFor,
    now,
  });
  return readServingPair(certificate, privateKey);
}

function living(certificates: readonly string[], now: Instant): string[] {
  return certificates.filter((pem) => {
    const certificate = readCertificate(pem);
    return certificate !== undefined && now < endOf(certificate);
  });
}
