import { expect } from 'chai';
import { changePage } from '../../../../src/server/aggregated/plan/change-pages.ts';
import type { StagePlanStatus } from '../../../../src/types/generated/subresources.stages.metio.wtf.v1.ts';

function status(...counts: number[]): StagePlanStatus {
  const objects = { create: 0, update: 0, recreate: 0, prune: 0, conflict: 0, unchanged: 0 };
  return {
    digest: 'd',
    verdict: 'WillApply',
    message: '',
    holds: [],
    stages: counts.map((count, stage) => ({
      name: `s${stage}`,
      verdict: 'WillApply',
      objects,
      changes: Array.from({ length: count }, (_, index) => ({
        verb: 'Create' as const,
        apiVersion: 'v1',
        kind: 'ConfigMap',
        name: `${stage}-${index}`,
      })),
    })),
  };
}

function shown({ stages }: StagePlanStatus): string[] {
  return stages.map(({ changes }) => (changes ?? []).map(({ name }) => name).join(' '));
}

describe('pages of a plan', () => {
  it('are one where everything fits', () => {
    const page = changePage(status(2, 1), 0, 3);
    expect(shown(page.status)).to.deep.equal(['0-0 0-1', '1-0']);
    expect(page).to.include({ next: undefined, remaining: 0 });
    expect(page.status.truncated).to.equal(undefined);
  });

  it('cut through stages, and give each change once', () => {
    const first = changePage(status(2, 0, 3), 0, 3);
    expect(shown(first.status)).to.deep.equal(['0-0 0-1', '', '2-0']);
    expect(first).to.include({ next: 3, remaining: 2 });
    expect(first.status.truncated).to.equal(true);
    const second = changePage(status(2, 0, 3), 3, 3);
    expect(shown(second.status)).to.deep.equal(['', '', '2-1 2-2']);
    expect(second).to.include({ next: undefined, remaining: 0 });
    expect(second.status.truncated).to.equal(false);
  });
});
