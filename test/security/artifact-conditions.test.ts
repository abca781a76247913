import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { type PackedArtifact, packBytes, packFiles } from '../../dev/artifacts/pack.ts';
import { publish } from '../../dev/artifacts/publish.ts';
import { useController } from '../playground.ts';
import { archive } from './archives.ts';

const manifest = JSON.stringify({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'from-a-hostile-artifact' },
});
const good = { name: 'good.json', content: manifest };
const mebibyte = 1024 * 1024;

interface Attack {
  readonly artifact: () => Promise<PackedArtifact> | PackedArtifact;
  /** What the source claims, where that is a lie. */
  readonly digest?: string;
  readonly message: RegExp;
}

const attacks: Record<string, Attack> = {
  'a wrong digest': {
    artifact: () => packFiles({ 'good.json': manifest }),
    digest: `sha256:${'0'.repeat(64)}`,
    message: /digest sha256:[0-9a-f]{64} instead of sha256:0{64}/,
  },
  'an entry that climbs out': {
    artifact: () => packBytes(archive([good, { name: '../evil.yaml', content: manifest }])),
    message: /\.\.\/evil\.yaml/,
  },
  'a symlink': {
    artifact: () =>
      packBytes(archive([good, { name: 'link.yaml', type: '2', linkName: '/etc/passwd' }])),
    message: /link\.yaml.*symbolic link/,
  },
  'a device': {
    artifact: () => packBytes(archive([good, { name: 'null', type: '3' }])),
    message: /null.*device/,
  },
  'a gzip bomb': {
    artifact: () => packBytes(gzipSync(Buffer.alloc(600 * mebibyte))),
    message: /512 MiB/,
  },
  'an entry over the cap': {
    artifact: () =>
      packBytes(archive([good, { name: 'big.yaml', content: Buffer.alloc(16 * mebibyte + 1) }])),
    message: /big\.yaml.*16 MiB/,
  },
  'no manifests': {
    artifact: () => packFiles({ 'README.md': 'nothing to apply' }),
    message: /no .*\.yaml, \.yml or \.json/,
  },
};

describe('attack 48: a hostile artifact (it fails its stage with a message of its own, and applies nothing, part A 3.4)', () => {
  const stand = useController();

  for (const [name, { artifact, digest, message }] of Object.entries(attacks)) {
    it(`with ${name} fails its stage with a message of its own, and applies nothing`, async () => {
      const namespace = await stand.namespace();
      const { client, artifacts } = stand.playground;
      const where = { namespace: namespace.name, name: 'app', revision: 'v1' };
      const claimed = digest === undefined ? where : { ...where, digest };
      await publish(client, artifacts, claimed, await artifact());
      await namespace.createStageSet(['app']);
      const said = await namespace.untilReason('StageFailed');
      expect(said).to.match(message);
      expect(said).to.match(/^Stage app: (fetch artifact|build): /);
      expect(await namespace.configMapNames()).to.deep.equal([]);
      expect(await namespace.inventories()).to.deep.equal({});
    });
  }
});
