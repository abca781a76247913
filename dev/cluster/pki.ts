import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Authority,
  createAuthority,
  type KeyAndCertificate,
} from '../../src/certs/authority.ts';
import { issueCertificate, type LeafRequest } from '../../src/certs/issue.ts';
import { createKeyPair, type KeyPair } from '../../src/certs/key-pair.ts';
import { type Instant, instant, minutes } from '../../src/core/time.ts';

/** Paths of a PEM certificate and its PEM private key. */
export interface CertificateFiles {
  certificate: string;
  privateKey: string;
}

/** All keys of a cluster, as kubeadm lays them out: cluster, front-proxy and etcd are apart. */
export interface Pki {
  /** Signs the API server and all clients of it. */
  ca: Authority;
  frontProxyCa: Authority;
  etcdCa: Authority;
  apiServer: KeyAndCertificate;
  /** Proves to an aggregated API server that a request comes from kube-apiserver. */
  frontProxyClient: KeyAndCertificate;
  etcd: KeyAndCertificate;
  etcdClient: KeyAndCertificate;
  /** In system:masters. */
  admin: KeyAndCertificate;
  controllerManager: KeyAndCertificate;
  serviceAccount: KeyPair;
}

/** The common name that `requestheader-allowed-names` lists. */
export const frontProxyName = 'front-proxy-client';

// Longer than any test or day of work.
const validFor = minutes(30 * 24 * 60);

/** The front of 10.96.0.0/16, where the service `kubernetes` is. */
const apiServiceAddress = '10.96.0.1';

export async function createPki(): Promise<Pki> {
  const now = instant(Date.now());
  const [ca, frontProxyCa, etcdCa, serviceAccount] = await Promise.all([
    createAuthority({ commonName: 'kubernetes', validFor, now }),
    createAuthority({ commonName: 'front-proxy-ca', validFor, now }),
    createAuthority({ commonName: 'etcd-ca', validFor, now }),
    createKeyPair(),
  ]);
  const client = (user: string, groups: string[] = []): LeafRequest =>
    clientRequest(user, groups, now);
  const [apiServer, frontProxyClient, etcd, etcdClient, admin, controllerManager] =
    await Promise.all([
      issueCertificate(ca, {
        commonName: 'kube-apiserver',
        dnsNames: ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'],
        ipAddresses: ['127.0.0.1', apiServiceAddress],
        usage: 'server',
        validFor,
        now,
      }),
      issueCertificate(frontProxyCa, client(frontProxyName)),
      issueCertificate(etcdCa, {
        commonName: 'etcd',
        dnsNames: ['localhost'],
        ipAddresses: ['127.0.0.1'],
        usage: 'server',
        validFor,
        now,
      }),
      issueCertificate(etcdCa, client('kube-apiserver')),
      issueCertificate(ca, client('admin', ['system:masters'])),
      issueCertificate(ca, client('system:kube-controller-manager')),
    ]);
  return {
    ca,
    frontProxyCa,
    etcdCa,
    apiServer,
    frontProxyClient,
    etcd,
    etcdClient,
    admin,
    controllerManager,
    serviceAccount,
  };
}

/** A client certificate that kube-apiserver takes for this user in these groups. */
export async function issueUser(
  ca: Authority,
  user: string,
  groups: readonly string[],
): Promise<KeyAndCertificate> {
  return issueCertificate(ca, clientRequest(user, groups, instant(Date.now())));
}

function clientRequest(user: string, groups: readonly string[], now: Instant): LeafRequest {
  return { commonName: user, organizations: groups, usage: 'client', validFor, now };
}

/** Writes `NAME.crt` and `NAME.key` into the directory, the key for its owner only. */
export async function writeCertificate(
  directory: string,
  name: string,
  pair: KeyAndCertificate,
): Promise<CertificateFiles> {
  const files = certificateFiles(directory, name);
  await writeFile(files.certificate, pair.certificate);
  await writeFile(files.privateKey, pair.privateKey, { mode: 0o600 });
  return files;
}

/** Where {@link writeCertificate} puts a pair. */
function certificateFiles(directory: string, name: string): CertificateFiles {
  return {
    certificate: join(directory, `${name}.crt`),
    privateKey: join(directory, `${name}.key`),
  };
}
