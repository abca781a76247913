import pino from 'pino';
import type { LogFields, Logger, LogLevel } from '../types/log.ts';
import { censor, censorText, unexpectedStack } from './censor.ts';
import { formatText, type LogLine } from './text-format.ts';

/** Where lines go; each call gets one whole line with its line feed. */
interface LogDestination {
  write(line: string): void;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: 'json' | 'text';
  readonly destination: LogDestination;
}

/** A destination that buffers. */
interface BufferedDestination extends LogDestination {
  /** Writes what is buffered, at once: for the last moment of the process. */
  flush(): void;
}

/** What may wait for a slow reader of stderr, bytes; what comes on top of it is dropped. */
const longestBuffer = 16 * 1024 * 1024;

/**
 * Standard error, where Go controllers log too; standard output belongs to `--help`. It does not
 * hold up the event loop when the reader is slow.
 */
export function standardError(): BufferedDestination {
  const stream = pino.destination({ fd: 2, sync: false, maxLength: longestBuffer });
  // A reader that went away must not end the process.
  stream.on('error', () => undefined);
  return {
    write: (line) => stream.write(line),
    flush: () => {
      try {
        stream.flushSync();
      } catch {
        // The process is ending and its log has no reader: there is nobody to tell.
      }
    },
  };
}

/**
 * A logger whose lines have `time` (RFC 3339, UTC), `level`, `msg` and `logger` (part B 9.4).
 * Credentials are replaced before anything is written.
 * @param name the first part of `logger`.
 */
export function createLogger(name: string, options: LogOptions): Logger {
  const root = pino(
    {
      level: options.level,
      base: null,
      messageKey: 'msg',
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (level) => ({ level }) },
    },
    options.format === 'json' ? options.destination : asText(options.destination),
  );
  return new CensoringLogger(root, { logger: name });
}

/**
 * Merges the fields itself: pino's children write a name twice when it is bound twice, and its
 * redaction knows fixed paths only.
 */
class CensoringLogger implements Logger {
  readonly #root: pino.Logger;
  readonly #bound: Readonly<Record<string, unknown>> & { readonly logger: string };

  constructor(
    root: pino.Logger,
    bound: Readonly<Record<string, unknown>> & { readonly logger: string },
  ) {
    this.#root = root;
    this.#bound = bound;
  }

  debug(message: string, fields?: LogFields): void {
    this.#write('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#write('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#write('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#write('error', message, fields);
  }

  child(name: string, fields: LogFields = {}): Logger {
    const logger = `${this.#bound.logger}.${name}`;
    return new CensoringLogger(this.#root, { ...this.#bound, ...fields, logger });
  }

  with(fields: LogFields): Logger {
    return new CensoringLogger(this.#root, {
      ...this.#bound,
      ...fields,
      logger: this.#bound.logger,
    });
  }

  #write(level: LogLevel, message: string, fields: LogFields = {}): void {
    if (!this.#root.isLevelEnabled(level)) return;
    const merged: Record<string, unknown> = { ...this.#bound, ...fields };
    const stack = unexpectedStack(fields['error']);
    if (stack !== undefined) merged['stack'] = stack;
    this.#root[level](censor(merged), censorText(message));
  }
}

function asText(destination: LogDestination): LogDestination {
  return {
    write: (json) => {
      const line: unknown = JSON.parse(json);
      destination.write(isLine(line) ? formatText(line) : json);
    },
  };
}

function isLine(value: unknown): value is LogLine {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
