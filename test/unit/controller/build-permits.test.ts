import { expect } from 'chai';
import { BuildPermits } from '../../../src/controller/build-permits.ts';
import type { StageSet } from '../../../src/types/stages.ts';

const { signal } = new AbortController();

function remote(namespace: string, name: string): StageSet {
  return {
    apiVersion: 'stages.metio.wtf/v1',
    kind: 'StageSet',
    metadata: { name, namespace },
    spec: { kubeConfig: { secretRef: { name: 'paris' } }, stages: [] },
  };
}

/** How many of the waits have ended. */
async function admitted(waits: readonly Promise<void>[]): Promise<number> {
  let count = 0;
  for (const wait of waits) wait.then(() => (count += 1)).catch(() => undefined);
  await new Promise((resolve) => setImmediate(resolve));
  return count;
}

describe('permits of builds for remote clusters', () => {
  it('are as many for a namespace whose builds begin while others fetch their artifacts', async () => {
    const permits = new BuildPermits(8);
    const all = ['a', 'b', 'c', 'd', 'e'].map((name) => {
      const slots = permits.of(remote('shop', name));
      permits.of(remote('bank', name));
      return slots;
    });
    const waits = all.map(async (slots) => await slots.enter(signal));
    expect(await admitted(waits)).to.equal(2);
    all[0]?.leave();
    expect(await admitted(waits)).to.equal(3);
  });

  it('take up nobody else', async () => {
    const permits = new BuildPermits(8);
    const shop = ['a', 'b', 'c'].map(
      async (name) => await permits.of(remote('shop', name)).enter(signal),
    );
    const bank = permits.of(remote('bank', 'a')).enter(signal);
    expect(await admitted([...shop, bank])).to.equal(3);
  });
});
