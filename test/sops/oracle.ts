import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sopsBinary } from '../../dev/assets/sops.ts';
import { run } from '../../dev/process/run.ts';
import { progressOnStderr } from '../../dev/progress.ts';
import type { SopsCase } from './cases.ts';
import type { TestKeys } from './keys.ts';

/** The real SOPS, with the test's keys. */
export class SopsOracle {
  readonly #binary: string;
  readonly #directory: string;
  readonly #keys: TestKeys;

  private constructor(binary: string, directory: string, keys: TestKeys) {
    this.#binary = binary;
    this.#directory = directory;
    this.#keys = keys;
  }

  static async start(keys: TestKeys): Promise<SopsOracle> {
    const binary = await sopsBinary(progressOnStderr);
    const directory = await mkdtemp(join(tmpdir(), 'stageset-sops-'));
    // The rings of an old GnuPG, which SOPS reads itself.
    const rings = join(directory, 'gnupg');
    await mkdir(rings, { mode: 0o700 });
    const pairs = [keys.rsa, keys.curve];
    await writeFile(join(rings, 'secring.gpg'), Buffer.concat(pairs.map((key) => key.write())));
    await writeFile(
      join(rings, 'pubring.gpg'),
      Buffer.concat(pairs.map((key) => key.toPublic().write())),
    );
    return new SopsOracle(binary, directory, keys);
  }

  async stop(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** What `sops encrypt` makes of a file. */
  async encrypt({ file, plain, rule, recipients }: SopsCase): Promise<Uint8Array> {
    const config = { creation_rules: [{ ...rule, ...this.#recipients(recipients) }] };
    await writeFile(join(this.#directory, 'rules.yaml'), JSON.stringify(config));
    return await this.#run(file, plain, ['--config', 'rules.yaml', 'encrypt']);
  }

  /** What `sops decrypt` makes of one. */
  async decrypt({ file }: SopsCase, encrypted: Uint8Array): Promise<Uint8Array> {
    return await this.#run(file, encrypted, ['decrypt']);
  }

  async #run(file: string, content: string | Uint8Array, command: string[]): Promise<Uint8Array> {
    await writeFile(join(this.#directory, file), content);
    const types = ['--input-type', formatOf(file), '--output-type', formatOf(file)];
    const { age, secondAge, postQuantum } = this.#keys;
    const result = await run(this.#binary, [...command, ...types, '--output', 'out', file], {
      cwd: this.#directory,
      environment: {
        HOME: this.#directory,
        GNUPGHOME: join(this.#directory, 'gnupg'),
        SOPS_AGE_KEY: [age, secondAge, postQuantum].map(({ identity }) => identity).join('\n'),
      },
    });
    if (result.code !== 0) throw new Error(`sops ${command.join(' ')}: ${result.stderr}`);
    return await readFile(join(this.#directory, 'out'));
  }

  #recipients(recipients: SopsCase['recipients'] = 'Age'): Record<string, unknown> {
    const { age, secondAge, postQuantum, rsa, curve, stranger } = this.#keys;
    const pgp = (key: typeof rsa): string => key.getFingerprint().toUpperCase();
    switch (recipients) {
      case 'Age':
        return { age: age.recipient };
      case 'PostQuantum':
        return { age: postQuantum.recipient };
      case 'Pgp':
        return { pgp: pgp(rsa) };
      case 'PgpOfCurve25519':
        return { pgp: pgp(curve) };
      case 'AgeAndStrangers':
        return { age: [stranger, age.recipient, stranger].join(',') };
      case 'TwoOfThreeGroups':
        return {
          shamir_threshold: 2,
          key_groups: [{ age: [stranger] }, { age: [secondAge.recipient] }, { pgp: [pgp(rsa)] }],
        };
      case 'AllOfTwoGroups':
        return { key_groups: [{ age: [age.recipient] }, { age: [stranger, secondAge.recipient] }] };
    }
  }
}

function formatOf(file: string): string {
  const extension = file.slice(file.lastIndexOf('.') + 1);
  return { yaml: 'yaml', json: 'json', env: 'dotenv', ini: 'ini' }[extension] ?? 'binary';
}
