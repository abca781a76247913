import { expect } from 'chai';
import { desiredVersion, rollbackTo } from '../../../../src/core/version/desired-version.ts';

describe('the version to deliver', () => {
  it('is what the source offers, as it is written there', () => {
    expect(desiredVersion({ source: 'v2.0', rollbackTo: undefined })).to.deep.equal({
      version: 'v2.0',
      from: 'Source',
    });
  });

  it('is the directive where that is lower', () => {
    expect(desiredVersion({ source: '2.0.0', rollbackTo: 'v1.4' })).to.deep.equal({
      version: 'v1.4',
      from: 'RollbackTo',
    });
  });

  it('stays at the directive when it is reached and a higher one is offered (gap: part B 2.5)', () => {
    for (const source of ['2.0.0', '3.0.0']) {
      expect(desiredVersion({ source, rollbackTo: '1.4.0' }).version).to.equal('1.4.0');
    }
  });

  it('is what the source offers where that is not above the directive', () => {
    for (const source of ['1.0.0', '1.4', 'latest']) {
      expect(desiredVersion({ source, rollbackTo: '1.4.0' })).to.deep.equal({
        version: source,
        from: 'Source',
      });
    }
  });
});

describe('the directive to roll back', () => {
  const of = (value: string | undefined): string | undefined =>
    rollbackTo({
      metadata: {
        name: 'shop',
        ...(value === undefined ? {} : { annotations: { 'stages.metio.wtf/rollback-to': value } }),
      },
    });

  it('is a version, and anything else is none', () => {
    expect([of('1.4.0'), of(' v1.4 '), of('latest'), of(''), of(undefined)]).to.deep.equal([
      '1.4.0',
      'v1.4',
      undefined,
      undefined,
      undefined,
    ]);
  });
});
