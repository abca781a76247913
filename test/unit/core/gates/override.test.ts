import { expect } from 'chai';
import {
  budgetOverrideCommand,
  decideOverride,
  type OverrideQuestion,
  type OverrideVerdict,
  revisionsDigest,
} from '../../../../src/core/gates/override.ts';
import { specOf, stageSetOf } from '../snapshot-builder.ts';

/** Looks again and again, each time with what was kept in the status. */
function looks(...questions: Partial<OverrideQuestion>[]): OverrideVerdict[] {
  let kept: Pick<OverrideQuestion, 'lastHandled' | 'bound'> = {
    lastHandled: undefined,
    bound: undefined,
  };
  return questions.map((question) => {
    const verdict = decideOverride({
      token: undefined,
      revisions: 'first',
      fullyApplied: false,
      ...kept,
      ...question,
    });
    kept = { lastHandled: verdict.handled, bound: verdict.bound };
    return verdict;
  });
}

function effects(...questions: Partial<OverrideQuestion>[]): boolean[] {
  return looks(...questions).map(({ effective }) => effective);
}

describe('an override by annotation', () => {
  it('does nothing where there is none', () => {
    for (const token of [undefined, '']) {
      expect(looks({ token })).to.deep.equal([
        { effective: false, bound: undefined, handled: undefined },
      ]);
    }
  });

  it('is on record with the revisions that it was given for', () => {
    expect(looks({ token: 'now' })).to.deep.equal([
      { effective: true, bound: { token: 'now', revisions: 'first' }, handled: 'now' },
    ]);
  });

  it('lasts through failures and soaks until all is applied (gap: part B 1.5)', () => {
    const token = 'now';
    expect(
      effects({ token }, { token }, { token }, { token, fullyApplied: true }, { token }),
    ).to.deep.equal([true, true, true, false, false]);
  });

  it('does not carry over to other revisions (gap: part B 1.5)', () => {
    const token = 'now';
    const [, second, third, fourth] = looks(
      { token },
      { token, revisions: 'second' },
      { token, revisions: 'second' },
      { token, revisions: 'first' },
    );
    expect(second).to.deep.equal({ effective: false, bound: undefined, handled: 'now' });
    expect(third?.effective).to.equal(false);
    expect(fourth?.effective).to.equal(false);
  });

  it('lasts when its annotation is removed by whoever applies the StageSet', () => {
    expect(effects({ token: 'now' }, {}, { fullyApplied: true }, {})).to.deep.equal([
      true,
      true,
      false,
      false,
    ]);
  });

  it('binds anew with a new token', () => {
    const [, second] = looks({ token: 'one' }, { token: 'two', revisions: 'second' });
    expect(second).to.deep.equal({
      effective: true,
      bound: { token: 'two', revisions: 'second' },
      handled: 'two',
    });
  });

  it('counts once where nothing is new, as under windowScope All', () => {
    const question = { token: 'now', fullyApplied: true };
    expect(effects(question, question)).to.deep.equal([true, false]);
  });

  it('is over where its token was handled and nothing is bound any more', () => {
    expect(
      decideOverride({
        token: 'now',
        lastHandled: 'now',
        bound: undefined,
        revisions: 'first',
        fullyApplied: false,
      }),
    ).to.deep.equal({ effective: false, bound: undefined, handled: 'now' });
  });

  it('is set for budgets by a command of its own', () => {
    expect(budgetOverrideCommand(stageSetOf(specOf(['dev'])))).to.equal(
      'kubectl annotate stageset shop -n team --overwrite stages.metio.wtf/budget-override="$(date +%s)"',
    );
  });
});

describe('the digest of pinned revisions', () => {
  it('is of each stage, whatever its source is called (gap: part B 1.5)', () => {
    const one = revisionsDigest([
      { stage: 'dev', revision: 'v1' },
      { stage: 'prod', revision: 'v2' },
    ]);
    const other = revisionsDigest([
      { stage: 'dev', revision: 'v2' },
      { stage: 'prod', revision: 'v1' },
    ]);
    expect(one).not.to.equal(other);
    const swapped = revisionsDigest([
      { stage: 'prod', revision: 'v2' },
      { stage: 'dev', revision: 'v1' },
    ]);
    expect(swapped).to.equal(one);
  });
});
