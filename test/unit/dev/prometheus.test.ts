import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { prometheusBinary } from '../../../dev/assets/prometheus.ts';

const untold = (): void => undefined;

describe('the Prometheus of the tests of metric sources', () => {
  const environment = { ...process.env };
  let directory: string;
  let tools: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stageset-prometheus-'));
    tools = join(directory, 'tools');
    await mkdir(tools);
    process.env.XDG_CACHE_HOME = directory;
    delete process.env['STAGESET_PROMETHEUS'];
  });

  afterEach(async () => {
    for (const name of ['XDG_CACHE_HOME', 'STAGESET_PROMETHEUS', 'PATH']) {
      const before = environment[name];
      if (before === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = before;
    }
    await rm(directory, { recursive: true, force: true });
  });

  /** A tool in the place of a real one; its last argument is `$last`. */
  async function tool(name: string, script: string): Promise<void> {
    const file = join(tools, name);
    await writeFile(file, `#!/bin/sh\nfor last; do :; done\n${script}\n`);
    await chmod(file, 0o755);
    process.env['PATH'] = `${tools}:${environment['PATH'] ?? ''}`;
  }

  async function failure(): Promise<string> {
    return await prometheusBinary(untold).then(() => 'no failure', String);
  }

  it('is the one that STAGESET_PROMETHEUS names', async () => {
    const file = join(directory, 'given');
    await writeFile(file, '', { mode: 0o755 });
    process.env['STAGESET_PROMETHEUS'] = file;
    expect(await prometheusBinary(untold)).to.equal(file);
  });

  it('is unpacked from the package of Debian, once, with an index of its own where there is none', async () => {
    const calls = join(directory, 'calls');
    await tool(
      'apt-get',
      `echo "$*" >> ${calls}
      case "$* " in
        *Dir::State::Lists=*\\ update\\ *) exit 0 ;;
        *Dir::State::Lists=*) touch prometheus_2.42_amd64.deb ;;
        *) echo 'E: Unable to locate package prometheus' >&2; exit 100 ;;
      esac`,
    );
    await tool(
      'dpkg-deb',
      'mkdir -p "$last/usr/bin"; echo "$2" > "$last/usr/bin/prometheus"; chmod 755 "$last/usr/bin/prometheus"',
    );
    const binary = await prometheusBinary(untold);
    expect(await readFile(binary, 'utf8')).to.include('prometheus_2.42_amd64.deb');
    expect(await prometheusBinary(untold)).to.equal(binary);
    expect((await readFile(calls, 'utf8')).trim().split('\n')).to.have.length(3);
    expect(await readdir(join(binary, '..'))).to.deep.equal(['prometheus']);
  });

  it('without apt is said to need it, or an executable that is there already', async () => {
    process.env['PATH'] = tools;
    const said = await failure();
    expect(said).to.include('prometheus can be had nowhere. The apt-get command is missing.');
    expect(said).to.include('Or set STAGESET_PROMETHEUS to its executable');
  });

  it('is not there where apt does not get it, and says what apt said', async () => {
    await tool('apt-get', "echo 'E: Could not resolve deb.debian.org' >&2; exit 100");
    expect(await failure()).to.include(
      'apt-get update failed with exit code 100: E: Could not resolve deb.debian.org',
    );
  });
});
