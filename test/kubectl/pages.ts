import { tableRows, textOf } from '../unit/docs/markdown.ts';

/** A command that a page shows, as a reader would copy it. */
export interface DocumentedCommand {
  readonly page: string;
  /** Of its first line, from 1. */
  readonly line: number;
  /** The heading above it. */
  readonly section: string;
  /** For a shell; may have several lines. */
  readonly script: string;
  /** What the page says that it prints; undefined where the page says nothing. */
  readonly output: string | undefined;
}

interface Block {
  readonly line: number;
  readonly section: string;
  readonly language: string;
  readonly lines: readonly string[];
}

/**
 * The commands of a page in order. A block in `sh` is commands alone; one in `text` right behind it
 * is what the last of them prints. In a block in `console` each command begins with `$ `, and what it
 * prints follows.
 */
export async function documentedCommands(page: string): Promise<DocumentedCommand[]> {
  return commandsIn(page, await textOf(page));
}

/** See {@link documentedCommands}. */
export function commandsIn(page: string, markdown: string): DocumentedCommand[] {
  const blocks = blocksOf(markdown);
  return blocks.flatMap((block, index) => {
    const next = blocks[index + 1];
    const printed = next?.language === 'text' ? joined(next.lines) : undefined;
    const found = commandsOf(block, printed);
    return found.map((command) => ({ page, section: block.section, ...command }));
  });
}

function commandsOf(
  { language, line, lines }: Block,
  printed: string | undefined,
): Pick<DocumentedCommand, 'line' | 'script' | 'output'>[] {
  if (language === 'sh') {
    const scripts = scriptsOf(lines);
    return scripts.map(({ at, script }, index) => ({
      line: line + at,
      script,
      output: index === scripts.length - 1 ? printed : undefined,
    }));
  }
  if (language !== 'console') return [];
  const starts = lines.flatMap((text, at) => (text.startsWith('$ ') ? [at] : []));
  return starts.map((at, index) => {
    const part = lines.slice(at, starts[index + 1]);
    const length = scriptsOf(part)[0]?.length ?? 1;
    const script = joined(part.slice(0, length)).slice(2);
    return { line: line + at, script, output: joined(part.slice(length)) };
  });
}

/** Commands of a shell: a line, what a backslash at its end adds, and its here-document. */
function scriptsOf(lines: readonly string[]): { at: number; length: number; script: string }[] {
  const scripts: { at: number; length: number; script: string }[] = [];
  for (let at = 0; at < lines.length; ) {
    const end = endOf(lines, at);
    const script = joined(lines.slice(at, end));
    if (script !== '' && !script.startsWith('#')) scripts.push({ at, length: end - at, script });
    at = end;
  }
  return scripts;
}

function endOf(lines: readonly string[], start: number): number {
  let end = start + 1;
  while (lines[end - 1]?.endsWith('\\') === true) end += 1;
  const word = /<<'(\w+)'/.exec(lines[end - 1] ?? '')?.[1];
  if (word === undefined) return end;
  const close = lines.indexOf(word, end);
  return close === -1 ? lines.length : close + 1;
}

function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  let section = '';
  let open: { line: number; language: string; lines: string[] } | undefined;
  for (const [index, text] of markdown.split('\n').entries()) {
    if (open === undefined) {
      if (text.startsWith('#')) section = text.replace(/^#+ /, '');
      if (!text.startsWith('```')) continue;
      open = { line: index + 2, language: text.slice(3), lines: [] };
    } else if (text === '```') {
      blocks.push({ section, ...open });
      open = undefined;
    } else {
      open.lines.push(text);
    }
  }
  return blocks;
}

function joined(lines: readonly string[]): string {
  return lines.join('\n').trimEnd();
}

/** A row of a table whose columns are versions of kubectl. */
export interface SupportedCommand {
  readonly command: string;
  /** Whether the table says that it works with kubectl 1.`minor`. */
  worksWith(minor: number): boolean;
}

/** The rows of a page's first table that begin with a whole command. */
export async function supportTable(page: string): Promise<SupportedCommand[]> {
  const [headings = [], ...rows] = tableRows(await textOf(page));
  return rows.flatMap(([first = '', ...answers]) => {
    const command = /^`(kubectl [^`]+)`$/.exec(first)?.[1];
    if (command === undefined) return [];
    const worksWith = (minor: number): boolean => {
      const column = headings.slice(1).findIndex((heading) => covers(heading, minor));
      const answer = answers[column];
      if (answer !== 'yes' && answer !== 'no') {
        throw new Error(`${page}: the table does not say whether 1.${minor} has ${command}`);
      }
      return answer === 'yes';
    };
    return [{ command, worksWith }];
  });
}

/** Whether `1.27 to 1.31` or `1.32 and newer` has 1.`minor` in it. */
function covers(heading: string, minor: number): boolean {
  const [, from = '', to] = /^1\.(\d+) (?:to 1\.(\d+)|and newer)$/.exec(heading) ?? [];
  return from !== '' && minor >= Number(from) && (to === undefined || minor <= Number(to));
}
