import { expect } from 'chai';
import { unreadableDurations } from '../../../../src/core/validate/durations.ts';
import { promotionProblems } from '../../../../src/core/validate/promotion.ts';
import type { Promotion, StageSetSpec } from '../../../../src/types/stages.ts';
import { metric, webEvents, webRestarts } from '../gates/stage-at-gates.ts';
import { specOf } from '../snapshot-builder.ts';

const errors = { name: 'errors', source: metric('errors'), threshold: { max: '0.05' } };

function specWith(promotion: Promotion): StageSetSpec {
  const [dev, prod] = specOf(['dev', 'prod']).stages;
  if (dev === undefined || prod === undefined) throw new Error('there are two stages');
  return { stages: [dev, { ...prod, promotion }] };
}

/** Path behind `promotion`, and message, of each problem. */
function problemsOf(promotion: Promotion): [string, string][] {
  return promotionProblems(specWith(promotion)).map(({ path, message }) => [
    path.replace('spec.stages[1].promotion.', ''),
    message,
  ]);
}

describe('promotion gates in a spec (part B 3.1)', () => {
  it('have nothing wrong where each gate is complete', () => {
    expect(
      problemsOf({
        soak: '30m',
        requireManualPromotion: true,
        restartGate: { onFailure: 'Rollback', checks: [webRestarts] },
        eventGate: { checks: [{ ...webEvents, onFailure: 'Rollback' }] },
        analysis: {
          checks: [
            errors,
            { ...errors, name: 'rate', threshold: { min: '-1.5e3', max: '+2' } },
            { ...errors, name: 'same', threshold: { min: '1', max: '1.0' } },
          ],
          onFailure: 'Rollback',
          dryRun: true,
        },
        fastTrack: { source: metric('errors'), max: '.5', after: '5m' },
      }),
    ).to.deep.equal([]);
    expect(problemsOf({})).to.deep.equal([]);
  });

  const wrong: [string, Promotion, [string, string][]][] = [
    [
      'a check without a name',
      { restartGate: { checks: [{ ...webRestarts, name: '' }] } },
      [['restartGate.checks[0].name', 'is empty; give the check a name']],
    ],
    [
      'two checks of one name',
      { analysis: { checks: [errors, errors] } },
      [
        [
          'analysis.checks[1].name',
          'is errors, which spec.stages[1].promotion.analysis.checks[0] is called already; ' +
            'give it another name',
        ],
      ],
    ],
    [
      'a selector that selects everything',
      {
        restartGate: { checks: [{ ...webRestarts, selector: {} }] },
        eventGate: { checks: [{ ...webEvents, selector: { matchLabels: {} } }] },
      },
      ['restartGate', 'eventGate'].map((gate): [string, string] => [
        `${gate}.checks[0].selector`,
        'is empty; name the labels of the pods that belong to the stage',
      ]),
    ],
    [
      'a selector that no API server understands',
      {
        restartGate: {
          checks: [
            { ...webRestarts, selector: { matchExpressions: [{ key: 'app', operator: 'Like' }] } },
          ],
        },
      },
      [
        [
          'restartGate.checks[0].selector',
          'selector: the operator of app must be In, NotIn, Exists or DoesNotExist',
        ],
      ],
    ],
    [
      'no reasons, or an empty one',
      {
        eventGate: {
          checks: [
            { ...webEvents, reasons: [] },
            { ...webEvents, name: 'other', reasons: ['BackOff', ''] },
          ],
        },
      },
      [
        ['eventGate.checks[0].reasons', 'is empty; name the reasons that count, such as BackOff'],
        ['eventGate.checks[1].reasons[1]', 'is empty'],
      ],
    ],
    [
      'a gate without checks',
      { analysis: { checks: [] } },
      [['analysis.checks', 'is empty; list a check or leave the gate out']],
    ],
    [
      'a threshold without a bound',
      { analysis: { checks: [{ ...errors, threshold: {} }] } },
      [['analysis.checks[0].threshold', 'has neither min nor max; give at least one of them']],
    ],
    [
      'bounds that nothing is within',
      { analysis: { checks: [{ ...errors, threshold: { min: '2', max: '1.5' } }] } },
      [['analysis.checks[0].threshold', 'has a min above its max, which no value can pass']],
    ],
    [
      'a fastTrack without a soak',
      { fastTrack: { source: metric('errors'), max: '1' } },
      [
        [
          'fastTrack',
          'ends a soak early, but there is none; set soak to more than 0 or remove fastTrack',
        ],
      ],
    ],
  ];
  for (const [what, promotion, problems] of wrong) {
    it(`must not have ${what}`, () => {
      expect(problemsOf(promotion)).to.deep.equal(problems);
    });
  }

  it('must have decimals for bounds', () => {
    const pathsOf = (bound: string): string[] =>
      problemsOf({
        soak: '1m',
        analysis: { checks: [{ ...errors, threshold: { min: bound, max: bound } }] },
        fastTrack: { source: metric('errors'), max: bound },
      }).map(([path]) => path);
    for (const bound of ['', 'five', '1,5', '5%', 'NaN', 'Infinity', '0x10', '1e999']) {
      expect(pathsOf(bound), bound).to.deep.equal([
        'analysis.checks[0].threshold.min',
        'analysis.checks[0].threshold.max',
        'fastTrack.max',
      ]);
    }
  });

  it('need a soak of more than nothing for a fastTrack, whatever is written', () => {
    const paths = ['0', '0s', '-5m'].map((soak) =>
      problemsOf({ soak, fastTrack: { source: metric('errors'), max: '1' } }).map(([path]) => path),
    );
    expect(paths).to.deep.equal([['fastTrack'], ['fastTrack'], ['fastTrack']]);
  });

  it('have durations that can be read', () => {
    const tooLong = '2562048h';
    const checks = [errors];
    const fastTrack = { source: metric('errors'), max: '1', after: tooLong };
    const promotion = { soak: tooLong, analysis: { checks, interval: tooLong }, fastTrack };
    const paths = unreadableDurations(specWith(promotion)).map(({ path }) => path);
    expect(paths).to.deep.equal([
      'spec.stages[1].promotion.soak',
      'spec.stages[1].promotion.analysis.interval',
      'spec.stages[1].promotion.fastTrack.after',
    ]);
    expect(promotionProblems(specWith(promotion))).to.deep.equal([]);
  });
});
