import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { request } from 'undici';
import type { Config } from './config/config.ts';
import type { BuildStage } from './controller/prepare-stage.ts';
import { normalise } from './core/objects/normalise.ts';
import { readManifests, refuseDuplicates } from './core/objects/parse.ts';

/** From an artifact to objects. TEMPORARY */
export function stageBuilder(_config: Config): BuildStage {
  return async ({ url }, _stage, signal) => {
    const { body } = await request(url, { signal });
    const files = new Map<string, Uint8Array>();
    const x = extract();
    x.end(gunzipSync(Buffer.from(await body.arrayBuffer())));
    for await (const e of x) {
      const chunks: Buffer[] = [];
      for await (const c of e) chunks.push(c as Buffer);
      if (!e.header.name.includes('kustomization')) files.set(e.header.name, Buffer.concat(chunks));
    }
    const { manifests } = readManifests(files, 'Kubernetes');
    refuseDuplicates(manifests);
    return { objects: manifests.map(({ object }) => normalise(object)), warnings: [] };
  };
}
