import { Command, CommanderError, Option } from 'commander';
import { closest } from './closest.ts';
import type { Flag } from './flag.ts';
import type { LaterFlag } from './later-flags.ts';
import { UsageError } from './usage-error.ts';

/** What was typed: texts by flag name, in the order given; or a text to print instead of running. */
export type CommandLine =
  | { readonly kind: 'Values'; readonly values: ReadonlyMap<string, readonly string[]> }
  | { readonly kind: 'Print'; readonly text: string };

/** Every flag that is known, and what `--version` says. */
export interface KnownFlags {
  readonly flags: readonly Flag[];
  readonly later: readonly LaterFlag[];
  readonly version: string;
}

const helpWidth = 100;

/**
 * Takes the arguments apart, as they come after the program's name; values are not looked at.
 * Booleans work as in Go: `--flag`, `--flag=true`, `--flag=false`.
 * @throws UsageError for an unknown flag, a missing value, or an argument that is no flag.
 */
export function readCommandLine(argv: readonly string[], known: KnownFlags): CommandLine {
  const values = new Map<string, string[]>();
  const printed: string[] = [];
  const command = describeCommand(known, (flag, text) => {
    values.set(flag, [...(values.get(flag) ?? []), text]);
  });
  command.exitOverride().configureOutput({
    writeOut: (text) => printed.push(text),
    writeErr: () => undefined,
    outputError: () => undefined,
  });
  try {
    command.parse([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) throw usageError(error, known);
  }
  return printed.length > 0
    ? { kind: 'Print', text: printed.join('') }
    : { kind: 'Values', values };
}

/** Keeps a value that was typed. */
type Recorder = (flag: string, text: string) => void;

function describeCommand({ flags, later, version }: KnownFlags, record: Recorder): Command {
  const command = new Command('stageset-controller')
    .description('Ordered, gated, multi-stage delivery for Kubernetes on top of Flux.')
    .usage('[flags]')
    .allowExcessArguments(false)
    .showSuggestionAfterError(false)
    .configureHelp({
      helpWidth,
      // The description has its own notes; commander would add the preset of booleans.
      optionDescription: ({ description }) => description,
    })
    .helpOption('-h, --help', 'Print this text')
    .version(version, '--version', 'Print the version');
  for (const flag of flags) command.addOption(option(flag, record));
  for (const { name, kind } of later) {
    const takes = kind === 'Boolean' ? kind : kind === 'Texts' ? 'Values' : 'Value';
    command.addOption(recording({ name, takes, placeholder: 'value' }, '', record).hideHelp());
  }
  return command.addHelpText('after', `\n${laterText(later)}`);
}

function option(flag: Flag, record: Recorder): Option {
  const notes = [
    flag.environment === undefined ? [] : [`env: ${flag.environment}`],
    flag.defaultText === undefined || flag.defaultText === ''
      ? []
      : [`default: ${flag.defaultText}`],
  ].flat();
  const description =
    notes.length === 0 ? flag.description : `${flag.description} (${notes.join(', ')})`;
  return recording(flag, description, record).helpGroup(flag.group);
}

function recording(
  { name, takes, placeholder }: Pick<Flag, 'name' | 'takes' | 'placeholder'>,
  description: string,
  record: Recorder,
): Option {
  const value = takes === 'Boolean' ? `[${placeholder}]` : `<${placeholder}>`;
  const described = new Option(`--${name} ${value}`, description);
  if (takes === 'Boolean') described.preset('true');
  return described.argParser((text) => record(name, text));
}

function laterText(later: readonly LaterFlag[]): string {
  const lines = ['Known, but not part of this build (only their defaults are accepted):', ' '];
  for (const { name } of later) {
    const last = lines.at(-1) ?? '';
    if (last.length + name.length + 4 > helpWidth) lines.push(`  --${name}`);
    else lines[lines.length - 1] = `${last} --${name}`;
  }
  return lines.join('\n');
}

function usageError(error: CommanderError, known: KnownFlags): UsageError {
  // The name alone: what follows may be a credential.
  const name = /'(-[^'=\s]*)/.exec(error.message)?.[1] ?? '';
  switch (error.code) {
    case 'commander.unknownOption':
      return new UsageError(`Unknown flag ${name}${suggestion(name, known)}; see --help`);
    case 'commander.optionMissingArgument':
      return new UsageError(`${name}: the value is missing; give it as ${name}=<value>`);
    case 'commander.excessArguments':
      return new UsageError(
        'There is an argument that belongs to no flag; give flags as --name=value, see --help',
      );
    default:
      return new UsageError(error.message);
  }
}

function suggestion(name: string, { flags, later }: KnownFlags): string {
  const names = [...flags, ...later].map((flag) => flag.name);
  const meant = closest(name.replace(/^-+/, ''), [...names, 'help', 'version']);
  return meant === undefined ? '' : ` (did you mean --${meant}?)`;
}
