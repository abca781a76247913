import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { pack } from 'tar-stream';
import type { ArtifactFiles } from '../../../src/core/objects/artifact-files.ts';
import { defaultUnpackLimits, type UnpackLimits, unpack } from '../../../src/sources/unpack.ts';
import { archive, pax, tar } from '../../security/archives.ts';

const signal = new AbortController().signal;

const unpacked = (bytes: Buffer, limits: Partial<UnpackLimits> = {}): Promise<ArtifactFiles> =>
  unpack(
    Readable.from(slices(bytes, 1000)),
    bytes.length,
    { ...defaultUnpackLimits, ...limits },
    signal,
  );

function* slices(bytes: Buffer, size: number): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += size)
    yield bytes.subarray(start, start + size);
}

const texts = (files: ArtifactFiles): Record<string, string> =>
  Object.fromEntries([...files].map(([path, content]) => [path, Buffer.from(content).toString()]));

describe('unpacking an artifact', () => {
  it('gives the content of files by clean path', async () => {
    const files = await unpacked(
      archive([
        { name: './', type: '5' },
        { name: './a.yaml', content: 'a' },
        { name: 'deep//er/b.yaml', content: 'b'.repeat(1000) },
        { name: 'empty.yaml' },
      ]),
    );
    expect(texts(files)).to.deep.equal({
      'a.yaml': 'a',
      'deep/er/b.yaml': 'b'.repeat(1000),
      'empty.yaml': '',
    });
  });

  it('leaves out the dot-files of tools and keeps others', async () => {
    const files = await unpacked(
      archive([
        { name: '.git/config' },
        { name: '.github/workflows/my build.yaml' },
        { name: '.gitignore' },
        { name: '.sourceignore' },
        { name: 'app/.env', content: 'A=b' },
        { name: '.config/x.yaml', content: 'x' },
      ]),
    );
    expect(texts(files)).to.deep.equal({ 'app/.env': 'A=b', '.config/x.yaml': 'x' });
  });

  it('reads long names of pax and of GNU, and passes over global headers', async () => {
    const long = `${'deep/'.repeat(40)}name.yaml`;
    const files = await unpacked(
      archive([
        pax({ comment: '0123456789abcdef' }, 'g'),
        pax({ path: long, mtime: '1700000000.123' }),
        { name: 'short', content: 'pax' },
        { name: '././@LongLink', type: 'L', content: `${long}.gnu\0` },
        { name: 'short', content: 'gnu' },
      ]),
    );
    expect(texts(files)).to.deep.equal({ [long]: 'pax', [`${long}.gnu`]: 'gnu' });
  });

  it('reads what the usual library packs', async () => {
    const packer = pack();
    const expected: Record<string, string> = {};
    for (let index = 0; index < 50; index += 1) {
      const name = `${'directory/'.repeat(index % 25)}file-${index}.yaml`;
      expected[name] = 'x'.repeat(index * 37);
      packer.entry({ name }, expected[name]);
    }
    packer.finalize();
    const bytes = gzipSync(await buffer(packer));
    expect(texts(await unpacked(bytes))).to.deep.equal(expected);
  });

  it('reads a gzip stream of several members as one', async () => {
    const bytes = tar([{ name: 'a.yaml', content: 'a'.repeat(3000) }]);
    const members = [bytes.subarray(0, 700), bytes.subarray(700)].map((part) => gzipSync(part));
    const files = await unpacked(Buffer.concat(members));
    expect(texts(files)).to.deep.equal({ 'a.yaml': 'a'.repeat(3000) });
  });

  it('accepts an archive that ends after its last entry', async () => {
    const bytes = tar([{ name: 'a.yaml', content: 'a' }]);
    const files = await unpacked(gzipSync(bytes.subarray(0, -1024)));
    expect(texts(files)).to.deep.equal({ 'a.yaml': 'a' });
  });

  it('unpacks ten thousand files', async () => {
    const entries = Array.from({ length: 10_000 }, (_, index) => ({
      name: `app/${index}.yaml`,
      content: `name: ${index}\n`.repeat(40),
    }));
    const files = await unpacked(archive(entries));
    expect(files.size).to.equal(10_000);
  });

  describe('bounds', () => {
    const exactly = archive([
      { name: 'a', content: 'x'.repeat(1000) },
      { name: 'b', content: 'x'.repeat(500) },
    ]);
    const streamBytes = tar([
      { name: 'a', content: 'x'.repeat(1000) },
      { name: 'b', content: 'x'.repeat(500) },
    ]).length;

    const bounds: [limits: Partial<UnpackLimits>, over: Partial<UnpackLimits>, message: RegExp][] =
      [
        [
          { entryBytes: 1000 },
          { entryBytes: 999 },
          /the file "a" of 1000 bytes; a file may have at most 999 bytes$/,
        ],
        [{ contentBytes: 1500 }, { contentBytes: 1499 }, /contains more than 1499 bytes of files/],
        [{ streamBytes }, { streamBytes: streamBytes - 1 }, /decompresses to more than \d+ bytes$/],
        [{ entries: 2 }, { entries: 1 }, /has more than 1 entries/],
      ];
    for (const [limits, over, message] of bounds) {
      const [name] = Object.keys(limits);
      it(`accepts exactly ${name} and refuses one more`, async () => {
        expect((await unpacked(exactly, limits)).size).to.equal(2);
        const failure = await unpacked(exactly, over).then(
          () => undefined,
          (error: unknown) => error,
        );
        expect(failure).to.have.property('message').that.matches(message);
      });
    }
  });
});
