import { expect } from 'chai';
import { defaultAccountOf, namedAccountOf } from '../../../src/core/service-account.ts';
import { specOf } from './snapshot-builder.ts';

const annotated = (name: string): Record<string, string> => ({
  'stages.metio.wtf/default-service-account': name,
});

describe('the default ServiceAccount of a namespace', () => {
  it('is what its annotation says, whatever the flag says', () => {
    const account = defaultAccountOf(annotated('deployer'), 'everybody');
    expect(account).to.deep.equal({ kind: 'Account', name: 'deployer' });
  });

  it('is what the flag says without an annotation, or with an empty one', () => {
    const everybody = { kind: 'Account', name: 'everybody' };
    expect(defaultAccountOf(undefined, 'everybody')).to.deep.equal(everybody);
    expect(defaultAccountOf(annotated(''), 'everybody')).to.deep.equal(everybody);
  });

  it('is nobody, and so the controller, without both', () => {
    expect(defaultAccountOf({ other: 'x' }, undefined)).to.deep.equal({ kind: 'Controller' });
    expect(defaultAccountOf(annotated(''), '')).to.deep.equal({ kind: 'Controller' });
  });

  for (const name of [
    'Deployer',
    'a/b',
    '../../secrets',
    'a b',
    '-a',
    'a.',
    ' ',
    'a'.repeat(254),
  ]) {
    it(`is not the controller because of a mistake: ${JSON.stringify(name.slice(0, 20))}`, () => {
      const account = defaultAccountOf(annotated(name), 'everybody');
      expect(account.kind).to.equal('Invalid');
      const message = account.kind === 'Invalid' ? account.message : '';
      expect(message).to.match(
        /^the annotation stages\.metio\.wtf\/default-service-account is not the name of a Service/,
      );
    });
  }

  it('may be a name with dots', () => {
    expect(defaultAccountOf(annotated('team-a.deployer'), undefined).kind).to.equal('Account');
  });
});

describe('the ServiceAccount that a StageSet names', () => {
  const { stages } = specOf(['dev', 'prod']);
  const [dev, prod] = stages.map((stage) => ({ ...stage, serviceAccountName: '' }));
  if (dev === undefined || prod === undefined) throw new Error('there are two');
  const spec = {
    serviceAccountName: 'all',
    stages: [{ ...dev, serviceAccountName: 'mine' }, prod],
  };

  it('is that of the stage, or else of the whole', () => {
    expect(namedAccountOf(spec, 'dev')).to.equal('mine');
    expect(namedAccountOf(spec, 'prod')).to.equal('all');
    expect(namedAccountOf(spec)).to.equal('all');
  });

  it('is that of the whole for a stage that left the spec', () => {
    expect(namedAccountOf(spec, 'removed')).to.equal('all');
  });

  it('is nobody where no name is given, or empty ones', () => {
    expect(namedAccountOf({ serviceAccountName: '', stages: [dev, prod] }, 'dev')).to.equal(
      undefined,
    );
    expect(namedAccountOf(undefined)).to.equal(undefined);
  });
});
