import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { platform, requiredVersion } from '../../../dev/assets/binaries.ts';
import { kubectlBinary, kubectlMinors } from '../../../dev/assets/kubectl.ts';
import { root } from '../docs/markdown.ts';

const untold = (): void => undefined;

describe('old and new kubectl', () => {
  const environment = { ...process.env };
  const variable = 'STAGESET_KUBECTL_1_27';
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stageset-kubectl-'));
    process.env.XDG_CACHE_HOME = directory;
    Reflect.deleteProperty(process.env, variable);
  });

  afterEach(async () => {
    for (const name of ['XDG_CACHE_HOME', variable, 'PATH']) {
      const before = environment[name];
      if (before === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = before;
    }
    await rm(directory, { recursive: true, force: true });
  });

  async function executable(folder: string): Promise<string> {
    await mkdir(folder, { recursive: true });
    const file = join(folder, 'kubectl');
    await writeFile(file, '');
    await chmod(file, 0o755);
    return file;
  }

  it('have a module each, of the minor version that they are called by', async () => {
    const entries = await readdir(`${root}dev/assets/kubectl`, { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    expect(folders.sort()).to.deep.equal([...kubectlMinors]);
    for (const minor of kubectlMinors) {
      const version = await requiredVersion(`kubectl/${minor}`, 'k8s.io/kubectl');
      expect(version).to.match(new RegExp(`^v0\\.${minor.slice(2)}\\.`));
    }
  });

  it('are those that a variable names', async () => {
    const file = await executable(join(directory, 'given'));
    process.env[variable] = file;
    expect(await kubectlBinary('1.27', untold)).to.equal(file);
  });

  it('are those in the cache otherwise', async () => {
    const { os, arch } = platform();
    const library = await requiredVersion('kubectl/1.27', 'k8s.io/kubectl');
    const name = `kubectl-${library.replace('v0.', 'v1.')}-${os}-${arch}`;
    const file = await executable(join(directory, 'stageset-controller', 'assets', name));
    expect(await kubectlBinary('1.27', untold)).to.equal(file);
  });

  it('without Go are said to need it, or an executable that is there already', async () => {
    process.env['PATH'] = directory;
    const said = await kubectlBinary('1.27', untold).then(() => 'no failure', String);
    expect(said).to.match(/the go command is missing/);
    expect(said).to.match(
      /Or set STAGESET_KUBECTL_1_27 to its executable, such as https:\/\/dl\.k8s\.io/,
    );
  });
});
