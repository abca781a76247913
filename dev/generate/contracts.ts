import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parse } from 'yaml';

/** A JSON object as read from a contract file. */
export type Node = Record<string, unknown>;

/** One custom resource definition, reduced to what types and validators are made from. */
export interface ResourceContract {
  readonly kind: string;
  /** Structural schema of the stored version, descriptions included. */
  readonly schema: Node;
}

/** One OpenAPI document and the name of the types file that is made from it. */
export interface ApiContract {
  readonly name: string;
  readonly document: Node;
}

/**
 * Reads every custom resource definition of a directory, sorted by kind.
 * Throws when a file is no v1 definition with exactly one stored version.
 */
export async function readResourceContracts(directory: string): Promise<ResourceContract[]> {
  const contracts = await Promise.all(
    (await yamlFiles(directory)).map(async (file) => resourceContract(await readYaml(file), file)),
  );
  return contracts.sort((a, b) => (a.kind < b.kind ? -1 : 1));
}

/** Reads every OpenAPI document of a directory, sorted by name; none when the directory is absent. */
export async function readApiContracts(directory: string): Promise<ApiContract[]> {
  return Promise.all(
    (await yamlFiles(directory)).map(async (file) => ({
      name: basename(file, '.yaml'),
      document: await readYaml(file),
    })),
  );
}

/** Narrows to a JSON object; throws with the place in the contract otherwise. */
export function node(value: unknown, place: string): Node {
  if (!isNode(value)) throw new Error(`${place} must be an object`);
  return value;
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function resourceContract(definition: Node, file: string): ResourceContract {
  const spec = node(definition['spec'], `${file}: spec`);
  const names = node(spec['names'], `${file}: spec.names`);
  const versions = Array.isArray(spec['versions']) ? spec['versions'].filter(isNode) : [];
  const stored = versions.filter((version) => version['storage'] === true);
  const [version] = stored;
  if (version === undefined || stored.length !== 1) {
    throw new Error(`${file}: spec.versions must have exactly one stored version`);
  }
  const kind = names['kind'];
  if (typeof kind !== 'string') throw new Error(`${file}: spec.names.kind must be a string`);
  const schema = node(version['schema'], `${file}: spec.versions.schema`);
  return { kind, schema: node(schema['openAPIV3Schema'], `${file}: openAPIV3Schema`) };
}

async function yamlFiles(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  });
  return names
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => join(directory, name));
}

async function readYaml(file: string): Promise<Node> {
  const content: unknown = parse(await readFile(file, 'utf8'), { uniqueKeys: true });
  return node(content, file);
}
