import { expect } from 'chai';
import fc from 'fast-check';
import {
  type ApprovalQuestion,
  type ApprovalVerdict,
  approvalRefusal,
  decideApproval,
} from '../../../../src/core/gates/approval.ts';
import { requestedByAnnotation } from '../../../../src/core/requested-by.ts';
import {
  specChangedByAnnotation,
  specDigest,
  writeSpecAuthor,
} from '../../../../src/core/spec-author.ts';
import { minutes } from '../../../../src/core/time.ts';
import {
  type MigrationPlan,
  planMigrations,
} from '../../../../src/core/version/plan-migrations.ts';
import type { Advance, StageSet, VersionSource } from '../../../../src/types/stages.ts';
import { noon, specOf, stageSetOf } from '../snapshot-builder.ts';
import { migration, question as migrationQuestion } from '../version/ladders.ts';

const approved = 'stages.metio.wtf/approved-version';
const planned = planMigrations(migrationQuestion({ ladder: [migration('one', '2.0.0')] }));
const bare = planMigrations(migrationQuestion({}));
const down = planMigrations(
  migrationQuestion({
    current: '2.0.0',
    desired: '1.0.0',
    allowDowngrade: true,
    ladder: [migration('one', '2.0.0')],
  }),
);

interface Situation {
  readonly version?: Partial<VersionSource>;
  readonly plan?: MigrationPlan;
  /** The annotation, and who is noted to have set it. */
  readonly annotation?: { readonly value: string; readonly by?: string };
  readonly author?: string;
  readonly advances?: readonly (string | undefined)[];
}

function advance(user: string | undefined, gate = 'VersionApproval'): Advance {
  const who = user === undefined ? {} : { user };
  return { at: '2026-01-01T11:00:00Z', stage: 'dev', gate, via: 'API', ...who };
}

function questionOf(situation: Situation): ApprovalQuestion {
  const { version, plan = planned, annotation, author, advances = [] } = situation;
  const spec = specOf(['dev', 'prod'], {
    version: { value: '2.0.0', approvalMode: 'Always', ...version },
  });
  const notes =
    annotation?.by === undefined
      ? {}
      : {
          [requestedByAnnotation]: JSON.stringify({
            [approved]: { value: annotation.value, user: annotation.by },
          }),
        };
  const changed =
    author === undefined
      ? {}
      : {
          [specChangedByAnnotation]: writeSpecAuthor({
            digest: specDigest(spec),
            requester: { user: author },
          }),
        };
  const named = annotation === undefined ? {} : { [approved]: annotation.value };
  const stageSet: StageSet = stageSetOf(spec, {
    metadata: { annotations: { ...named, ...notes, ...changed } },
  });
  return {
    stageSet,
    spec,
    plan,
    desired: '2.0.0',
    current: '1.0.0',
    advances: advances.map((user) => advance(user)),
    runId: 'abc',
    now: noon,
    since: undefined,
  };
}

function decided(situation: Situation): ApprovalVerdict {
  return decideApproval(questionOf(situation));
}

function reason(situation: Situation): string {
  const verdict = decided(situation);
  return verdict.kind === 'Held' ? verdict.hold.reason : verdict.kind;
}

const waits = 'The change from version 1.0.0 to 2.0.0 (1 migration) waits for ';

describe('a change of the version', () => {
  it('is held by nobody unless the spec says so', () => {
    expect(reason({ version: { approvalMode: undefined } })).to.equal('Open');
    expect(reason({ version: { approvalMode: 'Never' } })).to.equal('Open');
  });

  it('with migrations is held by OnMigrations, up and down', () => {
    const version: Partial<VersionSource> = { approvalMode: 'OnMigrations' };
    expect(reason({ version, plan: bare })).to.equal('Open');
    expect(reason({ version })).to.equal(`${waits}approval`);
    expect(decided({ version, plan: down }).kind).to.equal('Held');
  });

  it('is held by Always, whatever it is', () => {
    expect(reason({ plan: bare })).to.equal(
      'The change from version 1.0.0 to 2.0.0 (no migration) waits for approval',
    );
    expect(decided({ plan: down }).kind).to.equal('Held');
  });

  it('that is none, or the first delivery, is never held', () => {
    for (const plan of [{ kind: 'None' }, { kind: 'Baseline' }] as const) {
      expect(reason({ plan })).to.equal('Open');
    }
  });

  it('says since when it is held, what releases it, and the command', () => {
    const command =
      'kubectl --namespace team annotate --overwrite stageset/shop stages.metio.wtf/approved-version=2.0.0';
    const since = noon;
    const verdict = decideApproval({
      ...questionOf({}),
      since,
      now: (noon + minutes(5)) as typeof noon,
    });
    expect(verdict).to.deep.equal({
      kind: 'Held',
      hold: {
        gate: 'VersionApproval',
        reason: `${waits}approval`,
        since: '2026-01-01T12:00:00Z',
        releasedBy: 'Person',
        needs: 'create stagesets/advance in subresources.stages.metio.wtf',
        command,
      },
      reason: 'AwaitingApproval',
      message: `${waits}approval, since 2026-01-01T12:00:00Z; to go on: ${command}`,
    });
  });
});

describe('an approval', () => {
  it('is for the version that it means, however that is written (gap: part B 2.1)', () => {
    for (const value of ['2.0.0', 'v2.0.0', '2', ' 2.0.0 ', '2.0.0+build.1']) {
      expect(reason({ annotation: { value } }), value).to.equal('Open');
    }
    for (const value of ['', '1.0.0', '2.0.1', 'latest', '2.0.0-rc.1']) {
      expect(reason({ annotation: { value } }), value).to.equal(`${waits}approval`);
    }
  });

  it('may be an advance of this run past the gate', () => {
    expect(reason({ advances: ['olga'] })).to.equal('Open');
    expect(reason({ advances: [undefined] })).to.equal('Open');
    const other = { ...questionOf({}), advances: [advance('olga', 'Soak')] };
    expect(decideApproval(other).kind).to.equal('Held');
  });
});

describe('several approvals', () => {
  const version: Partial<VersionSource> = { approvals: { required: 3 } };

  it('must be of different users, by whichever way they approve', () => {
    expect(reason({ version })).to.equal(`${waits}3 more of 3 approvals`);
    expect(reason({ version, advances: ['olga', 'olga'] })).to.equal(
      `${waits}2 more of 3 approvals (approved by olga)`,
    );
    const annotation = { value: '2.0.0', by: 'piet' };
    expect(reason({ version, annotation, advances: ['olga', 'piet'] })).to.equal(
      `${waits}1 more of 3 approvals (approved by olga, piet)`,
    );
    expect(reason({ version, annotation, advances: ['olga', 'ruth'] })).to.equal('Open');
  });

  it('must be of users that somebody vouches for', () => {
    const annotation = { value: '2.0.0' };
    expect(reason({ version, annotation, advances: [undefined, '', 'olga'] })).to.equal(
      `${waits}2 more of 3 approvals (approved by olga)`,
    );
  });

  it('are given by the API once the annotation is taken', () => {
    const verdict = decided({ version, annotation: { value: '2.0.0', by: 'piet' } });
    expect(verdict.kind === 'Held' && verdict.hold.command).to.equal(
      'kubectl --namespace team patch stagesets.subresources.stages.metio.wtf shop --subresource=advance ' +
        `--type=merge --patch '{"spec":{"stage":"dev","gate":"VersionApproval","runId":"abc"}}'`,
    );
  });
});

describe('whoever changed the spec last', () => {
  const version: Partial<VersionSource> = { approvals: { excludeSpecAuthor: true } };

  it('cannot approve the change, and the hold says so', () => {
    expect(reason({ version, author: 'jane' })).to.equal(
      `${waits}approval, not by jane, who changed the spec last`,
    );
    const annotation = { value: '2.0.0', by: 'jane' };
    expect(reason({ version, author: 'jane', annotation })).to.equal(
      `${waits}approval, not by jane, who changed the spec last, whose approval does not count`,
    );
    expect(reason({ version, author: 'jane', annotation, advances: ['jane', 'olga'] })).to.equal(
      'Open',
    );
  });

  it('can, where the spec does not exclude them', () => {
    expect(reason({ author: 'jane', annotation: { value: '2.0.0', by: 'jane' } })).to.equal('Open');
  });

  it('is told apart from others, or nobody can approve', () => {
    const situation = { version, annotation: { value: '2.0.0', by: 'olga' }, advances: ['piet'] };
    const verdict = decided(situation);
    expect(verdict).to.have.nested.property('hold.releasedBy', 'Repair');
    expect(reason(situation)).to.equal(
      `${waits}somebody to change the spec once more: whoever changed it does not count ` +
        '(approvals.excludeSpecAuthor), and the admission webhook has not noted who that was',
    );
  });

  it('leaves the annotation of nobody known without effect', () => {
    expect(reason({ version, author: 'jane', annotation: { value: '2.0.0' } })).to.equal(
      `${waits}approval, not by jane, who changed the spec last`,
    );
  });

  it('hears why their approval would not count', () => {
    const { stageSet, spec } = questionOf({ version, author: 'jane' });
    expect(approvalRefusal({ stageSet, spec }, 'jane')).to.match(/^jane changed the spec last/);
    expect(approvalRefusal({ stageSet, spec }, 'olga')).to.equal(undefined);
    const lenient = questionOf({ author: 'jane' });
    expect(approvalRefusal(lenient, 'jane')).to.equal(undefined);
  });
});

describe('approvals', () => {
  it('open the gate exactly when enough different users who count have approved', () => {
    const user = fc.constantFrom('jane', 'olga', 'piet', 'ruth');
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 4 }),
        fc.boolean(),
        user,
        fc.array(user, { maxLength: 6 }),
        (required, excludeSpecAuthor, author, advances) => {
          const version = { approvals: { required, excludeSpecAuthor } };
          const verdict = decided({ version, author, advances });
          const counting = advances.filter((each) => !excludeSpecAuthor || each !== author);
          const open = new Set(counting).size >= required;
          expect(verdict.kind).to.equal(open ? 'Open' : 'Held');
        },
      ),
    );
  });
});

describe('attack 136: approvals of one person as several ServiceAccounts (people count, part B 2.6)', () => {
  const [one, other] = ['system:serviceaccount:team:a', 'system:serviceaccount:team:b'];

  it('do not add up to several people', () => {
    const version = { approvals: { required: 2 } };
    const verdict = decideApproval(questionOf({ version, advances: [one, other, 'alice'] }));
    expect(verdict.kind).to.equal('Held');
    const enough = questionOf({ version, advances: [one, 'alice', 'bob'] });
    expect(decideApproval(enough).kind).to.equal('Open');
  });

  it('do not stand for somebody else than the author of the spec', () => {
    const version = { approvals: { excludeSpecAuthor: true } };
    const asked = questionOf({ version, author: 'mallory', advances: [one] });
    expect(decideApproval(asked).kind).to.equal('Held');
    expect(approvalRefusal(asked, one)).to.include('is a ServiceAccount');
  });

  it('count where one approval of whomever is enough', () => {
    expect(decideApproval(questionOf({ advances: [one] })).kind).to.equal('Open');
  });
});
