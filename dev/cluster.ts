/** `npm run cluster -- up | down | assets`: a throwaway cluster to develop against. */
import { Command } from 'commander';
import { kubectlBinary, kubectlMinors } from './assets/kubectl.ts';
import { assetsDirectory } from './assets/locate.ts';
import { bringDown, bringUp } from './cluster/persistent.ts';
import { progressOnStderr } from './progress.ts';

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // A second one ends at once: the supervisor cleans up after us in any case.
  process.once(signal, () => interruption.abort(new Error(`interrupted by ${signal}`)));
}

const program = new Command('cluster').description(
  'etcd and kube-apiserver on this machine, to develop against',
);

program
  .command('up')
  .description('start a cluster, unless it runs already, and print its KUBECONFIG')
  .option('--name <name>', 'name of the cluster', 'dev')
  .option('--controller-manager', 'also run kube-controller-manager', false)
  .action(async (options: { name: string; controllerManager: boolean }) => {
    const { cluster, found } = await bringUp({
      name: options.name,
      controllerManager: options.controllerManager ? 'with' : 'without',
      progress: progressOnStderr,
      signal: interruption.signal,
    });
    const word = found === 'running' ? 'runs already' : 'is ready';
    progressOnStderr(`cluster ${cluster.name} ${word} at ${cluster.url}`);
    process.stdout.write(`export KUBECONFIG=${cluster.kubeconfig}\n`);
  });

program
  .command('down')
  .description('stop a cluster and remove its data')
  .option('--name <name>', 'name of the cluster', 'dev')
  .action(async ({ name }: { name: string }) => {
    const existed = await bringDown(name);
    progressOnStderr(existed ? `cluster ${name} is stopped` : `there is no cluster ${name}`);
  });

program
  .command('assets')
  .description(
    'print the directory of kube-apiserver, etcd, kube-controller-manager, kubectl and kustomize, getting them first when missing',
  )
  .option('--kubectl', 'print old and new kubectl instead, one file a line', false)
  .action(async ({ kubectl }: { kubectl: boolean }) => {
    if (!kubectl) {
      const directory = await assetsDirectory(progressOnStderr, interruption.signal);
      process.stdout.write(`${directory}\n`);
      return;
    }
    for (const minor of kubectlMinors) {
      const binary = await kubectlBinary(minor, progressOnStderr, interruption.signal);
      process.stdout.write(`${binary}\n`);
    }
  });

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
