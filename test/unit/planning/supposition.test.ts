import { expect } from 'chai';
import type { SourceObservation } from '../../../src/core/snapshot.ts';
import { supposed } from '../../../src/planning/supposition.ts';

const directory = 'http://source-controller.flux-system.svc/gitrepository/shop/web';
const digest = `sha256:${'a'.repeat(64)}`;
const offered: SourceObservation = {
  kind: 'Ready',
  artifact: { source: 'shop/web', url: `${directory}/1.tar.gz`, digest, revision: 'v1' },
};
const spec = (name = 'web'): Parameters<typeof supposed>[1] => ({
  stages: [{ name, sourceRef: { name: 'web' } }],
});

function observed(url: string, source: SourceObservation = offered): SourceObservation | undefined {
  return supposed([source], spec(), { web: { url, digest, revision: 'v2' } })[0];
}

describe('another artifact that is told by its address', () => {
  it('may be another one of the source of the stage', () => {
    const artifact = { source: 'shop/web', url: `${directory}/2.tar.gz`, digest, revision: 'v2' };
    expect(observed(`${directory}/2.tar.gz`)).to.deep.equal({ kind: 'Ready', artifact });
  });

  for (const [what, url] of [
    [
      'of another tenant',
      'http://source-controller.flux-system.svc/gitrepository/other/web/1.tar.gz',
    ],
    ['at another server of the cluster', 'http://vault.vault.svc:8200/v1/secret'],
    ['at another port', directory.replace('.svc/', '.svc:9090/') + '/1.tar.gz'],
    ['by another scheme', `${directory.replace('http:', 'https:')}/1.tar.gz`],
    ['behind dot segments', `${directory}/../../other/web/1.tar.gz`],
    ['behind encoded dot segments', `${directory}/%2e%2e%2f%2e%2e%2fother%2fweb%2f1.tar.gz`],
    ['behind a backslash', `${directory}/..\\..\\other\\web\\1.tar.gz`],
    ['in a directory below', `${directory}/below/1.tar.gz`],
    ['that is a directory', `${directory}/`],
    ['with a query', `${directory}/1.tar.gz?next=http://vault.vault.svc`],
    ['with credentials', `${directory.replace('//', '//me:you@')}/1.tar.gz`],
    ['that is no URL', 'nowhere'],
  ] as const) {
    it(`may be none ${what}, since the controller reaches more than whoever asks`, () => {
      const source = observed(url);
      expect(source).to.include({ kind: 'Unavailable', reason: 'InvalidSpec' });
      expect(source).to.have.property('message').that.includes('not beside the artifact');
    });
  }

  it('may be none where the source itself cannot be used', () => {
    const gone = { kind: 'Unavailable', reason: 'SourceNotReady', message: 'not ready' } as const;
    expect(observed(`${directory}/2.tar.gz`, gone)).to.equal(gone);
  });

  it('is supposed of no stage that the question does not name, whatever that is called', () => {
    expect(supposed([offered], spec('constructor'), {})).to.deep.equal([offered]);
  });
});
