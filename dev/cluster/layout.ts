import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeKubeconfig } from './kubeconfig.ts';
import { type CertificateFiles, type Pki, writeCertificate } from './pki.ts';
import type { ComponentName } from './protocol.ts';

export interface Ports {
  apiServer: number;
  etcd: number;
  etcdPeer: number;
}

/** All that the components are told: where things are and on which ports they listen. */
export interface Layout {
  /** Holds everything of the cluster; mode 0700. */
  directory: string;
  /** Directory with the executables. */
  assets: string;
  ports: Ports;
  url: string;
  ca: CertificateFiles;
  frontProxyCa: CertificateFiles;
  frontProxyClient: CertificateFiles;
  etcdCa: CertificateFiles;
  etcd: CertificateFiles;
  etcdClient: CertificateFiles;
  apiServer: CertificateFiles;
  serviceAccount: { publicKey: string; privateKey: string };
  /** Kubeconfig of system:masters. */
  adminKubeconfig: string;
  controllerManagerKubeconfig: string;
}

export function logFile(directory: string, component: ComponentName): string {
  return join(directory, `${component}.log`);
}

/** Writes keys and kubeconfigs into the cluster's directory. */
export async function writeLayout(
  place: { name: string; directory: string; assets: string; ports: Ports },
  pki: Pki,
): Promise<Layout> {
  const { name, directory, assets, ports } = place;
  const keys = join(directory, 'pki');
  await mkdir(keys);
  const url = `https://127.0.0.1:${ports.apiServer}`;
  const serviceAccount = { publicKey: join(keys, 'sa.pub'), privateKey: join(keys, 'sa.key') };
  await writeFile(serviceAccount.publicKey, pki.serviceAccount.publicKey);
  await writeFile(serviceAccount.privateKey, pki.serviceAccount.privateKey, { mode: 0o600 });
  const server = { cluster: name, url, ca: pki.ca.certificate };
  return {
    directory,
    assets,
    ports,
    url,
    ca: await writeCertificate(keys, 'ca', pki.ca),
    frontProxyCa: await writeCertificate(keys, 'front-proxy-ca', pki.frontProxyCa),
    frontProxyClient: await writeCertificate(keys, 'front-proxy-client', pki.frontProxyClient),
    etcdCa: await writeCertificate(keys, 'etcd-ca', pki.etcdCa),
    etcd: await writeCertificate(keys, 'etcd', pki.etcd),
    etcdClient: await writeCertificate(keys, 'etcd-client', pki.etcdClient),
    apiServer: await writeCertificate(keys, 'kube-apiserver', pki.apiServer),
    serviceAccount,
    adminKubeconfig: await writeKubeconfig(join(directory, 'kubeconfig'), server, {
      user: 'admin',
      ...pki.admin,
    }),
    controllerManagerKubeconfig: await writeKubeconfig(
      join(directory, 'kube-controller-manager.kubeconfig'),
      server,
      { user: 'system:kube-controller-manager', ...pki.controllerManager },
    ),
  };
}
