import { join } from 'node:path';
import { type Layout, logFile } from './layout.ts';
import type { Component } from './protocol.ts';

/** A single etcd on loopback with TLS on both of its ports. */
export function etcd(layout: Layout): Component {
  const { directory, ports, etcdCa } = layout;
  const peer = `https://127.0.0.1:${ports.etcdPeer}`;
  return {
    name: 'etcd',
    command: join(layout.assets, 'etcd'),
    log: logFile(directory, 'etcd'),
    args: [
      '--name=default',
      `--data-dir=${join(directory, 'etcd')}`,
      `--listen-client-urls=${etcdUrl(layout)}`,
      `--advertise-client-urls=${etcdUrl(layout)}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
      '--client-cert-auth',
      `--trusted-ca-file=${etcdCa.certificate}`,
      `--cert-file=${layout.etcd.certificate}`,
      `--key-file=${layout.etcd.privateKey}`,
      '--peer-client-cert-auth',
      `--peer-trusted-ca-file=${etcdCa.certificate}`,
      `--peer-cert-file=${layout.etcd.certificate}`,
      `--peer-key-file=${layout.etcd.privateKey}`,
      '--enable-grpc-gateway=false',
      // The data outlives a killed process (it is in the page cache), not a crashed machine.
      '--unsafe-no-fsync',
      '--log-level=warn',
    ],
  };
}

export function etcdUrl(layout: Layout): string {
  return `https://127.0.0.1:${layout.ports.etcd}`;
}
