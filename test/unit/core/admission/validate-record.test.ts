import { expect } from 'chai';
import {
  validateStageInventory,
  validateStageRun,
} from '../../../../src/core/admission/validate-record.ts';
import type { AdmissionRequest } from '../../../../src/types/generated/admission.k8s.io.v1.ts';
import type { JsonObject } from '../../../../src/types/kubernetes.ts';
import { controller, jane, requestFor, settings } from '../../../admission/reviews.ts';

const system = 'system:serviceaccount:kube-system';
const gc = { username: `${system}:generic-garbage-collector` };
const namespaces = { username: `${system}:namespace-controller` };
const oneForAll = { username: 'system:kube-controller-manager' };
const admin = { username: 'root', groups: ['system:masters'] };
const own = { username: controller };

const allowed = { kind: 'Allowed', warnings: [] };

function record(metadata: JsonObject = {}, rest: JsonObject = {}): JsonObject {
  return {
    apiVersion: 'stages.metio.wtf/v1',
    kind: 'StageRun',
    metadata: { name: 'shop-1', namespace: 'team', resourceVersion: '7', ...metadata },
    spec: { runId: 'abc' },
    ...rest,
  };
}

const kinds = [
  { kind: 'StageRun', resource: 'stageruns', validate: validateStageRun },
  { kind: 'StageInventory', resource: 'stageinventories', validate: validateStageInventory },
] as const;

for (const { kind, resource, validate } of kinds) {
  const judge = (fields: Partial<AdmissionRequest>, rules = settings): unknown =>
    validate(requestFor(kind, { name: 'shop-1', ...fields }), rules);
  const change = (
    userInfo: AdmissionRequest['userInfo'],
    object: JsonObject,
    fields: Partial<AdmissionRequest> = {},
  ): unknown =>
    judge({ userInfo, oldObject: record({ finalizers: ['a', 'b'] }), object, ...fields });

  describe(`a ${kind}`, () => {
    it('is written and deleted by the controller', () => {
      expect(judge({ userInfo: own, object: record() })).to.deep.equal(allowed);
      expect(change(own, record({ labels: { a: 'b' } }))).to.deep.equal(allowed);
      expect(change(own, record(), { subResource: 'status' })).to.deep.equal(allowed);
      expect(judge({ userInfo: own, operation: 'DELETE' })).to.deep.equal(allowed);
    });

    it('is written by nobody else, who hears who may', () => {
      for (const operation of ['CREATE', 'UPDATE'] as const) {
        expect(
          judge({ object: record({}, { spec: { runId: 'b' } }), oldObject: record(), operation }),
        ).to.deep.equal({
          kind: 'Refused',
          warnings: [],
          refusal: {
            code: 403,
            reason: 'Forbidden',
            message:
              `${resource}.stages.metio.wtf "shop-1" is forbidden: User "jane" cannot ` +
              `${operation.toLowerCase()} this record: only "${controller}" may`,
            details: { name: 'shop-1', group: 'stages.metio.wtf', kind: resource },
          },
        });
      }
    });

    it('is changed by nobody else in any part', () => {
      const finalizers = ['a', 'b'];
      for (const userInfo of [jane, admin, gc, namespaces, {}]) {
        for (const object of [
          record({ finalizers, labels: { a: 'b' } }),
          record({ finalizers, annotations: { a: 'b' } }),
          record({ finalizers: ['a', 'b', 'c'] }),
          record({ finalizers }, { spec: { runId: 'b' } }),
          record({ finalizers }, { status: { phase: 'Succeeded' } }),
        ]) {
          expect(change(userInfo, object)).to.include({ kind: 'Refused' });
          expect(change(userInfo, object, { subResource: 'status' })).to.include({
            kind: 'Refused',
          });
        }
      }
    });

    it('can lose its finalizers by anybody, so that nothing stays for ever', () => {
      for (const finalizers of [['b'], []]) {
        expect(change(jane, record({ finalizers }))).to.deep.equal(allowed);
      }
      expect(change(jane, record())).to.deep.equal(allowed);
      expect(change(jane, record({ labels: { a: 'b' } }))).to.include({ kind: 'Refused' });
    });

    it('can be written as it is, as a migration of the storage does', () => {
      const managedFields = [{ manager: 'x' }];
      const object = record({ finalizers: ['a', 'b'], resourceVersion: '8', managedFields });
      expect(change(jane, object)).to.deep.equal(allowed);
    });

    it('can be taken from its owner by the garbage collector alone', () => {
      const object = record({ finalizers: ['a', 'b'], ownerReferences: [] });
      for (const userInfo of [gc, oneForAll]) {
        expect(change(userInfo, object)).to.deep.equal(allowed);
      }
      for (const userInfo of [jane, admin]) {
        expect(change(userInfo, object)).to.include({ kind: 'Refused' });
      }
    });

    it('is deleted by what collects garbage and ends namespaces', () => {
      for (const userInfo of [gc, namespaces, oneForAll]) {
        expect(judge({ userInfo, operation: 'DELETE' })).to.deep.equal(allowed);
      }
    });

    it('belongs to nobody while the user of the controller is not known', () => {
      const unknown = { ...settings, controllerUsers: [] };
      for (const userInfo of [own, {}, { username: '' }]) {
        expect(judge({ userInfo, object: record() }, unknown)).to.deep.include({
          kind: 'Refused',
        });
      }
      expect(judge({ userInfo: gc, operation: 'DELETE' }, unknown)).to.deep.equal(allowed);
    });
  });
}

describe('the deletion by a user', () => {
  const remove = { oldObject: record(), name: 'shop-1', operation: 'DELETE' } as const;

  it('of a StageRun is for administrators', () => {
    const judge = (userInfo: AdmissionRequest['userInfo']): unknown =>
      validateStageRun(requestFor('StageRun', { ...remove, userInfo }), settings);
    expect(judge(admin)).to.deep.equal(allowed);
    expect(judge(jane)).to.deep.include({
      kind: 'Refused',
      refusal: {
        code: 403,
        reason: 'Forbidden',
        message:
          'stageruns.stages.metio.wtf "shop-1" is forbidden: User "jane" cannot delete this record: ' +
          `only "${controller}", members of system:masters and the garbage collector of ` +
          'Kubernetes may',
        details: { name: 'shop-1', group: 'stages.metio.wtf', kind: 'stageruns' },
      },
    });
  });

  it('of a StageInventory is for whoever may by RBAC, who hears what comes of it', () => {
    expect(validateStageInventory(requestFor('StageInventory', remove), settings)).to.deep.equal({
      kind: 'Allowed',
      warnings: [
        'the controller looks for the objects of this stage by their labels; it does not find those ' +
          'of kinds that the stage no longer has, and they stay',
      ],
    });
  });
});
