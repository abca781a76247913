import { open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';
import type { Component } from './protocol.ts';
import type { Running } from './supervision.ts';

/** How to log in for the checks; all PEM. */
export interface Credentials {
  ca: string;
  certificate: string;
  privateKey: string;
}

/** A GET that must answer 200, with every one of `contains` in its body. */
export interface Check {
  url: string;
  contains?: readonly string[];
}

const pollEvery = 50;
const requestTimeout = 5_000;
const deadline = 120_000;
const tailLength = 4_096;

/** A component did not come up: the message ends in the tail of its log. */
export class NotReadyError extends Error {
  /** Another program took a port between picking and using it: with other ports it may work. */
  readonly portTaken: boolean;

  constructor(component: Component, why: string, tail: string) {
    super(`${component.name}: ${why}\nThe end of its log:\n${tail}`);
    this.name = 'NotReadyError';
    this.portTaken = tail.includes('address already in use');
  }
}

/**
 * Waits until all checks pass, each tried again until it does, over one kept connection.
 *
 * @throws NotReadyError when the component ends before, or two minutes are over
 */
export async function waitUntilReady(
  component: Component,
  running: Running,
  waiting: { checks: readonly Check[]; credentials: Credentials; signal: AbortSignal | undefined },
): Promise<void> {
  const { ca, certificate, privateKey } = waiting.credentials;
  const agent = new Agent({
    connect: { ca, cert: certificate, key: privateKey, timeout: requestTimeout },
  });
  const over = AbortSignal.timeout(deadline);
  let ended: string | undefined;
  const end = running.exited.then((how) => {
    ended = how;
  });
  let answer = 'no answer yet';
  try {
    for (const check of waiting.checks) {
      while ((answer = await ask(agent, check)) !== passed) {
        waiting.signal?.throwIfAborted();
        if (ended !== undefined || over.aborted) {
          const why =
            ended === undefined
              ? `not ready after ${deadline / 1000} s, ${check.url}: ${answer}`
              : `ended while it started (${ended})`;
          throw new NotReadyError(component, why, await tailOf(component.log));
        }
        await Promise.race([end, delay(pollEvery)]);
      }
    }
  } finally {
    await agent.destroy();
  }
}

const passed = 'passed';

/** `passed`, or in words what is missing. */
async function ask(agent: Agent, check: Check): Promise<string> {
  try {
    const response = await request(check.url, {
      dispatcher: agent,
      headersTimeout: requestTimeout,
      bodyTimeout: requestTimeout,
    });
    const body = await response.body.text();
    const missing = (check.contains ?? []).filter((text) => !body.includes(text));
    if (response.statusCode !== 200) {
      return `status ${response.statusCode}`;
    }
    return missing.length === 0 ? passed : `answer has no ${missing.join(', ')}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function tailOf(file: string): Promise<string> {
  try {
    const handle = await open(file);
    try {
      const { size } = await handle.stat();
      const start = Math.max(0, size - tailLength);
      const { buffer, bytesRead } = await handle.read({
        buffer: Buffer.alloc(tailLength),
        position: start,
      });
      return buffer.toString('utf8', 0, bytesRead).trim();
    } finally {
      await handle.close();
    }
  } catch {
    return '(no log)';
  }
}
