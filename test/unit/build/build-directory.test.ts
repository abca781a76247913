import { expect } from 'chai';
import fc from 'fast-check';
import { buildDirectory, cleanPath, filesBelow } from '../../../src/build/build-directory.ts';
import { References } from '../../../src/build/references.ts';
import { TerminalError } from '../../../src/core/errors.ts';
import { entryPath } from '../../../src/sources/entry-path.ts';
import { filesOf } from './artifact.ts';

const segment = fc.constantFrom(
  '.',
  '..',
  '',
  'app',
  'web',
  'a.yaml',
  '...',
  '.env',
  '..a',
  '~',
  '%2e',
);
const path = fc.array(segment, { maxLength: 8 }).map((segments) => segments.join('/'));
const anyText = fc.oneof(path, fc.string({ unit: 'binary' }), fc.webUrl());

const files = filesOf({ 'app/web/a.yaml': '', 'app/b.yaml': '', 'c.yaml': '' });

/** What a function returns; undefined where it refuses. */
function unlessRefused<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    expect(error).to.be.instanceOf(TerminalError);
    return undefined;
  }
}

function expectClean(clean: string): void {
  if (clean === '') return;
  expect(clean.split('/')).not.to.include.oneOf(['', '.', '..']);
}

describe('paths into an artifact', () => {
  it('never leave it, whatever directory a stage names', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const directory = unlessRefused(() => buildDirectory(files, text));
        if (directory === undefined) return;
        expectClean(directory);
        expect(filesBelow(files, directory)).not.to.deep.equal([]);
      }),
      { numRuns: 2000 },
    );
  });

  it('are clean after cleaning, and stay as they are then', () => {
    fc.assert(
      fc.property(path, (text) => {
        const clean = cleanPath(text);
        if (clean === undefined) {
          expect(text.split('/')).to.include('..');
          return;
        }
        expectClean(clean);
        expect(cleanPath(clean)).to.equal(clean);
      }),
      { numRuns: 2000 },
    );
  });

  it('lead from a kustomization to what is in the artifact, and nowhere else', () => {
    const references = new References(files);
    fc.assert(
      fc.property(anyText, fc.constantFrom('', 'app', 'app/web'), (reference, directory) => {
        const place = { field: 'resources[0]', at: { file: 'kustomization.yaml' }, directory };
        const target = unlessRefused(() => references.resolve(reference, place));
        if (target === undefined) return;
        expectClean(target.path);
        expect(reference).to.match(/^[A-Za-z0-9._/-]+$/);
        if (target.kind === 'File') expect(files.has(target.path)).to.equal(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('are clean in every entry that is unpacked', () => {
    fc.assert(
      fc.property(anyText, (name) => {
        const entry = unlessRefused(() => entryPath(name));
        if (entry === undefined) return;
        expectClean(entry);
        expect(entry).to.match(/^[A-Za-z0-9._/-]+$/);
      }),
      { numRuns: 2000 },
    );
  });
});
