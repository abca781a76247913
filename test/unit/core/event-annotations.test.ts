import { expect } from 'chai';
import { decide } from '../../../src/core/decide.ts';
import { eventAnnotations, runBehind } from '../../../src/core/event-annotations.ts';
import type { RunProgress } from '../../../src/core/run.ts';
import { failureOf, noon, ready, snapshotOf, specOf, stageSetOf } from './snapshot-builder.ts';

function runOf(...revisions: readonly string[]): RunProgress {
  const names = revisions.map((_, index) => `s${index}`);
  const sources = revisions.map((revision, index) => ready(`s${index}`, revision));
  const { run } = decide(snapshotOf(stageSetOf(specOf(names)), { sources }));
  if (run === undefined) throw new Error('the run should start');
  return run;
}

const plain = stageSetOf(specOf(['dev']));

describe('the annotations of an event', () => {
  it('have the revision under the group, as Flux has it', () => {
    expect(eventAnnotations(plain, runOf('main@sha1:1f'))).to.deep.equal({
      'stages.metio.wtf/revision': 'main@sha1:1f',
    });
  });

  it('have each revision of several stages once, in stage order', () => {
    expect(eventAnnotations(plain, runOf('v2', 'v1', 'v2'))).to.deep.equal({
      'stages.metio.wtf/revision': 'v2,v1',
    });
  });

  it('are of bounded length', () => {
    const many = Array.from({ length: 12 }, (_, index) => `v${index}`);
    expect(eventAnnotations(plain, runOf(...many))).to.deep.equal({
      'stages.metio.wtf/revision': 'v0,v1,v2,v3,v4,v5,v6,v7,v8,v9,...',
    });
    const long = eventAnnotations(plain, runOf('x'.repeat(5000)));
    expect(long['stages.metio.wtf/revision']).to.have.lengthOf(1024);
  });

  it('have no revision where no run is told of', () => {
    expect(eventAnnotations(plain, undefined)).to.deep.equal({});
  });

  it('have the metadata that the StageSet asks for, and no other annotation of it', () => {
    const annotations = {
      'event.toolkit.fluxcd.io/environment': 'production',
      'example.com/password': 'hunter2',
    };
    const stageSet = stageSetOf(specOf(['dev']), { metadata: { annotations } });
    expect(eventAnnotations(stageSet, runOf('v1'))).to.deep.equal({
      'event.toolkit.fluxcd.io/environment': 'production',
      'stages.metio.wtf/revision': 'v1',
    });
  });
});

describe('the run behind a verdict', () => {
  const run = runOf('v1');
  const succeeded: RunProgress = { ...run, outcome: { kind: 'Succeeded', at: noon } };
  const failed: RunProgress = {
    ...run,
    outcome: { kind: 'Failed', at: noon, failure: failureOf({ reason: 'RBACDenied' }) },
  };
  it('is the one that ended with it', () => {
    expect(runBehind(succeeded, 'Succeeded')).to.equal(succeeded);
    expect(runBehind(failed, 'RBACDenied')).to.equal(failed);
  });

  it('is not the one from before a hold, and none that goes on', () => {
    expect(runBehind(succeeded, 'DependencyNotReady')).to.equal(undefined);
    expect(runBehind(failed, 'SourceNotReady')).to.equal(undefined);
    expect(runBehind(run, 'Succeeded')).to.equal(undefined);
    expect(runBehind(undefined, 'Succeeded')).to.equal(undefined);
  });
});
