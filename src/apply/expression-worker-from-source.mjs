// Only where the sources run without being built: Node 20 gives a worker thread none of the loaders
// of its parent.
import { register } from 'tsx/esm/api';

register();
await import('./expression-worker.ts');
