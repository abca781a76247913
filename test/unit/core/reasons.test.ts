import { expect } from 'chai';
import { isReadyReason, readyReasons, withRunbook } from '../../../src/core/reasons.ts';

const base = 'https://example.com/runbooks/';

describe('the reasons of Ready', () => {
  it('are those of the specification and Progressing', () => {
    expect(Object.keys(readyReasons).sort()).to.deep.equal([
      'ActionDirty',
      'ArtifactNotFound',
      'AwaitingApproval',
      'AwaitingPromotion',
      'BudgetExhausted',
      'BudgetSourceUnavailable',
      'DependencyNotReady',
      'DowngradeNotAllowed',
      'DowngradeRequiresMigration',
      'ImageUnverified',
      'InvalidSpec',
      'InvalidVersion',
      'MigrationArtifactInvalid',
      'MigrationCoverageMissing',
      'MigrationDirty',
      'MigrationFailed',
      'MigrationSourceNotPinned',
      'MigrationSourceNotVerified',
      'MigrationStageNotFound',
      'PreviousRevisionUnavailable',
      'Progressing',
      'PromotionBlocked',
      'RBACDenied',
      'ResolveFailed',
      'Soaking',
      'SourceNotReady',
      'StageFailed',
      'StageProgressing',
      'Stalled',
      'Succeeded',
      'Suspended',
      'UpdateDeferred',
    ]);
  });

  it('are False but for success and progress', () => {
    const others = Object.entries(readyReasons).filter(([, { status }]) => status !== 'False');
    expect(others.map(([reason, { status }]) => [reason, status])).to.deep.equal([
      ['Succeeded', 'True'],
      ['Progressing', 'Unknown'],
    ]);
  });

  it('wait for a person only when somebody suspended the StageSet or it is dirty', () => {
    const waiting = Object.entries(readyReasons).filter(([, { retry }]) => retry === 'None');
    expect(waiting.map(([reason]) => reason)).to.have.members([
      'Suspended',
      'ActionDirty',
      'MigrationDirty',
    ]);
  });

  it('are told from other words', () => {
    expect(isReadyReason('StageFailed')).to.equal(true);
    expect(isReadyReason('stagefailed')).to.equal(false);
    expect(isReadyReason('constructor')).to.equal(false);
  });

  it('link to their page from the message', () => {
    expect(withRunbook('Stage dev: apply: denied', 'RBACDenied', base)).to.equal(
      'Stage dev: apply: denied (runbook: https://example.com/runbooks/rbacdenied/)',
    );
  });

  it('have no page when there is nothing to do', () => {
    for (const reason of ['Succeeded', 'Suspended', 'Progressing']) {
      expect(withRunbook('fine', reason, base)).to.equal('fine');
    }
  });

  it('keep the link when a message is too long', () => {
    const message = withRunbook('x'.repeat(40_000), 'StageFailed', base);
    expect(message).to.have.length(32_768);
    expect(message.endsWith('x... (runbook: https://example.com/runbooks/stagefailed/)')).to.equal(
      true,
    );
  });
});
