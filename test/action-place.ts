import { join } from 'node:path';
import type { Playground } from '../dev/playground.ts';
import type { ActionTools } from '../src/actions/action-context.ts';
import { ExpressionEvaluator } from '../src/apply/expression-evaluator.ts';
import { actionTools } from '../src/controller/action-tools.ts';
import { Clusters } from '../src/controller/clusters.ts';
import { Targets } from '../src/controller/targets.ts';
import { Tenants } from '../src/controller/tenants.ts';
import { instant } from '../src/core/time.ts';
import { TokenStore } from '../src/kubernetes/tokens.ts';
import { StageBuilder } from '../src/stage-builder.ts';
import { type Stage, type StageSet, stagesApiVersion } from '../src/types/stages.ts';
import type { TestNamespace } from './test-namespace.ts';

/** As the controller offers them, but without a controller. */
export class RealTools {
  readonly #builder: StageBuilder;
  readonly #expressions = new ExpressionEvaluator();

  constructor({ artifacts, cluster }: Playground) {
    const [host = '', port] = artifacts.host.split(':');
    this.#builder = new StageBuilder({
      allowedArtifactHosts: [{ host, port: Number(port) }],
      decryptionDirectory: '/dev/shm',
      kustomizeBinary: join(cluster.assets, 'kustomize'),
    });
  }

  /** What the action of a stage with this account may use. */
  of(
    shop: TestNamespace,
    account = 'tenant',
    crossNamespaceReferences: 'Allowed' | 'Refused' = 'Allowed',
  ): ActionTools {
    const { client } = shop;
    const tokens = new TokenStore(client);
    const tenants = new Tenants(client, tokens, { of: () => undefined });
    const clusters = new Clusters({ client, tokens, connector: (options) => options, clouds: {} });
    const stage: Stage = {
      name: 'app',
      sourceRef: { name: 'app' },
      ...(account === '' ? {} : { serviceAccountName: account }),
    };
    const stageSet: StageSet = {
      apiVersion: stagesApiVersion,
      kind: 'StageSet',
      metadata: { name: 'shop', namespace: shop.name, uid: 'uid-of-the-stageset' },
      spec: { stages: [stage] },
    };
    return actionTools(
      { stageSet, stage },
      {
        builder: this.#builder,
        tenants,
        targets: new Targets(tenants, clusters),
        crossNamespaceReferences,
        stageSetExists: () => true,
        clock: () => instant(Date.now()),
        expressions: this.#expressions,
      },
    );
  }

  async close(): Promise<void> {
    await Promise.all([this.#builder.close(), this.#expressions.close()]);
  }
}
