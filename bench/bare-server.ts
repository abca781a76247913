import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:https';
import { createAuthority, type KeyAndCertificate } from '../src/certs/authority.ts';
import { instant, minutes } from '../src/core/time.ts';

export interface BareServer {
  readonly url: string;
  stop(): void;
}

/**
 * Starts a process that answers a constant by TLS and does nothing else: how late answers are on this
 * machine at that moment, whatever answers them.
 */
export async function startBareServer(): Promise<BareServer> {
  const { certificate, privateKey } = await createAuthority({
    commonName: 'bench',
    validFor: minutes(60),
    now: instant(Date.now()),
  });
  const child = fork(new URL(import.meta.url));
  const started = once(child, 'message');
  child.send({ certificate, privateKey });
  const [port] = (await started) as [number];
  return { url: `https://127.0.0.1:${port}/`, stop: () => child.disconnect() };
}

async function serve(): Promise<void> {
  const [{ certificate, privateKey }] = (await once(process, 'message')) as [KeyAndCertificate];
  const server = createServer({ cert: certificate, key: privateKey }, (_, response) =>
    response.end('ok'),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address === 'object') process.send?.(address?.port);
  process.once('disconnect', () => process.exit());
}

if (process.argv[1] === new URL(import.meta.url).pathname) await serve();
