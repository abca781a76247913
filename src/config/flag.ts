/** A flag as `--help` tells it. */
export interface Flag {
  readonly name: string;
  /** `Values` may be given more than once; of the others the last one counts. */
  readonly takes: 'Boolean' | 'Value' | 'Values';
  /** What stands for the value in `--help`. */
  readonly placeholder: string;
  readonly group: string;
  readonly description: string;
  /** In the flag's own syntax; undefined has none. */
  readonly defaultText?: string;
  /** Read when the flag is absent or empty. */
  readonly environment?: string;
}
