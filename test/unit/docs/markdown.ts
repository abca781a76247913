import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** The root of the repository, with a slash at its end. */
export const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Text of a file, by its path from the root. */
export async function textOf(path: string): Promise<string> {
  return await readFile(`${root}${path}`, 'utf8');
}

/** Paths of README.md and all pages below docs/, from the root. */
export async function pages(): Promise<string[]> {
  const entries = await readdir(`${root}docs`, { recursive: true });
  const found = entries.filter((entry) => entry.endsWith('.md')).map((entry) => `docs/${entry}`);
  return ['README.md', ...found.sort()];
}

/** Contents of the fenced code blocks, in order, without the fences. */
export function codeBlocks(markdown: string): string[] {
  return [...markdown.matchAll(/^```[^\n]*\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code);
}

/** The text without its code blocks. */
function withoutCode(markdown: string): string {
  return markdown.replaceAll(/^```[^\n]*\n[\s\S]*?^```$/gm, '');
}

/** Targets of all links and pictures that are no URLs, such as `docs/health.md#by-kind`. */
export function relativeLinks(markdown: string): string[] {
  const targets = [...withoutCode(markdown).matchAll(/\]\(([^)\s]+)\)/g)].map(([, to = '']) => to);
  return targets.filter((target) => !/^[a-z][a-z0-9+.-]*:/i.test(target));
}

/** Anchors of the headings, as GitHub makes them. */
export function anchors(markdown: string): string[] {
  const headings = [...withoutCode(markdown).matchAll(/^#+ (.+)$/gm)];
  return headings.map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
}

/** Rows of all tables, as the texts of their cells; headings and rules included. */
export function tableRows(markdown: string): string[][] {
  const lines = withoutCode(markdown)
    .split('\n')
    .filter((line) => line.startsWith('|'));
  return lines.map((line) =>
    line
      .slice(1, line.lastIndexOf('|'))
      .split('|')
      .map((cell) => cell.trim()),
  );
}
