import { expect } from 'chai';
import {
  failedContainerOf,
  lastLines,
  plainLine,
} from '../../../../src/core/actions/job-output.ts';
import { findSealed } from '../../../../src/core/actions/sealed-objects.ts';
import type { JsonObject, KubernetesObject } from '../../../../src/types/kubernetes.ts';
import { configMap } from '../../../objects.ts';

describe('the output of a failed Job', () => {
  it('is its last ten lines, without empty ones', () => {
    const lines = Array.from({ length: 14 }, (_, index) => `line ${index + 1}`);
    expect(lastLines(`${lines.join('\n\n')}\n`)).to.equal(
      'line 5 | line 6 | line 7 | line 8 | line 9 | line 10 | line 11 | line 12 | line 13 | line 14',
    );
    expect(lastLines('\n \n')).to.equal('');
  });

  it('is at most 2 KiB, and never half a character', () => {
    const text = lastLines('ü'.repeat(3000));
    expect(text).to.match(/^ü+\.\.\.$/);
    expect(Buffer.byteLength(text)).to.equal(2048 + 3);
    expect(lastLines(`a${'ü'.repeat(3000)}`)).to.match(/^aü{1023}\.\.\.$/);
  });

  it('does nothing to a terminal', () => {
    expect(plainLine('\u001b[1;31mred\u001b[0m\tand\r\u0007loud \u202eback\u2069')).to.equal(
      'red and loud back',
    );
  });
});

describe('the container that a Job failed of', () => {
  function pod(name: string, statuses: JsonObject, uid = 'uid-1'): KubernetesObject {
    const owner = { apiVersion: 'batch/v1', kind: 'Job', name: 'migrate', uid };
    const metadata = { name, ownerReferences: [owner] };
    return { apiVersion: 'v1', kind: 'Pod', metadata, status: statuses };
  }

  function ended(exitCode: number, finishedAt: string, more: JsonObject = {}): JsonObject {
    return { name: 'main', state: { terminated: { exitCode, finishedAt, ...more } } };
  }

  it('is the one that ended last, of the pods of this very Job', () => {
    const pods = [
      pod('first', { containerStatuses: [ended(1, '2026-01-01T12:00:00Z')] }),
      pod('last', {
        containerStatuses: [
          ended(137, '2026-01-01T12:02:00Z', { reason: 'OOMKilled', message: 'too much' }),
        ],
      }),
      pod('second', { containerStatuses: [ended(2, '2026-01-01T12:01:00Z')] }),
      pod('foreign', { containerStatuses: [ended(9, '2026-01-01T12:09:00Z')] }, 'uid-2'),
      pod('fine', { containerStatuses: [ended(0, '2026-01-01T12:08:00Z')] }),
    ];
    expect(failedContainerOf(pods, 'uid-1')).to.deep.equal({
      pod: 'last',
      container: 'main',
      exitCode: 137,
      reason: 'OOMKilled',
      message: 'too much',
    });
  });

  it('may be an init container, and one that was started again', () => {
    const waiting = { name: 'prepare', state: { waiting: { reason: 'CrashLoopBackOff' } } };
    const terminated = { exitCode: 4, finishedAt: '2026-01-01T12:00:00Z' };
    const pods = [
      pod('one', { initContainerStatuses: [{ ...waiting, lastState: { terminated } }] }),
    ];
    expect(failedContainerOf(pods, 'uid-1')).to.include({ container: 'prepare', exitCode: 4 });
  });

  it('is none while no container has failed, and where a status is no status', () => {
    expect(failedContainerOf([pod('one', {})], 'uid-1')).to.equal(undefined);
    expect(failedContainerOf([pod('one', { containerStatuses: ['x'] })], 'uid-1')).to.equal(
      undefined,
    );
  });
});

describe('an encrypted object', () => {
  const sealed = 'ENC[AES256_GCM,data:8J8=,iv:aaaa,tag:bbbb,type:str]';
  const encoded = Buffer.from(`KEY=${sealed}`).toString('base64');
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'key' } };

  it('is found by its values, plain or in base64', () => {
    const found = [
      configMap('plain', { key: sealed }),
      { ...configMap('binary'), binaryData: { key: encoded } },
      { ...secret, data: { key: encoded } },
      { ...secret, stringData: { key: sealed } },
      { ...configMap('deep'), spec: { list: [{ value: sealed }] } },
    ];
    for (const object of found) expect(findSealed([configMap('a'), object])).to.equal(object);
  });

  it('is not one that merely has base64 or speaks of SOPS', () => {
    const objects = [
      configMap('text', { key: encoded, note: 'encrypt with sops: AES256_GCM' }),
      { ...secret, data: { key: Buffer.from('plain').toString('base64') } },
    ];
    expect(findSealed(objects)).to.equal(undefined);
  });
});
