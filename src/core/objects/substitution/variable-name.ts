/** Whether an expression can name a variable so: letters, digits, underscores (part A 4.5). */
export function isVariableName(text: string): boolean {
  return /^[\p{L}\p{Nd}_]+$/u.test(text);
}
