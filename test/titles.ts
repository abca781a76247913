import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const tests = fileURLToPath(new URL('.', import.meta.url));

/** What a `describe` or an `it` is called. */
export interface TestTitle {
  /** As it is written; `…` stands for each part that the test fills in. */
  readonly title: string;
  /** Path below `test/`. */
  readonly file: string;
}

/** The titles of all tests, read from their sources: in the order of the files, and of each file. */
export async function readTitles(): Promise<TestTitle[]> {
  const all = await readdir(tests, { recursive: true });
  const files = all.filter((file) => file.endsWith('.test.ts')).sort();
  const titles: TestTitle[] = [];
  for (const file of files) {
    const text = await readFile(join(tests, file), 'utf8');
    for (const title of titlesIn(file, text)) titles.push({ title, file });
  }
  return titles;
}

function titlesIn(file: string, text: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const title = titleOf(node);
    if (title !== undefined) found.push(title);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest));
  return found;
}

function titleOf(node: ts.Node): string | undefined {
  if (!ts.isCallExpression(node) || !ts.isIdentifier(node.expression)) return undefined;
  if (!['describe', 'it'].includes(node.expression.text)) return undefined;
  const [title] = node.arguments;
  if (title === undefined) return undefined;
  if (ts.isStringLiteralLike(title)) return title.text;
  if (!ts.isTemplateExpression(title)) return undefined;
  return [title.head.text, ...title.templateSpans.map(({ literal }) => literal.text)].join('…');
}
