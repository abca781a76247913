/** One program of the cluster, as the supervisor starts it. */
export interface Component {
  name: ComponentName;
  command: string;
  args: string[];
  /** File that stdout and stderr are appended to. */
  log: string;
}

export type ComponentName = 'etcd' | 'kube-apiserver' | 'kube-controller-manager';

/** From the owner of a cluster to its supervisor. */
export type Command =
  | { kind: 'start'; component: Component }
  | { kind: 'signal'; name: ComponentName; signal: NodeJS.Signals }
  /** From now on the end of the owner does not end the cluster. */
  | { kind: 'detach' }
  | { kind: 'stop' };

/** From the supervisor to the owner. */
export type Report =
  /** The directory exists, commands are welcome. */
  | { kind: 'ready' }
  | { kind: 'started'; name: ComponentName; pid: number }
  | { kind: 'exited'; name: ComponentName; how: string }
  | { kind: 'detached' }
  /** The supervisor itself came to harm and ends everything. */
  | { kind: 'failed'; why: string };

export function isCommand(message: unknown): message is Command {
  return hasKind(message, ['start', 'signal', 'detach', 'stop']);
}

export function isReport(message: unknown): message is Report {
  return hasKind(message, ['ready', 'started', 'exited', 'detached', 'failed']);
}

/** Both ends are this same code: the kind tells the rest of the shape. */
function hasKind(message: unknown, kinds: string[]): boolean {
  return (
    typeof message === 'object' &&
    message !== null &&
    'kind' in message &&
    typeof message.kind === 'string' &&
    kinds.includes(message.kind)
  );
}
