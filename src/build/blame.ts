/** What was tried last without success: how many patches there were, and what was said. */
export interface Failing {
  readonly count: number;
  readonly said: string;
}

/**
 * Finds the first of some patches with which a build fails, by halving: kustomize does not say which
 * patch it means.
 *
 * @param said what kustomize has said with all of them
 * @param attempt builds with the first patches; gives what is said where that fails
 * @returns the smallest number of patches that fail; 0 when it fails without any
 */
export async function firstFailing(
  patches: number,
  said: string,
  attempt: (count: number) => Promise<string | undefined>,
): Promise<Failing> {
  let failing: Failing = { count: patches, said };
  let low = 0;
  while (low < failing.count) {
    // Whether the patches are to blame at all comes first.
    const count = low === 0 && failing.count === patches ? 0 : (low + failing.count) >> 1;
    const answer = await attempt(count);
    if (answer === undefined) low = count + 1;
    else failing = { count, said: answer };
  }
  return failing;
}
