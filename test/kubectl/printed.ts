/**
 * Whether something printed is what a page shows. What differs from one run to the next counts as
 * equal: times, ages, ids, digests and the width of columns. `...` on the page stands for anything.
 */
export function isAsShown(shown: string, printed: string): boolean {
  const pieces = steady(shown).split('...').map(escaped);
  return new RegExp(`^${pieces.join('[\\s\\S]*')}$`).test(steady(printed));
}

/** A text without what differs from one run to the next. */
export function steady(text: string): string {
  return text
    .replaceAll(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, '<uid>')
    .replaceAll(/sha256:[0-9a-f]+(\.\.\.)?/g, '<digest>')
    .replaceAll(/\b[0-9a-f]{16}\b/g, '<run>')
    .replaceAll(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '<time>')
    .replaceAll(/(?<=\s)(\d+[dhms])+(?=\s|$)/g, '<age>')
    .replaceAll(/(resourceVersion"?: ?)"\d+"/g, '$1"<version>"')
    .replaceAll(/ +/g, ' ')
    .replaceAll(/ $/gm, '')
    .trimEnd();
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
