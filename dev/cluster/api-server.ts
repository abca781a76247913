import { join } from 'node:path';
import { etcdUrl } from './etcd.ts';
import { type Layout, logFile } from './layout.ts';
import { frontProxyName } from './pki.ts';
import type { Component } from './protocol.ts';

/** Where tokens of service accounts say that they come from. */
const issuer = 'https://kubernetes.default.svc';

/**
 * kube-apiserver with RBAC, service account tokens and aggregation. Aggregator routing to endpoints
 * stays off: endpoints cannot be on loopback, but an APIService may name a Service of type
 * ExternalName (`localhost`) and any port.
 *
 * @param extra arguments after ours; kube-apiserver lets the last of the same flag win
 */
export function apiServer(layout: Layout, extra: readonly string[]): Component {
  const { directory } = layout;
  return {
    name: 'kube-apiserver',
    command: join(layout.assets, 'kube-apiserver'),
    log: logFile(directory, 'kube-apiserver'),
    args: [
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      `--secure-port=${layout.ports.apiServer}`,
      // The service `kubernetes` would get 127.0.0.1 as its endpoint, which is not allowed.
      '--endpoint-reconciler-type=none',
      `--cert-dir=${join(directory, 'kube-apiserver')}`,
      `--tls-cert-file=${layout.apiServer.certificate}`,
      `--tls-private-key-file=${layout.apiServer.privateKey}`,
      `--client-ca-file=${layout.ca.certificate}`,
      '--authorization-mode=Node,RBAC',
      '--enable-admission-plugins=NodeRestriction',
      ...etcdArguments(layout),
      ...serviceAccountArguments(layout, extra),
      ...frontProxyArguments(layout),
      '--service-cluster-ip-range=10.96.0.0/16',
      '--allow-privileged=true',
      '--profiling=false',
      '--shutdown-delay-duration=0s',
      ...extra,
    ],
  };
}

function etcdArguments(layout: Layout): string[] {
  return [
    `--etcd-servers=${etcdUrl(layout)}`,
    `--etcd-cafile=${layout.etcdCa.certificate}`,
    `--etcd-certfile=${layout.etcdClient.certificate}`,
    `--etcd-keyfile=${layout.etcdClient.privateKey}`,
  ];
}

function serviceAccountArguments(layout: Layout, extra: readonly string[]): string[] {
  // This flag adds up: the first one signs, and the others would be taken as well.
  const another = extra.some((argument) => argument.startsWith('--service-account-issuer='));
  return [
    ...(another ? [] : [`--service-account-issuer=${issuer}`]),
    `--service-account-key-file=${layout.serviceAccount.publicKey}`,
    `--service-account-signing-key-file=${layout.serviceAccount.privateKey}`,
  ];
}

function frontProxyArguments(layout: Layout): string[] {
  return [
    `--requestheader-client-ca-file=${layout.frontProxyCa.certificate}`,
    `--requestheader-allowed-names=${frontProxyName}`,
    '--requestheader-username-headers=X-Remote-User',
    '--requestheader-uid-headers=X-Remote-Uid',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    `--proxy-client-cert-file=${layout.frontProxyClient.certificate}`,
    `--proxy-client-key-file=${layout.frontProxyClient.privateKey}`,
  ];
}
