import type { Express, Request, Response } from 'express';
import { endPlainTextApp, plainTextApp, sendText } from './plain-text.ts';

/** One thing that must hold. */
export interface HealthCheck {
  /** Part of a path: lower case, digits and `-`. */
  readonly name: string;
  /**
   * Undefined when all is well, else why not, in words that anyone may read. It only looks at what
   * is already known: a probe never waits for the network.
   */
  check(): string | undefined;
}

export interface HealthChecks {
  /** For `/healthz` and `/livez`: failing, the process is beyond help and the kubelet restarts it. */
  readonly live: readonly HealthCheck[];
  /** For `/readyz`: failing, the process gets no traffic. */
  readonly ready: readonly HealthCheck[];
}

/**
 * `/healthz`, `/livez` and `/readyz` as Kubernetes components serve them: `ok` with 200, or 500 and
 * one line for each check. `?verbose` lists the checks also when all is well, `?exclude=<name>` leaves one
 * out and may be repeated, `/readyz/<name>` asks for one alone. Unlike a component's, the lines say
 * why a check fails.
 */
export function healthApp({ live, ready }: HealthChecks): Express {
  const app = plainTextApp();
  serveChecks(app, 'healthz', live);
  serveChecks(app, 'livez', live);
  serveChecks(app, 'readyz', ready);
  return endPlainTextApp(app);
}

function serveChecks(app: Express, endpoint: string, checks: readonly HealthCheck[]): void {
  app.get(`/${endpoint}`, (request: Request, response: Response) => {
    answerAll(endpoint, checks, queryOf(request), response);
  });
  for (const check of checks) {
    app.get(`/${endpoint}/${check.name}`, (_request: Request, response: Response) => {
      const trouble = troubleOf(check);
      if (trouble === undefined) sendText(response, 200, 'ok');
      else sendText(response, 500, `${trouble}\n`);
    });
  }
}

function answerAll(
  endpoint: string,
  checks: readonly HealthCheck[],
  query: URLSearchParams,
  response: Response,
): void {
  const excluded = new Set(query.getAll('exclude').filter((name) => name !== ''));
  const lines: string[] = [];
  let failing = false;
  for (const check of checks) {
    if (excluded.delete(check.name)) {
      lines.push(`[+]${check.name} excluded: ok`);
      continue;
    }
    const trouble = troubleOf(check);
    failing ||= trouble !== undefined;
    lines.push(
      trouble === undefined ? `[+]${check.name} ok` : `[-]${check.name} failed: ${trouble}`,
    );
  }
  for (const name of excluded) {
    lines.push(
      `warn: ${JSON.stringify(name)} is no check of ${endpoint}, nothing was excluded for it`,
    );
  }
  if (!failing && !query.has('verbose')) {
    sendText(response, 200, 'ok');
    return;
  }
  lines.push(failing ? `${endpoint} check failed` : `${endpoint} check passed`);
  sendText(response, failing ? 500 : 200, `${lines.join('\n')}\n`);
}

function troubleOf(check: HealthCheck): string | undefined {
  try {
    return check.check();
  } catch {
    // What it threw is not for anyone to read.
    return 'the check itself failed';
  }
}

function queryOf(request: Request): URLSearchParams {
  const start = request.originalUrl.indexOf('?');
  return new URLSearchParams(start === -1 ? '' : request.originalUrl.slice(start + 1));
}
