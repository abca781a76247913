import { expect } from 'chai';
import { TerminalError } from '../../../src/core/errors.ts';
import { createLogger } from '../../../src/log/logger.ts';
import type { Logger, LogLevel } from '../../../src/types/log.ts';

describe('the log', () => {
  let lines: string[];

  beforeEach(() => {
    lines = [];
  });

  function logger(format: 'json' | 'text' = 'json', level: LogLevel = 'info'): Logger {
    const destination = { write: (line: string) => void lines.push(line) };
    return createLogger('controller', { level, format, destination });
  }

  function written(): Record<string, unknown> {
    expect(lines).to.have.length(1);
    return JSON.parse(lines[0] ?? '') as Record<string, unknown>;
  }

  it('writes one JSON object a line with time, level, logger and message', () => {
    logger().info('StageSet synced', { namespace: 'shop', name: 'web', stages: 3 });
    const { time, ...rest } = written();
    expect(time).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(rest).to.deep.equal({
      level: 'info',
      logger: 'controller',
      namespace: 'shop',
      name: 'web',
      stages: 3,
      msg: 'StageSet synced',
    });
    expect(lines[0]).to.match(/^[^\n]+\n$/);
  });

  it('leaves out what is less urgent than its level', () => {
    const quiet = logger('json', 'warn');
    quiet.debug('a');
    quiet.info('b');
    quiet.warn('c');
    quiet.error('d');
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).to.deep.equal([
      'c',
      'd',
    ]);
  });

  it('names children by their path and keeps what they are bound to', () => {
    const reconciler = logger().child('reconciler', { namespace: 'shop', name: 'web' });
    reconciler.with({ reconcileID: '7' }).child('apply').warn('slow', { name: 'api' });
    expect(written()).to.include({
      logger: 'controller.reconciler.apply',
      namespace: 'shop',
      name: 'api',
      reconcileID: '7',
    });
    expect(lines[0]?.match(/"name"/g)).to.have.length(1);
    expect(lines[0]?.match(/"logger"/g)).to.have.length(1);
  });

  it('writes an error as its message and those of its causes', () => {
    const cause = new Error('connection refused');
    const error = new TerminalError('the artifact cannot be fetched', { cause });
    logger().error('stage failed', { stage: 'crds', error });
    expect(written()).to.include({
      error: 'the artifact cannot be fetched: connection refused',
      stage: 'crds',
    });
    expect(written()).to.not.have.property('stack');
  });

  it('adds the stack of an error that nobody expected', () => {
    logger().error('reconcile failed', { error: new TypeError('x is undefined') });
    expect(written()['error']).to.equal('x is undefined');
    expect(written()['stack']).to.match(/^TypeError: x is undefined\n {4}at /);
  });

  it('replaces credentials by name at any depth', () => {
    logger().info('request', {
      request: { headers: { Authorization: 'abc', accept: 'application/json' } },
      bearer_token: 'abc',
      object: { kind: 'Secret', metadata: { name: 'db' }, data: { password: 'YWJj' } },
      list: [{ stringData: { key: 'abc' } }],
    });
    expect(written()).to.deep.include({
      request: { headers: { Authorization: '[redacted]', accept: 'application/json' } },
      bearer_token: '[redacted]',
      object: { kind: 'Secret', metadata: { name: 'db' }, data: '[redacted]' },
      list: [{ stringData: '[redacted]' }],
    });
  });

  it('replaces credentials inside of texts, errors and messages', () => {
    const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW0ifQ.c2lnbmF0dXJl';
    logger().warn(`sent Bearer ${token}`, {
      url: 'https://user:pass@git.example.com/app',
      error: new Error(`401 for ${token}`),
    });
    expect(lines.join('')).to.not.contain('eyJ').and.not.contain('pass@');
    expect(written()).to.include({
      msg: 'sent Bearer [redacted]',
      url: 'https://[redacted]@git.example.com/app',
      error: '401 for [redacted]',
    });
  });

  it('cuts what a hostile artifact could fill a disk with, and survives cycles', () => {
    const cycle: Record<string, unknown> = { text: 'x'.repeat(100_000) };
    cycle['self'] = cycle;
    logger().info('odd', { cycle, many: Array.from({ length: 10_000 }, () => 0), big: 10n });
    expect(lines[0]?.length).to.be.lessThan(60_000);
    expect(written()['big']).to.equal('10');
  });

  it('writes a line for reading when the format is text', () => {
    logger('text').warn('stage "app" is late', {
      stage: 'app',
      elapsed: 61.5,
      hint: 'look at\nthe events',
      ready: false,
    });
    expect(lines).to.have.length(1);
    expect(lines[0]?.replace(/^\S+ /, '')).to.equal(
      'WARN  controller: stage "app" is late stage=app elapsed=61.5 hint="look at\\nthe events" ready=false\n',
    );
  });

  it('attack 96: forging a line of the log (control characters are escaped, part B 8.1)', () => {
    logger('text').info('a\nFAKE', { name: '\u001b[2J', other: 'a\u2028b' });
    expect(lines[0]).to.match(
      / INFO {2}controller: a\\u000aFAKE name="\\u001b\[2J" other="a\\u2028b"\n$/,
    );
  });
});
