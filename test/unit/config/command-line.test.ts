import { expect } from 'chai';
import { parseConfig } from '../../../src/config/config.ts';
import { UsageError } from '../../../src/config/usage-error.ts';

function outcomeOf(...argv: string[]): string {
  try {
    const invocation = parseConfig(argv, {}, '1.2.3');
    return invocation.kind === 'Print' ? invocation.text : 'runs';
  } catch (error) {
    expect(error).to.be.instanceOf(UsageError);
    return (error as UsageError).message;
  }
}

describe('the command line', () => {
  it('hints at the flag that was probably meant', () => {
    expect(outcomeOf('--leader-elct')).to.equal(
      'Unknown flag --leader-elct (did you mean --leader-elect?); see --help',
    );
    expect(outcomeOf('--log-levle=debug')).to.equal(
      'Unknown flag --log-levle (did you mean --log-level?); see --help',
    );
  });

  it('refuses an unknown flag without a hint when nothing is close, and never tells its value', () => {
    expect(outcomeOf('--storage-credential=hunter2')).to.equal(
      'Unknown flag --storage-credential; see --help',
    );
    expect(outcomeOf('-x')).to.equal('Unknown flag -x; see --help');
  });

  it('asks for the value of a flag that lacks it', () => {
    expect(outcomeOf('--log-level')).to.equal(
      '--log-level: the value is missing; give it as --log-level=<value>',
    );
  });

  it('refuses an argument that belongs to no flag', () => {
    const message =
      'There is an argument that belongs to no flag; give flags as --name=value, see --help';
    expect(outcomeOf('run')).to.equal(message);
    expect(outcomeOf('--', '--leader-elect')).to.equal(message);
  });

  it('prints the version', () => {
    expect(outcomeOf('--version')).to.equal('1.2.3\n');
  });

  it('prints help in groups, with variables and defaults, within 100 columns', () => {
    const help = outcomeOf('--help');
    expect(help.split('\n').filter((line) => line.length > 100)).to.deep.equal([]);
    expect(help).to.match(/^Usage: stageset-controller \[flags\]\n/);
    for (const heading of ['Cluster:', 'Reconciling:', 'Tenancy:', 'Serving:', 'Logging:']) {
      expect(help).to.contain(`\n${heading}\n`);
    }
    const words = help.replaceAll(/\s+/g, ' ');
    expect(words).to.contain('(env: STAGESET_WATCH_NAMESPACES)');
    expect(words).to.contain('(default: 10m)');
    expect(words).to.not.contain('preset');
    expect(words).to.contain('never set it in production');
    expect(words).to.contain('not part of this build');
  });
});

describe('a flag whose feature this build does not have', () => {
  for (const argument of [
    '--enable-mcp=false',
    '--require-image-verification=false',
    '--tracing-sample-ratio=1',
    '--tracing-endpoint=',
    '--rollback-store-s3-sse=s3',
    '--mcp-bind-address=:8084',
  ]) {
    it(`may be given its default: ${argument}`, () => {
      expect(outcomeOf(argument)).to.equal('runs');
    });
  }

  it('is refused with anything else', () => {
    expect(outcomeOf('--require-image-verification')).to.equal(
      '--require-image-verification: this build does not have the feature yet; leave the flag out or give false',
    );
    expect(outcomeOf('--tracing-endpoint=otel:4317')).to.contain('does not have the feature yet');
    expect(outcomeOf('--tracing-sample-ratio=0.5')).to.contain('does not have the feature yet');
  });

  it('is refused whichever of its values asks for the feature', () => {
    expect(outcomeOf('--enable-mcp', '--enable-mcp=false')).to.contain('--enable-mcp: this build');
  });

  it('attack 87: a credential in a flag that is refused (its value is never told, part B 8.1)', () => {
    expect(outcomeOf('--rollback-store-s3-secret-key=hunter2')).to.equal(
      '--rollback-store-s3-secret-key: this build does not have the feature yet; leave the flag out',
    );
  });
});
