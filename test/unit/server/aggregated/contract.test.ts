import { expect } from 'chai';
import { isJsonObject } from '../../../../src/core/validate/json-object.ts';
import { validateRequest, validateResponse } from '../../../../src/server/aggregated/contract.ts';
import { toOpenApiV2 } from '../../../../src/server/aggregated/open-api-v2.ts';
import { StatusError } from '../../../../src/server/aggregated/status-error.ts';
import { contract } from '../../../../src/types/generated/subresources.stages.metio.wtf.v1.document.ts';

const apiVersion = 'subresources.stages.metio.wtf/v1';
const metadata = { name: 'shop', namespace: 'default' };

describe('the contract of the aggregated API', () => {
  it('lets pass an advance, and names what is wrong with another', () => {
    const spec = { stage: 'web', runId: 'abc', gate: 'Soak', reason: 'seen' };
    const advance = { apiVersion, kind: 'StageAdvance', metadata, spec };
    expect(validateRequest('StageAdvance', advance)).to.deep.equal({ causes: [], unknown: [] });
    const wrong = {
      ...advance,
      spec: { stage: 1, gate: 'Door', reason: 'x'.repeat(1025), why: '' },
    };
    expect(validateRequest('StageAdvance', wrong)).to.deep.equal({
      causes: [
        { reason: 'FieldValueRequired', message: 'is required', field: 'spec.runId' },
        {
          reason: 'FieldValueTypeInvalid',
          message: 'must be a string; got a number (put it in quotes)',
          field: 'spec.stage',
        },
        {
          reason: 'FieldValueNotSupported',
          message:
            'must be one of "Suspended", "Dependency", "SourceNotReady", "UpdateWindow", "ErrorBudget", "VersionApproval", "Soak", "RestartGate", "EventGate", "Analysis", "ManualPromotion", "ImageVerification", "MigrationDirty", "ActionDirty"; got a string of 4 characters',
          field: 'spec.gate',
        },
        {
          reason: 'FieldValueTooLong',
          message: 'must have at most 1024 characters; got a string of 1025 characters',
          field: 'spec.reason',
        },
      ],
      unknown: ['spec.why'],
    });
  });

  it('carries what it leaves open', () => {
    const spec = { proposed: { stages: [{ name: 'a' }] }, revisions: { web: { url: 'http://a' } } };
    const plan = { apiVersion, kind: 'StagePlan', metadata: { ...metadata, labels: {} }, spec };
    expect(validateRequest('StagePlan', plan)).to.deep.equal({ causes: [], unknown: [] });
    const misspelt = { ...plan, spec: { revisions: { web: { uri: 'http://a' } } } };
    expect(validateRequest('StagePlan', misspelt).unknown).to.deep.equal([
      'spec.revisions[web].uri',
    ]);
  });

  it('finds a field too many, and one too few, in an answer', () => {
    const objects = { create: 0, update: 0, recreate: 0, prune: 0, conflict: 0 };
    const stages = [{ name: 'web', verdict: 'Held', objects, extra: 1 }];
    const status = { digest: 'a', verdict: 'Held', message: 'm', holds: [], stages };
    const problems = validateResponse('StagePlan', {
      apiVersion,
      kind: 'StagePlan',
      metadata,
      status,
    });
    expect(problems.map(({ path }) => path)).to.deep.equal([
      'status.stages[0].objects.unchanged',
      'status.stages[0].extra',
    ]);
  });

  it('describes every failure', () => {
    const subject = { group: 'stages.metio.wtf', resource: 'stagesets', name: 'shop' };
    for (const error of [
      StatusError.badRequest('no'),
      StatusError.unauthorized(),
      StatusError.forbidden(subject, 'no'),
      StatusError.notFound(subject),
      StatusError.conflict(subject, 'no', [
        { reason: 'Moved', message: 'to b', field: 'spec.runId' },
      ]),
      StatusError.invalid({ group: 'a', kind: 'B', name: 'c' }, [{ reason: 'X', message: 'y' }]),
      StatusError.tooManyRequests('no', 3),
      StatusError.internalError('no'),
      StatusError.timeout('no'),
    ]) {
      expect(validateResponse('Status', error.toStatus())).to.deep.equal([]);
    }
  });
});

describe('the contract as OpenAPI 2.0', () => {
  const document = toOpenApiV2(contract);
  const text = JSON.stringify(document);

  it('refers to nothing that is not there', () => {
    const definitions = new Set(Object.keys(document['definitions'] as object));
    const references = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, target = '']) => target);
    expect(references).to.not.deep.equal([]);
    for (const reference of references) {
      expect(definitions.has(reference.replace('#/definitions/', '')), reference).to.equal(true);
    }
  });

  it('has nothing of 3.0 left', () => {
    expect(document).to.include({ swagger: '2.0' });
    for (const keyword of [
      '"requestBody"',
      '"content"',
      '"components"',
      '"explode"',
      '"nullable"',
    ]) {
      expect(text).to.not.include(keyword);
    }
  });

  it('says what a body and its answer are', () => {
    const path = `/apis/${apiVersion}/namespaces/{namespace}/stagesets/{name}/advance`;
    const paths = document['paths'] as Record<string, unknown>;
    const item = paths[path];
    if (!isJsonObject(item)) throw new Error('no such path');
    expect(item['patch']).to.deep.include({
      consumes: ['application/merge-patch+json'],
      produces: ['application/json'],
      'x-kubernetes-action': 'patch',
    });
    expect(item['patch']).to.have.nested.property(
      'responses.200.schema.$ref',
      '#/definitions/wtf.metio.stages.subresources.v1.StageAdvance',
    );
    expect(item['parameters']).to.deep.include({
      name: 'name',
      in: 'path',
      type: 'string',
      required: true,
      description: 'Name of the StageSet.',
    });
  });
});
