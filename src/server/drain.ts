import { once } from 'node:events';
import type { RequestListener, Server, ServerResponse } from 'node:http';
import type { Duration } from '../core/time.ts';

/** Knows the answers under way, so that their connections can be ended with them. */
export class Drain {
  readonly #listener: RequestListener;
  readonly #underWay = new Set<ServerResponse>();
  #stopping = false;

  constructor(listener: RequestListener) {
    this.#listener = listener;
  }

  readonly serve: RequestListener = (request, response) => {
    this.#underWay.add(response);
    response.once('close', () => this.#underWay.delete(response));
    if (this.#stopping) response.shouldKeepAlive = false;
    this.#listener(request, response);
  };

  /** From now on every answer tells its client to come back on another connection. */
  announce(): void {
    this.#stopping = true;
    for (const response of this.#underWay) response.shouldKeepAlive = false;
  }

  /** Takes no more connections; resolves when none is left, `grace` later at most. */
  async stop(server: Server, grace: Duration): Promise<void> {
    // Else a client that keeps its connection would hold the server open until it lets go.
    this.announce();
    const closed = once(server, 'close');
    server.close();
    server.closeIdleConnections();
    const cut = setTimeout(() => server.closeAllConnections(), grace);
    try {
      await closed;
    } finally {
      clearTimeout(cut);
    }
  }
}
