import { expect } from 'chai';
import {
  versionFromFiles,
  versionFromObjects,
  versionRoute,
} from '../../../../src/core/version/version-text.ts';
import type { KubernetesObject } from '../../../../src/types/kubernetes.ts';
import type { VersionSource } from '../../../../src/types/stages.ts';

const stages = [{ name: 'db' }, { name: 'web' }];

function invalid(message: string): object {
  return { kind: 'Invalid', reason: 'InvalidVersion', message };
}

describe('the way to a version', () => {
  it('is the value itself, without blanks around it', () => {
    expect(versionRoute({ value: ' v1.4\n' }, stages)).to.deep.equal({
      kind: 'Version',
      version: 'v1.4',
    });
  });

  it('ends at a value that is no version', () => {
    for (const value of ['1.2.3.4', 'latest', '1. 2', 'V1.0.0']) {
      expect(versionRoute({ value }, stages)).to.deep.equal(
        invalid(
          `spec.version.value is ${JSON.stringify(value)}, which is no semantic version such as 2.0.0`,
        ),
      );
    }
    expect(versionRoute({}, stages)).to.deep.equal(
      invalid('spec.version.value is empty; write a semantic version such as 2.0.0'),
    );
  });

  it('leads to the first stage where none is named', () => {
    const fromObject = { kind: 'Deployment', name: 'shop' };
    expect(versionRoute({ fromObject }, stages)).to.deep.include({ kind: 'FromObject', stage: 0 });
    expect(versionRoute({ fromObject: { ...fromObject, stage: 'web' } }, stages)).to.deep.include({
      stage: 1,
    });
    expect(versionRoute({ fromArtifact: { stage: 'web', path: 'VERSION' } }, stages)).to.deep.equal(
      {
        kind: 'FromArtifact',
        stage: 1,
        source: { stage: 'web', path: 'VERSION' },
      },
    );
  });

  it('does not lead to an unknown stage', () => {
    const fromArtifact = { stage: 'cache', path: 'VERSION' };
    expect(versionRoute({ fromArtifact }, stages)).to.deep.equal(
      invalid('spec.version.fromArtifact.stage is cache, and no stage is called so'),
    );
    const fromObject = { stage: 'cache', kind: 'Deployment', name: 'shop' };
    expect(versionRoute({ fromObject }, stages)).to.deep.include({ reason: 'InvalidVersion' });
  });
});

function object(kind: string, name: string, fields: object = {}, labels = {}): KubernetesObject {
  return { apiVersion: 'apps/v1', kind, metadata: { name, labels }, ...fields };
}

describe('a version in an object', () => {
  const label = 'app.kubernetes.io/version';
  const objects = [
    object('Service', 'shop', {}, { [label]: '9.9.9' }),
    object(
      'Deployment',
      'shop',
      { spec: { version: 2, tag: 'v2.1.0-rc.1' } },
      { [label]: '1.4.2' },
    ),
    object('Deployment', 'shop', {}, { [label]: '3.0.0' }),
    object('Deployment', 'bare'),
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'shop', labels: { [label]: '1.0.0' } },
      stringData: { version: '7.7.7', password: 'hunter2' },
    },
  ];
  const of = (source: NonNullable<VersionSource['fromObject']>): unknown => {
    const found = versionFromObjects(source, objects);
    return found.kind === 'Version' ? found.version : found.message;
  };
  const shop = { kind: 'Deployment', name: 'shop' };

  it('is the usual label of the first object that matches', () => {
    expect(of(shop)).to.equal('1.4.2');
    expect(of({ ...shop, apiVersion: 'apps/v1' })).to.equal('1.4.2');
    expect(of({ kind: 'Secret', name: 'shop' })).to.equal('1.0.0');
  });

  it('is what a path leads to, as kubectl reads it', () => {
    expect(of({ ...shop, fieldPath: '{.spec.tag}' })).to.equal('v2.1.0-rc.1');
    expect(of({ ...shop, fieldPath: '{.spec.version}' })).to.equal('2');
    expect(of({ ...shop, fieldPath: 'v{.spec.version}.0' })).to.equal('v2.0');
    expect(of({ ...shop, fieldPath: '{.metadata.labels.app\\.kubernetes\\.io/version}' })).to.equal(
      '1.4.2',
    );
  });

  it('is not there without the object, the label or the field', () => {
    expect(of({ ...shop, apiVersion: 'apps/v2' })).to.equal(
      'the stage renders no apps/v2 Deployment shop; correct spec.version.fromObject',
    );
    expect(of({ kind: 'Deployment', name: 'bare' })).to.equal(
      'Deployment bare has no label app.kubernetes.io/version; add it, or set fieldPath',
    );
    expect(of({ ...shop, fieldPath: '{.spec.absent}' })).to.match(
      /^spec.version.fromObject.fieldPath leads to nothing;.*, in Deployment shop$/,
    );
    expect(of({ ...shop, fieldPath: '{.spec' })).to.match(
      /fieldPath has a "\{" that is not closed/,
    );
    expect(of({ ...shop, fieldPath: '{.spec}' })).to.match(/fieldPath leads to an object/);
  });

  it('is never a value of a Secret, and what is no version is not shown', () => {
    const secret = { kind: 'Secret', name: 'shop' };
    for (const fieldPath of ['{.stringData.version}', '{..password}', '{@}']) {
      expect(of({ ...secret, fieldPath }), fieldPath).to.match(
        /reads a Secret, whose values are never/,
      );
    }
    expect(of({ ...secret, fieldPath: '{.metadata.name}' })).to.equal(
      'spec.version.fromObject.fieldPath of Secret shop has a string of 4 characters, which is no semantic ' +
        'version such as 2.0.0',
    );
  });
});

describe('a version in a file', () => {
  const files = new Map(
    Object.entries({
      VERSION: '\ufeff1.4.2\n',
      'deep/VERSION': 'password: hunter2',
      empty: '\n',
      long: `1.0.0${' '.repeat(2000)}`,
    }).map(([path, text]) => [path, new TextEncoder().encode(text)]),
  );
  const of = (path: string): unknown => {
    const found = versionFromFiles({ stage: 'web', path }, files);
    return found.kind === 'Version' ? found.version : found.message;
  };

  it('is what it has, without blanks around it', () => expect(of('VERSION')).to.equal('1.4.2'));

  it('is looked for at the exact path', () => {
    for (const path of ['./VERSION', '/VERSION', 'version', 'deep']) {
      expect(of(path)).to.equal(
        `the artifact has no file ${path}; correct spec.version.fromArtifact.path`,
      );
    }
  });

  it('is not there in a file with something else, which is not shown', () => {
    expect(of('deep/VERSION')).to.equal(
      'file deep/VERSION of the artifact has a string of 17 characters, which is no semantic version such ' +
        'as 2.0.0',
    );
    expect(of('empty')).to.match(/has an empty string/);
    expect(of('long')).to.match(/has 2005 bytes; it must have a version and nothing else/);
  });
});
