import { join } from 'node:path';
import { type Layout, logFile } from './layout.ts';
import type { Component } from './protocol.ts';

/** kube-controller-manager: Jobs, Deployments, deletion of namespaces, garbage collection ... */
export function controllerManager(layout: Layout): Component {
  return {
    name: 'kube-controller-manager',
    command: join(layout.assets, 'kube-controller-manager'),
    log: logFile(layout.directory, 'kube-controller-manager'),
    args: [
      `--kubeconfig=${layout.controllerManagerKubeconfig}`,
      '--use-service-account-credentials=true',
      `--service-account-private-key-file=${layout.serviceAccount.privateKey}`,
      `--root-ca-file=${layout.ca.certificate}`,
      // It is the only one, and nobody asks it anything.
      '--leader-elect=false',
      '--secure-port=0',
      '--profiling=false',
      // The defaults are for a shared control plane and make deletion take seconds.
      '--kube-api-qps=500',
      '--kube-api-burst=1000',
    ],
  };
}
