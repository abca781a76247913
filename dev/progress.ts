/** Told what a long step is doing, one line at a time, in words for the person who waits. */
export type Progress = (message: string) => void;

/** Progress as lines on stderr, so that stdout stays the command's answer. */
export const progressOnStderr: Progress = (message) => {
  process.stderr.write(`${message}\n`);
};
