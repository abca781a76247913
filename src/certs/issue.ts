import { X509Certificate } from 'node:crypto';
import { TerminalError } from '../core/errors.ts';
import { type Duration, type Instant, instant, toRfc3339 } from '../core/time.ts';
import type { Authority, KeyAndCertificate } from './authority.ts';
import { signCertificate, validity } from './build.ts';
import { createKeyPair, keyIdentifier } from './key-pair.ts';
import { checkCommonName, checkDnsName, checkIpAddress } from './names.ts';

export interface LeafRequest {
  /** For a client certificate, the user name that Kubernetes sees. */
  commonName: string;
  /** For a client certificate, the groups that Kubernetes sees. */
  organizations?: readonly string[];
  dnsNames?: readonly string[];
  ipAddresses?: readonly string[];
  usage: 'server' | 'client';
  /** Cut at the authority's own end: a certificate that outlives its authority verifies nowhere. */
  validFor: Duration;
  now: Instant;
}

/**
 * A leaf certificate with a key of its own, signed by the authority.
 *
 * @throws TerminalError when a name is malformed or the authority has ended
 */
export async function issueCertificate(
  authority: Authority,
  request: LeafRequest,
): Promise<KeyAndCertificate> {
  check(authority, request);
  const keys = await createKeyPair();
  const { notBefore, notAfter } = validity(request.now, request.validFor);
  const certificate = signCertificate(
    {
      subject: { commonName: request.commonName, organizations: request.organizations ?? [] },
      issuer: { commonName: authority.commonName, organizations: [] },
      publicKey: keys.publicKey,
      notBefore,
      notAfter: instant(Math.min(notAfter, authority.notAfter)),
      extensions: [
        { name: 'basicConstraints', critical: true, cA: false },
        { name: 'keyUsage', critical: true, digitalSignature: true, keyEncipherment: true },
        { name: 'extKeyUsage', [request.usage === 'server' ? 'serverAuth' : 'clientAuth']: true },
        { name: 'subjectKeyIdentifier' },
        {
          name: 'authorityKeyIdentifier',
          keyIdentifier: keyIdentifier(authority.certificate).toString('binary'),
        },
        ...subjectAlternativeName(request),
      ],
    },
    authority.privateKey,
  );
  checkChain(certificate, authority);
  return { certificate, privateKey: keys.privateKey };
}

function check(authority: Authority, request: LeafRequest): void {
  checkCommonName(request.commonName);
  request.dnsNames?.forEach(checkDnsName);
  request.ipAddresses?.forEach(checkIpAddress);
  if (authority.notAfter <= request.now) {
    throw new TerminalError(
      `authority "${authority.commonName}": ended at ${toRfc3339(authority.notAfter)}; make a new one first`,
    );
  }
}

function subjectAlternativeName(request: LeafRequest): object[] {
  // GeneralName of RFC 5280 4.2.1.6: 2 is a DNS name, 7 an IP address.
  const altNames = [
    ...(request.dnsNames ?? []).map((value) => ({ type: 2, value })),
    ...(request.ipAddresses ?? []).map((ip) => ({ type: 7, ip })),
  ];
  return altNames.length === 0 ? [] : [{ name: 'subjectAltName', altNames }];
}

/** Asks the library that will verify it later, since another one built it. */
function checkChain(pem: string, authority: Authority): void {
  const leaf = new X509Certificate(pem);
  const issuer = new X509Certificate(authority.certificate);
  if (!leaf.checkIssued(issuer) || !leaf.verify(issuer.publicKey)) {
    throw new TerminalError(
      `authority "${authority.commonName}": what it signs does not verify; make a new one`,
    );
  }
}
