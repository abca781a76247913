import { expect } from 'chai';
import { admissionProblems } from '../../../../src/core/validate/admission.ts';
import { specProblems } from '../../../../src/core/validate/spec.ts';
import type { Action, StageActions, StageSetSpec } from '../../../../src/types/stages.ts';
import { specOf, stageSetOf } from '../snapshot-builder.ts';

const nap: Action = { name: 'nap', wait: { duration: '1s' } };

function specWith(actions: StageActions, rest: Partial<StageSetSpec> = {}): StageSetSpec {
  const spec = specOf(['dev'], rest);
  return { ...spec, stages: spec.stages.map((stage) => ({ ...stage, actions })) };
}

/** Paths of the problems, without what all of them begin with. */
function pathsOf(actions: StageActions, rest: Partial<StageSetSpec> = {}): string[] {
  return specProblems(specWith(actions, rest)).map(({ path }) =>
    path.replace('spec.stages[0].actions.', ''),
  );
}

function pre(action: Partial<Action>): string[] {
  return pathsOf({ pre: [{ name: 'a', ...action }] });
}

describe('actions (part A 9.4, rules 3 to 6)', () => {
  it('are accepted when they are sound', () => {
    const actions: StageActions = {
      pre: [nap, { name: 'once', scope: 'Lifetime', job: { sourceRef: { name: 'jobs' } } }],
      post: [{ name: 'hook', http: { url: 'https://hooks.example/' } }],
      onFailure: [
        { name: 'gone', delete: { target: { kind: 'Job', apiVersion: 'batch/v1', name: 'x' } } },
      ],
    };
    expect(pathsOf(actions)).to.deep.equal([]);
  });

  it('say exactly one thing to do', () => {
    expect(pre({})).to.deep.equal(['pre[0]']);
    expect(pre({ wait: { duration: '1s' }, http: { url: 'https://a.example' } })).to.deep.equal([
      'pre[0]',
    ]);
  });

  it('have a name that is theirs alone in the stage', () => {
    expect(pathsOf({ pre: [nap], post: [nap], onFailure: [nap] })).to.deep.equal([
      'post[0].name',
      'onFailure[0].name',
    ]);
    expect(pathsOf({ pre: [{ ...nap, name: '' }] })).to.deep.equal(['pre[0].name']);
  });

  it('have a scope in pre and post only, and Version only with spec.version', () => {
    expect(pathsOf({ onFailure: [{ ...nap, scope: 'Revision' }] })).to.deep.equal([
      'onFailure[0].scope',
    ]);
    expect(pathsOf({ pre: [{ ...nap, scope: 'Version' }] })).to.deep.equal(['pre[0].scope']);
  });

  it('have a completionAnchor with scope Lifetime only, and in full', () => {
    const completionAnchor = { apiVersion: 'v1', kind: 'ConfigMap', name: 'done' };
    expect(pre({ ...nap, completionAnchor })).to.deep.equal(['pre[0].completionAnchor']);
    const nameless = { ...completionAnchor, name: '' };
    expect(pre({ ...nap, scope: 'Lifetime', completionAnchor: nameless })).to.deep.equal([
      'pre[0].completionAnchor.name',
    ]);
  });

  it('of onRollback have names, one type and no scope', () => {
    const onRollback = [nap, { ...nap, scope: 'Lifetime' as const }, { name: 'b' }];
    expect(pathsOf({}, { onRollback })).to.deep.equal([
      'spec.onRollback[1].name',
      'spec.onRollback[1].scope',
      'spec.onRollback[2]',
    ]);
  });
});

describe('[gap] what the reference finds out when an action runs is refused at admission (part A 9.4)', () => {
  it('a job or apply source of a producer without apiVersion', () => {
    const sourceRef = { kind: 'JsonnetSnippet', name: 'x' };
    expect(pre({ job: { sourceRef } })).to.deep.equal(['pre[0].job.sourceRef.apiVersion']);
    expect(pre({ apply: { sourceRef } })).to.deep.equal(['pre[0].apply.sourceRef.apiVersion']);
  });

  it('a wait for nothing, for no bool, for no target', () => {
    const target = { apiVersion: 'v1', kind: 'ConfigMap', name: 'x' };
    expect(pre({ wait: {} })).to.deep.equal(['pre[0].wait']);
    expect(pre({ wait: { target, expr: '1 + 1' } })).to.deep.equal(['pre[0].wait.expr']);
    expect(pre({ wait: { target, expr: 'has(' } })).to.deep.equal(['pre[0].wait.expr']);
    expect(pre({ wait: { expr: 'true' } })).to.deep.equal(['pre[0].wait.target']);
  });

  it('a target with a malformed apiVersion', () => {
    const target = { apiVersion: 'apps/v1/x', kind: 'Deployment', name: 'x' };
    expect(pre({ wait: { target, expr: 'true' } })).to.deep.equal([
      'pre[0].wait.target.apiVersion',
    ]);
    expect(pre({ delete: { target } })).to.deep.equal(['pre[0].delete.target.apiVersion']);
  });

  it('a patch of a name and a selector, of neither, of everything, and one that is none', () => {
    const target = { apiVersion: 'v1', kind: 'ConfigMap' };
    const patch = '{"data":{"a":"b"}}';
    const selector = { matchLabels: { app: 'x' } };
    expect(pre({ patch: { target, patch } })).to.deep.equal(['pre[0].patch.target']);
    const both = { ...target, name: 'x', selector };
    expect(pre({ patch: { target: both, patch } })).to.deep.equal(['pre[0].patch.target']);
    const all = { ...target, selector: {} };
    expect(pre({ patch: { target: all, patch } })).to.deep.equal(['pre[0].patch.target.selector']);
    const named = { ...target, name: 'x' };
    expect(pre({ patch: { target: named, patch: '[1' } })).to.deep.equal(['pre[0].patch.patch']);
    expect(pre({ patch: { target: named, patch, type: 'json6902' } })).to.deep.equal([
      'pre[0].patch.patch',
    ]);
  });

  it('a URL that cannot be called, and a Secret without a key', () => {
    expect(pre({ http: { url: 'ftp://a.example' } })).to.deep.equal(['pre[0].http.url']);
    expect(pre({ http: { url: 'https://u:p@a.example' } })).to.deep.equal(['pre[0].http.url']);
    const headersFrom = [{ name: 'token' }];
    expect(pre({ http: { url: 'https://a.example', headersFrom } })).to.deep.equal([
      'pre[0].http.headersFrom[0].key',
    ]);
  });

  it('a negative duration, and sources of other namespaces where they are forbidden', () => {
    const stageSet = stageSetOf(
      specWith({
        pre: [
          { ...nap, timeout: '-5s' },
          { name: 'far', job: { sourceRef: { name: 'x', namespace: 'other' } } },
        ],
      }),
    );
    const paths = (crossNamespaceReferences: 'Allowed' | 'Refused'): string[] =>
      admissionProblems(stageSet, { crossNamespaceReferences }).map(({ path }) => path);
    expect(paths('Allowed')).to.deep.equal(['spec.stages[0].actions.pre[0].timeout']);
    expect(paths('Refused')).to.deep.equal([
      'spec.stages[0].actions.pre[0].timeout',
      'spec.stages[0].actions.pre[1].job.sourceRef.namespace',
    ]);
  });
});
