import { expect } from 'chai';
import {
  decideWindowGate,
  type WindowQuestion,
  type WindowVerdict,
} from '../../../../src/core/gates/window-hold.ts';
import { after, instant, minutes } from '../../../../src/core/time.ts';
import type { StageSetSpec } from '../../../../src/types/stages.ts';
import { noon, specOf, stageSetOf } from '../snapshot-builder.ts';

/** Holds at noon, and opens in the evening. */
const nightly = { type: 'Allow', schedule: '0 22 * * *', duration: '4h' } as const;
const deny = {
  type: 'Deny',
  schedule: '0 8 * * *',
  duration: '10h',
  timeZone: 'Europe/Berlin',
} as const;
const past = { type: 'Allow', from: '2020-01-01T00:00:00Z', to: '2020-01-02T00:00:00Z' } as const;

const command =
  'kubectl annotate stageset shop -n team --overwrite stages.metio.wtf/update-now="$(date +%s)"';

function ask(spec: Partial<StageSetSpec>, change: Partial<WindowQuestion> = {}): WindowVerdict {
  const whole = specOf(['dev'], { updateWindows: [deny], ...spec });
  return decideWindowGate({
    stageSet: stageSetOf(whole),
    spec: whole,
    newRevisions: true,
    now: noon,
    since: undefined,
    overridden: false,
    ...change,
  });
}

function held(verdict: WindowVerdict): Extract<WindowVerdict, { kind: 'Held' }> {
  if (verdict.kind === 'Open') throw new Error('the windows are open');
  return verdict;
}

describe('the gate of update windows', () => {
  const rows: [
    what: string,
    scope: StageSetSpec['windowScope'],
    newRevisions: boolean,
    at: string,
    expected: string,
  ][] = [
    ['lets pass what is new', undefined, true, '2026-01-01T18:00:00Z', 'Open'],
    ['lets pass what is new', 'All', true, '2026-01-01T18:00:00Z', 'Open'],
    ['holds what is new', undefined, true, '2026-01-01T12:00:00Z', 'Held Updates'],
    ['holds what is new', 'Updates', true, '2026-01-01T12:00:00Z', 'Held Updates'],
    ['holds what is new', 'All', true, '2026-01-01T12:00:00Z', 'Held All'],
    [
      'lets pass a spec-only change and correction of drift',
      undefined,
      false,
      '2026-01-01T12:00:00Z',
      'Open',
    ],
    [
      'holds a spec-only change and correction of drift',
      'All',
      false,
      '2026-01-01T12:00:00Z',
      'Held All',
    ],
  ];
  for (const [what, windowScope, newRevisions, at, expected] of rows) {
    it(`${what} with scope ${windowScope ?? 'left out'} at ${at} (part B 1.4)`, () => {
      const scope = windowScope === undefined ? {} : { windowScope };
      const verdict = ask(scope, { newRevisions, now: instant(Date.parse(at)) });
      expect(verdict.kind === 'Held' ? `Held ${verdict.scope}` : 'Open').to.equal(expected);
    });
  }

  it('is open without windows', () => {
    expect(ask({ updateWindows: [], windowScope: 'All' })).to.deep.equal({ kind: 'Open' });
  });

  it('is open by an override, also under All (part B 1.5)', () => {
    for (const windowScope of ['Updates', 'All'] as const) {
      expect(ask({ windowScope }, { overridden: true })).to.deep.equal({ kind: 'Open' });
    }
  });

  it('says which window holds, since when, until when, and how to pass it', () => {
    const since = after(noon, minutes(-90));
    expect(ask({ updateWindows: [nightly, deny] }, { since })).to.deep.equal({
      kind: 'Held',
      hold: {
        gate: 'UpdateWindow',
        reason:
          'Delivery is held by update window spec.updateWindows[1], ' +
          'Deny "0 8 * * *" for 10h (Europe/Berlin); it opens at 2026-01-01T22:00:00Z',
        since: '2026-01-01T10:30:00Z',
        until: '2026-01-01T22:00:00Z',
        releasedBy: 'Time',
        needs: 'override stagesets/advance in subresources.stages.metio.wtf',
        command,
      },
      message:
        'delivery held by update window spec.updateWindows[1], ' +
        'Deny "0 8 * * *" for 10h (Europe/Berlin) since 2026-01-01T10:30:00Z; ' +
        `to pass it now: ${command}, or stagesets/advance with gate UpdateWindow and override; ` +
        'it opens at 2026-01-01T22:00:00Z',
      until: instant(Date.parse('2026-01-01T22:00:00Z')),
      scope: 'Updates',
    });
  });

  it('holds since now where it did not before', () => {
    expect(held(ask({})).hold.since).to.equal('2026-01-01T12:00:00Z');
  });

  it('names the Allow that opens next where none is active', () => {
    expect(held(ask({ updateWindows: [past, nightly] })).message).to.match(
      /^delivery held by update window spec\.updateWindows\[1\], Allow "0 22 \* \* \*" for 4h \(UTC\), not active yet since .*; it opens at 2026-01-01T22:00:00Z$/,
    );
  });

  it('asks for a repair where no time is known at which it opens', () => {
    const { hold, message, until } = held(ask({ updateWindows: [past] }));
    expect(hold).not.to.have.property('until');
    expect(hold.releasedBy).to.equal('Repair');
    expect(until).to.equal(undefined);
    expect(message).to.match(
      /^delivery held by update windows, of which no Allow is active since .*; no time is known at which it opens: change spec\.updateWindows$/,
    );
  });

  it('says that drift is not corrected under All', () => {
    expect(held(ask({ windowScope: 'All' })).message).to.match(
      /^delivery held by update window .*; windowScope All holds the correction of drift, too; /,
    );
  });

  it('names no second that is still closed', () => {
    const updateWindows = [{ ...deny, duration: '10h0m0.5s' }];
    const { hold, until } = held(ask({ updateWindows }));
    expect(hold.until).to.equal('2026-01-01T17:00:01Z');
    expect(until).to.equal(Date.parse('2026-01-01T17:00:00.500Z'));
  });

  it('lets nothing pass where a window cannot be understood', () => {
    const updateWindows = [deny, { ...nightly, schedule: '@every 1h' }];
    const { hold, message, until } = held(ask({ updateWindows }));
    expect(hold.releasedBy).to.equal('Repair');
    expect(until).to.equal(undefined);
    expect(message).to.match(
      /^delivery held by update window: spec\.updateWindows\[1\]\.schedule begins with @every/,
    );
  });
});
