import { expect } from 'chai';
import { Alarm } from '../../../src/kubernetes/alarm.ts';

const longTime = 60_000;

async function lasted(work: Promise<void>): Promise<number> {
  const began = performance.now();
  await work;
  return performance.now() - began;
}

describe('an alarm', () => {
  const { signal } = new AbortController();

  it('ends a wait that is under way', async () => {
    const alarm = new Alarm();
    const waiting = lasted(alarm.wait(longTime, signal));
    alarm.ring();
    expect(await waiting).to.be.lessThan(1000);
  });

  it('ends the next wait when there was none, and that one only', async () => {
    const alarm = new Alarm();
    alarm.ring();
    alarm.ring();
    expect(await lasted(alarm.wait(longTime, signal))).to.be.lessThan(1000);
    expect(await lasted(alarm.wait(30, signal))).to.be.greaterThan(20);
  });

  it('ends when the signal fires, and at once when it has fired', async () => {
    const stop = new AbortController();
    const alarm = new Alarm();
    const waiting = lasted(alarm.wait(longTime, stop.signal));
    stop.abort();
    expect(await waiting).to.be.lessThan(1000);
    expect(await lasted(alarm.wait(longTime, stop.signal))).to.be.lessThan(1000);
  });
});
