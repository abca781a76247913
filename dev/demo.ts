import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { startApi } from './aggregated-api.ts';
import { packFiles, readDirectory } from './artifacts/pack.ts';
import { publish } from './artifacts/publish.ts';
import { followRollout } from './demo/follow.ts';
import { playKubelet } from './demo/kubelet.ts';
import { type Playground, startPlayground } from './playground.ts';
import { progressOnStderr } from './progress.ts';

/** `npm run demo`: a release in three stages, rolled out on a real API server, then updated. */

const files = fileURLToPath(new URL('./demo', import.meta.url));
const once = process.argv.includes('--once');
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => stop.abort(new Error(signal)));
}

function say(text = ''): void {
  process.stdout.write(`${text}\n`);
}

async function kubectl(playground: Playground, args: readonly string[]): Promise<string> {
  say(`\n$ kubectl ${args.map((arg) => (arg.includes('{') ? `'${arg}'` : arg)).join(' ')}`);
  const { code, stdout, stderr } = await playground.cluster.kubectl(args);
  say((code === 0 ? stdout : stderr).trimEnd());
  if (code !== 0) throw new Error(`kubectl ended with ${code}`);
  return stdout;
}

/** As kubectl 1.32 and newer address a subresource. */
function subresource(name: string): string[] {
  const resource = 'stagesets.subresources.stages.metio.wtf';
  return [resource, 'crontab', `--subresource=${name}`, '-n', 'demo'];
}

async function publishStage(
  { client, artifacts }: Playground,
  stage: 'crds' | 'operator' | 'app',
  release: 1 | 2,
): Promise<void> {
  const artifact = await packFiles(await readDirectory(`${files}/release-${release}/${stage}`));
  const revision = `v${release}.0.0@${artifact.digest}`;
  const publication = { namespace: 'demo', name: `crontab-${stage}`, revision };
  await publish(client, artifacts, publication, artifact);
}

async function rollOut(playground: Playground): Promise<void> {
  say('\n== Release 1: three stages, one after the other ==');
  const tenant = await readFile(`${files}/tenant.yaml`, 'utf8');
  await playground.cluster.kubectl(['apply', '-f', '-'], { input: tenant });
  for (const stage of ['crds', 'operator', 'app'] as const)
    await publishStage(playground, stage, 1);
  const stageSet = await readFile(`${files}/stageset.yaml`, 'utf8');
  await playground.cluster.kubectl(['apply', '-f', '-'], { input: stageSet });
  const following = { say, signal: stop.signal };
  await followRollout(playground, { ...following, until: 'AwaitingPromotion' });
  await promote(playground);
  await followRollout(playground, { ...following, revision: 'v1.0.0' });
  await kubectl(playground, ['get', 'stagesets', '-n', 'demo']);
  await kubectl(playground, [
    'get',
    'crontabs,configmaps,services,deployments',
    '-n',
    'demo',
    '-l',
    'stages.metio.wtf/name=crontab',
  ]);
}

/** What a person does who is asked: look, then pass the gate of exactly that run. */
async function promote(playground: Playground): Promise<void> {
  say('\n== The plan: what comes next, and what holds it ==');
  await kubectl(playground, ['get', ...subresource('plan')]);
  const path = '{.status.runId}';
  const runId = await kubectl(playground, [
    'get',
    ...subresource('advance'),
    '-o',
    `jsonpath=${path}`,
  ]);
  const spec = { stage: 'operator', runId, reason: 'the operator looks fine' };
  await kubectl(playground, [
    'patch',
    ...subresource('advance'),
    '--type=merge',
    '-p',
    JSON.stringify({ spec }),
  ]);
}

async function update(playground: Playground): Promise<void> {
  say('\n== Release 2: one object changed, one removed, one added ==');
  await suspend(playground, true);
  await publishStage(playground, 'app', 2);
  const plans = '/apis/subresources.stages.metio.wtf/v1/namespaces/demo/stagesets/crontab/plan';
  await kubectl(playground, ['get', '--raw', `${plans}?output=text&stage=app`]);
  await suspend(playground, false);
  await followRollout(playground, { revision: 'v2.0.0', say, signal: stop.signal });
  await kubectl(playground, ['get', ...subresource('history')]);
  await kubectl(playground, [
    'get',
    'crontabs,configmaps',
    '-n',
    'demo',
    '-l',
    'stages.metio.wtf/name=crontab',
  ]);
  await kubectl(playground, ['get', 'configmap', 'web', '-n', 'demo', '-o', 'jsonpath={.data}']);
  await kubectl(playground, [
    'get',
    'events',
    '-n',
    'demo',
    '--field-selector=involvedObject.kind=StageSet',
  ]);
}

async function suspend(playground: Playground, suspended: boolean): Promise<void> {
  const patch = JSON.stringify({ spec: { suspend: suspended } });
  await kubectl(playground, [
    'patch',
    'stageset',
    'crontab',
    '-n',
    'demo',
    '--type=merge',
    '-p',
    patch,
  ]);
}

function invite({ cluster }: Playground): void {
  say(`
== Try it ==
export KUBECONFIG=${cluster.kubeconfig}
kubectl get stagesets -A
kubectl get stageplans -A
kubectl explain stageset.spec.stages.promotion
kubectl get stageruns -n demo
kubectl get stageset crontab -n demo -o yaml
kubectl get stageinventories -n demo
kubectl patch stageset crontab -n demo --type=merge -p '{"spec":{"suspend":true}}'
kubectl delete stageset crontab -n demo      # tears down in reverse order

Press Ctrl-C to stop the cluster and remove it.`);
}

async function deliver(playground: Playground): Promise<void> {
  await rollOut(playground);
  await update(playground);
  if (once) return;
  invite(playground);
  await new Promise<void>((resolve) => {
    stop.signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function demo(): Promise<void> {
  say('Starting etcd, kube-apiserver and the controller ...');
  const playground = await startPlayground({
    name: 'demo',
    progress: progressOnStderr,
    signal: stop.signal,
  });
  try {
    await startApi(playground, { flags: ['--log-level=error', '--log-format=text'], onLog: say });
    // No node runs here, so somebody must say that the Deployment's pods are up.
    const kubelet = playKubelet(playground.client, 'demo', stop.signal);
    await Promise.race([kubelet, deliver(playground)]);
  } finally {
    stop.abort();
    await playground.stop();
    say('The cluster is gone.');
  }
}

try {
  await demo();
} catch (error) {
  const interrupted = error instanceof Error && error.name === 'AbortError';
  if (!interrupted) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
