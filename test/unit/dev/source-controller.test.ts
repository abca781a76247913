import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { platform, requiredVersion } from '../../../dev/assets/binaries.ts';
import { sourceController } from '../../../dev/assets/modules.ts';
import { sourceControllerBinary } from '../../../dev/assets/source-controller.ts';
import { fluxVersion } from '../../../dev/playground.ts';

const untold = (): void => undefined;

describe('the source-controller of the tests with a real Flux', () => {
  const environment = { ...process.env };
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stageset-flux-'));
    process.env.XDG_CACHE_HOME = directory;
    delete process.env['STAGESET_SOURCE_CONTROLLER'];
  });

  afterEach(async () => {
    for (const name of ['XDG_CACHE_HOME', 'STAGESET_SOURCE_CONTROLLER', 'PATH']) {
      const before = environment[name];
      if (before === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = before;
    }
    await rm(directory, { recursive: true, force: true });
  });

  async function executable(folder: string, mode = 0o755): Promise<string> {
    await mkdir(folder, { recursive: true });
    const file = join(folder, 'source-controller');
    await writeFile(file, '');
    await chmod(file, mode);
    return file;
  }

  async function failure(): Promise<string> {
    return await sourceControllerBinary(untold).then(() => 'no failure', String);
  }

  it('has the version whose CRDs are installed', async () => {
    expect(await requiredVersion('source-controller', sourceController)).to.equal(fluxVersion);
  });

  it('is the one that STAGESET_SOURCE_CONTROLLER names', async () => {
    const file = await executable(join(directory, 'given'));
    process.env['STAGESET_SOURCE_CONTROLLER'] = file;
    expect(await sourceControllerBinary(untold)).to.equal(file);
  });

  it('is not a file that cannot be executed', async () => {
    const file = await executable(join(directory, 'given'), 0o644);
    process.env['STAGESET_SOURCE_CONTROLLER'] = file;
    // For root, too: execution needs one x bit even then.
    expect(await failure()).to.equal(
      `Error: STAGESET_SOURCE_CONTROLLER: ${file} is no executable file`,
    );
  });

  it('is the one in the cache otherwise', async () => {
    const { os, arch } = platform();
    const name = `source-controller-${fluxVersion}-${os}-${arch}`;
    const file = await executable(join(directory, 'stageset-controller', 'assets', name));
    expect(await sourceControllerBinary(untold)).to.equal(file);
  });

  it('without Go is said to need it, or a binary that is there already', async () => {
    process.env['PATH'] = directory;
    const said = await failure();
    expect(said).to.match(/the go command is missing\. Go 1\.26 or newer is needed/);
    expect(said).to.include('Or set STAGESET_SOURCE_CONTROLLER to its executable');
  });

  it('behind a proxy that refuses a module is said to need another one', async () => {
    const go = join(directory, 'go');
    const line = 'x@v1: reading https://proxy.example.com/x/@v/v1.zip: 403 Forbidden';
    await writeFile(go, `#!/bin/sh\necho '${line}' >&2\nexit 1\n`);
    await chmod(go, 0o755);
    process.env['PATH'] = `${directory}:${environment['PATH'] ?? ''}`;
    expect(await failure()).to.include(
      'the Go module proxy refuses https://proxy.example.com/x/@v/v1.zip: ask who runs it',
    );
  });
});
