import type { KubernetesClient } from '../../kubernetes/client.ts';
import { callFor, Records } from './records.ts';
import type { ApiResource } from './resource.ts';
import { namedBy } from './subject.ts';

/**
 * `stagesets`: the StageSet of the group stages.metio.wtf as it is stored, under its own apiVersion
 * and kind. It is here so that kubectl can resolve the subresources.
 */
export function stageSetsResource({ client }: { readonly client: KubernetesClient }): ApiResource {
  const records = new Records(client);
  return {
    name: 'stagesets',
    kind: 'StageSet',
    singularName: 'stageset',
    namespaced: true,
    handlers: {
      get: async (request) => {
        const { namespace, name } = namedBy(request);
        return { object: await records.stageSet(namespace, name, callFor(request)) };
      },
    },
  };
}
