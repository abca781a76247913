import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApi } from '../../dev/aggregated-api.ts';
import { packFiles, readDirectory } from '../../dev/artifacts/pack.ts';
import { publish } from '../../dev/artifacts/publish.ts';
import type { ControllerProcess } from '../../dev/controller-process.ts';
import type { Playground } from '../../dev/playground.ts';
import { run } from '../../dev/process/run.ts';
import { parseStageRun } from '../../src/core/validate/schema.ts';
import { type StageRun, stagesApiVersion } from '../../src/types/stages.ts';
import { reportDeployment } from '../deployments.ts';
import { configMap } from '../objects.ts';
import { sharedPlayground } from '../playground.ts';
import { codeBlocks, root, textOf } from '../unit/docs/markdown.ts';
import { untilObjects } from '../watching.ts';

/** A kubectl, and what the tests call it: `1.27`. */
export interface Kubectl {
  readonly version: string;
  readonly binary: string;
}

/** What somebody sees in a terminal. */
export interface Typed {
  readonly printed: string;
  readonly code: number;
}

/** Who types a command: everything of ours and its StageSets; only looks; nothing. */
export type Person = 'olga' | 'vera' | 'nobody';

/**
 * The world that the pages speak of: StageSet `crontab` in namespace `demo`, and `web` in `shop`,
 * served by a controller with the aggregated API.
 */
export class World {
  readonly playground: Playground;
  readonly controller: ControllerProcess;
  readonly #directory: string;
  readonly #people: Readonly<Record<Person, string>>;

  private constructor(
    playground: Playground,
    controller: ControllerProcess,
    directory: string,
    people: Readonly<Record<Person, string>>,
  ) {
    this.playground = playground;
    this.controller = controller;
    this.#directory = directory;
    this.#people = people;
  }

  static async start(): Promise<World> {
    const playground = await sharedPlayground();
    const { process } = await startApi(playground, { flags: ['--log-level=debug'] });
    const directory = await mkdtemp(join(tmpdir(), 'stageset-kubectl-'));
    const people = {
      olga: await playground.cluster.kubeconfigFor('olga'),
      vera: await playground.cluster.kubeconfigFor('vera'),
      nobody: await playground.cluster.kubeconfigFor('nobody'),
    };
    const world = new World(playground, process, directory, people);
    const tenant = await textOf('dev/demo/tenant.yaml');
    await world.#admin(['apply', '-f', `${root}apiservice/user-roles.yaml`]);
    await world.#admin(['apply', '-f', '-'], tenant);
    await world.#admin(['apply', '-f', '-'], tenant.replaceAll('demo', 'shop'));
    await world.#admin(['apply', '-f', '-'], bindings);
    return world;
  }

  async stop(): Promise<void> {
    await this.controller.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** Begins anew: `crontab` and `web` wait for somebody to pass a gate, one in its second release. */
  async reset(): Promise<void> {
    await this.#remove('demo', 'crontab');
    await this.#remove('shop', 'web');
    await this.#deliverDemo();
    // The page about promotion begins with the manifest.
    const manifest = codeBlocks(await textOf('docs/promotion.md'))[0] ?? '';
    await writeFile(join(this.#directory, 'web.yaml'), manifest);
    await this.releaseShop('v1.0.0');
    await this.#admin(['apply', '--server-side', '-f', '-'], manifest);
    await this.untilRun('shop', 'web-1', 'Held');
  }

  /** The next release of `web`. */
  async releaseShop(version: string): Promise<void> {
    const object = JSON.stringify(configMap('web', { version }));
    const files = {
      'staging/web.yaml': object.replace('"web"', '"web-staging"'),
      'production/web.yaml': object,
    };
    await this.#publish('shop', 'web', version, files);
  }

  /** The record once it is in this phase. */
  async untilRun(namespace: string, name: string, phase: string): Promise<StageRun> {
    const query = { apiVersion: stagesApiVersion, kind: 'StageRun', namespace };
    return await untilObjects(this.playground.client, query, (objects) => {
      const parsed = parseStageRun(objects.get(name));
      return parsed.ok && parsed.value.status?.phase === phase ? parsed.value : undefined;
    });
  }

  /** Has a shell do what a reader types, with this kubectl; a run id on a page becomes the true one. */
  async type(kubectl: Kubectl, script: string, person: Person = 'olga'): Promise<Typed> {
    const path = join(this.#directory, kubectl.version);
    await mkdir(path, { recursive: true });
    await rm(join(path, 'kubectl'), { force: true });
    await symlink(kubectl.binary, join(path, 'kubectl'));
    const typed = `exec 2>&1\n${await this.#withRunId(script)}`;
    const { stdout, code } = await run('bash', ['-c', typed], {
      cwd: this.#directory,
      environment: {
        PATH: `${path}:${process.env['PATH'] ?? ''}`,
        KUBECONFIG: this.#people[person],
        KUBECACHEDIR: join(path, 'cache'),
      },
      signal: AbortSignal.timeout(60_000),
    });
    return { printed: stdout, code };
  }

  /** Passes the gate of `crontab`; `token` is any new text. */
  async promoteDemo(token: string): Promise<void> {
    const promotion = `stages.metio.wtf/promote=operator@${token}`;
    await this.#admin(['-n', 'demo', 'annotate', '--overwrite', 'stageset/crontab', promotion]);
  }

  async #withRunId(script: string): Promise<string> {
    const id = /\b[0-9a-f]{16}\b/g;
    if (!id.test(script)) return script;
    const namespace = script.includes('crontab') ? 'demo' : 'shop';
    const query = { apiVersion: stagesApiVersion, kind: 'StageRun', namespace };
    const call = { signal: AbortSignal.timeout(30_000) };
    const { items } = await this.playground.client.list(query, call);
    const runs = items.flatMap((item) => {
      const parsed = parseStageRun(item);
      return parsed.ok && parsed.value.spec !== undefined ? [parsed.value.spec] : [];
    });
    const [newest] = runs.sort((one, other) => other.sequence - one.sequence);
    return script.replaceAll(id, newest?.runId ?? '');
  }

  async #deliverDemo(): Promise<void> {
    for (const stage of ['crds', 'operator', 'app'] as const) await this.#publishDemo(stage, 1);
    await this.#admin(['apply', '-f', `${root}dev/demo/stageset.yaml`]);
    await this.untilRun('demo', 'crontab-1', 'Held');
    await this.promoteDemo('first');
    await this.#admin(['-n', 'demo', 'wait', '--for=create', 'deployment/web', '--timeout=30s']);
    // No node runs here, so somebody must say that the Deployment's pods are up.
    await reportDeployment(this.playground.client, 'demo', 'web', 'Available');
    await this.untilRun('demo', 'crontab-1', 'Succeeded');
    // The new revisions are to be one run.
    await this.#suspendDemo(true);
    await this.#publishDemo('operator', 2);
    await this.#publishDemo('app', 2);
    await this.#publishDemo('app', 1, 'crontab-app-next', 'v3.0.0');
    await this.#suspendDemo(false);
    await this.untilRun('demo', 'crontab-2', 'Held');
  }

  async #suspendDemo(suspend: boolean): Promise<void> {
    const patch = JSON.stringify({ spec: { suspend } });
    await this.#admin(['-n', 'demo', 'patch', 'stageset/crontab', '--type=merge', '-p', patch]);
  }

  async #publishDemo(
    stage: 'crds' | 'operator' | 'app',
    release: 1 | 2,
    source = `crontab-${stage}`,
    version = `v${release}.0.0`,
  ): Promise<void> {
    const directory = stage === 'app' ? `release-${release}/app` : `release-1/${stage}`;
    const files = Object.entries(await readDirectory(`${root}dev/demo/${directory}`));
    const changed = files.map(([path, content]) => [
      path,
      Buffer.from(content)
        .toString()
        .replace('replicas: 2', 'replicas: 1')
        .replace('logLevel=info', release === 1 ? 'logLevel=info' : 'logLevel=debug'),
    ]);
    await this.#publish('demo', source, version, Object.fromEntries(changed));
  }

  async #publish(
    namespace: string,
    name: string,
    version: string,
    files: Parameters<typeof packFiles>[0],
  ): Promise<void> {
    const { client, artifacts } = this.playground;
    const artifact = await packFiles(files);
    const revision = `${version}@${artifact.digest}`;
    await publish(client, artifacts, { namespace, name, revision }, artifact);
  }

  async #remove(namespace: string, name: string): Promise<void> {
    const where = ['-n', namespace, '--ignore-not-found', '--timeout=60s'];
    await this.#admin(['delete', 'stageset', name, ...where]);
    // There is no garbage collector here.
    await this.#admin(['delete', 'stageruns', '--all', ...where]);
  }

  async #admin(args: readonly string[], input?: string): Promise<void> {
    const { kubectl } = this.playground.cluster;
    const { code, stderr } = await kubectl(args, input === undefined ? {} : { input });
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  }
}

const bindings = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: edits-stagesets }
rules:
  - apiGroups: [stages.metio.wtf]
    resources: [stagesets]
    verbs: [get, list, watch, create, update, patch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: olga-edits }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edits-stagesets }
subjects: [{ apiGroup: rbac.authorization.k8s.io, kind: User, name: olga }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: olga-break-glass }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: stageset-break-glass }
subjects: [{ apiGroup: rbac.authorization.k8s.io, kind: User, name: olga }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: vera-looks }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: stageset-view }
subjects: [{ apiGroup: rbac.authorization.k8s.io, kind: User, name: vera }]
`;
