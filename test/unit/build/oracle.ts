import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { parse, parseAllDocuments } from 'yaml';
import { canonicalJson } from '../../../src/core/canonical-json.ts';
import { substitute } from '../../../src/core/objects/substitution.ts';
import { kustomizeBinary } from '../../kustomize.ts';
import type { Example } from './fixtures/kustomizations.ts';

const run = promisify(execFile);

type Json = Record<string, unknown>;

/**
 * What the kustomize program makes of an artifact, and what part A 4.5 and 4.6 make of that, written
 * down a second time and as simply as can be.
 *
 * @returns canonical JSON of each object, sorted.
 */
export async function expectedOf(example: Example): Promise<string[]> {
  const text = await kustomizeOutput(example);
  const variables = new Map(Object.entries(example.variables ?? {}));
  const final = variables.size === 0 ? text : substitute(text, variables);
  const objects = parseAllDocuments(final, {
    version: '1.1',
    intAsBigInt: false,
    customTags: (tags) =>
      tags.filter((tag) => !/timestamp|binary|merge/.test(typeof tag === 'string' ? tag : tag.tag)),
  }).map((document) => {
    if (document.errors.length > 0) throw document.errors[0] ?? new Error('no YAML');
    return document.toJS() as Json;
  });
  return objects.map((object) => canonicalJson(cleaned(object))).sort();
}

/** The output of `kustomize build`, with the patches of the stage written into the kustomization. */
export async function kustomizeOutput({
  files,
  path = '',
  patches = [],
}: Example): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'oracle-'));
  try {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(directory, name)), { recursive: true });
      await writeFile(join(directory, name), content);
    }
    if (patches.length > 0) {
      const kustomization = join(directory, path, 'kustomization.yaml');
      const fields = parse(files[join(path, 'kustomization.yaml')] ?? '') as Json;
      const own = (fields['patches'] ?? []) as unknown[];
      await writeFile(kustomization, JSON.stringify({ ...fields, patches: [...own, ...patches] }));
    }
    const options = { maxBuffer: 64 * 1024 * 1024 };
    const restrictor = ['--load-restrictor', 'LoadRestrictionsNone'];
    const { stdout } = await run(
      await kustomizeBinary(),
      ['build', join(directory, path), ...restrictor],
      options,
    );
    return stdout;
  } finally {
    await rm(directory, { recursive: true });
  }
}

function cleaned(object: Json): Json {
  const { apiVersion, kind } = object;
  if (
    apiVersion === 'rbac.authorization.k8s.io/v1' &&
    (kind === 'Role' || kind === 'ClusterRole')
  ) {
    return object;
  }
  const copy = structuredClone(object);
  delete (copy['metadata'] as Json)['creationTimestamp'];
  if (kind !== 'CustomResourceDefinition') delete copy['status'];
  if (kind === 'Secret') moveStringData(copy);
  if (kind === 'Service') addProtocols((copy['spec'] as Json | undefined)?.['ports']);
  if (kind === 'Deployment') {
    const pod = ((copy['spec'] as Json)['template'] as Json | undefined)?.['spec'] as
      | { containers?: { ports?: unknown }[] }
      | undefined;
    for (const { ports } of pod?.containers ?? []) addProtocols(ports);
  }
  return copy;
}

function moveStringData(secret: Json): void {
  const data = { ...(secret['data'] as Json | undefined) };
  for (const [key, value] of Object.entries((secret['stringData'] ?? {}) as Json)) {
    data[key] = btoa(String(value));
  }
  if (secret['stringData'] !== undefined) secret['data'] = data;
  delete secret['stringData'];
}

function addProtocols(ports: unknown): void {
  for (const port of (ports ?? []) as Json[]) port['protocol'] ??= 'TCP';
}
