/**
 * The order in which go-yaml v2 writes the keys of a mapping: letters after everything else, and
 * numbers inside of keys by their value (`a2` before `a10`).
 */
export function byGoYamlOrder(one: string, other: string): number {
  const [a, b] = [Array.from(one), Array.from(other)];
  for (const [index, mine] of a.entries()) {
    const theirs = b[index];
    if (theirs === undefined) break;
    if (mine === theirs) continue;
    const letters = [isLetter(mine), isLetter(theirs)];
    if (letters[0] === true && letters[1] === true) return byCodePoint(mine, theirs);
    if (letters[0] === true || letters[1] === true) return letters[1] === true ? -1 : 1;
    return byNumber(a, b, index) || byCodePoint(mine, theirs);
  }
  return a.length - b.length;
}

/** Compares the numbers that start at an index; a run of digits may have begun before it. */
function byNumber(a: readonly string[], b: readonly string[], index: number): number {
  const begun = (a[index] === '0' || b[index] === '0') && hasBegun(a, index) ? 1 : 0;
  const [mine, theirs] = [digitsFrom(a, index), digitsFrom(b, index)];
  const difference = numberOf(begun, mine) - numberOf(begun, theirs);
  return difference === 0 ? mine.length - theirs.length : Math.sign(difference);
}

/** Whether digits other than zeros stand right before an index. */
function hasBegun(text: readonly string[], index: number): boolean {
  for (let at = index - 1; at >= 0 && isDigit(text[at]); at -= 1) if (text[at] !== '0') return true;
  return false;
}

function digitsFrom(text: readonly string[], index: number): string[] {
  const digits: string[] = [];
  for (let at = index; isDigit(text[at]); at += 1) digits.push(text[at] ?? '');
  return digits;
}

function numberOf(begun: number, digits: readonly string[]): number {
  return digits.reduce((value, digit) => value * 10 + (digit.charCodeAt(0) - 48), begun);
}

function isDigit(character: string | undefined): boolean {
  return character !== undefined && /\p{Nd}/u.test(character);
}

function isLetter(character: string): boolean {
  return /\p{L}/u.test(character);
}

function byCodePoint(one: string, other: string): number {
  return (one.codePointAt(0) ?? 0) - (other.codePointAt(0) ?? 0);
}
