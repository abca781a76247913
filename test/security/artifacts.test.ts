import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { TerminalError } from '../../src/core/errors.ts';
import { archive, digestOf, pax, type RawEntry, recordsOf, tar } from './archives.ts';
import { ArtifactFetching, failureOf } from './artifact-fetching.ts';
import { serving } from './file-server.ts';

const good = archive([{ name: 'a.yaml', content: 'kind: ConfigMap\n' }]);

describe('a hostile artifact', () => {
  const { signal } = new AbortController();
  const fetching = new ArtifactFetching();

  it('is told from a good one', async () => {
    const server = await fetching.start(serving(good));
    const files = await fetching
      .fetcherFor(server)
      .fetch(
        { url: `${server.origin}/a.tar.gz`, digest: ` ${digestOf(good).toUpperCase()}\n` },
        signal,
      );
    expect([...files.keys()]).to.deep.equal(['a.yaml']);
  });

  describe('attack 31: an artifact with a wrong, missing or weak digest (sha256 is compared before extraction, part A 3.2)', () => {
    it('that is wrong is refused before it is unpacked', async () => {
      const bomb = archive([{ name: '../a', type: '2' }]);
      const server = await fetching.start(serving(bomb));
      const wrong = `sha256:${'0'.repeat(64)}`;
      const failure = await failureOf(
        fetching
          .fetcherFor(server)
          .fetch({ url: `${server.origin}/a.tar.gz`, digest: wrong }, signal),
      );
      expect(failure).to.be.instanceOf(TerminalError);
      expect(failure.message).to.equal(
        `the artifact at ${server.origin}/a.tar.gz has the digest ${digestOf(bomb)} instead of ` +
          `${wrong}; nothing of it is used`,
      );
    });

    const weak: [digest: string, because: RegExp][] = [
      ['', /must be written as sha256:<64 hex digits>/],
      ['d41d8cd98f00b204e9800998ecf8427e', /must be written as/],
      ['md5:d41d8cd98f00b204e9800998ecf8427e', /md5 is not supported, only sha256 is/],
      [`sha512:${'0'.repeat(128)}`, /sha512 is not supported/],
      ['sha256:', /exactly 64 hex digits/],
      [`sha256:${'0'.repeat(63)}`, /exactly 64 hex digits/],
      [`sha256:${'g'.repeat(64)}`, /exactly 64 hex digits/],
      [`sha256:${'0'.repeat(64)}:x`, /must be written as/],
    ];
    for (const [digest, because] of weak) {
      it(`that is "${digest}" is refused without a request`, async () => {
        let requests = 0;
        const server = await fetching.start((_, response) => {
          requests += 1;
          response.end(good);
        });
        const url = `${server.origin}/a.tar.gz`;
        const failure = await failureOf(fetching.fetcherFor(server).fetch({ url, digest }, signal));
        expect(failure).to.be.instanceOf(TerminalError);
        expect(failure.message).to.match(because);
        expect(requests).to.equal(0);
      });
    }
  });

  describe('attack 26: an archive with entries that lead out, link, or are there twice (edge case 14: only safe regular files are taken, each once, part A 3.4)', () => {
    const file: RawEntry = { name: 'a.yaml', content: 'a' };
    const attacks: [attack: string, entries: RawEntry[], because: string | RegExp][] = [
      [
        'a path out of it',
        [file, { name: '../../etc/cron.d/x', content: 'x' }],
        'the artifact contains the file "../../etc/cron.d/x": its path contains `..`, which could leave it',
      ],
      [
        'a path out of it in the middle',
        [{ name: 'a/../../x' }],
        /"a\/\.\.\/\.\.\/x": its path contains/,
      ],
      ['a path out of it, hidden in a dot-file', [{ name: '.git/../../x' }], /its path contains/],
      [
        'a path out of it in an extended header',
        [pax({ path: '../x' }), file],
        /"\.\.\/x": its path contains/,
      ],
      ['a directory out of it', [{ name: '../x/', type: '5' }], /the directory "\.\.\/x\/"/],
      [
        'an absolute path',
        [{ name: '/etc/passwd', content: 'x' }],
        'the artifact contains the file "/etc/passwd": its path is absolute; make it relative',
      ],
      [
        'a symbolic link',
        [file, { name: 'link.yaml', type: '2', linkName: '/etc/passwd' }],
        'the artifact contains "link.yaml", which is a symbolic link; only regular files are supported: ' +
          'replace it by the file itself, or exclude it with .sourceignore',
      ],
      [
        'a hard link',
        [file, { name: 'b.yaml', type: '1', linkName: 'a.yaml' }],
        /"b\.yaml", which is a hard link;/,
      ],
      ['a character device', [{ name: 'null', type: '3' }], /"null", which is a character device;/],
      ['a block device', [{ name: 'sda', type: '4' }], /"sda", which is a block device;/],
      ['a FIFO', [{ name: 'pipe', type: '6' }], /"pipe", which is a FIFO;/],
      [
        'an old GNU sparse file',
        [{ name: 'sparse', type: 'S' }],
        /"sparse", which is a tar entry of type "S";/,
      ],
      [
        'a pax sparse file',
        [pax({ 'GNU.sparse.major': '1', 'GNU.sparse.name': 'x.yaml' }), file],
        'the artifact contains a sparse file; store it whole',
      ],
      [
        'one file twice',
        [file, { name: './/a.yaml', content: 'b' }],
        'the artifact contains the file a.yaml twice; which one counts is undecidable',
      ],
      [
        'a file that is a directory too',
        [
          { name: 'a', content: 'x' },
          { name: 'a/b.yaml', content: 'y' },
        ],
        'the artifact contains a as a file and as a directory',
      ],
      [
        'a backslash in a name',
        [{ name: '..\\x' }],
        /contains the file ".*": its name contains a backslash$/,
      ],
      ['a NUL in a name', [pax({ path: 'a\0b.yaml' }), file], /its name contains a NUL byte$/],
      [
        'a name that could not be kept',
        [{ name: 'app@v1.yaml' }],
        'the artifact contains the file "app@v1.yaml": only letters, digits and `.`, `_`, `-` are ' +
          'supported in names; rename it, or exclude it with .sourceignore',
      ],
      ['a blank in a name', [{ name: 'my app.yaml' }], /only letters, digits/],
      ['a name that ends the line of a log', [{ name: 'a\nb' }], /the file "a\\nb": only letters/],
      ['no name at all', [{ name: './.', content: 'x' }], /"\.\/\.": it has no name$/],
      [
        'a name that no file system takes',
        [pax({ path: 'x'.repeat(300) }), file],
        /its path is longer than/,
      ],
      [
        'a directory with content',
        [{ name: 'a/', content: 'x' }],
        /"a\/", a directory that has content/,
      ],
      [
        'a large extended header',
        [pax({ comment: 'x'.repeat(70_000) }, 'g'), file],
        'the artifact has a tar extended header of more than 65536 bytes',
      ],
      [
        'a malformed extended header',
        [{ name: 'x', type: 'x', content: '99 path=b\n' }, file],
        /an extended header is malformed$/,
      ],
      [
        'a size in an extended header that is no number',
        [pax({ size: '-1' }), file],
        /a size is malformed$/,
      ],
      [
        'a huge size in an extended header',
        [pax({ size: '99999999999' }), file],
        /of 99999999999 bytes; a file may have/,
      ],
      [
        'a negative size',
        [{ name: 'a.yaml', sizeField: Buffer.alloc(12, 0xff) }],
        /is not a tar archive: a number is malformed$/,
      ],
      [
        'a size beyond all numbers',
        [{ name: 'a.yaml', sizeField: Buffer.concat([Buffer.of(0x80), Buffer.alloc(11, 0xff)]) }],
        /the file "a\.yaml" of [\d.e+]+ bytes; a file may have at most 16 MiB$/,
      ],
    ];
    for (const [attack, entries, because] of attacks) {
      it(`with ${attack} is refused`, async () => {
        const refusal = await fetching.refusalOf(archive(entries));
        if (typeof because === 'string') expect(refusal).to.equal(because);
        else expect(refusal).to.match(because);
      });
    }
  });

  describe('attack 27: an archive that is a bomb (size caps, to the byte, part A 3.3)', () => {
    const mebibyte = 1024 * 1024;

    it('[edge case 14] may have a file of exactly 16 MiB (part A 11)', async () => {
      const bytes = archive([{ name: 'a', content: Buffer.alloc(16 * mebibyte) }]);
      const server = await fetching.start(serving(bytes));
      const location = { url: server.origin, digest: digestOf(bytes) };
      expect((await fetching.fetcherFor(server).fetch(location, signal)).size).to.equal(1);
    });

    it('[gap] may not have a file of one byte more, and no retry makes it smaller (part A 2.9)', async () => {
      const bytes = archive([{ name: 'a', content: Buffer.alloc(16 * mebibyte + 1) }]);
      expect(await fetching.refusalOf(bytes)).to.equal(
        'the artifact contains the file "a" of 16777217 bytes; a file may have at most 16 MiB',
      );
    });

    it('may not claim a size that is not there', async () => {
      const bytes = archive([{ name: 'a', content: 'x', size: 5000 }]);
      expect(await fetching.refusalOf(bytes)).to.equal(
        'the artifact is cut off in the middle of an entry',
      );
    });

    it('may not contain more than 64 MiB', async () => {
      const entries = Array.from({ length: 5 }, (_, index) => ({
        name: `a${index}`,
        content: Buffer.alloc(16 * mebibyte),
      }));
      expect(await fetching.refusalOf(archive(entries))).to.equal(
        'the artifact contains more than 64 MiB of files; split it',
      );
    });

    it('may not be a gzip bomb', async () => {
      // Half a gigabyte after the end of the archive, where no file counts it.
      const zeros = gzipSync(Buffer.alloc(64 * mebibyte));
      const members = [gzipSync(tar([])), ...Array.from({ length: 9 }, () => zeros)];
      const bomb = Buffer.concat(members);
      expect(bomb.length).to.be.below(mebibyte);
      expect(await fetching.refusalOf(bomb)).to.equal(
        'the artifact decompresses to more than 512 MiB',
      );
    });

    it('may not have endlessly many tiny entries', async () => {
      const entries = Array.from({ length: 50_001 }, (_, index) => ({ name: `${index}` }));
      expect(await fetching.refusalOf(archive(entries))).to.equal(
        'the artifact has more than 50000 entries; split it',
      );
    });

    it('may not be larger than the bound, whatever it says about itself', async () => {
      const options = { maxDownloadBytes: good.length - 1 };
      expect(await fetching.refusalOf(good, options)).to.match(
        /has more than \d+ bytes; split it$/,
      );
      const server = await fetching.start((_, response) => {
        response.write(good.subarray(0, 20));
        response.end(good.subarray(20));
      });
      const failure = await failureOf(
        fetching
          .fetcherFor(server, options)
          .fetch({ url: server.origin, digest: digestOf(good) }, signal),
      );
      expect(failure.message).to.match(/has more than \d+ bytes; split it$/);
    });

    it('[edge case 14] may be exactly as large as the bound (part A 11)', async () => {
      const server = await fetching.start(serving(good));
      const fetcher = fetching.fetcherFor(server, { maxDownloadBytes: good.length });
      const files = await fetcher.fetch({ url: server.origin, digest: digestOf(good) }, signal);
      expect(files.size).to.equal(1);
    });
  });

  describe('attack 51: an archive that is none, or cut, or forged (a broken stream is refused, part A 3.4)', () => {
    const forms: [form: string, bytes: Buffer, because: RegExp][] = [
      ['is empty', Buffer.alloc(0), /is not valid gzip|is not a tar archive|goes on after/],
      ['is no gzip', tar([{ name: 'a.yaml' }]), /is not valid gzip: incorrect header check$/],
      [
        'is no tar',
        gzipSync('x'.repeat(2000)),
        /is not a tar archive: a header is malformed$|number is malformed$/,
      ],
      [
        'has a truncated gzip stream',
        good.subarray(0, -10),
        /is not valid gzip: unexpected end of file$/,
      ],
      [
        'has a damaged gzip stream',
        Buffer.concat([good.subarray(0, -8), Buffer.alloc(8)]),
        /is not valid gzip/,
      ],
      [
        'has rubbish after its gzip stream',
        Buffer.concat([good, Buffer.from('rubbish')]),
        /gzip|goes on after the end/,
      ],
      [
        'has zeros after its gzip stream',
        Buffer.concat([good, Buffer.alloc(100)]),
        /goes on after the end of its gzip/,
      ],
      [
        'has entries after its end',
        gzipSync(Buffer.concat([tar([{ name: 'a' }]), tar([{ name: 'b' }])])),
        /goes on after the end of its tar archive$/,
      ],
      [
        'is cut off in a header',
        gzipSync(Buffer.concat(recordsOf({ name: 'a' })).subarray(0, 300)),
        /is cut off in the middle of an entry$/,
      ],
      [
        'is cut off after an extended header',
        gzipSync(
          Buffer.concat(
            recordsOf({ name: 'x', type: 'x', content: '' }).concat(
              recordsOf(pax({ path: 'b' })).slice(0, 1),
            ),
          ),
        ),
        /is cut off in the middle of an entry$/,
      ],
    ];
    for (const [form, bytes, because] of forms) {
      it(`that ${form} is refused`, async () => {
        expect(await fetching.refusalOf(bytes)).to.match(because);
      });
    }
  });
});
