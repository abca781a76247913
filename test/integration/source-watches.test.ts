import { expect } from 'chai';
import { SourceWatches } from '../../src/controller/source-watches.ts';
import { type Instant, instant } from '../../src/core/time.ts';
import { sharedPlayground } from '../playground.ts';
import { eventually } from './objects.ts';

describe('watches on sources', () => {
  it('that nobody asks for any more make room for others', async () => {
    const { client } = await sharedPlayground();
    const call = { signal: AbortSignal.timeout(30_000) };
    let now = 0;
    const synced: string[] = [];
    const watches = new SourceWatches({
      client,
      namespaces: [],
      onEvent: ({ type }) => synced.push(type),
      onTrouble: () => undefined,
      now: (): Instant => instant(now),
      most: 1,
    });
    const ask = async (kind: string): Promise<boolean> => {
      const apiVersion = 'source.toolkit.fluxcd.io/v1';
      return (await watches.storeOf({ apiVersion, kind }, 'default', call)) !== undefined;
    };
    const untilWatched = async (kind: string): Promise<void> => {
      await eventually(async () => await ask(kind));
    };
    try {
      await untilWatched('GitRepository');
      now = 59 * 60_000;
      expect(await ask('Bucket')).to.equal(false);
      now = 61 * 60_000;
      await untilWatched('Bucket');
      expect(await ask('GitRepository')).to.equal(false);
    } finally {
      await watches.stop();
    }
  });
});
