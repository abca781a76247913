import { expect } from 'chai';
import { type Config, type Environment, parseConfig } from '../../../src/config/config.ts';
import { UsageError } from '../../../src/config/usage-error.ts';

/** The configuration that a command line and an environment make. */
export function configOf(argv: readonly string[], environment: Environment = {}): Config {
  const invocation = parseConfig(argv, environment, '1.2.3');
  if (invocation.kind !== 'Run') throw new Error(`printed ${invocation.text}`);
  return invocation.config;
}

/** Why they make none. */
export function refusalOf(argv: readonly string[], environment: Environment = {}): string {
  try {
    parseConfig(argv, environment, '1.2.3');
  } catch (error) {
    expect(error).to.be.instanceOf(UsageError);
    expect((error as UsageError).exitCode).to.equal(2);
    return (error as UsageError).message;
  }
  throw new Error(`accepted ${argv.join(' ')}`);
}
