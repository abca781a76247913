/** In order of urgency; a logger writes its own level and those after it. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/**
 * What a line says beside its message. The four names that every line has are not free. An `Error`
 * is written as its message and those of its causes; secrets are censored by name and by form.
 */
export type LogFields = Readonly<Record<string, unknown>> & {
  readonly time?: never;
  readonly level?: never;
  readonly msg?: never;
  readonly logger?: never;
};

/** Writes structured lines (part B 9.4). It never throws and never waits. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger called `<this name>.<name>`, whose lines all carry `fields` too. */
  child(name: string, fields?: LogFields): Logger;
  /** The same logger, whose lines all carry `fields` too. */
  with(fields: LogFields): Logger;
}
