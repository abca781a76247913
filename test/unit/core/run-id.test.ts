import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { type RunIdentity, runId } from '../../../src/core/run-id.ts';

const snapshot: RunIdentity = {
  uid: '0b1f9c1e-1f2e-4a53-9a9d-1c1c1c1c1c1c',
  generation: 3,
  stages: [
    { name: 'dev', revision: 'main@sha1:abc', digest: 'sha256:11' },
    { name: 'prod', revision: 'main@sha1:def', digest: 'sha256:22' },
  ],
  desiredVersion: '1.2.0',
};

function expectedId(json: string): string {
  return createHash('sha256').update(json).digest('hex').slice(0, 16);
}

describe('the id of a run', () => {
  it('is the start of a hash over the documented text', () => {
    expect(runId(snapshot)).to.equal(
      expectedId(
        '{"generation":3,"stages":[' +
          '{"digest":"sha256:11","name":"dev","revision":"main@sha1:abc"},' +
          '{"digest":"sha256:22","name":"prod","revision":"main@sha1:def"}],' +
          '"uid":"0b1f9c1e-1f2e-4a53-9a9d-1c1c1c1c1c1c","version":"1.2.0"}',
      ),
    );
  });

  it('leaves out the version of a StageSet without versions', () => {
    const unversioned = { ...snapshot, stages: [], desiredVersion: undefined };
    expect(runId(unversioned)).to.equal(
      expectedId('{"generation":3,"stages":[],"uid":"0b1f9c1e-1f2e-4a53-9a9d-1c1c1c1c1c1c"}'),
    );
  });

  it('does not depend on the order in which a snapshot was put together', () => {
    const stages = snapshot.stages.map(({ digest, name, revision }) => ({
      digest,
      revision,
      name,
    }));
    const { desiredVersion, generation, uid } = snapshot;
    expect(runId({ desiredVersion, stages, generation, uid })).to.equal(runId(snapshot));
  });

  it('does not depend on anything else that a snapshot carries', () => {
    const stages = snapshot.stages.map((stage) => ({ ...stage, url: 'http://source/artifact' }));
    expect(runId({ ...snapshot, stages })).to.equal(runId(snapshot));
  });

  it('differs for every part of the snapshot', () => {
    const [dev, prod] = snapshot.stages;
    const ids = [
      snapshot,
      { ...snapshot, uid: 'another' },
      { ...snapshot, generation: 4 },
      { ...snapshot, desiredVersion: '1.2.1' },
      { ...snapshot, desiredVersion: undefined },
      { ...snapshot, stages: [prod!, dev!] },
      { ...snapshot, stages: [dev!] },
      { ...snapshot, stages: [dev!, { ...prod!, revision: 'main@sha1:xyz' }] },
      { ...snapshot, stages: [dev!, { ...prod!, digest: 'sha256:33' }] },
      { ...snapshot, stages: [dev!, { ...prod!, name: 'live' }] },
    ].map(runId);
    expect(new Set(ids)).to.have.property('size', ids.length);
  });
});
