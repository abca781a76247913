/**
 * Writes src/types/generated from crds/ and openapi/. With `--check` it writes nothing and fails
 * when a checked-in file is not what the contracts say.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { argv, exit, stderr, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { readApiContracts, readResourceContracts } from './contracts.ts';
import { renderApiDocument, renderApiTypes, renderResourceTypes, renderSchemas } from './render.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const target = join(root, 'src/types/generated');

const wanted = await render();
const current = await readCurrent();
const stale = [...new Set([...wanted.keys(), ...current.keys()])]
  .filter((name) => wanted.get(name) !== current.get(name))
  .sort();

if (argv.includes('--check')) {
  for (const name of stale)
    stderr.write(`src/types/generated/${name} does not match its contract\n`);
  if (stale.length > 0) stderr.write('Run: node --import tsx dev/generate/types.ts\n');
  exit(stale.length > 0 ? 1 : 0);
}

await mkdir(target, { recursive: true });
for (const name of stale) {
  const content = wanted.get(name);
  if (content === undefined) await rm(join(target, name));
  else await writeFile(join(target, name), content);
  stdout.write(`src/types/generated/${name}\n`);
}

async function render(): Promise<Map<string, string>> {
  const resources = await readResourceContracts(join(root, 'crds'));
  const apis = await readApiContracts(join(root, 'openapi'));
  const files = new Map([
    ['crds.ts', await renderResourceTypes(resources)],
    ['schemas.ts', renderSchemas(resources)],
  ]);
  for (const api of apis) {
    files.set(`${api.name}.ts`, await renderApiTypes(api));
    files.set(`${api.name}.document.ts`, renderApiDocument(api));
  }
  return files;
}

async function readCurrent(): Promise<Map<string, string>> {
  const names = await readdir(target).catch(() => []);
  const files = names.map(
    async (name): Promise<[string, string]> => [name, await readFile(join(target, name), 'utf8')],
  );
  return new Map(await Promise.all(files));
}
