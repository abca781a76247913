import type { ApiRequest, ApiResource, Handler } from '../../src/server/aggregated/resource.ts';
import { StatusError } from '../../src/server/aggregated/status-error.ts';
import type { Table } from '../../src/server/aggregated/table.ts';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';

export const group = 'subresources.stages.metio.wtf';
export const apiVersion = `${group}/v1`;

/** Whatever the handlers were asked, so that a test can tell that they were not. */
export interface Samples {
  readonly resources: readonly ApiResource[];
  readonly asked: ApiRequest[];
  /** Answers every request for a StageSet of this name in place of the sample. */
  readonly special: Map<string, Handler>;
}

/** Resources with the names and kinds of the real ones, which know one StageSet called `shop`. */
export function sampleResources(): Samples {
  const asked: ApiRequest[] = [];
  const special = new Map<string, Handler>();
  const noted =
    (handler: Handler): Handler =>
    async (request) => {
      asked.push(request);
      const other = special.get(request.name ?? '');
      if (other !== undefined) return await other(request);
      if (request.name !== undefined && request.name !== 'shop') {
        throw StatusError.notFound({ group, resource: 'stagesets', name: request.name });
      }
      return await handler(request);
    };
  const plan = noted((request) => {
    const object = planOf(request);
    return Promise.resolve({ object, text: 'nothing to do\n', table: tableOf([object]) });
  });
  const advance = noted((request) => Promise.resolve({ object: advanceOf(request) }));
  const resources: ApiResource[] = [
    {
      name: 'stagesets',
      kind: 'StageSet',
      singularName: 'stageset',
      namespaced: true,
      handlers: { get: noted((request) => Promise.resolve({ object: stageSetOf(request) })) },
    },
    {
      name: 'stagesets/plan',
      kind: 'StagePlan',
      singularName: '',
      namespaced: true,
      handlers: { get: plan, create: plan },
    },
    {
      name: 'stagesets/advance',
      kind: 'StageAdvance',
      singularName: '',
      namespaced: true,
      handlers: { get: advance, create: advance, update: advance, patch: advance },
    },
    {
      name: 'stageplans',
      kind: 'StagePlan',
      singularName: 'stageplan',
      namespaced: true,
      shortNames: ['splan'],
      categories: ['stages'],
      handlers: {
        get: plan,
        list: noted((request) => {
          const item = planOf({ ...request, name: 'shop' });
          const object = { apiVersion, kind: 'StagePlanList', metadata: {}, items: [item] };
          return Promise.resolve({ object, table: tableOf([item]) });
        }),
      },
    },
  ];
  return { resources, asked, special };
}

function metadataOf({ name = 'shop', namespace = 'default' }: ApiRequest): {
  name: string;
  namespace: string;
} {
  return { name, namespace };
}

function stageSetOf(request: ApiRequest): KubernetesObject {
  return {
    apiVersion: 'stages.metio.wtf/v1',
    kind: 'StageSet',
    metadata: metadataOf(request),
    spec: { stages: [] },
  };
}

function planOf(request: ApiRequest): KubernetesObject {
  return {
    apiVersion,
    kind: 'StagePlan',
    metadata: metadataOf(request),
    status: {
      digest: 'sha256:0',
      verdict: 'UpToDate',
      message: 'There is nothing to do.',
      holds: [],
      stages: [],
    },
  };
}

function advanceOf(request: ApiRequest): KubernetesObject {
  return {
    apiVersion,
    kind: 'StageAdvance',
    metadata: metadataOf(request),
    status: { runId: 'abc', phase: 'Held', stages: [] },
  };
}

function tableOf(plans: readonly KubernetesObject[]): Table {
  return {
    columns: [
      { name: 'Name', type: 'string', format: 'name', description: 'Its name.', priority: 0 },
      { name: 'Verdict', type: 'string', description: 'What comes of it.', priority: 0 },
      { name: 'Digest', type: 'string', description: 'Of all decisions.', priority: 1 },
    ],
    rows: plans.map((object) => ({
      cells: [object.metadata.name, 'UpToDate', 'sha256:0'],
      object,
    })),
  };
}
