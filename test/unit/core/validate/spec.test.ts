import { expect } from 'chai';
import fc from 'fast-check';
import { specProblems } from '../../../../src/core/validate/spec.ts';
import type { Stage } from '../../../../src/types/stages.ts';
import { specOf } from '../snapshot-builder.ts';

function stage(name: string, rest: Partial<Stage> = {}): Stage {
  return { name, sourceRef: { name: 'app' }, ...rest };
}

describe('a spec', () => {
  it('without anything wrong has no problems', () => {
    const spec = specOf(['dev', 'prod'], {
      interval: '10m',
      retryInterval: '1m30s',
      driftDetectionInterval: '0',
      timeout: '-5m',
      serviceAccountName: 'deployer',
      suspend: false,
    });
    expect(specProblems(spec)).to.deep.equal([]);
  });

  it('may feed several stages from one source', () => {
    expect(specProblems({ stages: [stage('dev'), stage('prod')] })).to.deep.equal([]);
  });

  it('must not give two stages one name, and hears of each repetition', () => {
    const names = ['dev', 'prod', 'dev', 'dev'];
    expect(specProblems({ stages: names.map((name) => stage(name)) })).to.deep.equal([
      {
        path: 'spec.stages[2].name',
        message: 'is dev, which spec.stages[0] is called already; give it another name',
      },
      {
        path: 'spec.stages[3].name',
        message: 'is dev, which spec.stages[0] is called already; give it another name',
      },
    ]);
  });

  const tooLong = '2562048h';
  const durations: [string, Parameters<typeof specProblems>[0]][] = [
    ['spec.interval', specOf(['dev'], { interval: tooLong })],
    ['spec.retryInterval', specOf(['dev'], { retryInterval: tooLong })],
    ['spec.driftDetectionInterval', specOf(['dev'], { driftDetectionInterval: tooLong })],
    ['spec.timeout', specOf(['dev'], { timeout: tooLong })],
    ['spec.stages[0].timeout', { stages: [stage('dev', { timeout: tooLong })] }],
    [
      'spec.stages[1].readyChecks.timeout',
      { stages: [stage('dev'), stage('prod', { readyChecks: { timeout: tooLong } })] },
    ],
  ];
  for (const [path, spec] of durations) {
    it(`hears that ${path} is longer than a duration can be`, () => {
      expect(specProblems(spec)).to.deep.equal([
        {
          path,
          message:
            '"2562048h" is not a duration: it is longer than the 292 years that a duration can ' +
            'hold; give a duration such as 90s, 15m or 1h30m',
        },
      ]);
    });
  }

  it('must not name an account that leads to another namespace, and may leave it out', () => {
    const message =
      'is not the name of a ServiceAccount; name one of the namespace of the StageSet';
    const stages = [stage('dev', { serviceAccountName: '../x/admin' }), stage('prod')];
    expect(specProblems({ serviceAccountName: 'kube-system/admin', stages })).to.deep.equal([
      { path: 'spec.serviceAccountName', message },
      { path: 'spec.stages[0].serviceAccountName', message },
    ]);
    const empty = { serviceAccountName: '', stages: [stage('dev', { serviceAccountName: '' })] };
    expect(specProblems(empty)).to.deep.equal([]);
  });

  it('hears of everything at once', () => {
    const spec = {
      interval: 'soon',
      stages: [
        stage('dev', { promotion: { analysis: { checks: [] } } }),
        stage('dev', { timeout: '' }),
      ],
    };
    expect(specProblems(spec).map(({ path }) => path)).to.deep.equal([
      'spec.stages[1].name',
      'spec.interval',
      'spec.stages[1].timeout',
      'spec.stages[0].promotion.analysis.checks',
    ]);
  });

  it('is judged whatever is in it, with a path and a message for each problem', () => {
    const texts = fc.oneof(fc.string(), fc.constantFrom('1h', '0', '-1s', '9'.repeat(500)));
    const specs = fc.record({
      interval: texts,
      timeout: texts,
      stages: fc.array(fc.record({ name: texts, timeout: texts }), { maxLength: 5 }),
    });
    fc.assert(
      fc.property(specs, ({ stages, ...rest }) => {
        const full = stages.map(({ name, timeout }) => stage(name, { timeout }));
        for (const { path, message } of specProblems({ ...rest, stages: full })) {
          expect(path).to.match(/^spec\./);
          expect(message).not.to.equal('');
        }
      }),
    );
  });
});
