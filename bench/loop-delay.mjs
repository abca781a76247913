import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Preloaded into a process by `--import`: measures how late its event loop is. Each SIGUSR2 writes what
 * was measured since the one before to the file that the environment names, and begins anew.
 *
 * Milliseconds of each turn of a timer: by how much it was late; how much of that the main thread
 * worked, which is ours; and how much it waited for a processor, which is the machine's. The last two
 * are zero where there is no `/proc`.
 */
const file = process.env['LOOP_DELAY_FILE'] ?? '';
const interval = 2;
const mostTurns = 100_000;
// Typed arrays, so that measuring makes no garbage.
const late = new Float64Array(mostTurns);
const worked = new Float64Array(mostTurns);
const waited = new Float64Array(mostTurns);
let turns = 0;

/** Milliseconds that the main thread has worked and waited so far (proc(5), `schedstat`). */
function scheduled() {
  try {
    const [worked, waited] = readFileSync('/proc/self/schedstat', 'utf8').split(' ');
    return { worked: Number(worked) / 1e6, waited: Number(waited) / 1e6 };
  } catch {
    return { worked: 0, waited: 0 };
  }
}

function watch(began, before) {
  setTimeout(() => {
    const now = performance.now();
    const after = scheduled();
    const turn = turns % mostTurns;
    late[turn] = now - began - interval;
    worked[turn] = after.worked - before.worked;
    waited[turn] = after.waited - before.waited;
    turns += 1;
    watch(now, after);
  }, interval).unref();
}
watch(performance.now(), scheduled());

function quantiles(values) {
  const sorted = values.slice(0, Math.min(turns, mostTurns)).sort();
  const at = (share) => {
    const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return Math.round(value * 10) / 10;
  };
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

process.on('SIGUSR2', () => {
  const measured = {
    late: quantiles(late),
    worked: quantiles(worked),
    waited: quantiles(waited),
  };
  writeFileSync(file, JSON.stringify(measured));
  turns = 0;
});
