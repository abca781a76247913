import { expect } from 'chai';
import {
  allMetricSourceProblems,
  metricSourceProblems,
} from '../../../../src/core/validate/metric-sources.ts';
import { specProblems } from '../../../../src/core/validate/spec.ts';
import type { MetricSource } from '../../../../src/types/stages.ts';
import { specOf } from '../snapshot-builder.ts';

const prometheus = { address: 'http://prometheus.monitoring:9090', query: 'budget' };
const webhook = { url: 'https://slo.example.com/budget', jsonPath: '{.remaining}' };

describe('a metric source', () => {
  const accepted: MetricSource[] = [
    { prometheus },
    { prometheus: { ...prometheus, address: 'https://host/prefix/' } },
    { prometheus: { ...prometheus, secretRef: { name: 'token' } } },
    { webhook },
    { webhook: { ...webhook, jsonPath: '$.services[0].budget', secretRef: { name: 'token' } } },
    { webhook: { ...webhook, jsonPath: '{.services[?(@.name=="web")].budget}' } },
  ];
  for (const source of accepted) {
    it(`may be ${JSON.stringify(source)}`, () => {
      expect(metricSourceProblems(source, 'at')).to.deep.equal([]);
    });
  }

  const refused: [source: MetricSource, path: string, message: string][] = [
    [{}, 'at', 'needs exactly one of prometheus and webhook'],
    [{ prometheus, webhook }, 'at', 'needs exactly one of prometheus and webhook'],
    [
      { prometheus: { ...prometheus, address: 'prometheus:9090' } },
      'at.prometheus.address',
      'must be an http or https URL',
    ],
    [
      { prometheus: { ...prometheus, address: 'prometheus' } },
      'at.prometheus.address',
      'is a string of 10 characters that is no URL; give https://host/path',
    ],
    [
      { prometheus: { ...prometheus, address: 'https://me:secret@prometheus' } },
      'at.prometheus.address',
      'has credentials in it; put them into a Secret and name it in secretRef',
    ],
    [{ prometheus: { ...prometheus, query: ' ' } }, 'at.prometheus.query', 'is empty; give PromQL'],
    [
      { prometheus: { ...prometheus, secretRef: { name: '' } } },
      'at.prometheus.secretRef.name',
      'is empty; name a Secret or leave it out',
    ],
    [
      { webhook: { ...webhook, url: 'ftp://host/' } },
      'at.webhook.url',
      'must be an http or https URL',
    ],
    [
      { webhook: { ...webhook, jsonPath: '{.remaining' } },
      'at.webhook.jsonPath',
      'has a "{" that is not closed',
    ],
    [
      { webhook: { ...webhook, jsonPath: '' } },
      'at.webhook.jsonPath',
      'is empty; write a JSONPath such as {.spec.replicas}',
    ],
    [
      { webhook: { ...webhook, secretRef: { name: '' } } },
      'at.webhook.secretRef.name',
      'is empty; name a Secret or leave it out',
    ],
  ];
  for (const [source, path, message] of refused) {
    it(`is refused: ${JSON.stringify(source)}`, () => {
      expect(metricSourceProblems(source, 'at')).to.deep.equal([{ path, message }]);
    });
  }

  it('is the same for budgets, analysis and fast track', () => {
    const spec = specOf(['dev'], { errorBudget: { source: {}, freezeThreshold: '0' } });
    const [dev] = spec.stages;
    if (dev === undefined) throw new Error('there is a stage');
    const threshold = { min: '1' };
    const promotion = {
      soak: '1h',
      analysis: {
        checks: [
          { name: 'one', source: { prometheus }, threshold },
          { name: 'two', source: {}, threshold },
        ],
      },
      fastTrack: { source: {}, max: '1' },
    };
    const errorBudget = { source: {}, freezeThreshold: '0' };
    const whole = { ...spec, stages: [{ ...dev, promotion, errorBudget }] };
    const expected = [
      'spec.errorBudget.source',
      'spec.stages[0].errorBudget.source',
      'spec.stages[0].promotion.analysis.checks[1].source',
      'spec.stages[0].promotion.fastTrack.source',
    ];
    expect(allMetricSourceProblems(whole).map(({ path }) => path)).to.deep.equal(expected);
    expect(specProblems(whole).map(({ path }) => path)).to.include.members(expected);
  });
});
