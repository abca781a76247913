import { readFile, rm } from 'node:fs/promises';
import { build } from 'esbuild';

/**
 * Bundles the controller into dist/main.js, its manifest thread into dist/worker.js, and its thread for
 * expressions into dist/expression-worker.js. One file starts four times faster than its modules and
 * takes half the memory, most of which would be client-node's generated API classes. What the manifest
 * thread needs for decryption or for migrations only is in files of its own, which are read with the
 * first of them; so are the SDKs of the clouds, with the first login to one of them.
 */
const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));

const shared = {
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  minify: true,
  keepNames: true,
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'warning',
  define: { 'process.env.STAGESET_VERSION': JSON.stringify(version) },
  banner: {
    // Bundled CommonJS packages still call require; ESM output has none of its own.
    js: [
      '#!/usr/bin/env node',
      "import { createRequire as __createRequire } from 'node:module';",
      'const require = __createRequire(import.meta.url);',
    ].join('\n'),
  },
};

await build({
  ...shared,
  entryPoints: { 'expression-worker': 'src/apply/expression-worker.ts' },
});
// Their names change with their content.
for (const folder of ['manifests', 'cloud']) {
  await rm(new URL(`../dist/${folder}`, import.meta.url), { recursive: true, force: true });
}
await build({
  ...shared,
  entryPoints: { main: 'src/main.ts' },
  splitting: true,
  chunkNames: 'cloud/[name]-[hash]',
});
await build({
  ...shared,
  entryPoints: { worker: 'src/build/worker.ts' },
  splitting: true,
  chunkNames: 'manifests/[name]-[hash]',
});
