import { once } from 'node:events';
import type { Server } from 'node:net';
import { TerminalError } from '../core/errors.ts';
import type { ListenAddress } from '../types/listen-address.ts';

/** What a server is for, in words for errors, and the flag that says where it listens. */
export interface ServerPurpose {
  /** As in `<name> server`: `metrics`. */
  readonly name: string;
  /** With its dashes. */
  readonly flag: string;
}

/**
 * Begins to listen.
 * @returns where it listens in fact; the port is never 0
 * @throws TerminalError when it cannot; it names the address, the cause and the flag
 */
export async function listen(
  server: Server,
  purpose: ServerPurpose,
  address: ListenAddress,
): Promise<Required<ListenAddress>> {
  server.listen(address);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw cannotListen(purpose, address, error);
  }
  return boundTo(server, address);
}

function boundTo(server: Server, asked: ListenAddress): Required<ListenAddress> {
  const bound = server.address();
  return typeof bound === 'object' && bound !== null
    ? { host: bound.address, port: bound.port }
    : { host: asked.host ?? '::', port: asked.port };
}

function cannotListen(
  purpose: ServerPurpose,
  address: ListenAddress,
  cause: unknown,
): TerminalError {
  const where = `${address.host ?? 'every interface'}, port ${address.port}`;
  return new TerminalError(
    `The ${purpose.name} server cannot listen on ${where}: ${whyNot(cause)}; ` +
      `change ${purpose.flag} or free the address`,
    { cause },
  );
}

function whyNot(cause: unknown): string {
  switch (codeOf(cause)) {
    case 'EADDRINUSE':
      return 'another program listens there (EADDRINUSE)';
    case 'EACCES':
      return 'ports below 1024 need a privilege that the process lacks (EACCES)';
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address (EADDRNOTAVAIL)';
    case 'ENOTFOUND':
      return 'the host name has no address (ENOTFOUND)';
    default:
      return cause instanceof Error ? cause.message : 'the cause is unknown';
  }
}

function codeOf(cause: unknown): unknown {
  return typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
}
