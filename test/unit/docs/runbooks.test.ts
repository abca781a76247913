import { readdir } from 'node:fs/promises';
import { expect } from 'chai';
import { type RetryClass, readyReasons } from '../../../src/core/reasons.ts';
import { root, textOf } from './markdown.ts';

/** What a page says about when a reason is looked at again. */
const again: Readonly<Record<Exclude<RetryClass, 'Steady'>, string>> = {
  Minute: 'every minute.',
  RetryInterval: 'after `spec.retryInterval`, or `spec.interval` where that is not set.',
  Backoff: 'with backoff, from 1 second to 1,000 seconds.',
  Scheduled: 'when the gate that holds says so.',
  None: 'only after an event or a forced reconcile.',
};

/** Those that are looked at otherwise than the rest of their class. */
const ownWords: Readonly<Record<string, string>> = {
  RBACDenied: 'after 5, 15, 30 and 60 seconds, then every minute.',
  ActionDirty: 'only when the spec or a revision changes, or a person asks for it.',
};

const withPage = Object.entries(readyReasons).filter(([, { runbook }]) => runbook);

function pageOf(reason: string): string {
  return `docs/runbooks/${reason.toLowerCase()}.md`;
}

describe('the runbooks', () => {
  it('are one for each reason whose message links to one', async () => {
    const files = await readdir(`${root}docs/runbooks`);
    const expected = [...withPage.map(([reason]) => `${reason.toLowerCase()}.md`), 'README.md'];
    expect(files.sort()).to.deep.equal(expected.sort());
  });

  for (const [reason, { status, retry }] of withPage) {
    it(`say of ${reason} what it means, how to look, how to repair, and when it is looked at again`, async () => {
      const text = await textOf(pageOf(reason));
      const headings = text.split('\n').filter((line) => line.startsWith('#'));
      expect(headings).to.deep.equal([
        `# ${reason}`,
        '## What it means',
        '## How to look',
        '## How to repair',
        '## What happens by itself',
      ]);
      const when = retry === 'Steady' ? '' : (ownWords[reason] ?? again[retry]);
      expect(text).to.include(`\`Ready\` is \`${status}\`. Looked at again: ${when}`);
    });
  }

  it('explain the reasons without a page in the page about the status', async () => {
    const text = await textOf('docs/status-and-conditions.md');
    const others = Object.keys(readyReasons).filter(
      (reason) => !withPage.some(([name]) => name === reason),
    );
    expect(others.filter((reason) => !text.includes(`\`${reason}\``))).to.deep.equal([]);
  });
});
