import { X509Certificate } from 'node:crypto';
import { TerminalError } from '../core/errors.ts';
import { instant } from '../core/time.ts';
import { objectAt, stringAt } from '../kubernetes/shapes.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import type { ServingCertificate } from '../types/serving-certificate.ts';
import { type Authority, loadAuthority } from './authority.ts';
import { issuedAt } from './build.ts';
import { bundleOf, certificatesIn, endOf, readCertificate } from './bundle.ts';
import type { RotationState } from './rotation.ts';
import { readServingPair, type ServingPair } from './serving-pair.ts';

/** Everything that the Secret holds, checked. */
export interface StoredCertificates {
  authority: Authority;
  next: Authority | undefined;
  /** Certificates of authorities that served before, PEM. */
  previous: readonly string[];
  leaf: ServingPair;
}

/** Says that a Secret's data is ours to replace; a Secret that others filled lacks it. */
const ownerAnnotation = 'stages.metio.wtf/issued-by';
const owner = 'stageset-controller';

/** What callers must trust: the authority that serves, the one that will, and those that did. */
export function trustedBy({ authority, next, previous }: StoredCertificates): string {
  const published = next === undefined ? [] : [next.certificate];
  return bundleOf([authority.certificate, ...published, ...previous]);
}

/** What {@link readStored} reads again: the data of a Secret, base64, and the mark that it is ours. */
export function storedIn(certificates: StoredCertificates): {
  annotations: Record<string, string>;
  data: Record<string, string>;
} {
  const { authority, leaf, next } = certificates;
  const data = {
    'ca.crt': trustedBy(certificates),
    'ca.key': authority.privateKey,
    'tls.crt': leaf.serving.certificateChain,
    'tls.key': leaf.serving.privateKey,
    ...(next === undefined
      ? {}
      : { 'next-ca.crt': next.certificate, 'next-ca.key': next.privateKey }),
  };
  return {
    annotations: { [ownerAnnotation]: owner },
    data: Object.fromEntries(
      Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
    ),
  };
}

/**
 * What a Secret holds; undefined when it is empty, or when it is ours and damaged, so that new
 * certificates must be made.
 *
 * @throws TerminalError when somebody else's data is in it
 */
export function readStored(secret: KubernetesObject): StoredCertificates | undefined {
  const data = objectAt(secret, 'data');
  const empty = Object.values(data).every((value) => value === '');
  if (empty) return undefined;
  if (stringAt(objectAt(secret.metadata, 'annotations'), ownerAnnotation) !== owner) {
    const { namespace = '', name } = secret.metadata;
    throw new TerminalError(
      `Secret ${namespace}/${name}: its data is not of this controller; empty or delete it, or name another Secret`,
    );
  }
  try {
    return parse(data);
  } catch (error) {
    if (error instanceof TerminalError) return undefined;
    throw error;
  }
}

function parse(data: Readonly<Record<string, unknown>>): StoredCertificates {
  const text = (key: string): string => {
    const value = data[key];
    return typeof value === 'string' ? Buffer.from(value, 'base64').toString() : '';
  };
  const [active = '', ...others] = certificatesIn(text('ca.crt'));
  const nextKey = text('next-ca.key');
  const next =
    nextKey === ''
      ? undefined
      : loadAuthority({ certificate: text('next-ca.crt'), privateKey: nextKey });
  return {
    authority: loadAuthority({ certificate: active, privateKey: text('ca.key') }),
    next,
    previous: others.filter((pem) => pem !== next?.certificate),
    leaf: readServingPair(text('tls.crt'), text('tls.key')),
  };
}

/** What is served: a leaf is worth nothing after its authority has ended. */
export function servedBy({ authority, leaf }: StoredCertificates): ServingCertificate {
  const { serving } = leaf;
  const notAfter = new Date(Math.min(serving.notAfter.getTime(), authority.notAfter));
  return { ...serving, notAfter };
}

/** What the rotation may look at. `dnsNames` are those that the leaf must have. */
export function rotationStateOf(
  stored: StoredCertificates | undefined,
  dnsNames: readonly string[],
): RotationState {
  if (stored === undefined) {
    return {
      active: undefined,
      leafUntil: instant(0),
      leaf: 'Unfit',
      next: undefined,
      previousUntil: [],
    };
  }
  const { authority, next, previous, leaf } = stored;
  const issuer = new X509Certificate(authority.certificate);
  const issued = leaf.leaf.checkIssued(issuer) && leaf.leaf.verify(issuer.publicKey);
  const named = dnsNames.every((name) => leaf.leaf.checkHost(name) !== undefined);
  return {
    active: lifetimeOf(authority),
    leafUntil: instant(leaf.serving.notAfter.getTime()),
    leaf: issued && named ? 'Fits' : 'Unfit',
    next: next === undefined ? undefined : lifetimeOf(next),
    previousUntil: previous.flatMap((pem) => {
      const certificate = readCertificate(pem);
      return certificate === undefined ? [instant(0)] : [endOf(certificate)];
    }),
  };
}

function lifetimeOf(authority: Authority): NonNullable<RotationState['active']> {
  const { validFrom } = new X509Certificate(authority.certificate);
  return { issuedAt: issuedAt(instant(Date.parse(validFrom))), until: authority.notAfter };
}

/** The DNS names of a leaf's subjectAltName. */
export function dnsNamesOf({ leaf }: ServingPair): string[] {
  const names = leaf.subjectAltName?.split(', ') ?? [];
  return names.flatMap((name) => (name.startsWith('DNS:') ? [name.slice('DNS:'.length)] : []));
}
