import { expect } from 'chai';
import { ladderOf } from '../../../src/build/ladder-files.ts';
import { migrationPortionOf } from '../../../src/build/portions.ts';
import { migration } from '../../ladder-files.ts';

function filesOf(files: Record<string, string | Uint8Array>): Map<string, Uint8Array> {
  return new Map(
    Object.entries(files).map(([path, content]) => [path, Buffer.from(content)] as const),
  );
}

const mebibyte = 1024 * 1024;

/** A migration that takes more than so many bytes. */
function large(name: string, bytes: number): Record<string, unknown> {
  const down = Array.from({ length: 10 }, (_, at) => ({
    name: `a${at}`,
    http: { url: `https://hooks.example.com/${'x'.repeat(bytes / 10)}` },
  }));
  return { ...migration(name, '2.0.0'), down };
}

describe('the ladder in the files of an artifact', () => {
  it('is in those below the path that are YAML or JSON, and no other file is read', () => {
    const files = filesOf({
      'ladder/one.yaml': JSON.stringify(migration('one', '2.0.0')),
      'ladder/image.png': new Uint8Array([0xff, 0xfe]),
      'two.yaml': new Uint8Array([0xff, 0xfe]),
    });
    expect(ladderOf(files, 'ladder')).to.deep.equal({
      kind: 'Ladder',
      ladder: [migration('one', '2.0.0')],
    });
  });

  it('is wrong where a file is no text', () => {
    const files = filesOf({ 'one.yaml': new Uint8Array([0xff, 0xfe]) });
    expect(ladderOf(files, undefined)).to.deep.equal({
      kind: 'Invalid',
      reason: 'MigrationArtifactInvalid',
      message: 'one.yaml: is not UTF-8 text; save it as UTF-8',
    });
  });

  it('may not have a migration that no StageSet could store, nor too many large ones', () => {
    const one = ladderOf(filesOf({ 'a.json': JSON.stringify(large('one', 3 * mebibyte)) }), '');
    expect(one)
      .to.have.property('message')
      .that.matches(/^migration one takes \d+ bytes; at most/);
    const many = Array.from({ length: 6 }, (_, at) => large(`m${at}`, 2.9 * mebibyte));
    const all = ladderOf(filesOf({ 'a.json': JSON.stringify(many) }), '');
    expect(all)
      .to.have.property('message')
      .that.matches(/^the migrations take \d+ bytes; at most/);
    expect(ladderOf(filesOf({ 'a.json': JSON.stringify(many.slice(1)) }), '').kind).to.equal(
      'Ladder',
    );
  });

  it('is handed over in portions, of one large migration or of many small ones', () => {
    const small = Array.from({ length: 200 }, (_, at) => migration(`m${at}`, '2.0.0'));
    expect(migrationPortionOf(small, 0)).to.have.length(200);
    expect(migrationPortionOf(small, 150)).to.deep.equal(small.slice(150));
    expect(migrationPortionOf(small, 200)).to.deep.equal([]);
    const url = `https://hooks.example.com/${'x'.repeat(600 * 1024)}`;
    const big = small.map((each) => ({ ...each, down: [{ name: 'call', http: { url } }] }));
    expect(migrationPortionOf(big, 7)).to.deep.equal(big.slice(7, 8));
  });
});
