import { controllerManager } from './controller-manager.ts';
import { etcd, etcdUrl } from './etcd.ts';
import type { Layout } from './layout.ts';
import type { Pki } from './pki.ts';
import type { Component } from './protocol.ts';
import { type Credentials, waitUntilReady } from './readiness.ts';
import type { Running, Supervision } from './supervision.ts';

export interface ControlPlaneParts {
  layout: Layout;
  pki: Pki;
  apiServer: Component;
}

/** The order in which components start, and when each counts as ready. */
export class ControlPlane {
  readonly #supervision: Supervision;
  readonly #layout: Layout;
  readonly #pki: Pki;
  readonly #apiServer: Component;

  constructor(supervision: Supervision, parts: ControlPlaneParts) {
    this.#supervision = supervision;
    this.#layout = parts.layout;
    this.#pki = parts.pki;
    this.#apiServer = parts.apiServer;
  }

  async startAll(controllers: 'with' | 'without', signal: AbortSignal | undefined): Promise<void> {
    const database = await this.#supervision.start(etcd(this.#layout));
    // Both at once: kube-apiserver takes longer to read its flags than etcd to be there.
    const server = await this.#supervision.start(this.#apiServer);
    await this.#etcdReady(database, signal);
    await this.#apiServerReady(server, signal);
    if (controllers === 'with') {
      await this.#startControllerManager(signal);
    }
  }

  async restartApiServer(): Promise<void> {
    await this.#supervision.kill('kube-apiserver');
    await this.#apiServerReady(await this.#supervision.start(this.#apiServer));
  }

  async restartEtcd(): Promise<void> {
    await this.#supervision.kill('etcd');
    await this.#etcdReady(await this.#supervision.start(etcd(this.#layout)));
    const server = this.#supervision.running('kube-apiserver');
    if (server !== undefined) {
      await this.#apiServerReady(server);
    }
  }

  async restartControllerManager(): Promise<void> {
    await this.#supervision.kill('kube-controller-manager');
    await this.#startControllerManager();
  }

  async #startControllerManager(signal?: AbortSignal): Promise<void> {
    const component = controllerManager(this.#layout);
    const running = await this.#supervision.start(component);
    // It serves no health of its own here; this account is the work of one of its controllers.
    await waitUntilReady(component, running, {
      checks: [{ url: `${this.#layout.url}/api/v1/namespaces/default/serviceaccounts/default` }],
      credentials: this.#admin(),
      signal,
    });
  }

  async #etcdReady(running: Running, signal?: AbortSignal): Promise<void> {
    await waitUntilReady(etcd(this.#layout), running, {
      checks: [{ url: `${etcdUrl(this.#layout)}/readyz` }],
      credentials: { ca: this.#pki.etcdCa.certificate, ...this.#pki.etcdClient },
      signal,
    });
  }

  async #apiServerReady(running: Running, signal?: AbortSignal): Promise<void> {
    const core = `${this.#layout.url}/api/v1/namespaces`;
    await waitUntilReady(this.#apiServer, running, {
      checks: [
        { url: `${this.#layout.url}/readyz` },
        // Made by loops that /readyz does not wait for.
        { url: `${core}/default` },
        {
          url: `${core}/kube-system/configmaps/extension-apiserver-authentication`,
          contains: ['"client-ca-file"', '"requestheader-client-ca-file"'],
        },
      ],
      credentials: this.#admin(),
      signal,
    });
  }

  #admin(): Credentials {
    return { ca: this.#pki.ca.certificate, ...this.#pki.admin };
  }
}
